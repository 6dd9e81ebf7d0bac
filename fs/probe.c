#include "fs/probe.h"

#include <string.h>

#include "base/macros.h"

/* research/fuse.md 2.8 says who asks for which. */
static const char *const NAMES[] = {
	".DS_Store",   ".Spotlight-V100",  ".TemporaryItems",  ".Trash",
	".Trashes",    ".VolumeIcon.icns", ".directory",       ".fseventsd",
	".git",	       ".hidden",	   ".localized",       ".metadata_never_index",
	".nomedia",    ".sh_thumbnails",   ".xdg-volume-info", "AUTORUN.INF",
	"Autorun.inf", "Desktop.ini",	   "Thumbs.db",	       "autorun.inf",
	"desktop.ini", "folder.jpg",	   "mach_kernel",
};

static const char *const PREFIXES[] = {
	"._",
	".Trash-",
	".fuse_hidden",
};

bool
fs_probe_is(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(NAMES); i++)
		if (!strcmp(name, NAMES[i]))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(PREFIXES); i++)
		if (!strncmp(name, PREFIXES[i], strlen(PREFIXES[i])))
			return true;
	return false;
}
