/* fts_file.h - what the two halves of the text engine share: fts.c fills the file, fts_find.c finds
 * in it. */
#ifndef PXS_INDEX_FTS_FILE_H
#define PXS_INDEX_FTS_FILE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <sqlite3.h>

#include "base/buf.h"
#include "index/fts.h"

/* Connections that readers leave behind for the next; above that they are closed. */
#define FTS_IDLE_MAX 8

#define FTS_READER_SETTINGS                                                                        \
	"PRAGMA cache_size = -8000;"                                                               \
	"PRAGMA mmap_size = 2147418112;"

struct fts_reader;

struct fts {
	char *path;
	sqlite3 *db; /* the writer's */
	sqlite3_stmt *put;
	sqlite3_stmt *set_meta;
	struct lexicon *lexicon;
	char *lexicon_path;
	struct pxs_buf pending; /* terms to be counted when they are committed */
	uint32_t last_put;
	uint32_t n_put;	      /* documents of the transaction */
	uint64_t seq;	      /* of the last commit */
	uint64_t lexicon_seq; /* the one of the file; UINT64_MAX: none */
	atomic_uint last_doc;
	atomic_uint merged;   /* up to here all was one segment */
	pthread_mutex_t lock; /* of what follows */
	struct fts_reader *idle[FTS_IDLE_MAX];
	size_t n_idle;
};

/* A connection that knows our tokenizer and look(). */
int fts_file_open(const char *path, int flags, const char *settings, sqlite3 **ret_db);

/* NULL is allowed. */
void fts_reader_close(struct fts_reader *reader);

/* No term is empty or holds a NUL, which would end the expression. */
static inline bool
fts_can_be_term(const char *term, size_t len)
{
	return len && !memchr(term, '\0', len);
}

#endif
