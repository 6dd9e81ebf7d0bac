/* FTS5 keeps an index in the tables f_data and f_idx (the head of SQLite's fts5_index.c describes
 * them); of version 4 of that, and with all its details, this reads:
 *
 *     f_data, row 10      the structure: levels of segments, each a run of leaves of its own
 *     f_idx               of a segment: where a term is, if it has it: the leaf
 *     f_data, other rows  the leaves
 *
 *     leaf   first row (0: none), end | ... rest of the last leaf's documents, term, documents,
 *            term, documents ... | end: where each term begins
 *     term   bytes it shares with the one before (not the leaf's first), length, rest
 *     documents   document or distance to it, 2 * bytes of its positions, positions ...
 *
 * Documents that go on in another leaf begin there with a whole number, at `first row`. Numbers are
 * SQLite's varints. A level has what was put before all of the level below, and in a level the
 * oldest segment comes first: documents come in the order in which they were put. They are never
 * taken out. */
#include "index/fts_pages.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/macros.h"
#include "index/budget.h"
#include "index/db.h"
#include "index/sqlite_errno.h"

#define FORMAT_VERSION 4
#define STRUCTURE_ROW 10
#define COOKIE_SIZE 4
#define SEGMENT_SHIFT 37
#define LEAF_HEAD 4

/* FTS5's own limit, which holds for levels, too: each merge of all segments adds one. */
#define SEGMENTS_MAX 2000

/* Terms of the index itself begin so, those of prefix indexes otherwise. */
#define MAIN_INDEX '0'

static const char STRUCTURE[] = "SELECT block FROM f_data WHERE id = ?1";
static const char SEEK[] = "SELECT pgno >> 1 FROM f_idx WHERE segid = ?1 AND term <= ?2"
			   " ORDER BY term DESC LIMIT 1";
static const char LEAVES[] = "SELECT id, block FROM f_data WHERE id BETWEEN ?1 AND ?2 ORDER BY id";

struct fts_pages {
	sqlite3_stmt *structure;
	sqlite3_stmt *seek;
	sqlite3_stmt *leaves;
	struct segment {
		uint32_t id, first, last; /* leaves */
	} segments[SEGMENTS_MAX];
	size_t levels[SEGMENTS_MAX + 1]; /* where each begins in them, and the end */
	size_t n_levels;
};

/* --- Bytes --- */

struct bytes {
	const uint8_t *data;
	size_t len;
};

/* The number at *AT, which is behind it then. False: there is none before END. */
static inline bool
read_varint(const uint8_t *data, size_t end, size_t *at, uint64_t *ret_value)
{
	uint64_t value = 0;

	for (unsigned int n = 1; *at < end; n++) {
		uint8_t byte = data[(*at)++];

		if (n == 9) {
			*ret_value = value << 8 | byte;
			return true;
		}
		value = value << 7 | (byte & 0x7f);
		if (byte < 0x80) {
			*ret_value = value;
			return true;
		}
	}
	return false;
}

static size_t
read_u16(const uint8_t *data)
{
	return (size_t)data[0] << 8 | data[1];
}

/* How many varints end among N bytes. */
static uint32_t
count_varints(const uint8_t *data, size_t n)
{
	uint32_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += data[i] < 0x80;
	return count;
}

/* --- Structure --- */

static bool
parse_segment(const struct bytes *from, size_t *at, struct segment *segment)
{
	uint64_t id;
	uint64_t first;
	uint64_t last;

	if (!read_varint(from->data, from->len, at, &id) || id > UINT16_MAX ||
	    !read_varint(from->data, from->len, at, &first) || first > INT32_MAX ||
	    !read_varint(from->data, from->len, at, &last) || last > INT32_MAX)
		return false;
	*segment = (struct segment){ (uint32_t)id, (uint32_t)first, (uint32_t)last };
	return true;
}

static bool
parse_structure(struct fts_pages *pages, const struct bytes *from)
{
	uint64_t n_levels;
	uint64_t n;
	size_t at = COOKIE_SIZE;
	size_t n_segments = 0;

	if (!read_varint(from->data, from->len, &at, &n_levels) || n_levels > SEGMENTS_MAX ||
	    !read_varint(from->data, from->len, &at, &n) ||
	    !read_varint(from->data, from->len, &at, &n))
		return false;
	for (size_t level = 0; level < n_levels; level++) {
		pages->levels[level] = n_segments;
		if (!read_varint(from->data, from->len, &at, &n) ||
		    !read_varint(from->data, from->len, &at, &n) || n > SEGMENTS_MAX - n_segments)
			return false;
		for (; n > 0; n--)
			if (!parse_segment(from, &at, &pages->segments[n_segments++]))
				return false;
	}
	pages->levels[n_levels] = n_segments;
	pages->n_levels = n_levels;
	return true;
}

static void
bytes_of(sqlite3_stmt *stmt, int column, struct bytes *ret_bytes)
{
	ret_bytes->data = sqlite3_column_blob(stmt, column);
	ret_bytes->len = ret_bytes->data ? (size_t)sqlite3_column_bytes(stmt, column) : 0;
}

/* What is read until the statement is reset is of the same commit. */
static int
read_structure(struct fts_pages *pages)
{
	struct bytes block;
	int rc = sqlite3_step(pages->structure);

	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? -EBADMSG : sqlite_errno(rc);
	bytes_of(pages->structure, 0, &block);
	return parse_structure(pages, &block) ? 0 : -EBADMSG;
}

/* --- Opening --- */

void
fts_pages_close(struct fts_pages *pages)
{
	if (!pages)
		return;
	(void)sqlite3_finalize(pages->structure);
	(void)sqlite3_finalize(pages->seek);
	(void)sqlite3_finalize(pages->leaves);
	free(pages);
}

static int
check_version(sqlite3 *db)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	int r = db_prepare(db, "SELECT v FROM f_config WHERE k = 'version'", &stmt);
	int rc;

	if (r < 0)
		return r;
	rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? -EBADMSG : sqlite_errno(rc);
	return sqlite3_column_int(stmt, 0) == FORMAT_VERSION ? 0 : -EBADMSG;
}

int
fts_pages_open(sqlite3 *db, struct fts_pages **ret_pages)
{
	CLEANUP(fts_pages) struct fts_pages *pages = calloc(1, sizeof(*pages));
	int r = pages ? check_version(db) : -ENOMEM;

	if (r == 0)
		r = db_prepare(db, STRUCTURE, &pages->structure);
	if (r == 0)
		r = db_prepare(db, SEEK, &pages->seek);
	if (r == 0)
		r = db_prepare(db, LEAVES, &pages->leaves);
	if (r == 0)
		r = sqlite_errno(sqlite3_bind_int64(pages->structure, 1, STRUCTURE_ROW));
	if (r == 0)
		*ret_pages = STEAL(pages);
	return r;
}

/* --- A walk through a segment --- */

struct walk {
	struct fts_pages *pages;
	const struct segment *segment;
	const struct index_budget *budget;
	uint32_t leaf; /* its number */
	const uint8_t *data;
	size_t len;
	size_t terms;	  /* where the places of its terms stand; what is before are terms */
	size_t first_row; /* of documents that go on from the leaf before; 0: none */
	size_t next_term; /* 0: no more in this leaf */
	size_t next_place;
	size_t at;     /* of the next document, and */
	size_t end;    /* where those in this leaf end */
	bool is_whole; /* the next document's number counts from 0 */
	bool has_term;
	struct pxs_buf term; /* with MAIN_INDEX */
};

static void
walk_cleanup(struct walk *walk)
{
	pxs_buf_done(&walk->term);
}

/* `next_term` becomes the one after it. */
static int
find_next_term(struct walk *walk)
{
	uint64_t distance;

	if (walk->next_place == walk->len) {
		walk->next_term = 0;
		return 0;
	}
	if (!read_varint(walk->data, walk->len, &walk->next_place, &distance) || distance == 0 ||
	    distance >= walk->terms - walk->next_term)
		return -EBADMSG;
	walk->next_term += distance;
	return 0;
}

/* Documents that the leaf's first term is not of come first. */
static int
enter_leaf(struct walk *walk)
{
	if (walk->len < LEAF_HEAD)
		return -EBADMSG;
	walk->first_row = read_u16(walk->data);
	walk->terms = read_u16(walk->data + 2);
	walk->next_place = walk->terms;
	walk->next_term = 0;
	walk->has_term = false;
	walk->is_whole = true;
	if (walk->terms < LEAF_HEAD || walk->terms > walk->len || find_next_term(walk) < 0 ||
	    (walk->next_term > 0 && walk->next_term < LEAF_HEAD))
		return -EBADMSG;
	walk->end = walk->next_term ? walk->next_term : walk->terms;
	walk->at = walk->first_row ? walk->first_row : walk->end;
	return walk->at >= LEAF_HEAD && walk->at <= walk->end ? 0 : -EBADMSG;
}

static sqlite3_int64
leaf_row(const struct segment *segment, sqlite3_int64 leaf)
{
	return (sqlite3_int64)segment->id << SEGMENT_SHIFT | leaf;
}

/* 1; 0: that was the last. */
static int
next_leaf(struct walk *walk)
{
	struct bytes block;
	int rc;
	int r = budget_check(walk->budget);

	if (r < 0 || walk->leaf == walk->segment->last)
		return r;
	rc = sqlite3_step(walk->pages->leaves);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? -EBADMSG : sqlite_errno(rc);
	walk->leaf++;
	if (sqlite3_column_int64(walk->pages->leaves, 0) != leaf_row(walk->segment, walk->leaf))
		return -EBADMSG;
	bytes_of(walk->pages->leaves, 1, &block);
	walk->data = block.data;
	walk->len = block.len;
	r = enter_leaf(walk);
	return r < 0 ? r : 1;
}

/* To the leaf that may have KEY and what follows it. 1; 0: the segment has none. */
static int
seek(struct walk *walk, const struct pxs_buf *key)
{
	CLEANUP(stmt_run) sqlite3_stmt *stmt = walk->pages->seek;
	const struct segment *segment = walk->segment;
	sqlite3_int64 leaf;
	int rc;
	int r;

	r = sqlite_errno(sqlite3_bind_int64(stmt, 1, segment->id));
	if (r == 0)
		r = sqlite_errno(sqlite3_bind_blob64(stmt, 2, key->data, key->len, SQLITE_STATIC));
	if (r < 0)
		return r;
	rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return sqlite_errno(rc);
	leaf = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : segment->first;
	/* While segments are merged, what was taken over is cut off at the front. */
	leaf = MAX(leaf, (sqlite3_int64)segment->first);
	if (leaf > segment->last || segment->first == 0)
		return 0;
	walk->leaf = (uint32_t)leaf - 1;
	r = sqlite_errno(sqlite3_bind_int64(walk->pages->leaves, 1, leaf_row(segment, leaf)));
	if (r == 0)
		r = sqlite_errno(sqlite3_bind_int64(walk->pages->leaves, 2,
						    leaf_row(segment, segment->last)));
	return r < 0 ? r : next_leaf(walk);
}

/* Go to the next term, in the leaf at hand or a later one. 1; 0: there is none. */
static int
next_term(struct walk *walk)
{
	size_t at;
	uint64_t same = 0;
	uint64_t len;
	int r;

	while (!walk->next_term) {
		r = next_leaf(walk);
		if (r <= 0)
			return r;
	}
	at = walk->next_term;
	if ((walk->has_term && !read_varint(walk->data, walk->terms, &at, &same)) ||
	    !read_varint(walk->data, walk->terms, &at, &len) || same > walk->term.len ||
	    len > walk->terms - at)
		return -EBADMSG;
	walk->term.len = same;
	pxs_buf_add(&walk->term, walk->data + at, len);
	walk->has_term = true;
	walk->is_whole = true;
	walk->at = at + len;
	r = find_next_term(walk);
	walk->end = walk->next_term ? walk->next_term : walk->terms;
	if (walk->term.error)
		return walk->term.error;
	return r < 0 || walk->at > walk->end ? -EBADMSG : 1;
}

/* --- Documents --- */

struct scan {
	struct pxs_buf key; /* with MAIN_INDEX */
	bool is_prefix;
	fts_each *each;
	void *context;
	uint64_t last; /* document of the term, in the segment */
};

static void
scan_cleanup(struct scan *scan)
{
	pxs_buf_done(&scan->key);
}

/* The rest of a document's positions, N bytes, stands in the leaves that follow. */
static int
count_in_next_leaves(struct walk *walk, uint64_t n, uint32_t *times)
{
	while (n > 0) {
		size_t room;
		int r = next_leaf(walk);

		if (r <= 0)
			return r < 0 ? r : -EBADMSG;
		room = MIN(n, (walk->first_row ? walk->first_row : walk->end) - LEAF_HEAD);
		*times += count_varints(walk->data + LEAF_HEAD, room);
		n -= room;
		if (n > 0 && (walk->first_row || walk->next_term))
			return -EBADMSG;
	}
	return 0;
}

/* How often a document has the term, from its positions. */
static int
count_positions(struct walk *walk, uint32_t *ret_times)
{
	uint64_t size;
	size_t room;

	if (!read_varint(walk->data, walk->end, &walk->at, &size) || size & 1)
		return -EBADMSG;
	room = MIN(size / 2, (uint64_t)(walk->end - walk->at));
	*ret_times = count_varints(walk->data + walk->at, room);
	walk->at += room;
	if (room == size / 2)
		return 0;
	return walk->next_term ? -EBADMSG : count_in_next_leaves(walk, size / 2 - room, ret_times);
}

/* Whether there is one more document of the term, maybe in a later leaf: 1 or 0. */
static int
has_document(struct walk *walk)
{
	while (walk->at == walk->end && !walk->next_term) {
		int r = next_leaf(walk);

		if (r <= 0)
			return r;
	}
	return walk->at < walk->end;
}

static int
tell_documents(struct walk *walk, struct scan *scan)
{
	uint64_t document = 0;
	int r;

	while ((r = has_document(walk)) > 0) {
		uint64_t distance;
		uint32_t times;

		if (!read_varint(walk->data, walk->end, &walk->at, &distance))
			return -EBADMSG;
		document = walk->is_whole ? distance : document + distance;
		walk->is_whole = false;
		if (document <= scan->last || document > UINT32_MAX)
			return -EBADMSG;
		scan->last = document;
		r = count_positions(walk, &times);
		if (r == 0)
			r = scan->each(scan->context, (uint32_t)document, times);
		if (r != 0)
			return r;
	}
	return r;
}

/* --- Scanning --- */

static int
compare(const struct walk *walk, const struct scan *scan)
{
	size_t len = MIN(walk->term.len, scan->key.len);
	int order = memcmp(walk->term.data, scan->key.data, len);

	if (order != 0)
		return order;
	if (walk->term.len < scan->key.len)
		return -1;
	return walk->term.len > scan->key.len && !scan->is_prefix;
}

static int
scan_segment(struct walk *walk, struct scan *scan)
{
	int r = seek(walk, &scan->key);

	/* The leaf that may have the term has it, or none has. */
	while (r > 0 && (walk->next_term || scan->is_prefix)) {
		int order;

		r = next_term(walk);
		if (r <= 0)
			break;
		order = compare(walk, scan);
		if (order > 0)
			return 0;
		if (order < 0)
			continue;
		scan->last = 0;
		r = tell_documents(walk, scan);
		if (r != 0 || !scan->is_prefix)
			return r;
		r = 1;
	}
	return r < 0 ? r : 0;
}

/* The oldest segments first. */
static int
scan_segments(struct fts_pages *pages, struct scan *scan, const struct index_budget *budget)
{
	int r = 0;

	for (size_t level = pages->n_levels; level-- > 0;)
		for (size_t i = pages->levels[level]; r == 0 && i < pages->levels[level + 1]; i++) {
			CLEANUP(walk)
			struct walk walk = {
				.pages = pages,
				.segment = &pages->segments[i],
				.budget = budget,
			};

			r = scan_segment(&walk, scan);
			(void)sqlite3_reset(pages->leaves);
		}
	return r;
}

int
fts_pages_scan(struct fts_pages *pages, const char *term, size_t len, bool is_prefix,
	       const struct index_budget *budget, fts_each *each, void *context)
{
	CLEANUP(scan)
	struct scan scan = { .is_prefix = is_prefix, .each = each, .context = context };
	int r = budget_check(budget);

	pxs_buf_add_char(&scan.key, MAIN_INDEX);
	pxs_buf_add(&scan.key, term, len);
	if (r == 0)
		r = scan.key.error;
	if (r == 0)
		r = read_structure(pages);
	if (r == 0)
		r = scan_segments(pages, &scan, budget);
	(void)sqlite3_reset(pages->structure);
	return r;
}
