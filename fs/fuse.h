/* fuse.h - libfuse3's low-level interface, in the version that we speak. */
#ifndef PXS_FS_FUSE_H
#define PXS_FS_FUSE_H

#define FUSE_USE_VERSION 314

#include <fuse_lowlevel.h>

#endif
