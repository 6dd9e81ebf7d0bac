#include "index/sync/suspects.h"

#include <errno.h>
#include <stdlib.h>

#include "base/macros.h"
#include "index/sync/follow.h"
#include "index/sync/turn.h"
#include "index/sync/upstream.h"

void
suspects_done(struct suspects *suspects)
{
	free(suspects->ids);
	*suspects = (struct suspects){ 0 };
}

void
suspects_mark_seen(struct index *index, const int64_t *ids, size_t n, roaring_bitmap_t *seen)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(index);
	uint32_t doc;

	for (size_t i = 0; i < n; i++)
		/* Rows are given like documents are: 32 bits hold them. */
		if (index_doc_find(view, ids[i], &doc) == 0)
			roaring_bitmap_add(seen, (uint32_t)index_doc_row(view, doc));
}

static int
add(struct suspects *suspects, int64_t id)
{
	if (suspects->n == suspects->room) {
		size_t room = suspects->room ? suspects->room * 2 : 64;
		int64_t *ids = reallocarray(suspects->ids, room, sizeof(*ids));

		if (!ids)
			return -ENOMEM;
		suspects->ids = ids;
		suspects->room = room;
	}
	suspects->ids[suspects->n++] = id;
	return 0;
}

int
suspects_collect(struct suspects *suspects, struct index_hits *hits, const roaring_bitmap_t *seen)
{
	const struct index_view *view = index_hits_view(hits);
	uint32_t docs[INTAKE_MAX];
	uint64_t row = 0;
	size_t got = 1;
	int r = 0;

	while (r == 0 && got > 0) {
		r = index_hits_after(hits, row, NULL, docs, INTAKE_MAX, &got);
		for (size_t i = 0; i < got && r == 0; i++) {
			row = index_doc_row(view, docs[i]);
			if (!roaring_bitmap_contains(seen, (uint32_t)row))
				r = add(suspects, index_doc_id(view, docs[i]));
		}
	}
	return r;
}

static int
settle(struct follower *follower, int64_t id, struct pxs_error *err)
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

int
suspects_settle(struct suspects *suspects, struct follower *follower, struct pxs_error *err)
{
	int r = follow_check_removals(follower, suspects->n, err);

	for (size_t at = 0; at < suspects->n && r == 0;) {
		turn_take(follower->turn, false);
		intake_clear(&follower->intake);
		for (size_t i = 0; i < INTAKE_MAX && at < suspects->n && r == 0; i++)
			r = settle(follower, suspects->ids[at++], err);
		if (r == 0)
			r = follow_commit(follower, err);
		turn_end(follower->turn);
	}
	return r;
}
