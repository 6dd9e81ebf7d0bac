#include "fs/virtual.h"

#include <string.h>

#include "base/macros.h"
#include "fs/saved.h"

const struct fs_virtual FS_VIRTUALS[] = {
	{ FS_VIRTUAL_STATUS, "README", fs_print_readme },
	{ FS_VIRTUAL_STATUS, "errors", fs_print_errors },
	{ FS_VIRTUAL_STATUS, "schema", fs_print_schema },
	{ FS_VIRTUAL_STATUS, "status", fs_print_status },

	{ FS_VIRTUAL_QUERY, "count", fs_print_count },
	{ FS_VIRTUAL_QUERY, "facets.tsv", fs_print_facets },
	{ FS_VIRTUAL_QUERY, "paths", fs_print_paths },
	{ FS_VIRTUAL_QUERY, "paths0", fs_print_paths0 },
	{ FS_VIRTUAL_QUERY, "query.json", fs_print_query },
	{ FS_VIRTUAL_QUERY, "results.json", fs_print_results },

	{ FS_VIRTUAL_TEMPLATE, "README", fs_print_template },
};
const size_t FS_N_VIRTUALS = ARRAY_SIZE(FS_VIRTUALS);

const struct fs_virtual *
fs_virtual_find(enum fs_virtual_place place, const char *name)
{
	for (size_t i = 0; i < FS_N_VIRTUALS; i++)
		if (FS_VIRTUALS[i].place == place && !strcmp(FS_VIRTUALS[i].name, name))
			return &FS_VIRTUALS[i];
	return NULL;
}
