#include "query/split.h"

#include <errno.h>

#include "query/interval.h"

static bool
has_child(const struct query_node *node, enum query_occur occur)
{
	for (const struct query_node *child = node->first_child; child; child = child->next)
		if (child->occur == occur)
			return true;
	return false;
}

/* Said by a segment of the path, a member of a where. */
static bool
is_condition(const struct query_node *node)
{
	return query_interval_list(node) ||
	       (node->kind == QUERY_EXISTS && node->property && !node->boosted);
}

/* One of the SHOULDs must hold, and they are values and ranges of one property. */
static bool
is_list(const struct query_node *root)
{
	const struct query_property *property = NULL;

	if (root->kind != QUERY_BOOL || has_child(root, QUERY_MUST))
		return false;
	for (const struct query_node *child = root->first_child; child; child = child->next) {
		if (child->occur == QUERY_MUST_NOT)
			continue;
		if (!property)
			property = child->property;
		if (!property || child->kind == QUERY_BOOL ||
		    query_interval_list(child) != property)
			return false;
	}
	return property != NULL;
}

static bool
is_exact(const struct query_node *node)
{
	return node->kind == QUERY_EQUALS || (node->kind == QUERY_RANGE && !node->folded);
}

/* Said by a query string: strings are found there by words or compared folded, never exactly. */
static bool
is_textual(const struct query_node *node)
{
	if (is_exact(node))
		return node->property->type != QUERY_TYPE_STRING;
	for (const struct query_node *child = node->first_child; child; child = child->next)
		if (!is_textual(child))
			return false;
	return true;
}

bool
query_has_language(const struct query_node *root)
{
	bool list = is_list(root);

	if (root->kind != QUERY_BOOL)
		return is_condition(root) || is_textual(root);
	for (const struct query_node *child = root->first_child; child; child = child->next) {
		if (child->occur == QUERY_SHOULD ? list : is_condition(child))
			continue;
		if (!is_textual(child))
			return false;
	}
	return true;
}

/* A copy of NODE at the end of LIST; NULL: out of memory. */
static struct query_node *
append(struct query_split *split, struct query_node **list, enum query_occur occur,
       const struct query_node *node)
{
	struct query_node *copy = pxs_arena_alloc(&split->arena, sizeof(*copy));

	if (!copy)
		return NULL;
	*copy = *node;
	copy->occur = occur;
	copy->next = NULL;
	while (*list)
		list = &(*list)->next;
	*list = copy;
	return copy;
}

static struct query_node **
list_for(struct query_split *split, enum query_occur occur, const struct query_node *node)
{
	if (occur == QUERY_SHOULD || !is_condition(node))
		return &split->text->first_child;
	return occur == QUERY_MUST ? &split->musts : &split->must_nots;
}

/* The SHOULDs of ROOT as one condition. */
static int
append_list(struct query_split *split, const struct query_node *root)
{
	static const struct query_node GROUP = { .kind = QUERY_BOOL };
	struct query_node *any = append(split, &split->musts, QUERY_MUST, &GROUP);

	for (const struct query_node *child = root->first_child; any && child; child = child->next)
		if (child->occur == QUERY_SHOULD &&
		    !append(split, &any->first_child, QUERY_SHOULD, child))
			return -ENOMEM;
	return any ? 0 : -ENOMEM;
}

/* SHOULDs that only add to the score need a MUST beside them; theirs may have its own segment. */
static int
add_everything(struct query_split *split, const struct query_node *root)
{
	static const struct query_node ALL = { .kind = QUERY_ALL };
	struct query_node *text = split->text;
	struct query_node *all = NULL;

	if (!has_child(text, QUERY_SHOULD) || has_child(text, QUERY_MUST) ||
	    !has_child(root, QUERY_MUST))
		return 0;
	if (!append(split, &all, QUERY_MUST, &ALL))
		return -ENOMEM;
	all->next = text->first_child;
	text->first_child = all;
	return 0;
}

/* A single condition needs no BOOL around it. */
static void
collapse_text(struct query_split *split)
{
	const struct query_node *text = split->text;

	if (!text->first_child)
		split->text = NULL;
	else if (!text->first_child->next && text->first_child->occur != QUERY_MUST_NOT)
		split->text = text->first_child;
}

int
query_split(const struct query_node *root, struct query_split *split)
{
	static const struct query_node GROUP = { .kind = QUERY_BOOL };
	bool list = is_list(root);

	*split = (struct query_split){ 0 };
	if (!append(split, &split->text, QUERY_MUST, &GROUP))
		return -ENOMEM;
	if (root->kind != QUERY_BOOL && root->kind != QUERY_ALL &&
	    !append(split, list_for(split, QUERY_MUST, root), QUERY_MUST, root))
		return -ENOMEM;
	if (list && append_list(split, root) < 0)
		return -ENOMEM;
	for (const struct query_node *child = root->first_child; child; child = child->next)
		if (!(list && child->occur == QUERY_SHOULD) &&
		    !append(split, list_for(split, child->occur, child), child->occur, child))
			return -ENOMEM;
	if (add_everything(split, root) < 0)
		return -ENOMEM;
	collapse_text(split);
	return 0;
}

void
query_split_done(struct query_split *split)
{
	pxs_arena_done(&split->arena);
}
