/* journal.h - what happened to documents, in docs.db: the log of changes, and the documents that
 * people removed, kept so that they can be brought back; and of those whose files went away, with
 * what people gave them, kept in case the files come back. */
#ifndef PXS_INDEX_JOURNAL_H
#define PXS_INDEX_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "base/cleanup.h"

struct pxs_buf;

/* What a change did; permanent, as it is stored. */
enum journal_op { JOURNAL_PUT = 1, JOURNAL_REMOVE = 2 };

/* Since format 2 of docs.db. */
#define JOURNAL_SCHEMA                                                                             \
	"CREATE TABLE removed ("                                                                   \
	"  seq INTEGER PRIMARY KEY, id INTEGER NOT NULL, row INTEGER NOT NULL,"                    \
	"  created INTEGER NOT NULL, time INTEGER NOT NULL, user TEXT NOT NULL,"                   \
	"  record BLOB NOT NULL);"                                                                 \
	"CREATE INDEX removed_id ON removed (id);"

/* A removed document is kept until so many were removed after it, or for so long. A document takes
 * some 700 bytes. */
#define JOURNAL_REMOVED_MAX 1000000
#define JOURNAL_REMOVED_S (INT64_C(30) * 24 * 3600)

/* So many of the newest changes can be told; who asks for older ones must begin anew. */
#define JOURNAL_CHANGES_MAX 1000000

struct journal_removed {
	uint64_t seq; /* of the removal */
	int64_t id;
	uint64_t row;
	int64_t created_ns;
	int64_t time_ns;  /* of the removal */
	const char *user; /* who did it; "": nobody, its file went away */
	const void *record;
	size_t record_len;
};

struct journal;

/* On the store's connection: what is written is part of the store's transaction. */
int journal_open(sqlite3 *db, struct journal **ret_journal);
void journal_close(struct journal *journal);
DEFINE_CLEANUP(journal, struct journal *, journal_close)

int journal_add(struct journal *journal, const struct journal_removed *removed);
/* The newest removal of the document called ID; its pointers are lent until the next call.
 * -ENOENT. */
int journal_find(struct journal *journal, int64_t id, struct journal_removed *ret_removed);
/* It is back: forget that it was removed. */
int journal_drop(struct journal *journal, int64_t id);

/* Forget what the limits above no longer allow, once in a while; SEQ and TIME_NS are those of now.
 * Changes after KEEP_SEQ stay. */
int journal_trim(struct journal *journal, uint64_t seq, int64_t time_ns, uint64_t keep_seq);

#endif
