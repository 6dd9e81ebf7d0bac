/* Names are compared, not documents: where one of several results with the same file name goes,
 * another one may take over the name without the suffix. So of each file name that a document which
 * came, went or changed bears or bore, all results are looked at, as they were and as they are. */
#include "fs/herald.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/macros.h"
#include "fs/announcer.h"
#include "fs/attr.h"
#include "fs/document.h"
#include "fs/mount.h"
#include "fs/names.h"
#include "fs/node.h"
#include "fs/session.h"
#include "fs/watched.h"
#include "index/index.h"

/* Results that share a file name; of more it is only told that their folder changed. */
#define NAMESAKES_MAX 64

/* A folder's results in one generation. */
struct side {
	struct index_hits *hits;
	struct index_view *view; /* lent by them */
	struct fs_core core;
	uint32_t docs[FS_HERALD_CHANGES_MAX]; /* that are not on the other side */
	size_t n;
};

/* One name that a folder shows, or showed. */
struct shown {
	uint32_t doc;
	uint64_t row;
	char name[FS_NAME_SIZE];
};

struct namesakes {
	const struct side *side;
	struct shown list[NAMESAKES_MAX];
	size_t n;
};

struct fs_herald {
	struct fs *fs;
	/* Of the folder that is compared just now. */
	const struct fs_node *folder;
	struct side before, after;
	const char *filenames[2 * FS_HERALD_CHANGES_MAX]; /* lent by the views */
	struct namesakes were, are;
	bool refused;	   /* the helper may not write here: the folder is told instead */
	bool tells_folder; /* something was not told by name */
};

int
fs_herald_new(struct fs *fs, struct fs_herald **ret_herald)
{
	struct fs_herald *herald = calloc(1, sizeof(*herald));

	if (!herald)
		return -ENOMEM;
	herald->fs = fs;
	*ret_herald = herald;
	return 0;
}

void
fs_herald_free(struct fs_herald *herald)
{
	free(herald);
}

/* --- Announcing --- */

static void
announce(struct fs_herald *herald, enum fs_announced what, const struct side *side,
	 const struct shown *shown)
{
	struct fs_announcement announcement = {
		.what = what,
		.folder = herald->folder->id,
		.name = shown ? shown->name : NULL,
		/* Who uses the name looks it up, so that it is noted what he was shown (seen.h). */
		.entry = { .attr_timeout = FS_DOCUMENT_ATTR_S, .entry_timeout = 0 },
	};
	struct stat *st = &announcement.entry.attr;
	int r;

	if (shown) {
		fs_document_stat(&side->core, side->view, shown->doc, st);
		announcement.entry.ino = st->st_ino;
	}
	r = fs_announce(herald->fs->announcer, &announcement);
	if (r == -EACCES)
		herald->refused = true;
	/* Others were faster: who looked at the folder meanwhile had the kernel learn the same. */
	else if (r < 0)
		pxs_log(PXS_LOG_DEBUG, "mount: cannot announce %s: %s",
			shown ? shown->name : "a folder", strerror(-r));
}

/* The kernel takes its last name for gone, while it may be shown in other folders. */
static void
announce_removed(struct fs_herald *herald, const struct shown *shown)
{
	if (!fs_watched_unlinked(herald->fs->watched, herald->folder->id, shown->row))
		announce(herald, FS_ANNOUNCED_REMOVED, &herald->before, shown);
	fs_session_forget_attributes(herald->fs->session, fs_node_of_row(shown->row));
}

static void
announce_folder(struct fs_herald *herald)
{
	fs_session_forget_attributes(herald->fs->session, herald->folder->id);
	announce(herald, FS_ANNOUNCED_CHANGED, NULL, NULL);
}

/* --- Namesakes --- */

static int
add_namesake(void *context, uint32_t doc)
{
	struct namesakes *namesakes = context;

	if (namesakes->n == NAMESAKES_MAX)
		return -E2BIG;
	namesakes->list[namesakes->n++] = (struct shown){
		.doc = doc,
		.row = index_doc_row(namesakes->side->view, doc),
	};
	return 0;
}

/* The results on SIDE with this file name, and what they are called there. */
static int
find_namesakes(const struct side *side, const char *filename, struct namesakes *namesakes)
{
	uint64_t lowest = UINT64_MAX;
	int r;

	namesakes->side = side;
	namesakes->n = 0;
	r = index_hits_equal(side->hits, side->core.filename, filename, add_namesake, namesakes);
	for (size_t i = 0; i < namesakes->n; i++)
		lowest = MIN(lowest, namesakes->list[i].row);
	for (size_t i = 0; i < namesakes->n; i++) {
		struct shown *shown = &namesakes->list[i];

		(void)fs_names_print_one(&side->core, side->view, shown->doc, shown->row == lowest,
					 FS_NAME_MAX, shown->name);
	}
	return r;
}

/* The one that bears the name of SHOWN; NULL: there is none. */
static const struct shown *
find_name(const struct namesakes *namesakes, const struct shown *shown)
{
	for (size_t i = 0; i < namesakes->n; i++)
		if (!strcmp(namesakes->list[i].name, shown->name))
			return &namesakes->list[i];
	return NULL;
}

/* Whether SHOWN's name passes to or from ANOTHER document where these may be deleted. Then the
 * kernel goes on with what it knows until that ends: told of the new one, it would ask again for
 * whoever removes the name, and think that he means what he never saw. */
static bool
is_kept(struct fs_herald *herald, const struct shown *shown, const struct shown *another)
{
	bool is_kept = another && another->row != shown->row &&
		       herald->fs->options.deletions_per_minute;

	herald->tells_folder |= is_kept;
	return is_kept;
}

static int
compare_namesakes(struct fs_herald *herald, const char *filename)
{
	const struct namesakes *were = &herald->were;
	const struct namesakes *are = &herald->are;
	int r = find_namesakes(&herald->before, filename, &herald->were);

	if (r == 0)
		r = find_namesakes(&herald->after, filename, &herald->are);
	if (r < 0)
		return r;
	for (size_t i = 0; i < were->n; i++) {
		const struct shown *shown = &were->list[i];
		const struct shown *now = find_name(are, shown);

		if ((!now || now->row != shown->row) && !is_kept(herald, shown, now))
			announce_removed(herald, shown);
	}
	for (size_t i = 0; i < are->n; i++) {
		const struct shown *shown = &are->list[i];
		const struct shown *before = find_name(were, shown);

		if (before && before->row == shown->row && before->doc != shown->doc)
			announce(herald, FS_ANNOUNCED_CHANGED, &herald->after, shown);
		else if ((!before || before->row != shown->row) && !is_kept(herald, shown, before))
			announce(herald, FS_ANNOUNCED_CREATED, &herald->after, shown);
	}
	return 0;
}

/* --- A folder --- */

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* File names of what differs, each once. Returns their number. */
static size_t
collect_filenames(struct fs_herald *herald)
{
	const struct side *sides[] = { &herald->before, &herald->after };
	const char **names = herald->filenames;
	size_t n = 0;
	size_t n_unique = 0;

	for (size_t s = 0; s < ARRAY_SIZE(sides); s++)
		for (size_t i = 0; i < sides[s]->n; i++)
			names[n++] = fs_document_text(sides[s]->core.filename, sides[s]->view,
						      sides[s]->docs[i]);
	qsort(names, n, sizeof(*names), compare_texts);
	for (size_t i = 0; i < n; i++)
		if (!n_unique || strcmp(names[i], names[n_unique - 1]) != 0)
			names[n_unique++] = names[i];
	return n_unique;
}

static void
set_side(struct side *side, struct index_hits *hits)
{
	side->hits = hits;
	side->view = index_hits_view(hits);
	fs_core_find(&side->core, index_view_schema(side->view));
}

/* -E2BIG: too much changed to be told by name. */
static int
compare_results(struct fs_herald *herald, const struct index_budget *budget)
{
	size_t n = collect_filenames(herald);
	int r = 0;

	if (n && (!herald->before.core.filename || !herald->after.core.filename))
		return -E2BIG;
	for (size_t i = 0; i < n && r == 0 && !herald->refused; i++)
		r = budget->cancelled(budget->context)
			    ? -ECANCELED
			    : compare_namesakes(herald, herald->filenames[i]);
	return herald->refused ? -E2BIG : r;
}

static void
compare(struct fs_herald *herald, const struct index_budget *budget)
{
	struct side *before = &herald->before;
	struct side *after = &herald->after;
	int r;

	herald->refused = false;
	herald->tells_folder = false;
	r = index_hits_except(before->hits, after->hits, before->docs, ARRAY_SIZE(before->docs),
			      &before->n);
	if (r == 0)
		r = index_hits_except(after->hits, before->hits, after->docs,
				      ARRAY_SIZE(after->docs), &after->n);
	if (r == 0 && !before->n && !after->n)
		return;
	if (r == 0)
		r = herald->folder->kind == FS_KIND_QUERY ? compare_results(herald, budget)
							  : -E2BIG;
	if (r == -E2BIG || herald->tells_folder)
		announce_folder(herald);
	else if (r < 0 && r != -ECANCELED)
		pxs_log(PXS_LOG_WARNING, "mount: cannot tell watchers what changed: %s",
			strerror(-r));
}

/* One that can no longer be searched shows why when it is opened. */
static void
tell(struct fs_herald *herald, struct index_view *view, struct fs_watched_folder *folder,
     const struct index_budget *budget)
{
	CLEANUP(index_hits) struct index_hits *hits = NULL;
	const struct query *query = fs_node_folder(folder->node)->query;
	int r = index_search(view, query, budget, &hits, NULL);

	if (r == -ECANCELED)
		return;
	if (r == 0) {
		herald->folder = folder->node;
		set_side(&herald->before, folder->hits);
		set_side(&herald->after, hits);
		compare(herald, budget);
	}
	fs_watched_told(herald->fs->watched, folder->node, hits);
}

void
fs_herald_round(struct fs_herald *herald, const struct index_budget *budget)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(herald->fs->index);
	struct fs_watched_folder folders[FS_WATCHED_MAX];
	size_t n = fs_watched_list(herald->fs->watched, folders);

	for (size_t i = 0; i < n; i++) {
		if (!budget->cancelled(budget->context))
			tell(herald, view, &folders[i], budget);
		fs_watched_folder_done(&folders[i]);
	}
}
