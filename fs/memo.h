/* memo.h - what is worked out once for a hit set and shared by all who list it: names and tree.
 *
 * A few are kept, known by generation and query, so that a client that opens a folder again for
 * every part of its listing (NFS) finds them. They hold no hits and no view. Whoever does not see
 * everything gets his own, as what he sees may change within a generation. */
#ifndef PXS_FS_MEMO_H
#define PXS_FS_MEMO_H

#include "fs/names.h"
#include "fs/tree.h"

struct fs_memos;
struct fs_node;

int fs_memos_new(struct fs_memos **ret_memos);
void fs_memos_free(struct fs_memos *memos);

/* The names among HITS, the results of a folder. The caller's to put. */
int fs_memo_names(struct fs_request *request, struct index_hits *hits, struct fs_names **ret_names);

/* The results of FOLDER by the folders that they lie in. The caller's to put. */
int fs_memo_tree(struct fs_request *request, const struct fs_node *folder,
		 struct fs_tree **ret_tree);

#endif
