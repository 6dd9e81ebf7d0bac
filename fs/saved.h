/* saved.h - saved searches: /saved/NAME and /saved/GROUP/NAME are names for paths below /query. */
#ifndef PXS_FS_SAVED_H
#define PXS_FS_SAVED_H

#include <stdint.h>

struct fs_node;
struct fs_request;
struct pxs_buf;

/* NAME in PARENT (saved/ or a group) as a new node without a number: a group, a search, one whose
 * parameters NAME fills in ("by-owner=alice"), or the folder of one whose parameters are not filled
 * in. -ENOENT: there is none; -EINVAL: the request has the sentence. */
int fs_saved_derive(struct fs_request *request, struct fs_node *parent, const char *name,
		    struct fs_node **ret_node);

/* The same in the folder of a search that needs values: README, which says so. */
int fs_saved_derive_in_template(struct fs_request *request, struct fs_node *parent,
				const char *name, struct fs_node **ret_node);

/* Adds the full name of NAME in PARENT: "pets/cats". */
void fs_saved_print_name(const struct fs_node *parent, const char *name, struct pxs_buf *full);

/* Adds the target that the LINK node shows. -ESTALE. */
int fs_saved_read_link(struct fs_request *request, uint64_t id, struct pxs_buf *target);

/* The README of a search that needs values. */
int fs_print_template(struct fs_request *request, const struct fs_node *folder,
		      struct pxs_buf *buf);

#endif
