#include "query/query.h"

#include "query/draft.h"

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
