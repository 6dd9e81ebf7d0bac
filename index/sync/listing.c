/* All documents of a core, page by page; then those that are here but in no page. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/macros.h"
#include "index/sync/follow.h"
#include "index/sync/suspects.h"
#include "index/sync/turn.h"
#include "index/sync/upstream.h"

/* By cursor from the start: numbered pages move when a document before them goes. */
#define FIRST_PAGE "/files?where={}&max_results=1000&after="

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
	const char *identity = "";
	int r = follow_get(follower, "/changes", &answer, err);

	if (r == -ESTALE)
		return -EPROTO; /* of no position can it say that it is too old */
	if (r == 0)
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
		suspects_mark_seen(follower->index, items, follower->seen);
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
	if (next && strcmp(next, bookmark->next) == 0) {
		(void)listing_forget(follower);
		return pxs_error_set(err, -EPROTO, -1, "the upstream's pages go round in a circle");
	}
	free(STEAL(bookmark->next));
	bookmark->next = next ? strdup(next) : NULL;
	return next && !bookmark->next ? -ENOMEM : 0;
}

/* --- What the listing lacks --- */

static int
remove_vanished(struct follower *follower, struct pxs_error *err)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(follower->index);
	CLEANUP(index_hits) struct index_hits *hits = NULL;
	CLEANUP(suspects) struct suspects suspects = { 0 };
	int r = follow_find(follower, view, &hits);

	atomic_store(&follower->state, SYNC_COMPARING);
	if (r == 0)
		r = suspects_collect(&suspects, hits, follower->seen);
	return r < 0 ? r : suspects_settle(&suspects, follower, err);
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
