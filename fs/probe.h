/* probe.h - names that desktops, file servers and indexers look for in every folder. */
#ifndef PXS_FS_PROBE_H
#define PXS_FS_PROBE_H

#include <stdbool.h>

/* How long the kernel may remember that one of them is not there, in seconds. */
#define FS_PROBE_S 300.0

bool fs_probe_is(const char *name);

#endif
