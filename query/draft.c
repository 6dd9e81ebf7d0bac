#include "query/draft.h"

#include <stdarg.h>
#include <string.h>

#include "base/error.h"
#include "base/macros.h"
#include "query/canon.h"
#include "query/split.h"
#include "query/value.h"

/* Parsers make nodes that the canonical form then drops: four for each that may stay. */
#define DRAFT_NODES_MAX ((size_t)QUERY_NODES_MAX * 4)

int
query_draft_begin(struct query_draft *draft, const struct query *query, struct pxs_error *err)
{
	*draft = (struct query_draft){ .err = err };
	draft->root = query_draft_copy(draft, query->root);
	return draft->error;
}

void
query_draft_done(struct query_draft *draft)
{
	pxs_arena_done(&draft->arena);
}

void *
query_draft_fail(struct query_draft *draft, int code, long at, const char *fmt, ...)
{
	va_list args;

	if (draft->error)
		return NULL;
	va_start(args, fmt);
	draft->error = pxs_error_vset(draft->err, code, at, fmt, args);
	va_end(args);
	return NULL;
}

void *
query_draft_fail_memory(struct query_draft *draft)
{
	if (!draft->error)
		draft->error = -ENOMEM;
	return NULL;
}

struct query_node *
query_draft_node(struct query_draft *draft, enum query_kind kind,
		 const struct query_property *property)
{
	struct query_node *node;

	if (draft->error)
		return NULL;
	if (++draft->n_nodes > DRAFT_NODES_MAX)
		return query_draft_fail(draft, -EINVAL, -1, "the query has more than %d conditions",
					QUERY_NODES_MAX);
	node = pxs_arena_alloc(&draft->arena, sizeof(*node));
	if (!node)
		return query_draft_fail_memory(draft);
	node->kind = kind;
	node->property = property;
	return node;
}

static const char *
copy_text(struct query_draft *draft, const char *text)
{
	const char *copy;

	if (!text)
		return NULL;
	copy = pxs_arena_strdup(&draft->arena, text);
	return copy ? copy : query_draft_fail_memory(draft);
}

static void
copy_value(struct query_draft *draft, struct query_value *value)
{
	if (value->type == QUERY_TYPE_STRING)
		value->string = copy_text(draft, value->string);
}

static void
copy_bound(struct query_draft *draft, struct query_bound *bound)
{
	copy_value(draft, &bound->value);
	bound->relative = copy_text(draft, bound->relative);
}

struct query_node *
query_draft_copy(struct query_draft *draft, const struct query_node *node)
{
	struct query_node *copy = query_draft_node(draft, node->kind, node->property);
	struct query_node **end;

	if (!copy)
		return NULL;
	*copy = *node;
	copy->first_child = NULL;
	copy->next = NULL;
	copy->text = copy_text(draft, node->text);
	copy_value(draft, &copy->value);
	copy_bound(draft, &copy->low);
	copy_bound(draft, &copy->high);

	end = &copy->first_child;
	for (const struct query_node *child = node->first_child; child; child = child->next) {
		*end = query_draft_copy(draft, child);
		if (!*end)
			break;
		end = &(*end)->next;
	}
	return draft->error ? NULL : copy;
}

void
query_draft_add(struct query_node *group, enum query_occur occur, struct query_node *node)
{
	if (!group || !node)
		return;
	node->occur = occur;
	node->next = group->first_child; /* the canonical form has an order of its own */
	group->first_child = node;
}

struct query_node *
query_draft_not(struct query_draft *draft, struct query_node *node)
{
	struct query_node *group = query_draft_node(draft, QUERY_BOOL, NULL);

	query_draft_add(group, QUERY_MUST_NOT, node);
	return node ? group : NULL;
}

const char *
query_draft_text(struct query_draft *draft, const char *text, size_t len)
{
	const char *normal = query_text_nfc(&draft->arena, text, len);

	return normal ? normal : query_draft_fail_memory(draft);
}

struct extent {
	size_t nodes, depth, widest;
};

static struct extent
measure(const struct query_node *node)
{
	struct extent all = { .nodes = 1 };
	size_t children = 0;

	for (const struct query_node *child = node->first_child; child; child = child->next) {
		struct extent part = measure(child);

		children++;
		all.nodes += part.nodes;
		all.depth = MAX(all.depth, part.depth);
		all.widest = MAX(all.widest, part.widest);
	}
	all.depth += node->kind == QUERY_BOOL;
	all.widest = MAX(all.widest, children);
	return all;
}

static void
check_limits(struct query_draft *draft)
{
	struct extent all = measure(draft->root);

	if (all.depth > QUERY_DEPTH_MAX)
		query_draft_fail(draft, -EINVAL, -1, "the query is nested deeper than %d levels",
				 QUERY_DEPTH_MAX);
	if (all.widest > QUERY_ALTERNATIVES_MAX)
		query_draft_fail(
			draft, -EINVAL, -1,
			"the query has more than %d conditions or alternatives side by side",
			QUERY_ALTERNATIVES_MAX);
	if (all.nodes > QUERY_NODES_MAX)
		query_draft_fail(draft, -EINVAL, -1, "the query has more than %d conditions",
				 QUERY_NODES_MAX);
	if (!query_has_language(draft->root))
		query_draft_fail(draft, -EINVAL, -1,
				 "the conditions are mixed as no query language can say it");
	draft->n_nodes = all.nodes;
}

int
query_draft_finish(struct query_draft *draft, struct query_node *condition, struct query *query)
{
	struct query_node *both = query_draft_node(draft, QUERY_BOOL, NULL);

	query_draft_add(both, QUERY_MUST, draft->root);
	query_draft_add(both, QUERY_MUST, condition);
	if (!draft->error)
		draft->root = query_canon(draft, both);
	if (!draft->error)
		check_limits(draft);
	if (draft->error)
		return draft->error;

	draft->root->occur = QUERY_MUST;
	draft->root->next = NULL;
	pxs_arena_done(&query->arena);
	query->arena = draft->arena;
	query->root = draft->root;
	query->n_nodes = draft->n_nodes;
	draft->arena = (struct pxs_arena){ 0 };
	return 0;
}
