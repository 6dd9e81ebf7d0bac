/* Listing a query folder and its facet folders. */
#include <errno.h>
#include <stdint.h>

#include "base/buf.h"
#include "fs/bucket.h"
#include "fs/listing.h"
#include "fs/memo.h"
#include "fs/mount.h"
#include "fs/node.h"
#include "fs/recent.h"
#include "fs/request.h"
#include "index/index.h"
#include "query/query.h"

/* Whoever follows symlinks into every bucket of every facet (find -L, grep -R) sees all results
 * once more for each facet that is listed, on each level, and must come to an end. So a folder that
 * one condition narrows lists all its facet folders, one that two narrow only the most useful, and
 * below that none is listed. All can be entered. */
#define LISTED_CONDITIONS 2
#define LAST_LEVEL_FACETS 3

/* Buckets of a facet folder, (none) aside. Strings with many values come in ranges, too, or the
 * most frequent values are listed; all others can be looked up. */
#define BUCKETS_MAX 5

static int
add_facets(struct fs_request *request, struct fs_listing *listing, struct index_hits *hits)
{
	size_t left = listing->node->conditions < LISTED_CONDITIONS ? SIZE_MAX : LAST_LEVEL_FACETS;
	const struct index_facets *facets;
	struct fs_listing_entry entry = { .what = FS_LISTED_FOLDER };
	int r = index_hits_facets(hits, &request->budget, &facets, &request->err);

	for (size_t i = 0; r == 0 && i < facets->n_facets && left > 0; i++) {
		if (!fs_facet_subdivides(&facets->facets[i], facets->hits))
			continue;
		left--;
		entry.name = facets->facets[i].property->name;
		entry.key = FS_KEY_NODES + facets->facets[i].property->number;
		r = index_node_number(request->fs->index, listing->node->id, entry.name, &entry.id);
		if (r == 0)
			r = fs_listing_add(listing, &entry);
	}
	return r;
}

/* /query itself has every document as result: they are found by name but not listed. */
static bool
lists_results(const struct fs_node *node)
{
	return node->conditions > 0 || node->query->n_sorts > 0 || node->query->limit > 0;
}

int
fs_list_query(struct fs_request *request, struct fs_listing *listing)
{
	CLEANUP(index_hits) struct index_hits *hits = NULL;
	struct fs_node *node = listing->node;
	struct fs_listing_entry pxs = { .key = FS_KEY_FIXED, .name = ".pxs" };
	int r;

	r = fs_request_hits(request, node, &hits);
	if (r == 0)
		r = index_node_number(request->fs->index, node->id, pxs.name, &pxs.id);
	if (r == 0)
		r = fs_listing_add(listing, &pxs);
	if (r == 0 && node->conditions <= LISTED_CONDITIONS)
		r = add_facets(request, listing, hits);
	if (r == 0 && node->parent == INDEX_NODE_ROOT)
		r = fs_recent_list(request, listing);
	if (r == 0 && lists_results(node))
		r = fs_memo_names(request, hits, &listing->names);
	if (r == 0 && lists_results(node))
		listing->hits = STEAL(hits);
	return r;
}

/* Buckets that no name of 255 bytes selects are left out. */
static int
add_bucket(struct fs_request *request, struct fs_listing *listing,
	   const struct index_bucket *bucket)
{
	CLEANUP(pxs_buf) struct pxs_buf name = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf target = PXS_BUF_INIT;
	const struct fs_node *node = listing->node;
	struct fs_listing_entry entry = { .what = FS_LISTED_SYMLINK };
	int r;

	r = fs_bucket_print_name(node->property, &bucket->condition, &name);
	if (r < 0)
		return r == -ENAMETOOLONG ? 0 : r;
	fs_bucket_print_target(node->property, name.data, &target);
	if (target.error)
		return target.error;

	entry.name = name.data;
	entry.size = target.len;
	r = index_node_number(request->fs->index, node->id, entry.name, &entry.id);
	entry.key = FS_KEY_NODES + entry.id;
	return r < 0 ? r : fs_listing_add(listing, &entry);
}

int
fs_list_facet(struct fs_request *request, struct fs_listing *listing)
{
	CLEANUP(index_hits) struct index_hits *hits = NULL;
	CLEANUP(index_facet) struct index_facet *facet = NULL;
	int r;

	r = fs_request_hits(request, listing->node->folder, &hits);
	if (r == 0)
		r = index_hits_facet(hits, listing->node->property, BUCKETS_MAX, &request->budget,
				     &facet, &request->err);
	for (size_t i = 0; r == 0 && i < facet->n_buckets; i++)
		r = add_bucket(request, listing, &facet->buckets[i]);
	return r;
}
