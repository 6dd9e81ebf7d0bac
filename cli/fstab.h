/* fstab.h - pxs as the program that mount(8) runs for file systems of the type fuse.pxs. */
#ifndef PXS_CLI_FSTAB_H
#define PXS_CLI_FSTAB_H

#include <stdbool.h>

struct cli_program;

/* Whether ARGV, which names no verb, is what mount.fuse gives us: a path or "none", then a path. */
bool fstab_is_mount(int argc, char **argv);

/* Do it: `pxs mount`, with SOURCE as the index where it is a path. The exit code. */
int fstab_mount(int argc, char **argv, const struct cli_program *program);

#endif
