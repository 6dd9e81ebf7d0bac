/* sidecar.h - .pxs/meta/<result>.json: all properties of one result, for those who cannot read
 * extended attributes (NFS). */
#ifndef PXS_FS_SIDECAR_H
#define PXS_FS_SIDECAR_H

#include "fs/name.h"

#define FS_SIDECAR_END ".json"

/* Results are called by shorter names here, so that the whole stays within FS_NAME_MAX. */
#define FS_SIDECAR_NAME_MAX (FS_NAME_MAX - (int)(sizeof(FS_SIDECAR_END) - 1))

/* The result's part of a sidecar's NAME, the caller's to free; NULL: NAME is none (or memory is
 * out, which is nearly the same to whoever looks it up). */
char *fs_sidecar_result_name(const char *name);

#endif
