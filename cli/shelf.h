/* shelf.h - saved searches as text, for pxs saved export and import:
 *
 *     pets/
 *     pets/cats<TAB>_all=cats
 *
 * One a line, by name; a group ends with a slash; empty lines and those that begin with # say
 * nothing. %XX in a name is any byte: a control character, "%", or "#" at the beginning. */
#ifndef PXS_CLI_SHELF_H
#define PXS_CLI_SHELF_H

struct pxs_buf;
struct pxs_error;

/* PATH NULL: a group. */
void shelf_print(const char *name, const char *path, struct pxs_buf *buf);

/* 1: NAME (empty before) and *RET_PATH are what LINE says, cut in place and lent; *RET_PATH NULL: a
 * group. 0: it says nothing. -EINVAL: it is no such line. */
int shelf_parse(char *line, struct pxs_buf *name, const char **ret_path, struct pxs_error *err);

#endif
