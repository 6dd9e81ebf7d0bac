/* sort.c - the order of results: keys = [ "-" ] property *( "," [ "-" ] property ), where "_score"
 * is the relevance. */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "query/query.h"

/* Properties have shorter names. */
#define NAME_MAX_BYTES 255

static int
refuse_name(const struct query_schema *schema, const char *name, long at, struct pxs_error *err)
{
	const char *nearest = query_schema_nearest(schema, name);

	if (nearest)
		return pxs_error_set(err, -EINVAL, at,
				     "unknown property '%.100s' to sort by; did you mean '%.100s'?",
				     name, nearest);
	return pxs_error_set(err, -EINVAL, at, "unknown property '%.100s' to sort by", name);
}

static int
parse_key(const char *text, size_t len, const struct query_schema *schema, long at,
	  struct query_sort *ret_key, struct pxs_error *err)
{
	bool descending = len && text[0] == '-';
	char name[NAME_MAX_BYTES + 1] = "";

	len -= descending;
	if (!len || len > NAME_MAX_BYTES)
		return pxs_error_set(err, -EINVAL, at,
				     "expected a property to sort by, as in -core.size");
	memcpy(name, text + descending, len);
	*ret_key = (struct query_sort){ NULL, descending };
	if (strcmp(name, "_score") == 0)
		return 0;
	ret_key->property = query_schema_find(schema, name);
	if (!ret_key->property)
		return refuse_name(schema, name, at, err);
	if (ret_key->property->type == QUERY_TYPE_PROXY)
		return pxs_error_set(err, -EINVAL, at,
				     "%s is of type Proxy and has no value to sort by", name);
	return 0;
}

static bool
has_key(const struct query_sort *sorts, size_t n, const struct query_property *property)
{
	for (size_t i = 0; i < n; i++)
		if (sorts[i].property == property)
			return true;
	return false;
}

int
query_set_sort(struct query *query, const char *keys, const struct query_schema *schema,
	       struct pxs_error *err)
{
	struct query_sort sorts[QUERY_SORTS_MAX];
	struct query_sort key = { 0 };
	const char *text = keys;
	size_t n = 0;
	size_t len;
	int r;

	for (; *keys; text += len + 1) {
		len = strcspn(text, ",");
		r = parse_key(text, len, schema, text - keys, &key, err);
		if (r < 0)
			return r;
		/* A property that was sorted by already decides nothing more. */
		if (!has_key(sorts, n, key.property)) {
			if (n == QUERY_SORTS_MAX)
				return pxs_error_set(err, -EINVAL, text - keys,
						     "more than %d keys to sort by",
						     QUERY_SORTS_MAX);
			sorts[n++] = key;
		}
		if (!text[len])
			break;
	}
	memcpy(query->sorts, sorts, n * sizeof(sorts[0]));
	query->n_sorts = n;
	return 0;
}

void
query_print_sort(const struct query *query, struct pxs_buf *buf)
{
	for (size_t i = 0; i < query->n_sorts; i++) {
		const struct query_sort *key = &query->sorts[i];

		if (i)
			pxs_buf_add_char(buf, ',');
		if (key->descending)
			pxs_buf_add_char(buf, '-');
		pxs_buf_add_str(buf, key->property ? key->property->name : "_score");
	}
}
