/* test_memory.c - every allocation fails in its turn, once and from then on: -ENOMEM, nothing
 * leaked, nothing changed. Linked with --wrap for malloc(), calloc() and realloc(), so these are
 * our own allocations: jansson 2.14 writes past its buffer when one of its own fails (lex_save()
 * does not look at the result of strbuffer_append_byte()). */
#include "query/test_rows.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static struct {
	size_t countdown; /* the allocation that fails; 0: none */
	bool for_ever;	  /* and all after it */
	bool failed;
} memory;

static bool
fails(void)
{
	if (memory.failed && memory.for_ever)
		return true;
	if (!memory.countdown || --memory.countdown)
		return false;
	memory.failed = true;
	return true;
}

void *
__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}

/* What is done to a query that holds BASE. */
static const char BASE[] =
	"{\"_all\": \"cats OR \\\"black dogs\\\"\", \"core.size\": {\"gte\": 5}, "
	"\"core.extension\": [\".a\", \".b\", \".c\"], "
	"\"core.modificationtime\": {\"gte\": \"now-7d\"}}";

typedef int action_fn(struct query *query, const char *text);

static int
add_string(struct query *query, const char *text)
{
	return query_add_string(query, text, test_schema(), NULL);
}

static int
add_where(struct query *query, const char *text)
{
	return query_add_where(query, text, test_schema(), NULL);
}

static int
add_segment(struct query *query, const char *text)
{
	return query_add_segment(query, text, test_schema(), NULL);
}

static int
add_condition(struct query *query, const char *text)
{
	(void)text;
	return query_add_condition(query, query->root);
}

static int
make_new(struct query *query, const char *text)
{
	CLEANUP(query) struct query *other = NULL;

	(void)query;
	(void)text;
	return query_new(&other);
}

static int
copy(struct query *query, const char *text)
{
	CLEANUP(query) struct query *other = NULL;

	(void)text;
	return query_copy(query, &other);
}

static int
print(const struct query *query, int (*printer)(const struct query *, struct pxs_buf *))
{
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;

	return printer(query, &buf);
}

static int
print_path(struct query *query, const char *text)
{
	(void)text;
	return print(query, query_print_path);
}

static int
print_where(struct query *query, const char *text)
{
	(void)text;
	return print(query, query_print_where);
}

static int
print_text(struct query *query, const char *text)
{
	(void)text;
	return print(query, query_print_text);
}

static int
print_segment(struct query *query, const char *text)
{
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;

	(void)text;
	return query_print_segment(query->root->first_child->next, &buf);
}

static int
resolve(struct query *query, const char *text)
{
	CLEANUP(query) struct query *resolved = NULL;

	(void)text;
	return query_resolve(query, 0, &resolved);
}

static int
make_key(struct query *query, const char *text)
{
	struct query_key key;

	(void)text;
	return query_key(query, &key);
}

static const struct memory_row {
	const char *name;
	action_fn *act;
	const char *text;
} ROWS[] = {
	{ "new", make_new },
	{ "copy", copy },
	{ "words", add_string,
	  "a OR (b AND NOT core.filename:\"c d\") +core.directory:/x* -e\\ f" },
	{ "words of all kinds", add_string,
	  "a?b* c~ /d\\/e/ \"f g\"~3^2 (core.\\*:h^2 \\*i*j)^3 [1 TO 2] k*^4 l*m?" },
	{ "words beyond ASCII", add_string, "cafe\xcc\x81 \\u00e9" },
	{ "ranges", add_string, "core.size:[7 TO 9} core.filename:[a TO \"b c\"] user.scores:>5" },
	{ "not of many", add_string, "NOT (NOT a AND NOT (b c) AND NOT core.size:(5 OR 7))" },
	{ "where", add_where,
	  "{\"_all\": \"a b\", \"core.extension\": {\"or\": [\".a\", \".b\"], \"not\": \".x\"}, "
	  "\"core.filename\": {\"gt\": \"cafe\xcc\x81\", \"lte\": \"x\"}, \"core.size\": [1.5, 7], "
	  "\"core.modificationtime\": {\"gte\": \"2024\", \"exists\": true}}" },
	{ "a value", add_segment, "core.filename=a%2Fb" },
	{ "values", add_segment, "core.extension=!.a,.b,%C3%A9..x" },
	{ "numbers", add_segment, "core.size=5,7-9,100.." },
	{ "a query string in a segment", add_segment, "_all=a OR %22b c%22" },
	{ "a where in a segment", add_segment, "_where={\"core.size\": [5, 6, 7]}" },
	{ "relative to now", add_segment, "core.modificationtime=now-7d..now,2024%7C%7C%2Fd" },
	{ "sort", add_segment, "_sort=-core.size,core.filename" },
	{ "limit", add_segment, "_limit=5" },
	{ "a condition", add_condition },
	{ "path", print_path },
	{ "where out", print_where },
	{ "text", print_text },
	{ "segment", print_segment },
	{ "resolve", resolve },
	{ "key", make_key },
};

static struct query *
new_base(void)
{
	struct query *query = NULL;

	assert_int_equal(query_new(&query), 0);
	assert_int_equal(query_add_where(query, BASE, test_schema(), NULL), 0);
	assert_int_equal(query_add_segment(query, "_limit=3", test_schema(), NULL), 0);
	return query;
}

/* Whether an allocation was left to fail. */
static bool
check_failure(const struct memory_row *row, size_t n, bool for_ever)
{
	CLEANUP(query) struct query *query = new_base();
	struct query_key before, after;
	bool failed;
	int r;

	assert_int_equal(query_key(query, &before), 0);
	memory.countdown = n;
	memory.for_ever = for_ever;
	memory.failed = false;
	r = row->act(query, row->text);
	failed = memory.failed;
	memory.countdown = 0;
	memory.failed = false;

	assert_int_equal(r, failed ? -ENOMEM : 0);
	assert_int_equal(query_key(query, &after), 0);
	if (failed)
		assert_memory_equal(&before, &after, sizeof(before));
	return failed;
}

static void
check_row(void **state)
{
	const struct memory_row *row = *state;

	for (int for_ever = 0; for_ever < 2; for_ever++) {
		size_t n = 1;

		while (check_failure(row, n, for_ever))
			n++;
		assert_true(n > 1); /* there was one to fail */
	}
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(ROWS)];
	size_t n = 0;

	TEST_ROWS_ADD(tests, n, ROWS, check_row);
	return cmocka_run_group_tests_name("query_memory", tests, NULL, NULL);
}
