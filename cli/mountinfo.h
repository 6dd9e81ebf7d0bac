/* mountinfo.h - what the kernel says is mounted. */
#ifndef PXS_CLI_MOUNTINFO_H
#define PXS_CLI_MOUNTINFO_H

#include <stdbool.h>

/* One line of /proc/self/mountinfo (proc(5)); all are lent by it. */
struct mountinfo {
	const char *mountpoint;
	const char
		*options; /* of the file system, as user_id=0,allow_other; its newline is there */
	bool is_ours;
};

/* Cut LINE, in place. False: it is no such line. */
bool mountinfo_split(char *line, struct mountinfo *ret_info);

/* 1: a mount of pxs is at MOUNTPOINT (absolute), and is what one sees there; 0: not; or -errno. */
int mountinfo_is_ours(const char *mountpoint);

/* The same for LINE of /proc/self/mountinfo (proc(5)): is it about MOUNTPOINT, and is it of pxs? */
bool mountinfo_line_parse(char *line, const char *mountpoint, bool *ret_is_ours);

#endif
