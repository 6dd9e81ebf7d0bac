/* test_query.c - one tree for three languages, and what it prints. */
#include "query/test_rows.h"

static const struct meaning_row {
	const char *name;
	const char *texts[5]; /* that mean the same */
	const char *path, *where;
} MEANINGS[] = {
	{ "greater",
	  { "s:core.size:>100", "p:core.size>100", "w:{\"core.size\":{\"gt\":100}}",
	    "s:core.size:{100 TO *]", "p:core.size=101.." },
	  "core.size=101..",
	  "{\"core.size\": {\"gte\": 101}}" },
	{ "within",
	  { "s:core.size:[10 TO 20}", "p:core.size=10-20", "p:core.size=10..20",
	    "p:core.size>=10/core.size<20", "w:{\"core.size\":{\"lt\":20,\"gte\":10}}" },
	  "core.size=10-20",
	  "{\"core.size\": {\"gte\": 10, \"lt\": 20}}" },
	{ "one value",
	  { "s:core.size:5", "p:core.size=5", "p:core.size=5-6", "w:{\"core.size\":\"5.0\"}",
	    "s:core.size:[5 TO 5]" },
	  "core.size=5",
	  "{\"core.size\": 5}" },
	{ "a range below zero",
	  { "p:core.size=-20--10", "s:core.size:[-20 TO -11]", "p:core.size=-20..-10" },
	  "core.size=-20..-10",
	  "{\"core.size\": {\"gte\": -20, \"lt\": -10}}" },
	{ "several values",
	  { "s:core.size:5 core.size:7", "p:core.size=7,5,7", "w:{\"core.size\":[5,7]}",
	    "s:core.size:(7 OR 5)", "w:{\"core.size\":{\"or\":[7,5]}}" },
	  "core.size=5,7",
	  "{\"core.size\": [5, 7]}" },
	{ "values in order of number",
	  { "p:core.size=100,20,-3,20-30" },
	  "core.size=-3,20,100,20-30",
	  "{\"core.size\": [-3, 20, 100, {\"gte\": 20, \"lt\": 30}]}" },
	{ "not",
	  { "s:NOT core.size:5", "p:core.size=!5", "p:core.size!=5",
	    "w:{\"core.size\":{\"not\":5}}", "s:-core.size:5" },
	  "core.size=!5",
	  "{\"core.size\": {\"not\": 5}}" },
	{ "none of",
	  { "p:core.extension=!.jpg,.png", "p:core.extension=!.png/core.extension=!.jpg",
	    "w:{\"core.extension\":{\"not\":[\".png\",\".jpg\"]}}" },
	  "core.extension=!.jpg,.png",
	  "{\"core.extension\": {\"not\": [\".jpg\", \".png\"]}}" },
	{ "has a value",
	  { "p:core.size=..", "s:core.size:*", "s:_exists_:core.size",
	    "w:{\"core.size\":{\"exists\":true}}", "s:core.size:[* TO *]" },
	  "core.size=..",
	  "{\"core.size\": {\"exists\": true}}" },
	{ "has none",
	  { "p:core.size=!..", "s:NOT core.size:*", "w:{\"core.size\":{\"exists\":false}}" },
	  "core.size=!..",
	  "{\"core.size\": {\"exists\": false}}" },
	{ "a value although none of others",
	  { "p:core.size=!5,6/core.size=!../core.size=..9" },
	  "core.size=..9/core.size=!5,6/core.size=!..",
	  "{\"core.size\": {\"lt\": 9, \"not\": [5, 6], \"exists\": false}}" },
	{ "a year",
	  { "p:core.modificationtime=2024", "s:core.modificationtime:2024",
	    "p:core.modificationtime=2024..2025", "w:{\"core.modificationtime\":\"2024\"}",
	    "w:{\"core.modificationtime\":{\"gt\":\"2023\",\"lte\":\"2024\"}}" },
	  "core.modificationtime=2024-01-01..2025-01-01",
	  "{\"core.modificationtime\": {\"gte\": \"2024-01-01T00:00:00\", \"lt\": "
	  "\"2025-01-01T00:00:00\"}}" },
	{ "an instant",
	  { "p:core.modificationtime=2024-02-03T10%3A11%3A12.000000000",
	    "s:core.modificationtime:\"2024-02-03T10:11:12.000000000\"",
	    "w:{\"core.modificationtime\":\"2024-02-03T10:11:12.000000000\"}" },
	  "core.modificationtime=2024-02-03T10%3A11%3A12.000000000",
	  "{\"core.modificationtime\": \"2024-02-03T10:11:12.000000000\"}" },
	{ "words and a condition",
	  { "w:{\"core.size\":{\"gte\":27400,\"lt\":44000},\"_all\":\"cats\"}",
	    "p:_all=cats/core.size=27400-44000", "p:core.size=27400-44000/_all=cats",
	    "s:cats AND core.size:[27400 TO 44000}" },
	  "_all=cats/core.size=27400-44000",
	  "{\"_all\": \"cats\", \"core.size\": {\"gte\": 27400, \"lt\": 44000}}" },
	{ "properties in order of name",
	  { "p:image.width=5/core.size=!3/core.extension=.b,.a/core.size=..9/_all=x" },
	  "_all=x/core.extension=.a,.b/core.size=..9/core.size=!3/image.width=5",
	  "{\"_all\": \"x\", \"core.extension\": [\".a\", \".b\"], \"core.size\": {\"lt\": 9, "
	  "\"not\": 3}, \"image.width\": 5}" },
	{ "one of words beside not",
	  { "s:a b -c", "s:(a OR b) AND NOT c", "p:_all=a b/_all=NOT c" },
	  "_all=a b -c",
	  "{\"_all\": \"a b -c\"}" },
	{ "words that add to the score beside a condition of another kind",
	  { "p:_all=+core.size%3A5 a/core.extension=.b",
	    "p:_all=+* a/core.size=5/core.extension=.b" },
	  "_all=+%2A a/core.extension=.b/core.size=5",
	  "{\"_all\": \"+* a\", \"core.extension\": \".b\", \"core.size\": 5}" },
	{ "a word that must be beside one that may",
	  { "p:_all=+cats dogs/core.extension=.b" },
	  "_all=+cats dogs/core.extension=.b",
	  "{\"_all\": \"+cats dogs\", \"core.extension\": \".b\"}" },
	{ "words that read as operators",
	  { "s:\\AND \\OR \\NOT \\-a /b" },
	  "_all=%5C-a OR %5C%2Fb OR %5CAND OR %5CNOT OR %5COR",
	  "{\"_all\": \"\\\\-a OR \\\\/b OR \\\\AND OR \\\\NOT OR \\\\OR\"}" },
	{ "one property of a group",
	  { "s:core.filename:a core.filename:b", "s:core.filename:(a b)" },
	  "_all=core.filename%3A(a OR b)",
	  "{\"_all\": \"core.filename:(a OR b)\"}" },
	{ "a prefix",
	  { "s:core.filename:cat*", "w:{\"core.filename\":{\"prefix\":\"cat\"}}" },
	  "_all=core.filename%3Acat%2A",
	  "{\"_all\": \"core.filename:cat*\"}" },
	{ "folded text",
	  { "s:core.filename:[a TO b}" },
	  "_all=core.filename%3A[a TO b}",
	  "{\"_all\": \"core.filename:[a TO b}\"}" },
	{ "text in order",
	  { "p:core.filename>a/core.filename<=b",
	    "w:{\"core.filename\":{\"gt\":\"a\",\"lte\":\"b\"}}" },
	  "core.filename=a%01..b%01",
	  "{\"core.filename\": {\"gte\": \"a\\u0001\", \"lt\": \"b\\u0001\"}}" },
	{ "text of signs",
	  { "p:core.filename=%21a%2C%2F%2E%2Eb%20", "w:{\"core.filename\":\"!a,/..b \"}" },
	  "core.filename=%21a%2C%2F%2E%2Eb%20",
	  "{\"core.filename\": \"!a,/..b \"}" },
	{ "an exclusive double",
	  { "s:image.megapixels:<=1.5", "w:{\"image.megapixels\":{\"lte\":1.5}}" },
	  "image.megapixels=..1.5000000000000002",
	  "{\"image.megapixels\": {\"lt\": 1.5000000000000002}}" },
	{ "every value",
	  { "w:{\"user.tags\":{\"and\":[\"b\",\"a\"]}}", "p:user.tags=b/user.tags=a" },
	  "user.tags=a/user.tags=b",
	  "{\"user.tags\": {\"and\": [\"a\", \"b\"]}}" },
	{ "of a list different values may satisfy",
	  { "p:user.scores=..9/user.scores=5../user.scores=1,2/user.scores=3,4" },
	  "user.scores=1,2/user.scores=3,4/user.scores=..9/user.scores=5..",
	  "{\"user.scores\": {\"lt\": 9, \"or\": [1, 2], \"and\": [[3, 4], {\"gte\": 5}]}}" },
	{ "one value satisfies all",
	  { "p:core.size=5-20/core.size=..9/core.size=!..", "p:core.size=5-9/core.size=!.." },
	  "core.size=5-9/core.size=!..",
	  "{\"core.size\": {\"gte\": 5, \"lt\": 9, \"exists\": false}}" },
	{ "alternatives as far as another condition holds",
	  { "p:core.extension=.a,.b,.c/core.extension=.b", "p:core.extension=.b" },
	  "core.extension=.b",
	  "{\"core.extension\": \".b\"}" },
	{ "alternatives cut by a range",
	  { "p:core.size=5,10-20,30/core.size=6-15", "p:core.size=6-15/core.size=5,10-20,30" },
	  "core.size=10-15",
	  "{\"core.size\": {\"gte\": 10, \"lt\": 15}}" },
	{ "to have a value follows",
	  { "p:user.tags=../user.tags=a", "p:user.tags=a/user.tags=.." },
	  "user.tags=a",
	  "{\"user.tags\": \"a\"}" },
	{ "nothing",
	  { "s:", "p:core.size=5/core.size=6", "w:{\"core.size\":[]}", "s:NOT *",
	    "p:core.size=3.5" },
	  "_all=NOT %2A",
	  "{\"_all\": \"NOT *\"}" },
	{ "a and not a is nothing",
	  { "p:core.size=5/core.size=!5", "p:core.size=../core.size=!.." },
	  "_all=NOT %2A",
	  "{\"_all\": \"NOT *\"}" },
	{ "everything", { "s:*", "w:{}", "s:*:*", "s:NOT (NOT *)" }, "", "{}" },
	{ "order and limit come last",
	  { "p:_limit=3/_sort=-core.size/core.size=5" },
	  "core.size=5/_sort=-core.size/_limit=3",
	  "{\"core.size\": 5}" },
	{ "a name with colons",
	  { "p:_plugin_lastupdate.stat::StatPlugin=2024..",
	    "s:_plugin_lastupdate.stat\\:\\:StatPlugin:>=2024" },
	  "_plugin_lastupdate.stat%3A%3AStatPlugin=2024-01-01..",
	  "{\"_plugin_lastupdate.stat::StatPlugin\": {\"gte\": \"2024-01-01T00:00:00\"}}" },
	{ "all of each property at once in text",
	  { "s:+core.size:(5 OR 7) core.filename:x \"b c\" core.modificationtime:[* TO 2024}" },
	  "_all=+%2A %22b c%22 core.filename%3Ax core.modificationtime%3A[%2A TO "
	  "2024-01-01}/core.size=5,7",
	  "{\"_all\": \"+* \\\"b c\\\" core.filename:x core.modificationtime:[* TO 2024-01-01}\", "
	  "\"core.size\": [5, 7]}" },
};

static void
check_meaning(void **state)
{
	const struct meaning_row *row = *state;

	for (size_t i = 0; i < ARRAY_SIZE(row->texts) && row->texts[i]; i++) {
		CLEANUP(query) struct query *query = NULL;
		CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
		CLEANUP(pxs_buf) struct pxs_buf where = PXS_BUF_INIT;
		struct pxs_error err = { 0 };

		assert_int_equal(query_new(&query), 0);
		(void)test_add(query, row->texts[i], &err);
		assert_string_equal(err.text, "");
		assert_int_equal(query_print_path(query, &path), 0);
		assert_int_equal(query_print_where(query, &where), 0);
		assert_string_equal(pxs_buf_text(&path), row->path);
		assert_string_equal(pxs_buf_text(&where), row->where);
	}
}

static void
assert_path(const struct query *query, const char *expected)
{
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;

	assert_int_equal(query_print_path(query, &path), 0);
	assert_string_equal(pxs_buf_text(&path), expected);
}

static void
a_failure_leaves_the_query(void **state)
{
	static const char PATH[] = "_all=cats/core.size=5-9/_sort=core.size/_limit=3";
	static const char *const BAD[] = {
		"s:a (",
		"w:{\"core.size\": null}",
		"p:core.size=x",
		"p:core.siz=5",
		"p:_sort=core.size,x",
		"p:_limit=0",
		"p:_all=core.size:x",
		"p:_where={",
	};
	CLEANUP(query) struct query *query = NULL;

	(void)state;
	assert_int_equal(query_new(&query), 0);
	assert_int_equal(
		test_add(query, "p:_all=cats/core.size=5-9/_sort=core.size/_limit=3", NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(BAD); i++) {
		assert_int_equal(test_add(query, BAD[i], NULL), -EINVAL);
		assert_path(query, PATH);
	}
}

static void
a_copy_is_another_query(void **state)
{
	CLEANUP(query) struct query *query = NULL;
	CLEANUP(query) struct query *copy = NULL;
	struct query_key a, b;

	(void)state;
	assert_int_equal(query_new(&query), 0);
	assert_int_equal(test_add(query, "p:_all=cats/core.extension=.a,.b/_sort=core.size", NULL),
			 0);
	assert_int_equal(query_copy(query, &copy), 0);
	assert_int_equal(query_key(query, &a), 0);
	assert_int_equal(query_key(copy, &b), 0);
	assert_memory_equal(&a, &b, sizeof(a));

	assert_int_equal(test_add(copy, "p:core.size=5/_limit=3", NULL), 0);
	assert_path(query, "_all=cats/core.extension=.a,.b/_sort=core.size");
	query_free(STEAL(query));
	assert_path(copy, "_all=cats/core.extension=.a,.b/core.size=5/_sort=core.size/_limit=3");
}

static void
keys_tell_queries_apart(void **state)
{
	static const char *const TEXTS[] = {
		"p:_all=cats",
		"p:_all=\"cats\"",
		"p:_all=cats*",
		"p:_all=Cats",
		"p:_all=NOT cats",
		"p:_all=cats/_limit=3",
		"p:_all=cats/_limit=4",
		"p:_all=cats/_sort=core.size",
		"p:_all=cats/_sort=-core.size",
		"p:core.filename=cats",
		"s:core.filename:cats",
		"p:core.filename=cats..dogs",
		"s:core.filename:[cats TO dogs}",
		"p:core.filename=cats,dogs",
		"p:core.filename=cats%2Cdogs",
	};
	struct query_key keys[ARRAY_SIZE(TEXTS)];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(TEXTS); i++) {
		CLEANUP(query) struct query *query = NULL;

		assert_int_equal(query_new(&query), 0);
		assert_int_equal(test_add(query, TEXTS[i], NULL), 0);
		assert_int_equal(query_key(query, &keys[i]), 0);
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(&keys[i], &keys[j], sizeof(keys[i]));
	}
}

/* --- Conditions as facets make them --- */

static struct query_node
range(const char *name, int64_t low, int64_t high)
{
	const struct query_property *property = test_property(name);
	struct query_value from = { .type = property->type, .integer = low };
	struct query_value to = { .type = property->type, .integer = high };

	return (struct query_node){
		.kind = QUERY_RANGE,
		.property = property,
		.low = { true, true, from },
		.high = { true, false, to },
	};
}

static struct query_node
text_equals(const char *name, const char *text)
{
	return (struct query_node){
		.kind = QUERY_EQUALS,
		.property = test_property(name),
		.value = { .type = QUERY_TYPE_STRING, .string = text },
	};
}

static void
assert_segment(const struct query_node *condition, int expected, const char *segment)
{
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;

	pxs_buf_add_str(&buf, "../");
	assert_int_equal(query_print_segment(condition, &buf), expected);
	assert_memory_equal(pxs_buf_text(&buf), "../", 3);
	assert_string_equal(pxs_buf_text(&buf) + 3, segment);
}

static void
buckets_are_segments(void **state)
{
	struct query_node size = range("core.size", 27400, 44000);
	struct query_node days = range("core.modificationtime", 0, INT64_C(86400000000000));
	struct query_node value = text_equals("core.extension", ".tar.gz");
	struct query_node exists = { .kind = QUERY_EXISTS,
				     .occur = QUERY_MUST_NOT,
				     .property = test_property("core.size") };
	struct query_node none = { .kind = QUERY_BOOL, .first_child = &exists };
	struct query_node nothing = { .kind = QUERY_NONE };
	struct query_node real = { .kind = QUERY_RANGE,
				   .property = test_property("image.megapixels") };

	(void)state;
	assert_segment(&size, 0, "core.size=27400-44000");
	assert_segment(&days, 0, "core.modificationtime=1970-01-01..1970-01-02");
	assert_segment(&value, 0, "core.extension=.tar.gz");
	assert_segment(&none, 0, "core.size=!..");
	assert_segment(&nothing, 0, "_all=NOT %2A");
	real.low = (struct query_bound){ true, false, { .type = QUERY_TYPE_DOUBLE, .real = -2.5 } };
	real.high = (struct query_bound){ true, true, { .type = QUERY_TYPE_DOUBLE, .real = 1e20 } };
	assert_segment(&real, 0, "image.megapixels=-2.4999999999999996..1.0000000000000002e+20");
}

static void
long_buckets_are_refused(void **state)
{
	char text[300] = "";
	struct query_node value = text_equals("core.extension", text);

	(void)state;
	memset(text, 'a', sizeof(text));
	text[255 - strlen("core.extension=") + 1] = '\0';
	assert_segment(&value, -ENAMETOOLONG, "");
	text[255 - strlen("core.extension=")] = '\0';
	value.value.string = text + 255 - strlen("core.extension=") - 3;
	assert_segment(&value, 0, "core.extension=aaa");
}

static void
two_segments_are_no_bucket(void **state)
{
	struct query_node b = text_equals("user.tags", "b");
	struct query_node a = text_equals("user.tags", "a");
	struct query_node both = { .kind = QUERY_BOOL, .first_child = &a };

	(void)state;
	a.next = &b;
	assert_segment(&both, -EINVAL, "");
}

static void
conditions_are_added(void **state)
{
	CLEANUP(query) struct query *query = NULL;
	struct query_node size = range("core.size", 5, 9);
	struct query_node value = text_equals("core.extension", ".a");

	(void)state;
	assert_int_equal(query_new(&query), 0);
	assert_int_equal(test_add(query, "p:core.size=7../core.extension=.a,.b", NULL), 0);
	assert_int_equal(query_add_condition(query, &size), 0);
	assert_path(query, "core.extension=.a,.b/core.size=7-9");
	assert_int_equal(query_add_condition(query, &value), 0);
	assert_path(query, "core.extension=.a/core.size=7-9");
	assert_int_equal(query_add_condition(query, query->root->first_child), 0);
	assert_path(query, "core.extension=.a/core.size=7-9");
}

static void
what_no_language_says_is_refused(void **state)
{
	CLEANUP(query) struct query *query = NULL;
	struct query_node size = range("core.size", 5, 9);
	struct query_node value = text_equals("core.extension", ".a");
	struct query_node either = { .kind = QUERY_BOOL, .first_child = &size };

	(void)state;
	size.occur = QUERY_SHOULD;
	size.next = &value;
	value.occur = QUERY_SHOULD;
	assert_int_equal(query_new(&query), 0);
	assert_int_equal(query_add_condition(query, &either), -EINVAL);
	assert_path(query, "");
}

/* --- Limits --- */

static void
repeat(struct pxs_buf *buf, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		pxs_buf_add_str(buf, text);
}

/* The deepest tree reads back; one level more than that is refused. */
static void
the_deepest_path_returns(void **state)
{
	CLEANUP(query) struct query *query = NULL;
	CLEANUP(query) struct query *again = NULL;
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf line = PXS_BUF_INIT;
	struct pxs_error err = { 0 };

	(void)state;
	repeat(&text, "a b -(c AND ", QUERY_DEPTH_MAX - 1);
	pxs_buf_add_str(&text, "d e -f");
	repeat(&text, ")", QUERY_DEPTH_MAX - 1);
	assert_int_equal(query_new(&query), 0);
	assert_int_equal(query_add_string(query, pxs_buf_text(&text), test_schema(), NULL), 0);
	assert_int_equal(query_print_path(query, &path), 0);
	assert_int_equal(query_new(&again), 0);
	pxs_buf_addf(&line, "p:%s", pxs_buf_text(&path));
	(void)test_add(again, pxs_buf_text(&line), &err);
	assert_string_equal(err.text, "");
	assert_path(again, pxs_buf_text(&path));
}

/* Two trees that are not too deep may be so together. */
static void
deep_trees_are_refused(void **state)
{
	CLEANUP(query) struct query *query = NULL;
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;
	struct pxs_error err = { 0 };

	(void)state;
	repeat(&text, "a OR (b AND (", QUERY_DEPTH_MAX / 2 - 1);
	pxs_buf_add_str(&text, "c OR (d AND e)");
	repeat(&text, "))", QUERY_DEPTH_MAX / 2 - 1);
	assert_int_equal(query_new(&query), 0);
	assert_int_equal(query_add_string(query, pxs_buf_text(&text), test_schema(), NULL), 0);
	assert_int_equal(query_add_string(query, "x OR y", test_schema(), &err), -EINVAL);
	assert_non_null(strstr(err.text, "nested deeper than 64 levels"));
	assert_int_equal(query_add_string(query, "x", test_schema(), NULL), -EINVAL);
}

static void
wide_trees_are_refused(void **state)
{
	CLEANUP(query) struct query *query = NULL;
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;
	struct pxs_error err = { 0 };

	(void)state;
	assert_int_equal(query_new(&query), 0);
	pxs_buf_add_str(&text, "core.size=!0");
	for (int i = 1; i < 800; i++)
		pxs_buf_addf(&text, ",%d", i * 2);
	assert_int_equal(query_add_segment(query, pxs_buf_text(&text), test_schema(), NULL), 0);
	pxs_buf_clear(&text);
	pxs_buf_add_str(&text, "core.size=!1");
	for (int i = 1; i < 800; i++)
		pxs_buf_addf(&text, ",%d", i * 2 + 1);
	assert_int_equal(query_add_segment(query, pxs_buf_text(&text), test_schema(), &err),
			 -EINVAL);
	assert_non_null(strstr(err.text, "more than 1024 conditions"));
}

int
main(void)
{
	static const struct CMUnitTest OTHERS[] = {
		cmocka_unit_test(a_failure_leaves_the_query),
		cmocka_unit_test(a_copy_is_another_query),
		cmocka_unit_test(keys_tell_queries_apart),
		cmocka_unit_test(buckets_are_segments),
		cmocka_unit_test(long_buckets_are_refused),
		cmocka_unit_test(two_segments_are_no_bucket),
		cmocka_unit_test(conditions_are_added),
		cmocka_unit_test(what_no_language_says_is_refused),
		cmocka_unit_test(the_deepest_path_returns),
		cmocka_unit_test(deep_trees_are_refused),
		cmocka_unit_test(wide_trees_are_refused),
	};
	struct CMUnitTest tests[ARRAY_SIZE(MEANINGS) + ARRAY_SIZE(OTHERS)];
	size_t n = 0;

	TEST_ROWS_ADD(tests, n, MEANINGS, check_meaning);
	memcpy(tests + n, OTHERS, sizeof(OTHERS));
	return cmocka_run_group_tests_name("query", tests, NULL, NULL);
}
