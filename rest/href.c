#include "rest/href.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/percent.h"

static bool
is_escaped(unsigned char c)
{
	bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');

	return !alnum && (c == '\0' || !strchr("-._~{}[]\":,", c));
}

void
href_print_value(const char *value, struct pxs_buf *buf)
{
	pxs_percent_encode(buf, value, strlen(value), is_escaped);
}

static void
add_text(struct pxs_buf *buf, char *separator, const char *name, const char *value)
{
	if (!value)
		return;
	pxs_buf_addf(buf, "%c%s=", *separator, name);
	href_print_value(value, buf);
	*separator = '&';
}

static void
add_count(struct pxs_buf *buf, char *separator, const char *name, uint64_t count, uint64_t unsaid)
{
	if (!count || count == unsaid)
		return;
	pxs_buf_addf(buf, "%c%s=%" PRIu64, *separator, name, count);
	*separator = '&';
}

void
href_print(const struct href *href, struct pxs_buf *buf)
{
	CLEANUP(pxs_buf) struct pxs_buf query = PXS_BUF_INIT;
	char separator = '?';

	add_text(&query, &separator, "where", href->where);
	add_text(&query, &separator, "q", href->q);
	add_text(&query, &separator, "path", href->path);
	add_count(&query, &separator, "limit", href->limit, 0);
	add_text(&query, &separator, "sort", href->sort);
	add_text(&query, &separator, "projection", href->projection);
	add_count(&query, &separator, "max_results", href->max_results, HREF_MAX_RESULTS_DEFAULT);
	add_count(&query, &separator, "page", href->page, 1);
	add_text(&query, &separator, "after", href->after);

	pxs_buf_add_str(buf, query.len ? "/files/" : "/files");
	pxs_buf_add(buf, pxs_buf_text(&query), query.len);
	if (query.error)
		buf->error = query.error;
}
