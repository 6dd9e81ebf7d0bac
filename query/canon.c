/* canon.c - one tree for all that mean the same.
 *
 * Leaves become intervals where they can (interval.h). The children of a BOOL are sorted into what
 * must hold, what must not, and what only adds to the score; a BOOL that needs one of its SHOULDs
 * is in this view a MUST on a BOOL of SHOULDs alone (an "any"). Then
 *
 *     a MUST on a BOOL     gives its children to the parent, an any apart
 *     NOT (a OR b)         is NOT a, NOT b
 *     NOT NOT a            is a;  NOT (NOT a AND NOT b) is a OR b
 *     (a OR b) OR c        is one any
 *     everything, nothing  vanish, or decide
 *     a AND a, a OR a      is a
 *     P exists OR P = v    is P exists
 *     a AND NOT a          is nothing
 *     P in [1,5) and [3,9) is P in [3,5), where P has one value
 *
 * and what is left is put in order. Boosts stand at the leaves (boost.h), and leaves that differ in
 * them alone stay apart. A BOOL whose only MUST is an any is written as that any with
 * the MUST_NOTs beside it; one of a single MUST is that child. */
#include "query/canon.h"

#include <string.h>

#include "base/macros.h"
#include "query/boost.h"
#include "query/draft.h"
#include "query/interval.h"
#include "query/wildcard.h"

struct parts {
	struct query_draft *draft;
	struct query_node *lists[3]; /* by enum query_occur; SHOULD: for the score only */
	bool nothing;		     /* no document can match */
};

static void
push(struct query_node **list, struct query_node *node)
{
	node->next = *list;
	*list = node;
}

static struct query_node *
pop(struct query_node **list)
{
	struct query_node *node = *list;

	if (node)
		*list = node->next;
	return node;
}

static bool
has_only(const struct query_node *node, enum query_occur occur)
{
	if (node->kind != QUERY_BOOL)
		return false;
	for (const struct query_node *child = node->first_child; child; child = child->next)
		if (child->occur != occur)
			return false;
	return true;
}

static bool
is_any(const struct query_node *node)
{
	return has_only(node, QUERY_SHOULD);
}

/* --- Order --- */

static int
compare_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) : (a != NULL) - (b != NULL);
}

static int
compare_bounds(const struct query_bound *a, const struct query_bound *b)
{
	int order;

	if (!a->set || !b->set)
		return a->set - b->set;
	if (a->relative || b->relative)
		return compare_text(a->relative, b->relative);
	order = query_value_compare(&a->value, &b->value);
	return order ? order : a->inclusive - b->inclusive;
}

static const char *
property_name(const struct query_node *node)
{
	const struct query_property *property = node->kind == QUERY_BOOL ? query_interval_list(node)
									 : node->property;

	return property ? property->name : NULL;
}

static int compare_matches(const struct query_node *a, const struct query_node *b);

static int
compare_children(const struct query_node *a, const struct query_node *b)
{
	int order = 0;

	for (a = a->first_child, b = b->first_child; a && b && !order; a = a->next, b = b->next) {
		order = (int)a->occur - (int)b->occur;
		if (!order)
			order = compare_matches(a, b);
	}
	return order ? order : (a != NULL) - (b != NULL);
}

static int
compare_leaves(const struct query_node *a, const struct query_node *b)
{
	int order = compare_text(a->text, b->text);

	if (!order)
		order = (a->slop > b->slop) - (a->slop < b->slop);
	if (!order)
		order = a->edits - b->edits;
	if (!order && a->kind == QUERY_EQUALS)
		order = query_value_compare(&a->value, &b->value);
	if (!order)
		order = a->folded - b->folded;
	if (!order)
		order = compare_bounds(&a->low, &b->low);
	return order ? order : compare_bounds(&a->high, &b->high);
}

/* Boosts aside. */
static int
compare_matches(const struct query_node *a, const struct query_node *b)
{
	int order = compare_text(property_name(a), property_name(b));

	if (!order)
		order = (int)a->kind - (int)b->kind;
	if (!order)
		order = compare_leaves(a, b);
	return order ? order : compare_children(a, b);
}

int
query_node_compare(const struct query_node *a, const struct query_node *b)
{
	int order = compare_matches(a, b);

	return order ? order : query_boost_compare(a, b);
}

/* Merges two ordered lists; of equal nodes one stays. */
static struct query_node *
merge(struct query_node *a, struct query_node *b)
{
	struct query_node *first = NULL;
	struct query_node **end = &first;
	int order;

	while (a && b) {
		order = query_node_compare(a, b);
		if (order == 0)
			(void)pop(&a);
		else {
			*end = pop(order < 0 ? &a : &b);
			end = &(*end)->next;
		}
	}
	*end = a ? a : b;
	return first;
}

/* Merge sort: lists of 1, 2, 4 ... nodes that wait for one as long. */
static struct query_node *
sort(struct query_node *list)
{
	struct query_node *waiting[16] = { NULL }; /* 2^15 nodes are more than a draft may have */
	struct query_node *run;
	size_t i;

	while (list) {
		run = pop(&list);
		run->next = NULL;
		for (i = 0; waiting[i]; i++) {
			run = merge(waiting[i], run);
			waiting[i] = NULL;
		}
		waiting[i] = run;
	}
	run = NULL;
	for (i = 0; i < ARRAY_SIZE(waiting); i++)
		run = merge(waiting[i], run);
	return run;
}

/* --- One of several --- */

/* LIST without the conditions on values of properties that it asks of any value at all. */
static struct query_node *
drop_implied(struct query_node *list)
{
	struct query_node **at;

	for (const struct query_node *any = list; any; any = any->next) {
		if (any->kind != QUERY_EXISTS)
			continue;
		for (at = &list; *at;)
			if (*at != any && query_interval_list(*at) == any->property)
				*at = (*at)->next;
			else
				at = &(*at)->next;
	}
	return list;
}

/* A node that holds where one of LIST (canonical nodes) does. What matches everything is left out
 * of the rest and *RET_ALL set. */
static struct query_node *
any_of(struct query_draft *draft, struct query_node *list, bool *ret_all)
{
	struct query_node *kept = NULL;
	struct query_node *any, *node;

	while ((node = pop(&list))) {
		if (is_any(node))
			while ((any = pop(&node->first_child)))
				push(&kept, any);
		else if (node->kind == QUERY_ALL)
			*ret_all = true;
		else if (node->kind != QUERY_NONE)
			push(&kept, node);
	}
	kept = drop_implied(sort(kept));
	if (!kept)
		return query_draft_node(draft, QUERY_NONE, NULL);
	if (!kept->next)
		return kept;

	any = query_draft_node(draft, QUERY_BOOL, NULL);
	if (!any)
		return NULL;
	for (node = kept; node; node = node->next)
		node->occur = QUERY_SHOULD;
	any->first_child = kept;
	return any;
}

/* --- All of several --- */

static void add(struct parts *parts, enum query_occur occur, struct query_node *node);

static void
add_any(struct parts *parts, struct query_node *list)
{
	bool all = false;
	struct query_node *any = any_of(parts->draft, list, &all);

	if (any)
		add(parts, all ? QUERY_SHOULD : QUERY_MUST, any);
}

/* The children of a BOOL that must hold. */
static void
add_children(struct parts *parts, struct query_node *group)
{
	struct query_node *should = NULL;
	struct query_node *node;
	bool has_must = false;

	while ((node = pop(&group->first_child))) {
		has_must |= node->occur == QUERY_MUST;
		if (node->occur == QUERY_SHOULD)
			push(&should, node);
		else
			add(parts, node->occur, node);
	}
	if (should && !has_must) {
		add_any(parts, should);
		return;
	}
	while ((node = pop(&should)))
		add(parts, QUERY_SHOULD, node);
}

static void
add_must(struct parts *parts, struct query_node *node)
{
	if (node->kind == QUERY_NONE)
		parts->nothing = true;
	else if (node->kind == QUERY_BOOL && !is_any(node))
		add_children(parts, node);
	else if (node->kind != QUERY_ALL)
		push(&parts->lists[QUERY_MUST], node);
}

static void
add_must_not(struct parts *parts, struct query_node *node)
{
	struct query_node *child;

	if (node->kind == QUERY_ALL) {
		parts->nothing = true;
	} else if (is_any(node)) {
		while ((child = pop(&node->first_child)))
			add_must_not(parts, child);
	} else if (has_only(node, QUERY_MUST_NOT)) {
		add_any(parts, node->first_child);
	} else if (node->kind != QUERY_NONE) {
		push(&parts->lists[QUERY_MUST_NOT], node);
	}
}

static void
add_score(struct parts *parts, struct query_node *node)
{
	struct query_node *child;

	if (is_any(node))
		while ((child = pop(&node->first_child)))
			push(&parts->lists[QUERY_SHOULD], child);
	else if (node->kind != QUERY_NONE && node->kind != QUERY_ALL)
		push(&parts->lists[QUERY_SHOULD], node);
}

static void
add(struct parts *parts, enum query_occur occur, struct query_node *node)
{
	static void (*const ADD[])(struct parts *, struct query_node *) = {
		[QUERY_MUST] = add_must,
		[QUERY_SHOULD] = add_score,
		[QUERY_MUST_NOT] = add_must_not,
	};

	ADD[occur](parts, node);
}

/* --- Conditions on one property --- */

/* Each alternative of ANY, as far as LEAF holds as well. */
static struct query_node *
meet_any(struct query_draft *draft, const struct query_node *leaf, struct query_node *any)
{
	struct query_node *list = NULL;
	struct query_node *child, *both;
	bool all = false;

	while ((child = pop(&any->first_child))) {
		both = query_interval_meet(draft, leaf, child);
		if (!both)
			return NULL;
		push(&list, both);
	}
	return any_of(draft, list, &all);
}

/* Whether LEAF may be told together with NODE. Of a list one value may satisfy the one and another
 * the other, and how ends lie that are relative to now is not known, but that there is a value
 * follows from any condition on it. */
static bool
can_meet(const struct query_node *leaf, const struct query_node *node)
{
	if (query_interval_list(node) != leaf->property &&
	    !(node->kind == QUERY_EXISTS && node->property == leaf->property && !node->boosted))
		return false;
	if (leaf->kind == QUERY_EXISTS || node->kind == QUERY_EXISTS)
		return true;
	return !leaf->property->multi && query_interval_is_fixed(leaf) &&
	       query_interval_is_fixed(node);
}

/* Tells LEAF together with the first node of LIST with which that can be done. */
static bool
meet_one(struct parts *parts, const struct query_node *leaf, struct query_node **list)
{
	struct query_node *node, *both;

	while (*list && !can_meet(leaf, *list))
		list = &(*list)->next;
	node = *list;
	if (!node)
		return false;

	*list = node->next;
	both = node->kind == QUERY_BOOL ? meet_any(parts->draft, leaf, node)
					: query_interval_meet(parts->draft, leaf, node);
	if (both)
		add_must(parts, both);
	return true;
}

static void
meet_all(struct parts *parts)
{
	struct query_node **todo = &parts->lists[QUERY_MUST]; /* add_must() adds to it */
	struct query_node *done = NULL;
	struct query_node *leaf;

	while (!parts->draft->error && (leaf = pop(todo)))
		if (!query_interval_is(leaf) ||
		    (!meet_one(parts, leaf, todo) && !meet_one(parts, leaf, &done)))
			push(&done, leaf);
	*todo = done;
}

static bool
contradict(const struct query_node *must, const struct query_node *must_not)
{
	int order;

	while (must && must_not) {
		order = compare_matches(must, must_not);
		if (order == 0)
			return true;
		if (order < 0)
			must = must->next;
		else
			must_not = must_not->next;
	}
	return false;
}

/* --- Putting together --- */

static struct query_node *
join(struct parts *parts)
{
	struct query_node *group = query_draft_node(parts->draft, QUERY_BOOL, NULL);
	struct query_node **end;

	if (!group)
		return NULL;
	end = &group->first_child;
	for (size_t occur = 0; occur < 3; occur++) {
		*end = parts->lists[occur];
		for (; *end; end = &(*end)->next)
			(*end)->occur = (enum query_occur)occur;
	}
	return group;
}

static struct query_node *
close_parts(struct parts *parts)
{
	struct query_node **must = &parts->lists[QUERY_MUST];
	struct query_node **should = &parts->lists[QUERY_SHOULD];

	if (!*must && *should) {
		*must = query_draft_node(parts->draft, QUERY_ALL, NULL);
		if (!*must)
			return NULL;
	}
	if (!*must && !parts->lists[QUERY_MUST_NOT])
		return query_draft_node(parts->draft, QUERY_ALL, NULL);
	if (*must && !(*must)->next && !*should) {
		if (!parts->lists[QUERY_MUST_NOT])
			return *must;
		if (is_any(*must)) {
			*should = (*must)->first_child;
			*must = NULL;
		}
	}
	return join(parts);
}

static struct query_node *
canon_bool(struct query_draft *draft, struct query_node *group)
{
	struct parts parts = { .draft = draft };
	struct query_node *list = NULL;
	struct query_node *child, *plain;
	enum query_occur occur;

	while ((child = pop(&group->first_child))) {
		occur = child->occur;
		query_boost_hand_down(group, child);
		plain = query_canon(draft, child);
		if (!plain)
			return NULL;
		plain->occur = occur;
		push(&list, plain);
	}
	group->first_child = list;
	add_children(&parts, group);
	meet_all(&parts);
	if (draft->error)
		return NULL;

	for (size_t i = 0; i < 3; i++)
		parts.lists[i] = sort(parts.lists[i]);
	if (parts.nothing || contradict(parts.lists[QUERY_MUST], parts.lists[QUERY_MUST_NOT]))
		return query_draft_node(draft, QUERY_NONE, NULL);
	return close_parts(&parts);
}

static struct query_node *
canon_leaf(struct query_draft *draft, struct query_node *node)
{
	if (query_interval_is(node))
		return query_interval_canon(draft, node);
	if (node->kind == QUERY_WILDCARD)
		return query_wildcard_canon(draft, node);
	if (node->kind == QUERY_PREFIX && !*node->text)
		return query_draft_node(draft, node->property ? QUERY_EXISTS : QUERY_ALL,
					node->property);
	/* What is compared folded has no normal form here, but open ends on both sides do. */
	if (node->kind == QUERY_RANGE && !node->low.set && !node->high.set)
		return query_draft_node(draft, QUERY_EXISTS, node->property);
	return node;
}

struct query_node *
query_canon(struct query_draft *draft, struct query_node *node)
{
	const struct query_node given = *node;
	struct query_node *leaf;

	if (draft->error)
		return NULL;
	if (node->kind == QUERY_BOOL)
		return canon_bool(draft, node);
	node->boosted = false;
	leaf = canon_leaf(draft, node);
	query_boost_keep(&given, leaf);
	return leaf;
}
