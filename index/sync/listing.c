/* All documents of a core, page by page; then those that are here but in no page. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/macros.h"
#include "index/sync/ahead.h"
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

/* The N pages that wait, in one transaction. */
static int
commit(struct follower *follower, struct ahead *ahead, size_t n, struct pxs_error *err)
{
	const struct intake *intakes[AHEAD_PAGES];
	int r;

	for (size_t i = 0; i < n; i++)
		intakes[i] = &ahead_page(ahead, i)->intake;
	r = intake_commit_all(intakes, n, follower->index, err);
	for (size_t i = 0; i < n && r == 0; i++) {
		const struct ahead_page *page = ahead_page(ahead, i);

		atomic_fetch_add(&follower->written, page->intake.n_documents);
		atomic_fetch_add(&follower->received, page->n);
		if (follower->seen)
			suspects_mark_seen(follower->index, page->ids, page->n, follower->seen);
	}
	return r;
}

/* Short and empty pages are not the end, only the lack of a next one is; and not where fewer were
 * told than there are said to be. */
static int
go_on(struct follower *follower, struct ahead_page *page, struct pxs_error *err)
{
	struct bookmark *bookmark = &follower->bookmark;
	bool circle = page->next && strcmp(page->next, bookmark->next) == 0;

	bookmark->listed += page->n;
	atomic_store(&follower->expected, (uint64_t)page->hits);
	free(bookmark->next);
	bookmark->next = STEAL(page->next);
	if (!circle && (bookmark->next || bookmark->listed >= (uint64_t)page->hits))
		return 0;
	(void)listing_forget(follower);
	if (circle)
		return pxs_error_set(err, -EPROTO, -1, "the upstream's pages go round in a circle");
	return pxs_error_set(err, -EPROTO, -1,
			     "the upstream's listing ended before all %" PRId64
			     " documents were told",
			     page->hits);
}

static int
take_pages(struct follower *follower, struct ahead *ahead, size_t n, struct pxs_error *err)
{
	int r = commit(follower, ahead, n, err);

	for (size_t i = 0; i < n && r == 0; i++)
		r = go_on(follower, ahead_page(ahead, i), err);
	ahead_taken(ahead, n);
	return r;
}

/* In its turn. Somebody has written since the pages were read: they may be older. */
static int
read_again(struct follower *follower, struct ahead **ahead, size_t *ret_n, struct pxs_error *err)
{
	int r;

	ahead_close(STEAL(*ahead));
	r = ahead_open(follower, follower->bookmark.next, ahead);
	return r < 0 ? r : ahead_wait(*ahead, ret_n, err);
}

static int
take_waiting(struct follower *follower, struct ahead **ahead, struct pxs_error *err)
{
	size_t n = 0;
	int r = ahead_wait(*ahead, &n, err);

	if (r < 0)
		return r;
	turn_take(follower->turn, false);
	if (turn_count_urgent(follower->turn) != ahead_page(*ahead, 0)->urgent)
		r = read_again(follower, ahead, &n, err);
	if (r == 0)
		r = take_pages(follower, *ahead, n, err);
	turn_end(follower->turn);
	return r;
}

static int
take_all(struct follower *follower, struct pxs_error *err)
{
	CLEANUP(ahead) struct ahead *ahead = NULL;
	int r = 0;

	if (follower->bookmark.next)
		r = ahead_open(follower, follower->bookmark.next, &ahead);
	while (follower->bookmark.next && r == 0) {
		atomic_store(&follower->state, SYNC_READING);
		r = take_waiting(follower, &ahead, err);
		/* The end is noted when what it lacks is gone, too. */
		if (r == 0 && follower->bookmark.next)
			r = bookmark_write(&follower->bookmark, follower->index, follower->url);
	}
	return r;
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

int
listing_run(struct follower *follower, struct pxs_error *err)
{
	int r = take_all(follower, err);

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
