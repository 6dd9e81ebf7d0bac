#include "query/query.h"

#include "query/draft.h"
#include "query/interval.h"

int
query_new(struct query **ret_query)
{
	CLEANUP(query) struct query *query = calloc(1, sizeof(*query));

	if (!query)
		return -ENOMEM;
	query->root = pxs_arena_alloc(&query->arena, sizeof(*query->root));
	if (!query->root)
		return -ENOMEM;
	query->root->kind = QUERY_ALL;
	query->n_nodes = 1;
	*ret_query = STEAL(query);
	return 0;
}

void
query_free(struct query *query)
{
	if (!query)
		return;
	pxs_arena_done(&query->arena);
	free(query);
}

int
query_copy(const struct query *query, struct query **ret_copy)
{
	CLEANUP(query_draft) struct query_draft draft = { 0 };
	struct query *copy;
	int r;

	r = query_draft_begin(&draft, query, NULL);
	if (r < 0)
		return r;
	copy = malloc(sizeof(*copy));
	if (!copy)
		return -ENOMEM;

	*copy = *query; /* the order and the limit */
	copy->arena = draft.arena;
	copy->root = draft.root;
	draft.arena = (struct pxs_arena){ 0 };
	*ret_copy = copy;
	return 0;
}

static bool
is_relative(const struct query_node *node)
{
	for (const struct query_node *child = node->first_child; child; child = child->next)
		if (is_relative(child))
			return true;
	return node->low.relative || node->high.relative;
}

bool
query_is_relative(const struct query *query)
{
	return is_relative(query->root);
}

/* NODE becomes what it is at NOW_NS; its place among its siblings, and its boost, stay. */
static void
resolve(struct query_draft *draft, struct query_node *node, int64_t now_ns)
{
	struct query_node *resolved;

	for (struct query_node *child = node->first_child; child; child = child->next)
		resolve(draft, child, now_ns);
	if (!node->low.relative && !node->high.relative)
		return;
	resolved = query_interval_resolve(draft, node, now_ns);
	if (!resolved)
		return;
	resolved->occur = node->occur;
	resolved->next = node->next;
	resolved->boosted = node->boosted;
	resolved->boost = node->boost;
	*node = *resolved;
}

int
query_resolve(const struct query *query, int64_t now_ns, struct query **ret_resolved)
{
	CLEANUP(query_draft) struct query_draft draft = { 0 };
	CLEANUP(query) struct query *copy = NULL;
	int r;

	r = query_copy(query, &copy);
	if (r == 0)
		r = query_draft_begin(&draft, copy, NULL);
	if (r < 0)
		return r;
	resolve(&draft, draft.root, now_ns);
	r = query_draft_finish(&draft, NULL, copy);
	if (r == 0)
		*ret_resolved = STEAL(copy);
	return r;
}

int
query_add_condition(struct query *query, const struct query_node *condition)
{
	CLEANUP(query_draft) struct query_draft draft = { 0 };
	int r;

	r = query_draft_begin(&draft, query, NULL);
	if (r < 0)
		return r;
	return query_draft_finish(&draft, query_draft_copy(&draft, condition), query);
}
