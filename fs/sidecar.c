#include "fs/sidecar.h"

#include <string.h>

char *
fs_sidecar_result_name(const char *name)
{
	size_t len = strlen(name);
	size_t end = sizeof(FS_SIDECAR_END) - 1;

	if (len <= end || strcmp(name + len - end, FS_SIDECAR_END) != 0)
		return NULL;
	return strndup(name, len - end);
}
