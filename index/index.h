/* index.h - keeps documents and finds them.
 *
 *     docs.db   SQLite: the record. What was acknowledged is in it, everything else is derived.
 *     fts.db    SQLite FTS5: words and positions (fts-N.db after a compaction).
 *     segments/ columns: values by document number; filters, sorts, facets and stat read these. The
 *               newest are in memory, all others in mapped files.
 *
 * Every version of a document has a number of its own, its `doc` (32 bits, increasing). An update
 * appends a new version and clears the old one's live bit, so whoever holds a view (one immutable
 * generation of the catalogue) sees the same documents for as long as he holds it.
 *
 * Thread safety: everything here may be called from any thread, except that one index_write is used
 * by one thread at a time. */
#ifndef PXS_INDEX_H
#define PXS_INDEX_H

#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "query/query.h"

struct index_budget;
struct pxs_buf;
struct pxs_error;

/* --- The index --- */

struct index;

#define INDEX_CREATE 1u /* make the folder and an empty index if there is none */

/* Open the index in folder DIR. One process owns it until index_close() (a lock file).
 *
 * -ENOENT: no index here; -EBUSY: another process owns it, ERR says which; -EBADMSG: damaged or
 * from a newer pxs; -ENOSPC, -EACCES, ... from the system. ERR has the sentence. */
int index_open(const char *dir, unsigned int flags, struct index **ret_index,
	       struct pxs_error *err);
void index_close(struct index *index);
DEFINE_CLEANUP(index, struct index *, index_close)

/* The next three look from outside, change nothing and wait for nobody: for pxs doctor.
 *
 * Does the record in DIR look like one that index_open() takes? -ENOENT: there is none; -EBADMSG:
 * it is not ours, from a newer pxs, or cut short; -EACCES. */
int index_examine(const char *dir, struct pxs_error *err);
/* *RET_PID: the process that has the index in DIR open; 0: none. */
int index_owner(const char *dir, int *ret_pid);
/* Does the SQLite that this program runs with have what we need? -ENOSYS. */
int index_engine_examine(struct pxs_error *err);

/* The absolute path of its folder; lent. */
const char *index_dir(const struct index *index);

struct index_stats {
	uint64_t documents;	/* live */
	uint64_t versions;	/* numbers given out, live or not */
	uint64_t docs_bytes;	/* docs.db and its log on disk */
	uint64_t fts_bytes;	/* fts.db and its log on disk */
	bool merge_is_due;	/* of its words, as soon as nobody writes for a while */
	uint64_t column_bytes;	/* memory of columns and dictionaries, mapped files included */
	uint64_t segment_bytes; /* files of segments/ */
	uint64_t segments;	/* of 65,536 versions each that are read from there */
	bool segments_rebuilt;	/* at start they were damaged and had to be made anew */
	uint64_t properties;
	uint64_t seq;	    /* of the newest change */
	int64_t changed_ns; /* when that was; 0: never */
};

int index_stats(struct index *index, struct index_stats *ret_stats);

/* Tells this index, and copies of it, from all others: 16 hexadecimal digits and NUL. */
#define INDEX_IDENTITY_SIZE 17
void index_identity(const struct index *index, char identity[INDEX_IDENTITY_SIZE]);

/* Drop what only versions that are gone hold (words, values, texts): the parts are made anew beside
 * those that are in use, and then take their place. It happens by itself when such versions are the
 * most. Damage to the parts is mended so, but for docs.db: -EBADMSG, it lacks what is shown. 0;
 * BUDGET's (may be NULL); from the system (-ENOSPC, ...): all is as it was. */
int index_compact(struct index *index, const struct index_budget *budget);

/* Compare the parts with the record: as many live documents everywhere, FTS and SQLite structure,
 * every document's columns against its record. 0: sound; 1: not, and REPORT has a line for each
 * fault; or -errno. */
int index_check(struct index *index, struct pxs_buf *report);

/* --- The schema --- */

/* Declare a property, or find it declared. -EEXIST: declared with another type. */
int index_property_add(struct index *index, const struct query_property *property,
		       const struct query_property **ret_property, struct pxs_error *err);

/* --- Documents going in --- */

/* A document in the making: its values, then the index's own form of them. Not thread-safe, but
 * different documents may be made in different threads. */
struct index_document;

int index_document_new(struct index_document **ret_document);
void index_document_free(struct index_document *document);
DEFINE_CLEANUP(index_document, struct index_document *, index_document_free)
/* Forget everything, keep the memory: for making thousands in a row. */
void index_document_clear(struct index_document *document);

/* ID is positive. */
void index_document_set_id(struct index_document *document, int64_t id);
/* Add VALUE (copied) to PROPERTY. Types must agree. Absent rather than empty: "" is -EINVAL.
 * Strings are brought to NFC; those that are not UTF-8 are -EILSEQ. The values of a list are added
 * one after the other, at most INDEX_LIST_MAX of them (-E2BIG when sealed). */
#define INDEX_LIST_MAX 1024
int index_document_add(struct index_document *document, const struct query_property *property,
		       const struct query_value *value);
int index_document_add_string(struct index_document *document,
			      const struct query_property *property, const char *text, size_t len);
int index_document_add_int(struct index_document *document, const struct query_property *property,
			   int64_t value);
/* Analyse the text and make the record: the costly part, for any thread. Needed before a put. */
int index_document_seal(struct index_document *document);

/* One transaction of changes. Readers see nothing of it before its commit, all of it after. */
struct index_write;

/* Waits while another write is open; in the order in which they came. */
int index_write_begin(struct index *index, struct index_write **ret_write);
/* Insert DOCUMENT, or replace the one with its id; copied. */
int index_write_put(struct index_write *write, const struct index_document *document);
/* The same for what a scan found: of the document that there is, or was before it was lost, values
 * of properties that are not readonly, which are people's, stay. */
int index_write_found(struct index_write *write, const struct index_document *document);
/* -ENOENT if there is no such document. */
int index_write_remove(struct index_write *write, int64_t id);
/* The same for what a scan no longer found: what people gave it is kept for a while (journal.h). */
int index_write_lose(struct index_write *write, int64_t id);
/* HEIR's file took the place of ID's: give HEIR what people gave ID, except where HEIR has
 * something from them. Without HEIR or ID, nothing happens. */
int index_write_inherit(struct index_write *write, int64_t heir, int64_t id);
/* Whether another write waits for the end of this one. */
bool index_write_is_awaited(const struct index_write *write);
/* Durable and visible when it returns 0; on failure nothing of it happened (-ENOSPC, -EIO, ...).
 * WRITE is gone either way. */
int index_write_commit(struct index_write *write, struct pxs_error *err);
void index_write_abort(struct index_write *write);
DEFINE_CLEANUP(index_write, struct index_write *, index_write_abort)

/* --- Documents of an upstream --- */

/* Hidden properties that keep what an upstream says of its document; as declared, they live as long
 * as the index. */
enum index_origin_field { ORIGIN_ETAG, ORIGIN_CREATED, ORIGIN_UPDATED, ORIGIN_COUNT };

struct index_origin {
	const struct query_property *properties[ORIGIN_COUNT];
};

/* Errors as index_property_add(). */
int index_origin_declare(struct index *index, struct index_origin *ret_origin,
			 struct pxs_error *err);
/* Of a document that has it, this etag and these times are told in the place of our own. ETAG has
 * up to INDEX_ETAG_SIZE - 1 bytes, at least one: else -EINVAL. */
int index_document_set_origin(struct index_document *document, const struct index_origin *origin,
			      const char *etag, int64_t created_ns, int64_t updated_ns);

/* --- Changes by people --- */

#define INDEX_ETAG_SIZE 41 /* 40 hexadecimal digits and NUL */

/* Which version of a document is live. */
struct index_version {
	char etag[INDEX_ETAG_SIZE];
	int64_t created_ns;
	int64_t updated_ns;
	uint64_t seq;
};

/* As WRITE sees it, with all that WRITE itself did so far: what was read outside may have changed
 * until here. -ENOENT. */
int index_write_version(const struct index_write *write, int64_t id,
			struct index_version *ret_version);
/* Give the document called ID the values of PATCH (sealed; its own id does not count): properties
 * of which PATCH has values get exactly these, the N_EMPTIED in EMPTIED lose theirs, all others
 * stay. -ENOENT; -E2BIG; -EROFS: it is an upstream's. */
int index_write_patch(struct index_write *write, int64_t id, const struct index_document *patch,
		      const struct query_property *const *emptied, size_t n_emptied);
/* Remove it, but keep it for a while (journal.h), so that it can be brought back. USER did it.
 * -ENOENT; -EROFS: it is an upstream's. */
int index_write_delete(struct index_write *write, int64_t id, const char *user);
/* Bring back the document called ID as it was when it was last deleted. -ENOENT: it was not, or it
 * is forgotten; -EEXIST: there is such a document. */
int index_write_undelete(struct index_write *write, int64_t id);

/* Makes a change in WRITE. Refuses (negative errno, ERR says why) before it has changed anything.
 */
typedef int (*index_applied)(void *context, struct index_write *write, struct pxs_error *err);

/* Write what APPLY does, perhaps in one transaction with what others do at the same time: then one
 * commit is for all. APPLY is called once, in some thread. What it returned, or the failure of the
 * commit; durable and visible when 0. */
int index_apply(struct index *index, index_applied apply, void *context, struct pxs_error *err);

/* Documents that were deleted and can be brought back. */
struct index_removed {
	uint64_t seq; /* of the removal */
	int64_t id;
	int64_t time_ns; /* of the removal */
	char *user;
	char *path; /* core.pathname, "" if it had none */
};

/* The N newest of those before SEQ (0: of all), newest first. The caller frees them with
 * index_removed_free(). */
int index_removed_list(struct index *index, uint64_t before_seq, size_t n,
		       struct index_removed **ret_removed, size_t *ret_n);
void index_removed_free(struct index_removed *removed, size_t n);

/* --- Views --- */

/* One generation: counted references, immutable. */
struct index_view;

struct index_view *index_view_get(struct index *index);
struct index_view *index_view_ref(struct index_view *view);
void index_view_put(struct index_view *view);
DEFINE_CLEANUP(index_view, struct index_view *, index_view_put)

/* Somebody to whom documents are not there whose files he could not stat. */
enum index_entry { INDEX_ENTRY_REFUSED, INDEX_ENTRY_GRANTED, INDEX_ENTRY_GONE };

struct index_viewer {
	uint64_t key; /* not 0; viewers with the same see the same */
	/* For each of N directories (absolute, exact bytes), an enum index_entry: whether he has
	 * search permission on it and on all above it, or it is not there. */
	int (*enters)(void *context, const char *const *directories, size_t n, uint8_t *entries);
	void *context;
};

/* The newest generation as VIEWER sees it: as if there were no other documents, in every respect.
 * Permissions are those of at most 10 seconds ago. -EAGAIN: too many ask at once; -ENOMEM; or what
 * `enters` returned. */
int index_view_for(struct index *index, const struct index_viewer *viewer,
		   struct index_view **ret_view);

/* That view if it is at hand, else NULL; never asks `enters`. */
struct index_view *index_view_kept(struct index *index, uint64_t key);

uint64_t index_view_seq(const struct index_view *view);
uint64_t index_view_count(const struct index_view *view); /* live documents */
int64_t index_view_changed_ns(const struct index_view *view);
/* Lent, as long as the view. Its properties live as long as the index. */
const struct query_schema *index_view_schema(const struct index_view *view);

/* --- What changed --- */

struct index_change {
	uint64_t seq;
	int64_t id;
	int64_t time_ns;
	bool removed;
	uint32_t doc; /* in the view; if not removed */
};

struct index_changes {
	struct index_change *list; /* room for `max`, the caller's */
	size_t max;
	size_t n;
	uint64_t seq; /* in: tell what came after this; out: where to go on */
};

/* The changes that made VIEW of what was at changes->seq, oldest first: for every document the last
 * one. There are more if changes->seq is below the view's then. A viewer's view tells of removed
 * documents that he could have seen.
 * -ESTALE: these are no longer remembered, or changes->seq is of another index: begin anew. */
int index_changes(const struct index_view *view, struct index_changes *changes);

/* Whether USER may know that the document ID, which is not there in VIEW (his), was removed: he did
 * it, or saw it before, which is remembered until the process ends. 1, 0, or a negative errno. */
int index_removed_is_known(const struct index_view *view, int64_t id, const char *user);

/* Wait until there is a change after SEQ. -ETIMEDOUT, -ECANCELED, as BUDGET says. */
int index_wait(struct index *index, uint64_t seq, const struct index_budget *budget);
/* Whoever waits looks at his budget now. */
void index_wake(struct index *index);

/* --- A document in a view --- */

/* The document called ID, live in VIEW: -ENOENT if there is none. */
int index_doc_find(const struct index_view *view, int64_t id, uint32_t *ret_doc);
/* The same by row: the permanent, never reused number of a document. */
int index_doc_find_row(const struct index_view *view, uint64_t row, uint32_t *ret_doc);

int64_t index_doc_id(const struct index_view *view, uint32_t doc);
uint64_t index_doc_row(const struct index_view *view, uint32_t doc);
void index_doc_etag(const struct index_view *view, uint32_t doc, char etag[INDEX_ETAG_SIZE]);
/* Of the change that made this version: no other version has it. */
uint64_t index_doc_seq(const struct index_view *view, uint32_t doc);
int64_t index_doc_created_ns(const struct index_view *view, uint32_t doc);
int64_t index_doc_updated_ns(const struct index_view *view, uint32_t doc);

/* The first value of PROPERTY; false if DOC has none. Strings are lent as long as the view. */
bool index_doc_value(const struct index_view *view, uint32_t doc,
		     const struct query_property *property, struct query_value *ret_value);

/* The number of values of PROPERTY, and up to N of them in VALUES. */
size_t index_doc_values(const struct index_view *view, uint32_t doc,
			const struct query_property *property, struct query_value *values,
			size_t n);

/* Adds the path of DOC's file, its exact bytes, to PATH; false: it has none. */
bool index_doc_path(const struct index_view *view, uint32_t doc, struct pxs_buf *path);

/* What lies below FROM on the machine that indexed it lies below TO here. */
struct index_path_rule {
	const char *from, *to; /* absolute, without a slash at the end: "" is the root */
};

/* From now on index_doc_path() follows RULES, whose longest FROM counts. Before anybody else has
 * the index. -ENOMEM. */
int index_map_paths(struct index *index, const struct index_path_rule *rules, size_t n);

/* Whether FD, of which ST tells, is the file that was indexed as DOC. Device numbers may change
 * when a machine starts anew (and then differ for every file), so where only they do, the time of
 * creation decides. Of a file whose path is mapped, which another machine sees in its own way, size
 * and time of modification do. */
struct stat;
bool index_doc_is_file(const struct index_view *view, uint32_t doc, int fd, const struct stat *st);

/* --- Searching --- */

/* What a search may cost. Zero or NULL: no such bound. */
struct index_budget {
	int64_t deadline_ns;		  /* pxs_clock_steady_ns() then: -ETIMEDOUT */
	bool (*cancelled)(void *context); /* asked every few milliseconds; true: -ECANCELED */
	void *context;
};

/* sem_wait(TURNS), unless BUDGET (NULL: none) ends before: -ETIMEDOUT, -ECANCELED. */
int index_budget_wait(const struct index_budget *budget, sem_t *turns);

/* The documents that match a query, in one view. Counted references, immutable, shared. */
struct index_hits;

/* Find; a date relative to now is of the second in which this is called. Hits of recent searches
 * are kept (by generation and key), so asking again is cheap. 0; -ETIMEDOUT, -ECANCELED, -EINVAL
 * (ERR says why), -ENOMEM, -EIO. */
int index_search(struct index_view *view, const struct query *query,
		 const struct index_budget *budget, struct index_hits **ret_hits,
		 struct pxs_error *err);
/* Hits of that search if they are at hand, else NULL; never searches. */
struct index_hits *index_search_cached(struct index_view *view, const struct query *query);

/* How one leaf of a query was answered; lent for the call. */
struct index_answer {
	const struct query_node *node;
	const char *from; /* what answered: "words", "columns", ...; static */
	uint64_t n_terms; /* words that it stands for; of many that match, those in the view */
	uint64_t found;	  /* documents, of those that were still candidates */
	int64_t spent_ns;
};

/* Told while a query is answered, in the thread that asks: each word that a leaf was expanded to
 * and that DOCUMENTS (1 or more) in the view have (PROPERTY: NULL for numbers), then the leaf.
 * Either may be NULL. */
struct index_trace {
	void (*term)(void *context, const struct query_property *property, const char *word,
		     size_t len, uint64_t documents);
	void (*leaf)(void *context, const struct index_answer *answer);
	void *context;
};

/* index_search() that answers anew and tells TRACE how; nothing is kept. */
int index_explain(struct index_view *view, const struct query *query,
		  const struct index_budget *budget, const struct index_trace *trace,
		  struct index_hits **ret_hits, struct pxs_error *err);

/* Of the query, resolved, that HITS answer: in one view, hits of equal keys are equal. */
struct query_key index_hits_key(const struct index_hits *hits);

struct index_hits *index_hits_ref(struct index_hits *hits);
void index_hits_put(struct index_hits *hits);
DEFINE_CLEANUP(index_hits, struct index_hits *, index_hits_put)

struct index_view *index_hits_view(const struct index_hits *hits); /* lent */
uint64_t index_hits_count(const struct index_hits *hits);
bool index_hits_contains(const struct index_hits *hits, uint32_t doc);

/* What is in HITS and not, in the same version, in OTHER, hits of any view of the same index: up to
 * N documents of HITS' view, ascending. -E2BIG: there are more; -ENOMEM. */
int index_hits_except(const struct index_hits *hits, const struct index_hits *other, uint32_t *docs,
		      size_t n, size_t *ret_n);

/* Up to N documents from place OFFSET on, the number of them, in the query's order; without one
 * the most relevant come first where words are asked for, else all stand by ascending row.
 * Documents that are equal in an order, or as relevant, stand by ascending `_id`. -ENOMEM;
 * -ETIMEDOUT, -ECANCELED: index_budget's; -EINVAL: ordering takes more memory than is allowed. */
int index_hits_page(struct index_hits *hits, uint64_t offset, const struct index_budget *budget,
		    uint32_t *docs, size_t n, size_t *ret_n);

/* For listings that go on in any later generation: up to N documents, those after ROW (0: from the
 * start), in the query's order, without one by ascending row, never by relevance, which costs
 * more than a listing may; ROW tells the place. A document keeps its row when it changes, so
 * nothing that stayed is told twice or left out. -ESTALE: the document of ROW is gone, and the
 * order needs its values. */
int index_hits_after(struct index_hits *hits, uint64_t row, const struct index_budget *budget,
		     uint32_t *docs, size_t n, size_t *ret_n);

/* The same for pages of index_hits_page(), in its order, by a cursor: text that holds whatever the
 * order needs, so that it survives restarts, changes and the end of the document that it came from.
 * Adds the one for the place of DOC, which is one of the hits. Letters, digits and '-'; as long as
 * DOC's values that it is sorted by. */
int index_hits_cursor(struct index_hits *hits, uint32_t doc, struct pxs_buf *cursor);
/* Up to N documents after CURSOR ("": from the start), which must be of the same order: else
 * -EINVAL. A document whose values changed meanwhile is told where it stands now. */
int index_hits_resume(struct index_hits *hits, const char *cursor,
		      const struct index_budget *budget, uint32_t *docs, size_t n, size_t *ret_n,
		      struct pxs_error *err);

/* Calls EACH for every hit whose string PROPERTY is exactly VALUE, ascending doc, until it returns
 * non-zero, which is returned. Cost: a look at those that have the rarest of its words; if none is
 * rare, at the hits or at all codes, whichever are fewer. */
int index_hits_equal(struct index_hits *hits, const struct query_property *property,
		     const char *value, int (*each)(void *context, uint32_t doc), void *context);

/* --- Facets --- */

enum index_bucket_kind {
	INDEX_BUCKET_VALUE, /* documents with one value */
	INDEX_BUCKET_RANGE, /* documents with a value in [low, high) */
	INDEX_BUCKET_NONE,  /* documents without a value: "(none)" */
};

struct index_bucket {
	enum index_bucket_kind kind;
	uint64_t count; /* exactly what following `condition` finds */
	struct query_node
		condition; /* a leaf to AND; for query_print_segment(), query_add_condition() */
};

struct index_facet {
	const struct query_property *property;
	uint64_t count;	  /* hits that have a value */
	uint64_t missing; /* hits that have none */
	uint64_t other;	  /* values mass in no listed bucket */
	/* Usefulness U = 1 - expected_num / expected_den / hits, research/index.md 3.2; exact. */
	unsigned __int128 expected_num, expected_den;
	double usefulness;	      /* the same, for people */
	struct index_bucket *buckets; /* in order: ranges ascending, values by count; (none) last */
	size_t n_buckets;
};

struct index_facets {
	struct index_facet
		*facets; /* most useful first; only those with at least one hit's value */
	size_t n_facets;
	uint64_t hits;
};

/* Facets of every property with `filter` set: up to 5 buckets each, (none) beside. Computed once
 * for one hits object and kept with it; lent as long as HITS. Errors as index_search(). */
int index_hits_facets(struct index_hits *hits, const struct index_budget *budget,
		      const struct index_facets **ret_facets, struct pxs_error *err);

/* The facet of one property, whether or not it is offered by default, with at most MAX_VALUES
 * buckets for strings (ranges stay at 5). Those asked for last are kept with HITS; shared and not
 * to be changed. The caller's to free. */
int index_hits_facet(struct index_hits *hits, const struct query_property *property,
		     size_t max_values, const struct index_budget *budget,
		     struct index_facet **ret_facet, struct pxs_error *err);
void index_facet_free(struct index_facet *facet);
DEFINE_CLEANUP(index_facet, struct index_facet *, index_facet_free)

/* --- Small state that survives restarts --- */

/* Permanent numbers of the mount's names: the same (PARENT, NAME) has the same number for ever, and
 * no number is ever reused. 1 is the root. Finding an unknown name gives it a number, which is
 * written to disk a little later (numbers are reserved beforehand, so a crash reuses none). */
#define INDEX_NODE_ROOT UINT64_C(1)
int index_node_number(struct index *index, uint64_t parent, const char *name, uint64_t *ret_number);
/* -ENOENT: no such number. NAME is added to BUF. */
int index_node_name(struct index *index, uint64_t number, uint64_t *ret_parent,
		    struct pxs_buf *name);

/* Saved searches: a name and the path of a query (below query/), which may have parameters to be
 * filled in (query_saved_fill()). A name may lie in groups, "pets/cats". */
struct index_saved {
	char *name;
	char *path; /* "": it is a group */
	int64_t created_ns;
};

#define INDEX_SAVED_MAX 10000	  /* groups counted */
#define INDEX_SAVED_NAME_MAX 1024 /* bytes, with groups */
#define INDEX_SAVED_PART_MAX 255

/* Save PATH as NAME, or make the group NAME (PATH ""), and the groups that it lies in. -EEXIST:
 * there is one of that name, unless it may be replaced (a search by a search); -ENOTDIR: a group
 * that it lies in is a search; -EINVAL, -ENAMETOOLONG: no name; ERR has the sentence. */
int index_saved_put(struct index *index, const char *name, const char *path, bool may_replace,
		    struct pxs_error *err);
/* A group with all that lies in it. -ENOENT, -EEXIST and as above. */
int index_saved_rename(struct index *index, const char *from, const char *to,
		       struct pxs_error *err);
/* -ENOENT; -ENOTEMPTY: a group with something in it. */
int index_saved_remove(struct index *index, const char *name, struct pxs_error *err);
/* PATH is added to BUF. -ENOENT. */
int index_saved_get(struct index *index, const char *name, struct pxs_buf *path);
/* All, by name. The caller frees them with index_saved_free(). */
int index_saved_list(struct index *index, struct index_saved **ret_saved, size_t *ret_n);
void index_saved_free(struct index_saved *saved, size_t n);

/* Recent queries: names that a user opened, each ended by a NUL, newest first. Of so many users.
 * They are written to disk a little later. */
#define INDEX_RECENT_MAX 20
#define INDEX_RECENT_USERS 256
int index_recent_note(struct index *index, uint32_t uid, const char *name);
/* Added to NAMES. */
int index_recent_list(struct index *index, uint32_t uid, struct pxs_buf *names);

/* Notes: small texts by name, for what is kept beside the documents. TEXT is added to a buffer;
 * -ENOENT: there is none. */
int index_note_put(struct index *index, const char *name, const char *text);
int index_note_get(struct index *index, const char *name, struct pxs_buf *text);

/* Sources: trees that were ingested, and what could not be read in them. */
struct index_source {
	int64_t id;	    /* small, permanent */
	char *path;	    /* absolute, bytes as on disk */
	int64_t scanned_ns; /* end of the last complete scan; 0: never */
	uint64_t failures;
};

struct index_failure {
	char *path; /* bytes as on disk */
	char *reason;
	int64_t time_ns;
};

/* Find or make the source with this PATH. */
int index_source_add(struct index *index, const char *path, int64_t *ret_id);
int index_source_list(struct index *index, struct index_source **ret_sources, size_t *ret_n);
void index_source_free(struct index_source *sources, size_t n);
/* Forget the source; its documents must have been removed before. */
int index_source_remove(struct index *index, int64_t id);
/* A complete scan of the part of source ID at or below PREFIX ended at TIME_NS: replace the
 * failures recorded there. */
int index_source_scanned(struct index *index, int64_t id, const char *prefix, int64_t time_ns,
			 const struct index_failure *failures, size_t n_failures);
/* The first N failures after OFFSET, by path. The caller frees them with index_failure_free(). */
int index_failure_list(struct index *index, uint64_t offset, size_t n,
		       struct index_failure **ret_failures, size_t *ret_n);
void index_failure_free(struct index_failure *failures, size_t n);

#endif
