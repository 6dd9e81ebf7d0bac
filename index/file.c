/* The file behind a document: where it lies, and whether what lies there is still it. */
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/percent.h"
#include "index/index.h"

static bool
value_of(const struct index_view *view, uint32_t doc, const char *name, struct query_value *ret)
{
	const struct query_property *property = query_schema_find(index_view_schema(view), name);

	return property && index_doc_value(view, doc, property, ret);
}

bool
index_doc_path(const struct index_view *view, uint32_t doc, struct pxs_buf *path)
{
	struct query_value value;

	if (value_of(view, doc, "_index.path", &value))
		pxs_percent_decode(path, value.string, strlen(value.string));
	else if (value_of(view, doc, "core.pathname", &value))
		pxs_buf_add_str(path, value.string);
	else
		return false;
	return true;
}

static bool
was_created_at(int fd, int64_t created_ns)
{
	struct statx stx;

	return statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &stx) == 0 &&
	       (stx.stx_mask & STATX_BTIME) &&
	       stx.stx_btime.tv_sec * PXS_NS_PER_S + stx.stx_btime.tv_nsec == created_ns;
}

bool
index_doc_is_file(const struct index_view *view, uint32_t doc, int fd, const struct stat *st)
{
	struct query_value value;

	if (!S_ISREG(st->st_mode) || !value_of(view, doc, "core.inode", &value) ||
	    (uint64_t)value.integer != (st->st_ino & INT64_MAX))
		return false;
	if (value_of(view, doc, "core.device", &value) && (dev_t)value.integer == st->st_dev)
		return true;
	return value_of(view, doc, "core.creationtime", &value) &&
	       was_created_at(fd, value.integer);
}
