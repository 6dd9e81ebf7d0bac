/* store.h - docs.db: the record of documents and the log of their changes.
 *
 * For one thread at a time: whoever holds the index's write lock. */
#ifndef PXS_INDEX_STORE_H
#define PXS_INDEX_STORE_H

#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "base/cleanup.h"
#include "index/docs.h"
#include "query/query.h"

struct pxs_buf;
struct pxs_error;
struct store;

/* application_id and user_version of docs.db. */
#define STORE_MAGIC 0x70787364 /* "pxsd" */
#define STORE_VERSION 3

/* Where counting goes on; kept with every commit. */
struct store_counters {
	uint64_t seq;	    /* of the last change */
	uint64_t next_row;  /* never given yet */
	uint32_t next_doc;  /* never given yet */
	int64_t changed_ns; /* time of the last change; 0: never */
	uint64_t dropped;   /* dead versions of which the tables hold nothing */
	uint64_t text;	    /* the number of the tables' text file */
	uint64_t salt;	    /* makes etags of different indexes different; never changes */
};

int store_open(const char *path, struct store **ret_store, struct store_counters *ret_counters,
	       struct pxs_error *err);
void store_close(struct store *store);
DEFINE_CLEANUP(store, struct store *, store_close)

/* One row of the table of properties or of documents. */
struct store_document {
	uint32_t doc;
	struct docs_meta meta;
	const void *record;
	size_t record_len;
};

int store_property_add(struct store *store, const struct query_property *property);
/* Calls EACH for every property, or every document, by ascending number, until it returns non-zero,
 * which is returned. Pointers are lent for the call. */
int store_properties(struct store *store,
		     int (*each)(void *context, const struct query_property *property),
		     void *context);
int store_documents(struct store *store,
		    int (*each)(void *context, const struct store_document *document),
		    void *context);
/* Only those that changed after SEQ and are still there. */
int store_documents_since(struct store *store, uint64_t seq,
			  int (*each)(void *context, const struct store_document *document),
			  void *context);

/* Calls EACH with the id of every change after SEQ that is remembered, as above. */
int store_changes_since(struct store *store, uint64_t seq, int (*each)(void *context, int64_t id),
			void *context);
/* What change SEQ was. -ENOENT: it is forgotten. */
int store_change(struct store *store, uint64_t seq, int64_t *ret_id, int64_t *ret_time_ns);
/* How many documents there are. */
int store_count(struct store *store, uint64_t *ret_n);

/* The oldest change that is remembered; 0: none is. */
int store_first_change(struct store *store, uint64_t *ret_seq);

/* A transaction: begin; put and remove; commit (durable when it returns 0) or rollback. */
int store_begin(struct store *store);
int store_put(struct store *store, const struct store_document *document);
int store_remove(struct store *store, int64_t id, uint64_t row, uint64_t seq, int64_t time_ns);
int store_commit(struct store *store, const struct store_counters *counters);
void store_rollback(struct store *store);

/* With a transaction begun: number the documents 1, 2, ... as their rows are; how many there are.
 */
int store_renumber(struct store *store, uint64_t *ret_n);

/* A connection of its own, for one thread beside the one that writes. */
struct store_reader;

int store_reader_open(const char *path, struct store_reader **ret_reader);
void store_reader_close(struct store_reader *reader);
DEFINE_CLEANUP(store_reader, struct store_reader *, store_reader_close)

/* Calls EACH with the number and the row of every document, by row, until it returns non-zero. */
int store_reader_numbers(struct store_reader *reader,
			 int (*each)(void *context, uint32_t doc, uint64_t row), void *context);

/* Calls EACH with the document of ROW as it is now, if there is one; what EACH returns, or 0. */
int store_reader_row(struct store_reader *reader, uint64_t row,
		     int (*each)(void *context, const struct store_document *document),
		     void *context);

/* The connection, for what else is written in the same transactions (journal.h). Lent. */
sqlite3 *store_db(struct store *store);

/* The sentence for the last failure of SQLite; lent until the next call. */
const char *store_error(const struct store *store);

/* SQLite's own check. 0: sound; 1: not, REPORT says how; or -errno. */
int store_check(struct store *store, struct pxs_buf *report);
uint64_t store_bytes(const struct store *store); /* on disk, with its log */

#endif
