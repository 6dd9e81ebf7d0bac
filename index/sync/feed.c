/* The changes of a core that is a pxs, in their order. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/macros.h"
#include "index/sync/follow.h"
#include "index/sync/turn.h"
#include "index/sync/upstream.h"

/* The core answers earlier if something changes. */
#define WAIT_S 25
#define IDENTITY_SIZE 64
/* How often the feed is asked at once where it tells of a document that is gone. */
#define AGAIN_MAX 5

int
feed_position(const json_t *answer, uint64_t *ret_seq, const char **ret_identity,
	      struct pxs_error *err)
{
	const char *identity = reader_text(answer, "index");
	int64_t seq;

	if (reader_number(answer, "seq", &seq) < 0 || seq < 0 || !identity || !*identity ||
	    strlen(identity) >= IDENTITY_SIZE || strpbrk(identity, " \t\n"))
		return pxs_error_set(err, -EPROTO, -1,
				     "the upstream does not say where its changes stand");
	*ret_seq = (uint64_t)seq;
	*ret_identity = identity;
	return 0;
}

/* The document is read as it is now, which may be another version than this change made. */
static int
take_version(struct follower *follower, int64_t id, const char *etag, struct pxs_error *err)
{
	CLEANUP(json_decref) json_t *answer = NULL;
	const json_t *item = NULL;
	const char *now;
	int r = follow_get_document(follower, id, &answer, &item, err);

	/* Gone or changed meanwhile: asked again, the feed tells that in the place of this. */
	now = r == 0 ? json_string_value(reader_value(item, "_etag")) : NULL;
	follower->again = follower->again || r == -ENOENT || !now || !etag ||
			  strcmp(now, etag) != 0;
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	atomic_fetch_add(&follower->received, 1);
	return intake_put(&follower->intake, &follower->reader, item, err);
}

static int
take_change(struct follower *follower, const struct index_view *view, const json_t *change,
	    struct pxs_error *err)
{
	const char *etag = json_string_value(reader_value(change, "_etag"));
	int64_t id = json_integer_value(reader_value(change, "_id"));

	if (id <= 0)
		return pxs_error_set(err, -EPROTO, -1,
				     "the upstream tells a change of no document");
	if (json_is_true(reader_value(change, "_deleted"))) {
		if (follow_has(follower, view, id))
			intake_remove(&follower->intake, id);
		return 0;
	}
	if (etag && follow_has_version(follower, view, id, etag))
		return 0;
	return take_version(follower, id, etag, err);
}

static int
take_changes(struct follower *follower, const json_t *items, struct pxs_error *err)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(follower->index);
	const json_t *change;
	size_t removed;
	size_t i;
	int r = 0;

	if (json_array_size(items) > INTAKE_MAX)
		return pxs_error_set(err, -EPROTO, -1, "the upstream tells too many changes");
	follower->again = false;
	intake_clear(&follower->intake);
	json_array_foreach (items, i, change) {
		r = take_change(follower, view, change, err);
		if (r < 0)
			return r;
	}
	removed = follower->intake.n_removed;
	r = follow_check_removals(follower, follower->removals + removed, err);
	if (r == 0)
		r = follow_commit(follower, err);
	if (r == 0)
		follower->removals += removed;
	return r == 0 && follower->again ? -ENODATA : r;
}

/* *RET_ITEMS: what ANSWER, whose last change is SEQ, tells. Where changes are told that do not go
 * on, we would ask for them without end. */
static int
check_changes(const struct follower *follower, const json_t *answer, uint64_t seq,
	      const json_t **ret_items, struct pxs_error *err)
{
	uint64_t since = follower->bookmark.since;
	int64_t newest;
	int64_t n;
	int r;

	if (reader_number(answer, "newest", &newest) < 0 || seq < since ||
	    (seq == since && newest > (int64_t)seq))
		return pxs_error_set(err, -EPROTO, -1,
				     "the upstream does not say what comes after change %" PRIu64,
				     since);
	r = reader_items(answer, ret_items, err);
	if (r < 0)
		return r;
	if (reader_number(answer, "changes", &n) == 0 && n != (int64_t)json_array_size(*ret_items))
		return pxs_error_set(err, -EPROTO, -1,
				     "of the %" PRId64
				     " changes that the upstream tells, %zu are here",
				     n, json_array_size(*ret_items));
	return 0;
}

/* Ask for them; -ESTALE: of an index that was not listed, or no longer kept. */
static int
ask(struct follower *follower, bool wait, json_t **ret_answer, uint64_t *ret_seq,
    const json_t **ret_items, struct pxs_error *err)
{
	struct pxs_error why = { 0 };
	const char *identity = "";
	char href[96];
	int r;

	(void)snprintf(href, sizeof(href), "/changes?since=%" PRIu64 "&max_results=%d&wait=%d",
		       follower->bookmark.since, INTAKE_MAX, wait ? WAIT_S : 0);
	r = follow_get(follower, href, ret_answer, &why);
	if (r == 0)
		r = feed_position(*ret_answer, ret_seq, &identity, &why);
	if (r == 0 && strcmp(identity, follower->bookmark.identity) != 0)
		return -ESTALE;
	if (r == 0)
		r = check_changes(follower, *ret_answer, *ret_seq, ret_items, &why);
	return r < 0 && r != -ESTALE ? pxs_error_set(err, r, -1, "%s", pxs_error_text(&why, r)) : r;
}

/* All changes are here. */
static void
end_cycle(struct follower *follower)
{
	follower->removals = 0;
	follower->may_remove = false;
	atomic_store(&follower->success_ns, pxs_clock_now_ns());
}

/* Ask and take once. -ENODATA: a document is not there, or in another version, than it tells. */
static int
take_answer(struct follower *follower, bool wait, json_t **ret_answer, uint64_t *ret_seq,
	    struct pxs_error *err)
{
	uint64_t urgent = turn_count_urgent(follower->turn);
	const json_t *items = NULL;
	int r = ask(follower, wait, ret_answer, ret_seq, &items, err);

	if (r < 0)
		return r;
	turn_take(follower->turn, false);
	/* Somebody has written since: what it says is gone he may have brought back. */
	if (turn_count_urgent(follower->turn) != urgent) {
		json_decref(STEAL(*ret_answer));
		r = ask(follower, false, ret_answer, ret_seq, &items, err);
	}
	if (r == 0)
		r = take_changes(follower, items, err);
	turn_end(follower->turn);
	return r;
}

int
feed_take(struct follower *follower, bool *wait, struct pxs_error *err)
{
	CLEANUP(json_decref) json_t *answer = NULL;
	int64_t newest = 0; /* check_changes() saw that it is told */
	uint64_t seq = 0;
	int r = take_answer(follower, *wait, &answer, &seq, err);

	for (int i = 0; i < AGAIN_MAX && r == -ENODATA; i++) {
		json_decref(STEAL(answer));
		r = take_answer(follower, false, &answer, &seq, err);
	}
	if (r == -ENODATA)
		return pxs_error_set(
			err, -EAGAIN, -1,
			"the upstream tells changes of documents that it does not show");
	if (r < 0)
		return r;
	(void)reader_number(answer, "newest", &newest);
	*wait = newest <= (int64_t)seq;
	atomic_store(&follower->state, *wait ? SYNC_FOLLOWING : SYNC_CATCHING_UP);
	if (*wait)
		end_cycle(follower);
	if (seq == follower->bookmark.since)
		return 0;
	follower->bookmark.since = seq;
	return bookmark_write(&follower->bookmark, follower->index, follower->url);
}
