/* mountinfo.h - what the kernel says is mounted. */
#ifndef PXS_CLI_MOUNTINFO_H
#define PXS_CLI_MOUNTINFO_H

#include <stdbool.h>

/* 1: a mount of pxs is at MOUNTPOINT (absolute), and is what one sees there; 0: not; or -errno. */
int mountinfo_is_ours(const char *mountpoint);

/* The same for LINE of /proc/self/mountinfo (proc(5)): is it about MOUNTPOINT, and is it of pxs? */
bool mountinfo_line_parse(char *line, const char *mountpoint, bool *ret_is_ours);

#endif
