/* Parts of a catalogue: splitting leaves nothing out and nothing twice, and each can be asked for.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h> /* before cmocka.h */

#include <cmocka.h>
#include <jansson.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/macros.h"
#include "index/sync/partition.h"

#define N_ITEMS 400

static void
append(json_t *data, const char *name, json_t *value)
{
	assert_int_equal(
		json_array_append_new(data, json_pack("{s:s,s:o}", "name", name, "value", value)),
		0);
}

/* Some without a value, many alike. */
static json_t *
make_item(void)
{
	json_t *data = json_array();
	char time[32];

	(void)snprintf(time, sizeof(time), "%d-0%d-01T00:00:%02d",
		       rand() % 2 ? 2001 : 1962 + rand() % 90, 1 + rand() % 9, rand() % 2);
	if (rand() % 4)
		append(data, "core.modificationtime", json_string(time));
	if (rand() % 4)
		append(data, "core.inode", json_integer(rand() % 3 ? rand() % 100 : -rand()));
	append(data, "core.size", json_integer(((json_int_t)rand() << 20) * (rand() % 2)));
	return json_pack("{s:o}", "data", data);
}

static size_t
count(const struct partition *part, json_t *const *items)
{
	size_t n = 0;

	for (size_t i = 0; i < N_ITEMS; i++)
		n += partition_has(part, items[i]);
	return n;
}

/* Down to parts of at most two, as far as they go. */
static void
check_split(const struct partition *part, json_t *const *items)
{
	struct partition parts[PARTITION_SPLIT_MAX];
	size_t whole = count(part, items);
	size_t sum = 0;
	size_t n;

	partition_split(part, parts, &n);
	if (n == 0 || whole <= 2)
		return;
	for (size_t i = 0; i < n; i++) {
		sum += count(&parts[i], items);
		assert_true(i == 0 || partition_compare(&parts[i - 1], &parts[i]) < 0);
		check_split(&parts[i], items);
	}
	assert_int_equal(sum, whole);
	if (part->n > 0 && n == 2) {
		assert_true(partition_join(&parts[0], &parts[1]));
		assert_int_equal(partition_compare(&parts[0], part), 0);
		assert_int_equal(count(&parts[0], items), whole);
	}
}

static void
test_splitting(void **state)
{
	const struct partition whole = { 0 };
	json_t *items[N_ITEMS];

	(void)state;
	srand(5);
	for (size_t i = 0; i < N_ITEMS; i++)
		items[i] = make_item();
	assert_int_equal(count(&whole, items), N_ITEMS);
	check_split(&whole, items);
	for (size_t i = 0; i < N_ITEMS; i++)
		json_decref(items[i]);
}

static void
test_splitting_ends(void **state)
{
	struct partition part = { .n = PARTITION_KEYS };
	struct partition parts[PARTITION_SPLIT_MAX];
	size_t n;

	(void)state;
	for (size_t i = 0; i < PARTITION_KEYS; i++)
		part.ranges[i] = (struct partition_range){ false, 7, 8 };
	partition_split(&part, parts, &n);
	assert_int_equal(n, 0);
	part.ranges[2] = (struct partition_range){ false, INT64_C(1) << 62, INT64_MAX };
	partition_split(&part, parts, &n);
	assert_int_equal(n, 0);
	part.ranges[2] = (struct partition_range){ false, INT64_MIN, -(INT64_C(1) << 62) };
	partition_split(&part, parts, &n);
	assert_int_equal(n, 0);
}

struct row {
	const char *text;
	const char *where;
};

static const struct row ROWS[] = {
	{ "*", "{}" },
	{ "none", "{\"_all\":\"NOT _exists_:core.modificationtime\"}" },
	{ "-9223372036854775808,0",
	  "{\"core.modificationtime\":{\"lt\":\"1970-01-01T00:00:00\"}}" },
	{ "1500000000,9223372036854775807",
	  "{\"core.modificationtime\":{\"gte\":\"2017-07-14T02:40:00\"}}" },
	{ "0,1;5,9", "{\"core.modificationtime\":{\"gte\":\"1970-01-01T00:00:00\",\"lt\":"
		     "\"1970-01-01T00:00:01\"},\"core.inode\":{\"gte\":5,\"lt\":9}}" },
	{ "none;none;-3,4", "{\"core.size\":{\"gte\":-3,\"lt\":4},\"_all\":\"NOT _exists_:"
			    "core.modificationtime AND NOT _exists_:core.inode\"}" },
	{ "0;1", NULL },
	{ "2,1", NULL },
	{ "1,2;1,2;1,2;1,2", NULL },
	{ "nothing", NULL },
	{ "", NULL },
};

static void
check_row(void **state)
{
	const struct row *row = *state;
	CLEANUP(pxs_buf) struct pxs_buf where = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf again = PXS_BUF_INIT;
	const char *text = row->text;
	struct partition part;
	bool parsed = partition_parse(&part, &text) && *text == '\0';

	assert_int_equal(parsed, row->where != NULL);
	if (!parsed)
		return;
	partition_print_where(&part, &where);
	assert_string_equal(pxs_buf_text(&where), row->where);
	partition_print(&part, &again);
	assert_string_equal(pxs_buf_text(&again), row->text);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(ROWS) + 2] = {
		cmocka_unit_test(test_splitting),
		cmocka_unit_test(test_splitting_ends),
	};

	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
		tests[i + 2] = (struct CMUnitTest){
			.name = ROWS[i].text,
			.test_func = check_row,
			.initial_state = (void *)&ROWS[i],
		};
	return cmocka_run_group_tests_name("partition", tests, NULL, NULL);
}
