/* bucket.h - the symlinks in a facet folder: core.size/27400-44000 -> ../core.size=27400-44000 */
#ifndef PXS_FS_BUCKET_H
#define PXS_FS_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct index_facet;
struct pxs_buf;
struct query_node;
struct query_property;

/* What targets begin with, and the segment after it. */
#define FS_BUCKET_UP "../"

/* The bucket of those without a value. */
#define FS_BUCKET_NONE "(none)"

/* Whether following one of FACET's buckets leaves fewer than all HITS. */
bool fs_facet_subdivides(const struct index_facet *facet, uint64_t hits);

/* Adds the target of the bucket NAME in PROPERTY's folder. */
void fs_bucket_print_target(const struct query_property *property, const char *name,
			    struct pxs_buf *buf);

/* Adds the name of the bucket that CONDITION selects. -ENAMETOOLONG: it has none. */
int fs_bucket_print_name(const struct query_property *property, const struct query_node *condition,
			 struct pxs_buf *buf);

#endif
