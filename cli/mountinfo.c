#include "cli/mountinfo.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define TYPE "fuse.pxs"
#define FIELD_MOUNTPOINT 4

/* Spaces, tabs, newlines and backslashes stand as \ooo there. */
static void
unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] && from[3]) {
			*to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

/*     36 35 0:55 / /mnt/pxs rw,nosuid shared:1 - fuse.pxs pxs rw,user_id=0,allow_other */
bool
mountinfo_split(char *line, struct mountinfo *ret_info)
{
	char *rest = strstr(line, " - "); /* ends the optional fields; then the type */
	char *save = NULL;
	char *field;
	char *of_system;

	if (!rest)
		return false;
	*rest = '\0';
	ret_info->is_ours = strncmp(rest + 3, TYPE " ", sizeof(TYPE)) == 0;
	of_system = strrchr(rest + 3, ' ');
	field = strtok_r(line, " ", &save);
	for (int i = 0; field && i < FIELD_MOUNTPOINT; i++)
		field = strtok_r(NULL, " ", &save);
	if (!field)
		return false;
	unescape(field);
	ret_info->mountpoint = field;
	ret_info->options = of_system ? of_system + 1 : "";
	return true;
}

bool
mountinfo_line_parse(char *line, const char *mountpoint, bool *ret_is_ours)
{
	struct mountinfo info = { 0 };
	bool is_line = mountinfo_split(line, &info);

	*ret_is_ours = info.is_ours;
	return is_line && strcmp(info.mountpoint, mountpoint) == 0;
}

int
mountinfo_is_ours(const char *mountpoint)
{
	CLEANUP(fclose) FILE *file = fopen("/proc/self/mountinfo", "re");
	CLEANUP(free) char *line = NULL;
	bool is_ours = false;
	size_t size = 0;
	int found = 0;

	if (!file)
		return -errno;
	/* Of several at one place the last is on top. */
	while (getline(&line, &size, file) > 0)
		if (mountinfo_line_parse(line, mountpoint, &is_ours))
			found = is_ours;
	return found;
}
