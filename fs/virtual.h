/* virtual.h - the files in /.pxs, in the .pxs of query folders and in saved searches that need
 * values. */
#ifndef PXS_FS_VIRTUAL_H
#define PXS_FS_VIRTUAL_H

#include <stdbool.h>
#include <stddef.h>

struct fs_node;
struct fs_request;
struct pxs_buf;

/* Bytes of the longest content; making more is -EFBIG. It is made as a whole when a file is opened.
 */
#define FS_VIRTUAL_MAX ((size_t)256 << 20)

enum fs_virtual_place {
	FS_VIRTUAL_STATUS,   /* /.pxs */
	FS_VIRTUAL_QUERY,    /* .pxs in a query folder */
	FS_VIRTUAL_TEMPLATE, /* a saved search that needs values */
};

struct fs_virtual {
	enum fs_virtual_place place;
	const char *name;
	/* Adds the content; FOLDER is the query folder or saved search, NULL in /.pxs. */
	int (*print)(struct fs_request *request, const struct fs_node *folder, struct pxs_buf *buf);
};

/* All of them. */
extern const struct fs_virtual FS_VIRTUALS[];
extern const size_t FS_N_VIRTUALS;

/* NULL: there is none. */
const struct fs_virtual *fs_virtual_find(enum fs_virtual_place place, const char *name);

/* status.c */
int fs_print_status(struct fs_request *request, const struct fs_node *folder, struct pxs_buf *buf);
int fs_print_schema(struct fs_request *request, const struct fs_node *folder, struct pxs_buf *buf);
int fs_print_errors(struct fs_request *request, const struct fs_node *folder, struct pxs_buf *buf);
int fs_print_readme(struct fs_request *request, const struct fs_node *folder, struct pxs_buf *buf);

/* report.c */
int fs_print_count(struct fs_request *request, const struct fs_node *folder, struct pxs_buf *buf);
int fs_print_query(struct fs_request *request, const struct fs_node *folder, struct pxs_buf *buf);
int fs_print_facets(struct fs_request *request, const struct fs_node *folder, struct pxs_buf *buf);
int fs_print_paths(struct fs_request *request, const struct fs_node *folder, struct pxs_buf *buf);
int fs_print_paths0(struct fs_request *request, const struct fs_node *folder, struct pxs_buf *buf);

/* collection.c */
int fs_print_results(struct fs_request *request, const struct fs_node *folder, struct pxs_buf *buf);

#endif
