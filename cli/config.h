/* config.h - a file of settings: KEY = VALUE, in sections. */
#ifndef PXS_CLI_CONFIG_H
#define PXS_CLI_CONFIG_H

#include <stdio.h>

struct pxs_error;

/* Called for each line; SECTION is "" before the first. -errno stops the reading, and ERR's
 * sentence gets the file's name and the line in front of it. */
typedef int (*config_set)(void *context, const char *section, const char *key, const char *value,
			  struct pxs_error *err);

/* Read the file at PATH. -EINVAL: a line that is none, or that SET refused; -errno: it cannot be
 * read. */
int config_read(const char *path, config_set set, void *context, struct pxs_error *err);
/* The same of an open file, which errors call NAME. */
int config_read_stream(FILE *file, const char *name, config_set set, void *context,
		       struct pxs_error *err);

#endif
