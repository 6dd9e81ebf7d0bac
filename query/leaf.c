#include "query/leaf.h"

#include <errno.h>
#include <string.h>

#include "query/draft.h"
#include "query/field.h"

static bool
is_analysed(const struct query_leaf *leaf)
{
	return leaf->kind == QUERY_WORDS || leaf->kind == QUERY_PHRASE;
}

/* The analysis leaves nothing of LEAF ("...", "\u2026"): such a clause is skipped, so that an
 * operator beside it means its next neighbour (spec/pixstor.md 2.2). True for want of memory, too:
 * the draft has failed then. */
static bool
is_blank(struct query_draft *draft, const struct query_leaf *leaf)
{
	int r = is_analysed(leaf) ? query_has_words(leaf->text) : 1;

	if (r < 0)
		(void)query_draft_fail_memory(draft);
	return r <= 0;
}

/* What holds no text has no words: they are the value itself. */
static struct query_node *
value_node(struct query_draft *draft, const struct query_property *property,
	   const struct query_leaf *leaf)
{
	struct query_scalar scalar = { QUERY_SCALAR_TEXT, leaf->text, leaf->at };

	if (is_analysed(leaf))
		return query_cond_equals(draft, property, &scalar);
	return query_draft_fail(draft, -EINVAL, leaf->at,
				"%s is of type %s; prefixes, wildcards, fuzzy words and regular "
				"expressions need text",
				property->name, query_type_name(property->type, property->multi));
}

/* PROPERTY may be NULL: any. */
static struct query_node *
text_node(struct query_draft *draft, const struct query_property *property,
	  const struct query_leaf *leaf)
{
	struct query_node *node;

	if (property && property->type != QUERY_TYPE_STRING)
		return value_node(draft, property, leaf);
	if (is_blank(draft, leaf))
		return NULL;
	if (!is_analysed(leaf) && strlen(leaf->text) > QUERY_PATTERN_MAX)
		return query_draft_fail(draft, -EINVAL, leaf->at,
					"the pattern is longer than %d bytes", QUERY_PATTERN_MAX);
	node = query_draft_node(draft, leaf->kind, property);
	if (!node)
		return NULL;
	node->text = leaf->text;
	node->slop = leaf->slop;
	node->edits = leaf->edits;
	return node;
}

/* Strings are compared case-folded here (spec/pixstor.md 2.2), which the index does. */
static void
set_folded_bound(struct query_limit limit, struct query_bound *bound)
{
	if (!limit.scalar)
		return;
	bound->set = true;
	bound->inclusive = limit.inclusive;
	bound->value.type = QUERY_TYPE_STRING;
	bound->value.string = limit.scalar->text;
}

static struct query_node *
range_node(struct query_draft *draft, const struct query_property *property,
	   const struct query_leaf *leaf)
{
	struct query_node *node;

	if (property->type != QUERY_TYPE_STRING)
		return query_cond_range(draft, property, leaf->low, leaf->high);
	node = query_draft_node(draft, QUERY_RANGE, property);
	if (!node)
		return NULL;
	node->folded = true;
	set_folded_bound(leaf->low, &node->low);
	set_folded_bound(leaf->high, &node->high);
	return node;
}

static struct query_node *
property_node(struct query_draft *draft, const struct query_property *property,
	      const struct query_leaf *leaf)
{
	if (leaf->kind == QUERY_EXISTS)
		return query_cond_exists(draft, property);
	if (leaf->kind == QUERY_RANGE)
		return range_node(draft, property, leaf);
	return text_node(draft, property, leaf);
}

/* As property_node(), but a property to whose type LEAF does not fit matches nothing. */
static struct query_node *
lenient_node(struct query_draft *draft, const struct query_property *property,
	     const struct query_leaf *leaf)
{
	struct pxs_error *err = draft->err;
	struct query_node *node;

	if (draft->error)
		return NULL;
	draft->err = NULL;
	node = property_node(draft, property, leaf);
	draft->err = err;
	if (draft->error == -EINVAL)
		draft->error = 0;
	return node;
}

/* LEAF in any of the properties that FIELD has; of all fields where it is ALL. */
static struct query_node *
any_node(struct query_draft *draft, const struct query_schema *schema,
	 const struct query_field *field, const struct query_leaf *leaf)
{
	struct query_node *any = query_draft_node(draft, QUERY_BOOL, NULL);
	size_t n = 0;

	if (is_blank(draft, leaf))
		return NULL;
	for (size_t i = 0; i < schema->n_properties; i++) {
		const struct query_property *property = schema->properties[i];

		if (field->kind == QUERY_FIELD_MANY ? !query_field_has(field, property)
						    : !query_field_all_has(property))
			continue;
		if (++n > QUERY_FIELDS_MAX)
			return query_draft_fail(draft, -EINVAL, leaf->at,
						"'%.40s' stands for more than %d properties",
						field->pattern ? field->pattern : "*",
						QUERY_FIELDS_MAX);
		query_draft_add(any, QUERY_SHOULD, lenient_node(draft, property, leaf));
	}
	if (!draft->error && !any->first_child)
		return query_draft_node(draft, QUERY_NONE, NULL);
	return draft->error ? NULL : any;
}

struct query_node *
query_leaf_node(struct query_draft *draft, const struct query_schema *schema,
		const struct query_field *field, const struct query_leaf *leaf)
{
	switch (field->kind) {
	case QUERY_FIELD_UNKNOWN:
		return query_draft_node(draft, QUERY_NONE, NULL);
	case QUERY_FIELD_ONE:
		return property_node(draft, field->property, leaf);
	case QUERY_FIELD_MANY:
		return any_node(draft, schema, field, leaf);
	default:
		break;
	}
	if (leaf->kind == QUERY_EXISTS)
		return query_draft_node(draft, QUERY_ALL, NULL);
	if (leaf->kind == QUERY_RANGE)
		return any_node(draft, schema, field, leaf);
	return text_node(draft, NULL, leaf);
}
