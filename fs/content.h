/* content.h - bytes of a file that we make ourselves. */
#ifndef PXS_FS_CONTENT_H
#define PXS_FS_CONTENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct fs;
struct fs_contents;
struct fs_node;
struct fs_request;
struct pxs_buf;

/* Immutable, counted references. */
struct fs_content {
	char *data;
	size_t len;
	atomic_uint references;
};

/* Takes what is in BUF. NULL: out of memory. */
struct fs_content *fs_content_new(struct pxs_buf *buf);
struct fs_content *fs_content_ref(struct fs_content *content);
void fs_content_put(struct fs_content *content);
DEFINE_CLEANUP(fs_content, struct fs_content *, fs_content_put)

/* Contents of query folders' files made lately: they hold as long as their generation. */
int fs_contents_new(struct fs_contents **ret_contents);
void fs_contents_free(struct fs_contents *contents);

/* The content of a FILE node, made anew unless it is kept. The caller's to put. */
int fs_content_get(struct fs_request *request, struct fs_node *node,
		   struct fs_content **ret_content);

/* Its length if it is kept, else false: it is never made for that. */
bool fs_content_len(struct fs_request *request, const struct fs_node *node, size_t *ret_len);

#endif
