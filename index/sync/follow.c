#include "index/sync/follow.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/macros.h"
#include "index/sync/upstream.h"

/* So many may go without somebody's word: DESIGN s.7. */
#define ORDINARY_MIN 1000
#define ORDINARY_PART 100

/* --- Documents of the upstream that are here --- */

int
follow_query(struct follower *follower, struct query **ret_query)
{
	const struct query_node condition = {
		.kind = QUERY_EXISTS,
		.property = follower->reader.origin.properties[ORIGIN_ETAG],
	};
	CLEANUP(query) struct query *query = NULL;
	int r = query_new(&query);

	if (r == 0)
		r = query_add_condition(query, &condition);
	if (r == 0)
		*ret_query = STEAL(query);
	return r;
}

int
follow_find(struct follower *follower, struct index_view *view, struct index_hits **ret_hits)
{
	CLEANUP(query) struct query *query = NULL;
	int r = follow_query(follower, &query);

	return r < 0 ? r : index_search(view, query, NULL, ret_hits, NULL);
}

int
follow_count(struct follower *follower, uint64_t *ret_n)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(follower->index);
	CLEANUP(index_hits) struct index_hits *hits = NULL;
	int r = follow_find(follower, view, &hits);

	if (r == 0)
		*ret_n = index_hits_count(hits);
	return r;
}

static bool
find_ours(const struct follower *follower, const struct index_view *view, int64_t id,
	  uint32_t *ret_doc)
{
	struct query_value value;

	return index_doc_find(view, id, ret_doc) == 0 &&
	       index_doc_value(view, *ret_doc, follower->reader.origin.properties[ORIGIN_ETAG],
			       &value);
}

bool
follow_has(const struct follower *follower, const struct index_view *view, int64_t id)
{
	uint32_t doc;

	return find_ours(follower, view, id, &doc);
}

bool
follow_has_version(const struct follower *follower, const struct index_view *view, int64_t id,
		   const char *etag)
{
	char ours[INDEX_ETAG_SIZE];
	uint32_t doc;

	if (!find_ours(follower, view, id, &doc))
		return false;
	index_doc_etag(view, doc, ours);
	return strcmp(ours, etag) == 0;
}

int
follow_check_removals(struct follower *follower, uint64_t n, struct pxs_error *err)
{
	uint64_t all = 0;
	int r = n > ORDINARY_MIN ? follow_count(follower, &all) : 0;

	if (r < 0 || n <= MAX(all / ORDINARY_PART, (uint64_t)ORDINARY_MIN))
		return r;
	if (atomic_exchange(&follower->confirmed, false))
		follower->may_remove = true;
	if (follower->may_remove)
		return 0;
	return pxs_error_set(err, -EPERM, -1,
			     "%" PRIu64 " of %" PRIu64
			     " documents are gone at the upstream; if that is right: pxs sync "
			     "--confirm",
			     n, all);
}

int
follow_commit(struct follower *follower, struct pxs_error *err)
{
	int r = intake_commit(&follower->intake, follower->index, err);

	if (r < 0)
		return r;
	atomic_fetch_add(&follower->written, follower->intake.n_documents);
	atomic_fetch_add(&follower->removed, follower->intake.n_removed);
	intake_clear(&follower->intake);
	return 0;
}

/* --- Asking --- */

int
follow_get(struct follower *follower, const char *href, json_t **ret_answer, struct pxs_error *err)
{
	int r = atomic_load(follower->stop) ? -ECANCELED : 0;

	if (follower->has_kind && !follower->is_pxs)
		pace_wait(&follower->pace, PACE_PER_S, follower->stop);
	if (r == 0)
		r = upstream_get(follower->upstream, href, ret_answer, err);
	if (r == 0)
		atomic_fetch_add(&follower->pages, 1);
	return r;
}

int
follow_get_document(struct follower *follower, int64_t id, json_t **ret_answer,
		    const json_t **ret_item, struct pxs_error *err)
{
	const json_t *items = NULL;
	struct pxs_error why = { 0 };
	char href[48];
	int r;

	(void)snprintf(href, sizeof(href), "/files/%" PRId64, id);
	r = follow_get(follower, href, ret_answer, &why);
	if (r == -ENOENT)
		return r; /* ERR stays free for what fails later */
	if (r == -ESTALE)
		r = -EPROTO; /* that is for /changes to say */
	if (r == 0)
		r = reader_items(*ret_answer, &items, &why);
	if (r < 0)
		return pxs_error_set(err, r, -1, "%s", pxs_error_text(&why, r));
	*ret_item = json_array_get(items, 0);
	if (json_integer_value(reader_value(*ret_item, "_id")) != id)
		return pxs_error_set(err, -EPROTO, -1,
				     "the upstream answers %s with another document", href);
	return 0;
}

int
follow_read_schema(struct follower *follower, struct pxs_error *err)
{
	CLEANUP(json_decref) json_t *schema = NULL;
	int r = follow_get(follower, "/schema/files", &schema, err);

	return r < 0 ? r : reader_schema(&follower->reader, schema, err);
}

/* --- The whole --- */

/* Go on, or begin. A comparison that was interrupted begins anew: what was seen is not noted. */
static int
find_bookmark(struct follower *follower, struct pxs_error *err)
{
	struct bookmark *bookmark = &follower->bookmark;
	int r = bookmark_read(bookmark, follower->index, follower->url);

	if (r < 0 && r != -ENOENT)
		return r;
	if (r == -ENOENT || (bookmark->next && bookmark->again))
		return listing_begin(follower, err);
	follower->has_bookmark = true;
	return follow_read_schema(follower, err);
}

/* --- What it is --- */

/* 1: it was a pxs; a note that cannot be read is none. */
static int
was_pxs(struct follower *follower)
{
	struct bookmark bookmark = { 0 };
	int r = bookmark_read(&bookmark, follower->index, follower->url);

	bookmark_done(&bookmark);
	return r == -ENOENT ? 0 : r < 0 ? r : 1;
}

/* It is none if it has no such link and no changes either: one answer may be wrong. */
static int
ask_kind(struct follower *follower, struct pxs_error *err)
{
	CLEANUP(json_decref) json_t *home = NULL;
	CLEANUP(json_decref) json_t *changes = NULL;
	struct pxs_error why = { 0 };
	int r = follow_get(follower, "/", &home, &why);

	follower->is_pxs = r == 0 && reader_link(home, "changes");
	if ((r == 0 && !follower->is_pxs) || r == -ENOENT) {
		why = (struct pxs_error){ 0 };
		r = follow_get(follower, "/changes", &changes, &why);
		follower->is_pxs = r == 0;
	}
	return r < 0 && r != -ENOENT ? pxs_error_set(err, r, -1, "%s", pxs_error_text(&why, r)) : 0;
}

static int
find_kind(struct follower *follower, struct pxs_error *err)
{
	int before = was_pxs(follower);
	int r = before < 0 ? before : ask_kind(follower, err);

	if (r < 0)
		return r;
	if (before && !follower->is_pxs)
		return pxs_error_set(err, -EPROTO, -1,
				     "%s was a pxs and tells no changes any more; if another core "
				     "is there now, follow it with a new index",
				     follower->url);
	r = follower->is_pxs ? crawl_forget(follower) : 0;
	follower->has_kind = r == 0;
	return r;
}

static int
follow_changes(struct follower *follower, struct pxs_error *err)
{
	bool wait = false;
	bool anew = false;
	int r = 0;

	while (r == 0) {
		if (!follower->has_bookmark)
			r = find_bookmark(follower, err);
		if (r == 0 && (follower->bookmark.next || follower->bookmark.again))
			r = listing_run(follower, err);
		if (r == 0)
			r = feed_take(follower, &wait, err);
		if (r != -ESTALE) {
			anew = false;
			continue;
		}
		/* Twice in a row is a failure, after which it waits. */
		r = listing_forget(follower);
		if (r == 0 && anew)
			r = pxs_error_set(err, -EAGAIN, -1,
					  "%s forgets its changes as soon as it has told where "
					  "they stand",
					  follower->url);
		anew = true;
	}
	return r;
}

int
follow_run(struct follower *follower, struct pxs_error *err)
{
	int r = follower->has_kind ? 0 : find_kind(follower, err);

	if (r < 0)
		return r;
	if (follower->is_pxs)
		return follow_changes(follower, err);
	r = crawl_cycle(follower, err);
	follower->has_kind = r == 0; /* after a failure it may be another */
	return r;
}

/* Ids are the upstream's: its documents would replace others. */
static int
check_index(struct follower *follower, struct pxs_error *err)
{
	struct index_stats stats;
	uint64_t n = 0;
	int r = index_stats(follower->index, &stats);

	if (r == 0)
		r = follow_count(follower, &n);
	if (r == 0 && n < stats.documents)
		return pxs_error_set(err, -EINVAL, -1,
				     "the index has %" PRIu64 " documents that are no upstream's; "
				     "to follow one, name an index for it alone with --index",
				     stats.documents - n);
	return r;
}

int
follow_init(struct follower *follower, struct pxs_error *err)
{
	int r;

	for (size_t i = 0; i < CRAWL_CREW; i++)
		follower->crawl.crew[i].follower = follower;
	follower->reader.index = follower->index;
	r = index_origin_declare(follower->index, &follower->reader.origin, err);
	return r < 0 ? r : check_index(follower, err);
}

void
follow_done(struct follower *follower)
{
	bookmark_done(&follower->bookmark);
	if (follower->seen)
		roaring_bitmap_free(follower->seen);
	intake_done(&follower->intake);
	crawl_done(&follower->crawl);
}
