#include "index/sync/plan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/macros.h"
#include "index/index.h"

/* "URL NEWEST LISTED", then a line "PART HITS" for each; a URL has no space in it. */
#define NOTE "sync.plan"

/* --- Parts --- */

static int
add(struct plan *plan, const struct partition *range, int64_t hits)
{
	if (plan->n == plan->room) {
		size_t room = plan->room ? plan->room * 2 : 16;
		struct plan_part *parts = reallocarray(plan->parts, room, sizeof(*plan->parts));

		if (!parts)
			return -ENOMEM;
		plan->parts = parts;
		plan->room = room;
	}
	plan->parts[plan->n++] = (struct plan_part){ *range, hits, PLAN_TODO, -1 };
	return 0;
}

int
plan_begin(struct plan *plan)
{
	plan_done(plan);
	return add(plan, &(struct partition){ 0 }, -1);
}

void
plan_done(struct plan *plan)
{
	free(plan->parts);
	*plan = (struct plan){ .newest_ns = INT64_MIN };
}

int
plan_replace(struct plan *plan, size_t i, const struct partition *parts, size_t n)
{
	size_t before = plan->n;
	int r = 0;

	for (size_t k = 1; k < n && r == 0; k++)
		r = add(plan, &parts[k], -1);
	if (r < 0)
		plan->n = before;
	else
		plan->parts[i] = (struct plan_part){ parts[0], -1, PLAN_TODO, -1 };
	return r;
}

static int
compare(const void *a, const void *b)
{
	const struct plan_part *left = a;
	const struct plan_part *right = b;

	return partition_compare(&left->range, &right->range);
}

void
plan_join(struct plan *plan)
{
	size_t n = 0;

	qsort(plan->parts, plan->n, sizeof(*plan->parts), compare);
	for (size_t i = 1; i < plan->n; i++) {
		struct plan_part *last = &plan->parts[n];
		const struct plan_part *part = &plan->parts[i];

		/* Far below the bound, so that it is not split again at once. */
		if (last->hits >= 0 && part->hits >= 0 &&
		    last->hits + part->hits <= PLAN_PART_MAX / 2 &&
		    partition_join(&last->range, &part->range))
			last->hits += part->hits;
		else
			plan->parts[++n] = *part;
	}
	plan->n = n + 1;
}

/* --- The note --- */

static int
parse(struct plan *plan, const char *text)
{
	int at = 0;

	if (sscanf(text, "%" SCNd64 " %" SCNd64 "%n", &plan->newest_ns, &plan->listed_ns, &at) < 2)
		return -ENOENT;
	for (text += at; *text == '\n';) {
		struct partition range;
		int64_t hits;
		int r;

		text++;
		if (!partition_parse(&range, &text) ||
		    sscanf(text, " %" SCNd64 "%n", &hits, &at) < 1)
			return -ENOENT;
		text += at;
		r = add(plan, &range, hits);
		if (r < 0)
			return r;
	}
	return *text || plan->n == 0 ? -ENOENT : 0;
}

int
plan_read(struct plan *plan, struct index *index, const char *url)
{
	CLEANUP(pxs_buf) struct pxs_buf note = PXS_BUF_INIT;
	const char *text;
	int r = index_note_get(index, NOTE, &note);

	if (r < 0)
		return r;
	text = pxs_buf_text(&note);
	plan_done(plan);
	if (strncmp(text, url, strlen(url)) != 0 || text[strlen(url)] != ' ')
		return -ENOENT;
	r = parse(plan, text + strlen(url) + 1);
	if (r < 0)
		plan_done(plan);
	return r;
}

int
plan_write(const struct plan *plan, struct index *index, const char *url)
{
	CLEANUP(pxs_buf) struct pxs_buf note = PXS_BUF_INIT;

	pxs_buf_addf(&note, "%s %" PRId64 " %" PRId64, url, plan->newest_ns, plan->listed_ns);
	for (size_t i = 0; i < plan->n; i++) {
		pxs_buf_add_char(&note, '\n');
		partition_print(&plan->parts[i].range, &note);
		pxs_buf_addf(&note, " %" PRId64, plan->parts[i].hits);
	}
	return note.error ? note.error : index_note_put(index, NOTE, pxs_buf_text(&note));
}

int
plan_forget(struct index *index)
{
	return index_note_put(index, NOTE, "");
}
