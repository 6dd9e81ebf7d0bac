/* All documents of a core, page by page; then those that are here but in no page. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/macros.h"
#include "index/sync/follow.h"
#include "index/sync/turn.h"
#include "index/sync/upstream.h"

#define FIRST_PAGE "/files?where={}&max_results=1000"

/* --- Beginning and ending --- */

int
listing_forget(struct follower *follower)
{
	if (follower->seen)
		roaring_bitmap_free(STEAL(follower->seen));
	follower->has_bookmark = false;
	return bookmark_forget(&follower->bookmark, follower->index);
}

/* Where the changes stand before the listing begins. */
static int
ask_position(struct follower *follower, struct pxs_error *err)
{
	CLEANUP(json_decref) json_t *answer = NULL;
	struct pxs_error why = { 0 };
	const char *identity = "";
	int r = follow_get(follower, "/changes", &answer, &why);

	if (r == -ENOENT)
		return pxs_error_set(err, -EPROTO, -1,
				     "%s tells no changes, so it is no pxs; other cores cannot be "
				     "followed yet",
				     follower->url);
	if (r < 0)
		return pxs_error_set(err, r, -1, "%s", pxs_error_text(&why, r));
	r = feed_position(answer, &follower->bookmark.since, &identity, err);
	if (r < 0)
		return r;
	follower->bookmark.identity = strdup(identity);
	return follower->bookmark.identity ? 0 : -ENOMEM;
}

int
listing_begin(struct follower *follower, struct pxs_error *err)
{
	struct bookmark *bookmark = &follower->bookmark;
	uint64_t here = 0;
	int r = listing_forget(follower);

	if (r == 0)
		r = follow_read_schema(follower, err);
	if (r == 0)
		r = ask_position(follower, err);
	if (r == 0)
		r = follow_count(follower, &here);
	if (r < 0)
		return r;
	bookmark->again = here > 0;
	bookmark->next = strdup(FIRST_PAGE);
	follower->seen = bookmark->again ? roaring_bitmap_create() : NULL;
	if (!bookmark->next || (bookmark->again && !follower->seen))
		return -ENOMEM;
	r = bookmark_write(bookmark, follower->index, follower->url);
	follower->has_bookmark = r == 0;
	return r;
}

/* --- Pages --- */

/* They are there; called after they were committed. */
static void
mark_seen(struct follower *follower, const json_t *items)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(follower->index);
	const json_t *item;
	uint32_t doc;
	size_t i;

	json_array_foreach (items, i, item) {
		int64_t id = json_integer_value(reader_value(item, "_id"));

		/* Rows are given like documents are: 32 bits hold them. */
		if (index_doc_find(view, id, &doc) == 0)
			roaring_bitmap_add(follower->seen, (uint32_t)index_doc_row(view, doc));
	}
}

static int
take_items(struct follower *follower, const json_t *items, struct pxs_error *err)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(follower->index);
	const json_t *item;
	size_t i;
	int r = 0;

	if (json_array_size(items) > INTAKE_MAX)
		return pxs_error_set(err, -EPROTO, -1, "the upstream's page has %zu documents",
				     json_array_size(items));
	intake_clear(&follower->intake);
	json_array_foreach (items, i, item) {
		const char *etag = "";
		int64_t id = 0;

		r = reader_identity(item, &id, &etag, err);
		if (r == 0 && !follow_has_version(follower, view, id, etag))
			r = intake_put(&follower->intake, &follower->reader, item, err);
		if (r < 0)
			return r;
	}
	r = follow_commit(follower, err);
	if (r == 0 && follower->seen)
		mark_seen(follower, items);
	return r;
}

/* Short and empty pages are not the end, only the lack of a next one is; and not where fewer were
 * told than there are said to be. */
static int
check_complete(struct follower *follower, const json_t *answer, struct pxs_error *err)
{
	int64_t hits;

	if (reader_number(answer, "hits", &hits) < 0 || hits < 0)
		return pxs_error_set(err, -EPROTO, -1, "the upstream's page has no hits");
	atomic_store(&follower->expected, (uint64_t)hits);
	if (reader_link(answer, "next") || follower->bookmark.listed >= (uint64_t)hits)
		return 0;
	(void)listing_forget(follower);
	return pxs_error_set(
		err, -EPROTO, -1,
		"the upstream's listing ended before all %" PRId64 " documents were told", hits);
}

static int
take_page(struct follower *follower, struct pxs_error *err)
{
	CLEANUP(json_decref) json_t *answer = NULL;
	struct bookmark *bookmark = &follower->bookmark;
	const json_t *items = NULL;
	const char *next;
	int r = follow_get(follower, bookmark->next, &answer, err);

	if (r == 0)
		r = reader_items(answer, &items, err);
	if (r == 0)
		r = take_items(follower, items, err);
	if (r < 0)
		return r;
	bookmark->listed += json_array_size(items);
	atomic_fetch_add(&follower->received, json_array_size(items));
	r = check_complete(follower, answer, err);
	if (r < 0)
		return r;
	next = reader_link(answer, "next");
	free(STEAL(bookmark->next));
	bookmark->next = next ? strdup(next) : NULL;
	return next && !bookmark->next ? -ENOMEM : 0;
}

/* --- What the listing lacks --- */

static int
collect_vanished(struct follower *follower, int64_t **ret_ids, size_t *ret_n)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(follower->index);
	CLEANUP(index_hits) struct index_hits *hits = NULL;
	CLEANUP(free) int64_t *ids = NULL;
	uint32_t docs[INTAKE_MAX];
	uint64_t row = 0;
	size_t n = 0;
	size_t got = 1;
	int r = follow_find(follower, view, &hits);

	if (r < 0)
		return r;
	ids = calloc(index_hits_count(hits) + 1, sizeof(*ids));
	if (!ids)
		return -ENOMEM;
	while (r == 0 && got > 0) {
		r = index_hits_after(hits, row, NULL, docs, INTAKE_MAX, &got);
		for (size_t i = 0; i < got && r == 0; i++) {
			row = index_doc_row(view, docs[i]);
			if (!roaring_bitmap_contains(follower->seen, (uint32_t)row))
				ids[n++] = index_doc_id(view, docs[i]);
		}
	}
	*ret_ids = STEAL(ids);
	*ret_n = n;
	return r;
}

/* What the upstream still has after all is taken as it is now. */
static int
confirm_gone(struct follower *follower, int64_t id, struct pxs_error *err)
{
	CLEANUP(json_decref) json_t *answer = NULL;
	const json_t *item = NULL;
	int r = follow_get_document(follower, id, &answer, &item, err);

	if (r == -ENOENT) {
		intake_remove(&follower->intake, id);
		return 0;
	}
	return r < 0 ? r : intake_put(&follower->intake, &follower->reader, item, err);
}

static int
remove_vanished(struct follower *follower, struct pxs_error *err)
{
	CLEANUP(free) int64_t *ids = NULL;
	size_t n = 0;
	int r;

	atomic_store(&follower->state, SYNC_COMPARING);
	r = collect_vanished(follower, &ids, &n);
	if (r == 0)
		r = follow_check_removals(follower, n, err);
	for (size_t at = 0; at < n && r == 0;) {
		turn_take(follower->turn, false);
		intake_clear(&follower->intake);
		for (size_t i = 0; i < INTAKE_MAX && at < n && r == 0; i++)
			r = confirm_gone(follower, ids[at++], err);
		if (r == 0)
			r = follow_commit(follower, err);
		turn_end(follower->turn);
	}
	return r;
}

static int
take_pages(struct follower *follower, struct pxs_error *err)
{
	int r = 0;

	while (follower->bookmark.next && r == 0) {
		atomic_store(&follower->state, SYNC_READING);
		turn_take(follower->turn, false);
		r = take_page(follower, err);
		turn_end(follower->turn);
		/* The end is noted when what it lacks is gone, too. */
		if (r == 0 && follower->bookmark.next)
			r = bookmark_write(&follower->bookmark, follower->index, follower->url);
	}
	return r;
}

int
listing_run(struct follower *follower, struct pxs_error *err)
{
	int r = take_pages(follower, err);

	if (r == 0 && follower->seen)
		r = remove_vanished(follower, err);
	if (r < 0 && follower->bookmark.again)
		(void)listing_forget(follower);
	if (r < 0)
		return r;
	if (follower->seen)
		roaring_bitmap_free(STEAL(follower->seen));
	follower->bookmark.again = false;
	atomic_store(&follower->expected, 0);
	return bookmark_write(&follower->bookmark, follower->index, follower->url);
}
