#include "fs/bucket.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/macros.h"
#include "index/index.h"
#include "query/query.h"

/* The part of a segment after "P=" that asks for documents without a value. */
#define ABSENT "!.."

/* The first, and values that would be taken for something else. */
static const struct {
	const char *value;
	const char *shown;
} SPELLINGS[] = {
	{ ABSENT, FS_BUCKET_NONE },
	{ FS_BUCKET_NONE, "%28none)" },
	{ ".", "%2E" },
};

bool
fs_facet_subdivides(const struct index_facet *facet, uint64_t hits)
{
	/* Usefulness above 0, in whole numbers. */
	return facet->expected_den && facet->expected_num < facet->expected_den * hits;
}

void
fs_bucket_print_target(const struct query_property *property, const char *name, struct pxs_buf *buf)
{
	pxs_buf_addf(buf, FS_BUCKET_UP "%s=%s", property->name,
		     strcmp(name, FS_BUCKET_NONE) == 0 ? ABSENT : name);
}

static const char *
shown(const char *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(SPELLINGS); i++)
		if (!strcmp(value, SPELLINGS[i].value))
			return SPELLINGS[i].shown;
	return value;
}

int
fs_bucket_print_name(const struct query_property *property, const struct query_node *condition,
		     struct pxs_buf *buf)
{
	CLEANUP(pxs_buf) struct pxs_buf segment = PXS_BUF_INIT;
	int r = query_print_segment(condition, &segment);

	if (r < 0)
		return r;
	pxs_buf_add_str(buf, shown(segment.data + strlen(property->name) + 1));
	return buf->error;
}
