/* document.h - a document as a file: what the mount needs to know of it, read from columns. */
#ifndef PXS_FS_DOCUMENT_H
#define PXS_FS_DOCUMENT_H

#include <stdint.h>
#include <sys/stat.h>

struct index_view;
struct pxs_buf;
struct query_property;
struct query_schema;

/* The properties of files, found once and used for many documents. NULL where the schema lacks one,
 * as before anything was ingested. */
struct fs_core {
	const struct query_property *filename;
	const struct query_property *pathname;
	const struct query_property *directory;
	const struct query_property *type;
	const struct query_property *size;
	const struct query_property *blocks;
	const struct query_property *mode;
	const struct query_property *uid;
	const struct query_property *gid;
	const struct query_property *inode;
	const struct query_property *device;
	const struct query_property *modified;
	const struct query_property *accessed;
	const struct query_property *changed;
	const struct query_property *created;
	const struct query_property *target;
};

void fs_core_find(struct fs_core *core, const struct query_schema *schema);

enum fs_document_type {
	FS_DOCUMENT_FILE,
	FS_DOCUMENT_DIRECTORY,
	FS_DOCUMENT_SYMLINK,
	FS_DOCUMENT_OTHER, /* device, socket, fifo */
};

enum fs_document_type fs_document_type(const struct fs_core *core, const struct index_view *view,
				       uint32_t doc);

/* Text of a string property; "" where it has none. Lent as long as the index. */
const char *fs_document_text(const struct query_property *property, const struct index_view *view,
			     uint32_t doc);

/* A number or time, MISSING where it has none. */
int64_t fs_document_number(const struct query_property *property, const struct index_view *view,
			   uint32_t doc, int64_t missing);

/* Its attributes as a regular file, with the node's number as inode. */
void fs_document_stat(const struct fs_core *core, const struct index_view *view, uint32_t doc,
		      struct stat *ret_stat);

#endif
