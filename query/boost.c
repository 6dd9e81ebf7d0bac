#include "query/boost.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "query/query.h"

static void
set(struct query_node *node, double boost)
{
	if (boost > QUERY_BOOST_MAX)
		boost = QUERY_BOOST_MAX;
	if (boost < 1.0 / QUERY_BOOST_MAX)
		boost = 0;
	node->boosted = boost != 1 && node->kind != QUERY_ALL && node->kind != QUERY_NONE;
	node->boost = node->boosted ? boost : 0;
}

static double
boost_of(const struct query_node *node)
{
	return node->boosted ? node->boost : 1;
}

static void
strip(struct query_node *node)
{
	set(node, 1);
	for (struct query_node *child = node->first_child; child; child = child->next)
		strip(child);
}

void
query_boost_hand_down(const struct query_node *group, struct query_node *child)
{
	if (child->occur == QUERY_MUST_NOT)
		strip(child);
	else
		set(child, boost_of(group) * boost_of(child));
}

void
query_boost_keep(const struct query_node *node, struct query_node *leaf)
{
	if (leaf)
		set(leaf, boost_of(node));
}

int
query_boost_compare(const struct query_node *a, const struct query_node *b)
{
	double left = boost_of(a);
	double right = boost_of(b);
	int order = (left > right) - (left < right);

	for (a = a->first_child, b = b->first_child; a && b && !order; a = a->next, b = b->next)
		order = query_boost_compare(a, b);
	return order;
}

/* Without an exponent, which query strings do not know, and with no more digits than it takes. */
void
query_boost_print(const struct query_node *node, struct pxs_buf *buf)
{
	char text[64];
	int digits = 0;

	if (!node->boosted)
		return;
	do
		(void)snprintf(text, sizeof(text), "^%.*f", digits, node->boost);
	while (digits++ < 30 && strtod(text + 1, NULL) != node->boost);
	pxs_buf_add_str(buf, text);
}
