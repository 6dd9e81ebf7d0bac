/* print.c - the canonical text of a query: every part of it, told unmistakably.
 *
 *     (+_all has "cats" -core.size in [101, )) sort -core.size limit 100
 *
 * What a word may be off by and its boost follow it: _all has fuzzy "cast"~1^2.5.
 * A BOOL's children stand in parentheses, after "+" if they must hold and "-" if they must not. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <xxhash.h>

#include "base/buf.h"
#include "base/json.h"
#include "query/boost.h"
#include "query/query.h"
#include "query/value.h"

static void
add_quoted(struct pxs_buf *buf, const char *text)
{
	struct pxs_json json;

	pxs_json_init(&json, buf, 0);
	pxs_json_string(&json, text);
}

static void
add_value(struct pxs_buf *buf, const struct query_value *value)
{
	if (value->type == QUERY_TYPE_STRING)
		add_quoted(buf, value->string);
	else
		query_value_print(value, buf);
}

static void
add_bound(struct pxs_buf *buf, const struct query_bound *bound)
{
	if (bound->relative)
		pxs_buf_add_str(buf, bound->relative);
	else if (bound->set)
		add_value(buf, &bound->value);
}

static void
add_range(struct pxs_buf *buf, const struct query_node *node)
{
	pxs_buf_add_str(buf, node->folded ? " in folded " : " in ");
	pxs_buf_add_char(buf, node->low.set && node->low.inclusive ? '[' : '(');
	add_bound(buf, &node->low);
	pxs_buf_add_str(buf, ", ");
	add_bound(buf, &node->high);
	pxs_buf_add_char(buf, node->high.set && node->high.inclusive ? ']' : ')');
}

static void add_node(struct pxs_buf *buf, const struct query_node *node);

static void
add_children(struct pxs_buf *buf, const struct query_node *node)
{
	static const char *const SIGNS[] = {
		[QUERY_MUST] = "+",
		[QUERY_SHOULD] = "",
		[QUERY_MUST_NOT] = "-",
	};

	pxs_buf_add_char(buf, '(');
	for (const struct query_node *child = node->first_child; child; child = child->next) {
		if (child != node->first_child)
			pxs_buf_add_char(buf, ' ');
		pxs_buf_add_str(buf, SIGNS[child->occur]);
		add_node(buf, child);
	}
	pxs_buf_add_char(buf, ')');
}

static void
add_leaf(struct pxs_buf *buf, const struct query_node *node)
{
	static const char *const VERBS[] = {
		[QUERY_WORDS] = " has ",	 [QUERY_PHRASE] = " has phrase ",
		[QUERY_PREFIX] = " has prefix ", [QUERY_WILDCARD] = " has wildcard ",
		[QUERY_FUZZY] = " has fuzzy ",	 [QUERY_REGEX] = " has regex ",
		[QUERY_EQUALS] = " = ",		 [QUERY_EXISTS] = " exists",
	};

	pxs_buf_add_str(buf, node->property ? node->property->name : "_all");
	if (node->kind == QUERY_RANGE)
		add_range(buf, node);
	else
		pxs_buf_add_str(buf, VERBS[node->kind]);
	if (node->text)
		add_quoted(buf, node->text);
	else if (node->kind == QUERY_EQUALS)
		add_value(buf, &node->value);
	if (node->kind == QUERY_FUZZY)
		pxs_buf_addf(buf, "~%d", node->edits);
	else if (node->slop)
		pxs_buf_addf(buf, "~%" PRIu32, node->slop);
	query_boost_print(node, buf);
}

static void
add_node(struct pxs_buf *buf, const struct query_node *node)
{
	switch (node->kind) {
	case QUERY_ALL:
		pxs_buf_add_str(buf, "everything");
		break;
	case QUERY_NONE:
		pxs_buf_add_str(buf, "nothing");
		break;
	case QUERY_BOOL:
		add_children(buf, node);
		break;
	default:
		add_leaf(buf, node);
		break;
	}
}

int
query_print_text(const struct query *query, struct pxs_buf *buf)
{
	add_node(buf, query->root);
	if (query->n_sorts) {
		pxs_buf_add_str(buf, " sort ");
		query_print_sort(query, buf);
	}
	if (query->limit)
		pxs_buf_addf(buf, " limit %" PRIu64, query->limit);
	return buf->error;
}

const char *
query_occur_name(enum query_occur occur)
{
	static const char *const NAMES[] = {
		[QUERY_MUST] = "must",
		[QUERY_SHOULD] = "should",
		[QUERY_MUST_NOT] = "must not",
	};

	return NAMES[occur];
}

void
query_print_node(const struct query_node *node, struct pxs_buf *buf)
{
	bool any = false;

	if (node->kind != QUERY_BOOL) {
		add_node(buf, node);
		return;
	}
	for (const struct query_node *child = node->first_child; child; child = child->next) {
		if (child->occur == QUERY_MUST)
			break;
		any |= child->occur == QUERY_SHOULD;
	}
	pxs_buf_add_str(buf, any ? "any of" : "all of");
}

int
query_key(const struct query *query, struct query_key *ret_key)
{
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;
	XXH128_hash_t hash;
	int r;

	r = query_print_text(query, &buf);
	if (r < 0)
		return r;
	hash = XXH3_128bits(buf.data, buf.len);
	*ret_key = (struct query_key){ hash.high64, hash.low64 };
	return 0;
}
