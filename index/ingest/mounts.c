#include "index/ingest/mounts.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <mntent.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macros.h"
#include "index/ingest/pathname.h"

static const char *const BARRED[] = {
	"autofs", "binfmt_misc", "bpf",	       "cgroup",     "cgroup2",	  "configfs", "debugfs",
	"devpts", "devtmpfs",	 "efivarfs",   "fusectl",    "hugetlbfs", "mqueue",   "nsfs",
	"proc",	  "pstore",	 "rpc_pipefs", "securityfs", "selinuxfs", "sysfs",    "tracefs",
};

/* "fuse.pxs" and what we may yet append to it. */
static const char OURS[] = "fuse.pxs";

/* 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
 * ^ mount ID                                   ^ type */
static int
type_of_line(const char *line, char type[MOUNTS_TYPE_SIZE])
{
	const char *start = strstr(line, " - ");
	size_t len;

	if (!start)
		return -EBADMSG;
	start += 3;
	len = strcspn(start, " \n");
	if (len >= MOUNTS_TYPE_SIZE)
		return -EBADMSG;
	memcpy(type, start, len);
	type[len] = '\0';
	return 0;
}

int
mounts_type(FILE *mountinfo, uint64_t mnt_id, char type[MOUNTS_TYPE_SIZE])
{
	CLEANUP(free) char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, mountinfo) >= 0)
		if (strtoumax(line, NULL, 10) == mnt_id)
			return type_of_line(line, type);
	return -ENOENT;
}

int
mounts_below(FILE *mounts, const char *folder, int (*each)(void *context, const char *place),
	     void *context)
{
	char strings[2 * PATH_MAX];
	struct mntent entry;
	int r = 0;

	while (r >= 0 && getmntent_r(mounts, &entry, strings, sizeof(strings)))
		if (!mounts_type_is_barred(entry.mnt_type) &&
		    pathname_within(entry.mnt_dir, folder))
			r = each(context, entry.mnt_dir);
	return r;
}

bool
mounts_type_is_barred(const char *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(BARRED); i++)
		if (!strcmp(type, BARRED[i]))
			return true;
	return !strncmp(type, OURS, strlen(OURS));
}

bool
mounts_barred(uint64_t mnt_id)
{
	CLEANUP(fclose) FILE *mountinfo = fopen("/proc/self/mountinfo", "re");
	char type[MOUNTS_TYPE_SIZE];

	return !mountinfo || mounts_type(mountinfo, mnt_id, type) < 0 ||
	       mounts_type_is_barred(type);
}
