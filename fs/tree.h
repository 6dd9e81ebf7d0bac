/* tree.h - the results of a hit set by the folders that they lie in, for .pxs/tree.
 *
 * Folders are written without their first slash: "" is the root, "usr/share" ... A result that is a
 * directory is a folder here. */
#ifndef PXS_FS_TREE_H
#define PXS_FS_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "fs/names.h"

struct fs_tree;

/* Hits with more than so many results have no tree (it takes 16 bytes for each). */
#define FS_TREE_MAX 1000000

/* -EFBIG: more than that; the request has the sentence. */
int fs_tree_new(struct fs_request *request, struct index_hits *hits, struct fs_tree **ret_tree);
/* Counted references; the last one frees. */
struct fs_tree *fs_tree_ref(struct fs_tree *tree);
void fs_tree_put(struct fs_tree *tree);
DEFINE_CLEANUP(fs_tree, struct fs_tree *, fs_tree_put)

/* Whether FOLDER is one. */
bool fs_tree_has(const struct fs_tree *tree, const char *folder);

/* The documents that lie directly in FOLDER. */
struct fs_tree_folder {
	const struct fs_tree *tree;
	const char *folder;
};

/* SCOPE lends FOLDER, VIEW and CORE, of which the tree was made. */
void fs_scope_of_folder(struct fs_scope *scope, struct fs_tree_folder *folder,
			struct index_view *view, const struct fs_core *core);

/* What lies directly in a folder: a document, or (doc 0) a folder. */
struct fs_tree_entry {
	uint32_t doc;
	const char *name; /* FOLDER: its name, of LEN bytes */
	size_t len;
};

/* Goes through what lies directly in FOLDER, by *PLACE, which is 0 at first. False at the end. */
bool fs_tree_next(const struct fs_tree *tree, const char *folder, size_t *place,
		  struct fs_tree_entry *ret_entry);

#endif
