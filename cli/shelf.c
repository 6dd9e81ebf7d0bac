#include "cli/shelf.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/percent.h"

static bool
is_control(unsigned char c)
{
	return c < ' ' || c == 0x7f;
}

static bool
is_escaped(unsigned char c)
{
	return is_control(c) || c == '%' || c == '#';
}

void
shelf_print(const char *name, const char *path, struct pxs_buf *buf)
{
	pxs_percent_encode(buf, name, strlen(name), is_escaped);
	pxs_buf_add_str(buf, path ? "\t" : "/");
	if (path)
		pxs_percent_encode(buf, path, strlen(path), is_control);
	pxs_buf_add_str(buf, "\n");
}

int
shelf_parse(char *line, struct pxs_buf *name, const char **ret_path, struct pxs_error *err)
{
	char *tab = strchr(line, '\t');
	size_t len;

	*ret_path = NULL;
	len = strlen(line);
	if (len && line[len - 1] == '\r')
		line[--len] = '\0';
	if (!len || line[0] == '#')
		return 0;
	if (tab) {
		*tab = '\0';
		*ret_path = tab + 1;
		len = (size_t)(tab - line);
	} else if (line[len - 1] == '/') {
		len--;
	} else {
		return pxs_error_set(err, -EINVAL, -1,
				     "'%.60s' is neither NAME, a tab and a path, nor a group, "
				     "GROUP/",
				     line);
	}
	pxs_percent_decode(name, line, len);
	if (memchr(pxs_buf_text(name), '\0', name->len))
		return pxs_error_set(err, -EINVAL, -1, "a name cannot hold a zero byte (%%00)");
	return name->error < 0 ? name->error : 1;
}
