/* test_random.c - random trees: the canonical tree means what the raw one does, and its path and
 * its where clause lead back to it. */
#include "query/test_random.h"

#include <uninorm.h>

#include "query/moment.h"
#include "query/test_rows.h"

#define TREES 20000
#define DOCUMENTS 24
#define VALUES_MAX 3

/* --- Documents --- */

struct values {
	size_t n;
	struct query_value list[VALUES_MAX];
};

struct document {
	struct values values[ARRAY_SIZE(TEST_PROPERTIES)];
	uint64_t words; /* which texts it has, by their hash */
};

/* Small, so that random conditions often hold. */
static struct query_value
random_value(struct test_random *random, enum query_type type)
{
	static const char *const TEXTS[] = { ".jpg", ".png",	 "a",	       "a\x01",
					     "b",    "New York", "!x",	       "x,y",
					     "a..b", "-",	 "caf\xc3\xa9" };
	struct query_value value = { .type = type };

	switch (type) {
	case QUERY_TYPE_STRING:
		value.string = TEXTS[test_random_below(random, ARRAY_SIZE(TEXTS))];
		break;
	case QUERY_TYPE_FLOAT:
	case QUERY_TYPE_DOUBLE:
		value.real = (double)test_random_below(random, 12) / 4 - 1;
		break;
	case QUERY_TYPE_BOOLEAN:
		value.integer = (int64_t)test_random_below(random, 2);
		break;
	default:
		value.integer = (int64_t)test_random_below(random, 12) - 4;
		break;
	}
	return value;
}

static void
random_document(struct test_random *random, struct document *document)
{
	document->words = test_random_next(random);
	for (size_t i = 0; i < ARRAY_SIZE(TEST_PROPERTIES); i++) {
		struct values *values = &document->values[i];

		values->n = test_random_below(random,
					      TEST_PROPERTIES[i].multi ? VALUES_MAX + 1 : 2);
		for (size_t j = 0; j < values->n; j++)
			values->list[j] = random_value(random, TEST_PROPERTIES[i].type);
	}
}

/* --- Meaning, as query.h tells it --- */

/* When "now" is: a week after the times of the documents. */
#define NOW_NS (INT64_C(7) * 86400 * 1000000000 + 5)

/* How VALUE lies to what BOUND, which is relative to now, spans: <0, 0, >0. */
static int
compare_moment(const struct query_value *value, const struct query_bound *bound)
{
	struct pxs_arena arena = { 0 };
	struct query_moment moment;
	int order = 0;

	assert_int_equal(query_moment_parse(&arena, bound->relative, &moment, NULL), 0);
	if (value->integer < query_moment_resolve(moment.from, NOW_NS))
		order = -1;
	else if (value->integer >= query_moment_resolve(moment.to, NOW_NS))
		order = 1;
	pxs_arena_done(&arena);
	return order;
}

static int
compare_bound(const struct query_value *value, const struct query_bound *bound)
{
	return bound->relative ? compare_moment(value, bound)
			       : query_value_compare(value, &bound->value);
}

static bool
is_within(const struct query_node *range, const struct query_value *value)
{
	int low = range->low.set ? compare_bound(value, &range->low) : 1;
	int high = range->high.set ? compare_bound(value, &range->high) : -1;

	return (low > 0 || (low == 0 && range->low.inclusive)) &&
	       (high < 0 || (high == 0 && range->high.inclusive));
}

/* Words of all kinds and folded ranges are the index's: here each is true of half the documents. */
static bool
has_words(const struct query_node *node, const struct document *document)
{
	uint64_t hash = (uint64_t)node->kind + (node->property ? node->property->number : 0) +
			node->slop + node->edits;

	for (const char *c = node->text; c && *c; c++)
		hash = hash * 31 + (unsigned char)*c;
	if (node->kind == QUERY_RANGE)
		hash += (uint64_t)(node->low.set + 2 * node->low.inclusive);
	return document->words >> (hash % 64) & 1;
}

static bool
leaf_holds(const struct query_node *node, const struct document *document)
{
	const struct values *values;

	if (!node->property || node->text || node->folded)
		return has_words(node, document);
	values = &document->values[node->property - TEST_PROPERTIES];
	if (node->kind == QUERY_EXISTS)
		return values->n;
	for (size_t i = 0; i < values->n; i++)
		if (node->kind == QUERY_EQUALS
			    ? query_value_compare(&values->list[i], &node->value) == 0
			    : is_within(node, &values->list[i]))
			return true;
	return false;
}

static bool
holds(const struct query_node *node, const struct document *document)
{
	bool must = false, should = false, one = false;

	if (node->kind == QUERY_ALL || node->kind == QUERY_NONE)
		return node->kind == QUERY_ALL;
	if (node->kind != QUERY_BOOL)
		return leaf_holds(node, document);
	for (const struct query_node *child = node->first_child; child; child = child->next) {
		bool yes = holds(child, document);

		if (child->occur == QUERY_MUST_NOT ? yes : child->occur == QUERY_MUST && !yes)
			return false;
		must |= child->occur == QUERY_MUST;
		should |= child->occur == QUERY_SHOULD;
		one |= child->occur == QUERY_SHOULD && yes;
	}
	return must || one || !should;
}

/* --- Trees --- */

struct maker {
	struct test_random random;
	struct pxs_arena arena;
};

static size_t
below(struct maker *m, size_t n)
{
	return test_random_below(&m->random, n);
}

/* Pieces that the languages could trip over; brought to NFC, as query.h wants it. */
static const char *
random_text(struct maker *m)
{
	static const char *const PIECES[] = {
		"a",
		"b",
		"cat",
		"AND",
		"OR",
		"NOT",
		"TO",
		"&&",
		"||",
		"+",
		"-",
		"!",
		"(",
		")",
		":",
		"^",
		"[",
		"]",
		"\"",
		"{",
		"}",
		"~",
		"*",
		"?",
		"\\",
		"/",
		" ",
		"\t",
		"\n",
		".",
		"..",
		",",
		"%",
		"%41",
		"<",
		">",
		"=",
		"|",
		"\x01",
		"\x7f",
		"u0041",
		"\xc3\xa9",
		"e\xcc\x81",
		"\xcc\xb8",
		"\xe3\x80\x80",
		"\xf0\x9f\x98\x80",
		"1",
		"_all",
		"'",
		"#",
	};
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;
	CLEANUP(free) uint8_t *normal = NULL;
	size_t n;

	for (size_t i = 0, pieces = below(m, 3); i <= pieces; i++)
		pxs_buf_add_str(&buf, PIECES[below(m, ARRAY_SIZE(PIECES))]);
	pxs_buf_add_char(&buf, "aZ9"[below(m, 3)]); /* at least one word */
	if (below(m, 2))
		pxs_buf_add_str(&buf, PIECES[below(m, ARRAY_SIZE(PIECES))]);
	normal = u8_normalize(UNINORM_NFC, (const uint8_t *)buf.data, buf.len, NULL, &n);
	assert_non_null(normal);
	return pxs_arena_strndup(&m->arena, (const char *)normal, n);
}

static struct query_node *
new_node(struct maker *m, enum query_kind kind, const struct query_property *property)
{
	struct query_node *node = pxs_arena_alloc(&m->arena, sizeof(*node));

	assert_non_null(node);
	node->kind = kind;
	node->property = property;
	return node;
}

static const struct query_property *
random_property(struct maker *m)
{
	return &TEST_PROPERTIES[below(m, ARRAY_SIZE(TEST_PROPERTIES))];
}

static const struct query_property *
random_string_property(struct maker *m)
{
	const struct query_property *property;

	do
		property = random_property(m);
	while (property->type != QUERY_TYPE_STRING);
	return property;
}

static struct query_value
any_value(struct maker *m, enum query_type type)
{
	static const int64_t EXTREMES[] = {
		INT64_MIN,     INT64_MAX, INT32_MIN, INT32_MAX, INT64_C(1700000000000000000),
		86400000000000
	};
	struct query_value value = random_value(&m->random, type);

	if (below(m, 8))
		return value;
	if (type == QUERY_TYPE_STRING)
		value.string = random_text(m);
	else if (type == QUERY_TYPE_LONG || type == QUERY_TYPE_DATETIME)
		value.integer = EXTREMES[below(m, ARRAY_SIZE(EXTREMES))];
	else if (type == QUERY_TYPE_INTEGER)
		value.integer = EXTREMES[2 + below(m, 2)];
	else if (type != QUERY_TYPE_BOOLEAN)
		value.real = (double)(int64_t)test_random_next(&m->random) *
			     (below(m, 2) ? 1e-30 : 1e30);
	return value;
}

static struct query_bound
random_bound(struct maker *m, enum query_type type)
{
	static const char *const MOMENTS[] = { "now",	      "now-7d",	  "now-8d",	"now/y",
					       "now-7d-1s/s", "now-900y", "now+1M-1w/d" };
	struct query_bound bound = { below(m, 4) != 0, below(m, 2) != 0, any_value(m, type), NULL };

	if (type == QUERY_TYPE_DATETIME && bound.set && !below(m, 3))
		bound.relative = MOMENTS[below(m, ARRAY_SIZE(MOMENTS))];
	return bound;
}

/* EQUALS, RANGE or EXISTS of PROPERTY. */
static struct query_node *
random_interval(struct maker *m, const struct query_property *property, bool exists)
{
	static const enum query_kind KINDS[] = { QUERY_EQUALS, QUERY_RANGE, QUERY_EXISTS };
	struct query_node *node = new_node(m, KINDS[below(m, exists ? 3 : 2)], property);

	if (property->type == QUERY_TYPE_PROXY)
		node->kind = exists ? QUERY_EXISTS : QUERY_NONE;
	else if (property->type == QUERY_TYPE_BOOLEAN && node->kind == QUERY_RANGE)
		node->kind = QUERY_EQUALS;
	if (node->kind == QUERY_NONE)
		node->property = NULL;
	if (node->kind == QUERY_EQUALS)
		node->value = any_value(m, property->type);
	if (node->kind == QUERY_RANGE) {
		node->low = random_bound(m, property->type);
		node->high = random_bound(m, property->type);
	}
	return node;
}

/* A canonical pattern that is no mere prefix. */
static const char *
random_wildcard(struct maker *m)
{
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;

	pxs_buf_add_str(&buf, below(m, 2) ? "?*" : "*");
	for (const char *text = random_text(m); *text; text++) {
		if (strchr("*?\\", *text))
			pxs_buf_add_char(&buf, '\\');
		pxs_buf_add_char(&buf, *text);
	}
	pxs_buf_add_str(&buf, below(m, 2) ? "?" : "");
	return pxs_arena_strdup(&m->arena, pxs_buf_text(&buf));
}

static const char *
random_regex(struct maker *m)
{
	static const char *const TEXTS[] = { "a.*",  "a/b", "\\\\",    "\"/\"", "[ )^~]",
					     "\\.a", "",    "a|(b\n)", "<1-9>", "//" };

	return TEXTS[below(m, ARRAY_SIZE(TEXTS))];
}

static void
set_text(struct maker *m, struct query_node *node)
{
	if (node->kind == QUERY_WILDCARD)
		node->text = random_wildcard(m);
	else if (node->kind == QUERY_REGEX)
		node->text = random_regex(m);
	else
		node->text = below(m, 2) ? random_text(m) : "a";
	if (node->kind == QUERY_PHRASE)
		node->slop = (uint32_t)below(m, 3);
	if (node->kind == QUERY_FUZZY)
		node->edits = (uint8_t)below(m, 3);
}

static void
set_boost(struct maker *m, struct query_node *node)
{
	static const double BOOSTS[] = { 0, 0.1, 0.5, 1, 2.25, 1e6, 1e-6 };

	node->boosted = !below(m, 4);
	node->boost = node->boosted ? BOOSTS[below(m, ARRAY_SIZE(BOOSTS))] : 0;
}

static struct query_node *
random_words(struct maker *m)
{
	static const enum query_kind KINDS[] = { QUERY_WORDS,	 QUERY_PHRASE, QUERY_PREFIX,
						 QUERY_WILDCARD, QUERY_FUZZY,  QUERY_REGEX };
	const struct query_property *property = below(m, 2) ? random_string_property(m) : NULL;
	struct query_node *node = new_node(m, KINDS[below(m, ARRAY_SIZE(KINDS))], property);

	if (property && !below(m, 4)) {
		node->kind = QUERY_RANGE;
		node->folded = true;
		node->low = (struct query_bound){ true, below(m, 2), { .string = random_text(m) } };
		if (below(m, 2))
			node->high = node->low;
		return node;
	}
	set_text(m, node);
	return node;
}

static struct query_node *
random_unboosted_leaf(struct maker *m)
{
	const struct query_property *property = random_property(m);

	if (!below(m, 12))
		return new_node(m, below(m, 2) ? QUERY_ALL : QUERY_NONE, NULL);
	if (below(m, 2) || property->type == QUERY_TYPE_STRING)
		return random_words(m);
	return random_interval(m, property, true);
}

/* What a query string can say. */
static struct query_node *
random_textual_leaf(struct maker *m)
{
	struct query_node *leaf = random_unboosted_leaf(m);

	set_boost(m, leaf);
	return leaf;
}

static void
add_child(struct query_node *group, enum query_occur occur, struct query_node *child)
{
	child->occur = occur;
	child->next = group->first_child;
	group->first_child = child;
}

static struct query_node *
random_text_tree(struct maker *m, int depth)
{
	struct query_node *group;

	if (!depth || !below(m, 3))
		return random_textual_leaf(m);
	group = new_node(m, QUERY_BOOL, NULL);
	set_boost(m, group);
	for (size_t i = 0, n = 1 + below(m, 4); i < n; i++)
		add_child(group, (enum query_occur)below(m, 3), random_text_tree(m, depth - 1));
	return group;
}

/* What a segment or a member of a where can say: a list, maybe negated. */
static struct query_node *
random_condition(struct maker *m)
{
	const struct query_property *property = random_property(m);
	struct query_node *group = new_node(m, QUERY_BOOL, NULL);
	struct query_node * not ;

	if (!below(m, 4))
		add_child(group, QUERY_MUST, random_interval(m, property, true));
	else
		for (size_t i = 0, n = 1 + below(m, 4); i < n; i++)
			add_child(group, QUERY_SHOULD, random_interval(m, property, false));
	if (below(m, 3))
		return group;
	not = new_node(m, QUERY_BOOL, NULL);
	add_child(not, QUERY_MUST_NOT, group);
	return not ;
}

/* --- The test --- */

static void
assert_key(const struct query *query, const struct query *expected, const char *text)
{
	struct query_key a, b;

	assert_int_equal(query_key(query, &a), 0);
	assert_int_equal(query_key(expected, &b), 0);
	if (a.high != b.high || a.low != b.low)
		fail_msg("reads back as another query: %s", text);
}

/* Neither the kernel nor SMB may stumble over a name; an open range alone ends in dots. */
static void
assert_is_portable(const char *path)
{
	size_t len;

	for (const char *name = path; *name; name += len + (name[len] == '/')) {
		len = strcspn(name, "/");
		assert_true(len > 1 && name[len - 1] != ' ');
		assert_true(name[len - 1] != '.' || name[len - 2] == '.');
		for (size_t i = 0; i < len; i++)
			assert_true(name[i] == '%' || !query_name_escapes((unsigned char)name[i]));
	}
}

static void
check_path(const struct query *query)
{
	CLEANUP(query) struct query *again = NULL;
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf second = PXS_BUF_INIT;
	CLEANUP(free) char *copy = NULL;
	struct pxs_error err = { 0 };

	assert_int_equal(query_print_path(query, &path), 0);
	assert_is_portable(pxs_buf_text(&path));
	copy = strdup(pxs_buf_text(&path));
	assert_int_equal(query_new(&again), 0);
	for (char *rest = *copy ? copy : NULL, *segment; (segment = strsep(&rest, "/"));)
		if (query_add_segment(again, segment, test_schema(), &err) < 0)
			fail_msg("%s: %s", pxs_buf_text(&path), err.text);
	assert_key(again, query, pxs_buf_text(&path));
	assert_int_equal(query_print_path(again, &second), 0);
	assert_string_equal(pxs_buf_text(&second), pxs_buf_text(&path));
}

static void
check_where(const struct query *query)
{
	CLEANUP(query) struct query *again = NULL;
	CLEANUP(pxs_buf) struct pxs_buf where = PXS_BUF_INIT;
	struct pxs_error err = { 0 };

	assert_int_equal(query_print_where(query, &where), 0);
	assert_int_equal(query_new(&again), 0);
	if (query_add_where(again, pxs_buf_text(&where), test_schema(), &err) < 0)
		fail_msg("%s: %s", pxs_buf_text(&where), err.text);
	assert_key(again, query, pxs_buf_text(&where));
}

/* What was added, and what became of it. */
static void
fail_tree(const struct query *query, const struct query_node *const *raws, size_t n)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

	for (size_t i = 0; i < n; i++) {
		const struct query raw = { .root = (struct query_node *)raws[i] };

		assert_int_equal(query_print_text(&raw, &text), 0);
		pxs_buf_add_char(&text, '\n');
	}
	assert_int_equal(query_print_text(query, &text), 0);
	print_error("%s\n", pxs_buf_text(&text));
	fail_msg("the last line means something else");
}

static void
check_tree(struct maker *m, const struct document *documents)
{
	CLEANUP(query) struct query *query = NULL;
	CLEANUP(query) struct query *resolved = NULL;
	const struct query_node *raws[3];
	size_t n = 1 + below(m, 3);
	bool expected[DOCUMENTS];

	memset(expected, true, sizeof(expected));
	assert_int_equal(query_new(&query), 0);
	for (size_t i = 0; i < n; i++) {
		const struct query_node *raw = raws[i] = below(m, 2) ? random_text_tree(m, 4)
								     : random_condition(m);

		assert_int_equal(query_add_condition(query, raw), 0);
		for (size_t j = 0; j < DOCUMENTS; j++)
			expected[j] = expected[j] && holds(raw, &documents[j]);
	}
	assert_int_equal(query_resolve(query, NOW_NS, &resolved), 0);
	assert_false(query_is_relative(resolved));
	for (size_t j = 0; j < DOCUMENTS; j++) {
		if (holds(query->root, &documents[j]) != expected[j])
			fail_tree(query, raws, n);
		if (holds(resolved->root, &documents[j]) != expected[j])
			fail_tree(resolved, raws, n);
	}
	check_path(query);
	check_where(query);
}

static void
random_trees(void **state)
{
	struct maker m = { .random = test_random_new("random_trees") };
	static struct document documents[DOCUMENTS];

	(void)state;
	for (size_t i = 0; i < TREES; i++) {
		if (i % 100 == 0)
			for (size_t j = 0; j < DOCUMENTS; j++)
				random_document(&m.random, &documents[j]);
		check_tree(&m, documents);
		pxs_arena_done(&m.arena);
	}
}

int
main(void)
{
	static const struct CMUnitTest TESTS[] = { cmocka_unit_test(random_trees) };

	return cmocka_run_group_tests_name("query_random", TESTS, NULL, NULL);
}
