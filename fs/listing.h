/* listing.h - what one opened folder lists, from one generation of the catalogue.
 *
 * Every entry has a key, which is its readdir cookie: reading goes on after the entry with that
 * key, in this handle or in one opened later.
 *
 *     1, 2			. and ..
 *     3 ...			names that are always there
 *     256 + n			facet folder of property number n
 *     256 + number		other folders, symlinks: by node number
 *     1 << 31 | number	recent queries: by (the end of) their node number
 *     (1 << 32) + row	documents
 *     1 << 62 | number		folders of a tree
 *
 * The head (all but the results of a query folder, which may be millions) is made when the folder
 * is opened; results are read from the hits as they are asked for. */
#ifndef PXS_FS_LISTING_H
#define PXS_FS_LISTING_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "fs/handle.h"
#include "fs/names.h"

struct fs_node;
struct fs_request;
struct fuse_entry_param;
struct index_hits;

#define FS_KEY_SELF 1
#define FS_KEY_PARENT 2
#define FS_KEY_FIXED 3
#define FS_KEY_NODES 256
#define FS_KEY_RECENT (UINT64_C(1) << 31)
#define FS_KEY_ROWS (UINT64_C(1) << 32)
#define FS_KEY_TREE (UINT64_C(1) << 62)

/* Results that are read from the hits at once: finding a place in them has its cost. */
#define FS_LISTING_AHEAD 2048

enum fs_listed {
	FS_LISTED_FOLDER,
	FS_LISTED_SAVED,  /* the folder saved/ */
	FS_LISTED_SEARCH, /* a folder in it, or one of which only a lookup knows more */
	FS_LISTED_SYMLINK,
	FS_LISTED_FILE,
	FS_LISTED_DOCUMENT,
};

struct fs_listing_entry {
	uint64_t key;
	uint64_t id; /* node number */
	const char *name;
	enum fs_listed what;
	uint64_t size; /* SYMLINK: of its target */
	uint32_t doc;  /* DOCUMENT */
};

struct fs_listing {
	struct fs_handle handle;
	struct fs_node *node;
	struct index_view *view; /* of everything listed ... */
	uint64_t viewer;	 /* ... and whose it is (request.h) */
	struct pxs_arena arena;	 /* names */
	struct fs_listing_entry *head;
	size_t n_head;
	size_t cap_head;
	bool sorted; /* the head is in ascending order of keys */

	/* The results after the head; NULL: none are listed. */
	struct index_hits *hits;
	struct fs_names *names;

	/* Results read ahead, for whoever reads on where he stopped. */
	pthread_mutex_t lock;
	uint32_t ahead[FS_LISTING_AHEAD];
	size_t n_ahead;
	size_t at_ahead;    /* the next one to be listed, which ... */
	uint64_t row_ahead; /* ... follows this row */
};

/* Open NODE for listing, with all that it takes to search. -ENOTDIR: it is no folder. */
int fs_listing_new(struct fs_request *request, struct fs_node *node,
		   struct fs_listing **ret_listing);
void fs_listing_free(struct fs_listing *listing);
DEFINE_CLEANUP(fs_listing, struct fs_listing *, fs_listing_free)

/* Adds a copy of ENTRY, name included. */
int fs_listing_add(struct fs_listing *listing, const struct fs_listing_entry *entry);

/* facets.c: the entries of a query folder's head, of a facet folder. */
int fs_list_query(struct fs_request *request, struct fs_listing *listing);
int fs_list_facet(struct fs_request *request, struct fs_listing *listing);
/* folders.c: of the others. */
int fs_list_root(struct fs_request *request, struct fs_listing *listing);
int fs_list_status(struct fs_request *request, struct fs_listing *listing);
int fs_list_saved(struct fs_request *request, struct fs_listing *listing);
int fs_list_template(struct fs_request *request, struct fs_listing *listing);
int fs_list_pxs(struct fs_request *request, struct fs_listing *listing);
int fs_list_meta(struct fs_request *request, struct fs_listing *listing);
int fs_list_tree(struct fs_request *request, struct fs_listing *listing);

#endif
