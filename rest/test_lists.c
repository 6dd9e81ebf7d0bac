/* rest/ over its socket: pages, items, facets and exports. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/buf.h"
#include "base/macros.h"
#include "rest/test_fixture.h"

/* Following `next`, by page and past the window by cursor, every document comes exactly once. */
static void
next_links_lead_through_everything(void **state)
{
	static const char *const STARTS[] = {
		"/files?where={}&max_results=1000&projection={\"core.size\":1}",
		"/files?where={}&max_results=999&projection={\"core.size\":1}&after=",
		"/files?where={}&max_results=1000&sort=-core.size&projection={\"core.size\":1}",
		"/files?where={}&max_results=1000&sort=user.all_flags&after=",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(STARTS); i++) {
		CLEANUP(pxs_buf) struct pxs_buf url = PXS_BUF_INIT;
		static bool seen[FIXTURE_DOCUMENTS + 1];
		int n = 0;

		memset(seen, 0, sizeof(seen));
		pxs_buf_add_str(&url, STARTS[i]);
		while (url.len) {
			CLEANUP(answer) struct answer answer = { 0 };
			const char *next;
			json_t *item;
			size_t k;

			get(pxs_buf_text(&url), &answer);
			assert_int_equal(answer.status, 200);
			assert_int_equal(hits_of(&answer), FIXTURE_DOCUMENTS);
			json_array_foreach (member(&answer, "items"), k, item) {
				json_int_t id = json_integer_value(datum(item, "_id"));
				json_int_t place = id - FIXTURE_ID;

				assert_in_range(place, 1, FIXTURE_DOCUMENTS);
				assert_false(seen[place]);
				seen[place] = true;
				n++;
			}
			next = href_of(&answer, "next");
			pxs_buf_clear(&url);
			pxs_buf_add_str(&url, next ? next : "");
		}
		assert_int_equal(n, FIXTURE_DOCUMENTS);
	}
}

static void
page_links_are_as_documented(void **state)
{
	CLEANUP(answer) struct answer first = { 0 };
	CLEANUP(answer) struct answer second = { 0 };
	CLEANUP(answer) struct answer last = { 0 };

	(void)state;
	get("/files/?where={\"_all\":\"cats\"}", &first);
	assert_int_equal(hits_of(&first), FIXTURE_DOCUMENTS - FIXTURE_DOCUMENTS / 10);
	assert_string_equal(href_of(&first, "self"), "/files/?where={\"_all\":\"cats\"}");
	assert_string_equal(href_of(&first, "parent"), "/");
	assert_string_equal(href_of(&first, "next"), "/files/?where={\"_all\":\"cats\"}&page=2");
	assert_string_equal(href_of(&first, "last"), "/files/?where={\"_all\":\"cats\"}&page=369");
	assert_null(href_of(&first, "prev"));
	assert_string_equal(href_of(&first, "links"), "/files/?where={\"_all\":\"cats\"}"
						      "&projection={\"filters\":\".\"}");
	assert_int_equal(json_array_size(member(&first, "items")), 25);

	get(href_of(&first, "next"), &second);
	assert_string_equal(href_of(&second, "prev"), "/files/?where={\"_all\":\"cats\"}");
	assert_string_equal(href_of(&second, "first"), "/files/?where={\"_all\":\"cats\"}");

	get(href_of(&first, "last"), &last);
	assert_null(href_of(&last, "next"));
	assert_non_null(href_of(&last, "prev"));
}

static void
items_carry_what_is_known(void **state)
{
	CLEANUP(answer) struct answer answer = { 0 };
	json_t *item;

	(void)state;
	get("/files/3721279936826738516", &answer); /* the tenth */
	item = json_array_get(member(&answer, "items"), 0);
	assert_string_equal(json_string_value(json_object_get(item, "href")),
			    "/files/3721279936826738516");
	assert_string_equal(json_string_value(datum(item, "core.filename")), "dogs-10.txt");
	assert_int_equal(json_integer_value(datum(item, "core.size")), 100);
	assert_true(json_real_value(datum(item, "user.ratio")) == 1.25);
	assert_null(datum(item, "user.all_flags"));
	assert_int_equal(json_array_size(datum(item, "user.tags")), 2);
	assert_int_equal(json_string_length(datum(item, "_etag")), 40);
	assert_int_equal(json_string_length(datum(item, "_created")), 19);
	assert_non_null(strstr(answer.head, "Last-Modified: "));
	assert_string_equal(href_of(&answer, "collection"), "/files");
}

/* The promise of guided search: what a link advertises is what following it finds. */
static void
advertised_counts_are_kept(void **state)
{
	static const char *const STARTS[] = {
		"/files?where={}&projection={\"filters\":\".\"}",
		"/files?where={\"_all\":\"cats\"}&sort=core.size&projection={\"filters\":\".\"}",
		"/files?q=dogs&projection={\"filters\":\"user\"}",
		"/files?q=dogs&projection={\"filters\":\"user.tags\"}",
		"/files?where={}&projection={\"filters\":\"user.tags\"}",
		"/files?where={}&projection={\"filters\":\"user.all_flags\"}",
		"/files?path=core.size=100..1000&projection={\"filters\":\"core.size\"}",
	};
	int followed = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(STARTS); i++) {
		CLEANUP(answer) struct answer answer = { 0 };
		json_t *link;
		size_t k;

		get(STARTS[i], &answer);
		assert_int_equal(answer.status, 200);
		assert_int_equal(json_array_size(member(&answer, "items")), 0);
		json_array_foreach (member(&answer, "links"), k, link) {
			CLEANUP(answer) struct answer found = { 0 };
			const char *href = json_string_value(json_object_get(link, "href"));

			if (strcmp(json_string_value(json_object_get(link, "rel")), "collection") !=
			    0)
				continue;
			get(href, &found);
			if (found.status != 200)
				fail_msg("%s: %d: %s", href, found.status,
					 json_string_value(json_object_get(member(&found, "error"),
									   "message")));
			if (hits_of(&found) != json_integer_value(json_object_get(link, "count")))
				fail_msg("%s: %lld", href, (long long)hits_of(&found));
			followed++;
		}
	}
	assert_true(followed > 100);
}

static void
names_and_prompts_of_facets_are_as_documented(void **state)
{
	static const struct {
		const char *name;
		const char *prompt;
	} ROWS[] = {
		{ "user.all_flags", "User - All flags (5125)" },
		{ "user.all_flags.false", "User - All flags - False (3417)" },
		{ "user.all_flags.true", "User - All flags - True (1708)" },
		{ "user.all_flags.!missing", "User - All flags - (none) (5125)" },
	};
	CLEANUP(answer) struct answer answer = { 0 };
	size_t found = 0;
	json_t *link;
	size_t k;

	(void)state;
	get("/files?where={}&projection={\"filters\":\"user.all_flags\"}", &answer);
	json_array_foreach (member(&answer, "links"), k, link)
		for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
			if (strcmp(json_string_value(json_object_get(link, "name")),
				   ROWS[i].name) == 0) {
				assert_string_equal(
					json_string_value(json_object_get(link, "prompt")),
					ROWS[i].prompt);
				found++;
			}
	assert_int_equal(found, ARRAY_SIZE(ROWS));
}

/* Those listed, those with other values and those without one are all there are. */
static void
no_document_is_lost_between_buckets(void **state)
{
	CLEANUP(answer) struct answer answer = { 0 };
	CLEANUP(answer) struct answer listed = { 0 };
	CLEANUP(pxs_buf) struct pxs_buf where = PXS_BUF_INIT;
	json_int_t other = 0;
	json_int_t missing = 0;
	json_t *link;
	size_t i;

	(void)state;
	get("/files?where={}&projection={\"filters\":\"user.tags\"}", &answer);
	pxs_buf_add_str(&where, "/files?where={\"user.tags\":[");
	json_array_foreach (member(&answer, "links"), i, link) {
		const char *name = json_string_value(json_object_get(link, "name"));
		json_int_t count = json_integer_value(json_object_get(link, "count"));
		int number;

		if (strcmp(name, "user.tags.!other") == 0)
			other = count;
		else if (strcmp(name, "user.tags.!missing") == 0)
			missing = count;
		else if (sscanf(name, "user.tags.tag \"%d\"", &number) == 1)
			pxs_buf_addf(&where, "\"tag \\\"%d\\\"\",", number);
	}
	where.data[--where.len] = '\0';
	pxs_buf_add_str(&where, "]}");
	get(pxs_buf_text(&where), &listed);
	assert_int_equal(listed.status, 200);
	assert_int_equal(missing, FIXTURE_DOCUMENTS / 4);
	assert_true(other > 0);
	assert_int_equal(hits_of(&listed) + other + missing, FIXTURE_DOCUMENTS);
}

/* As a program reads it: page after page by the header Link. The number of lines, each ended by
 * END. */
static int
export_all(const char *start, const char *type, char end, int *ret_pages)
{
	CLEANUP(pxs_buf) struct pxs_buf url = PXS_BUF_INIT;
	char accept[64];
	int n = 0;

	(void)snprintf(accept, sizeof(accept), "Accept: %s\r\n", type);
	pxs_buf_add_str(&url, start);
	for (*ret_pages = 0; url.len; (*ret_pages)++) {
		CLEANUP(answer) struct answer answer = { 0 };
		char link[512];

		ask("GET", pxs_buf_text(&url), accept, "", &answer);
		assert_int_equal(answer.status, 200);
		for (size_t i = 0; i < answer.body_len; i++)
			n += answer.body[i] == end;
		read_header(&answer, "Link: <", link, sizeof(link));
		link[strcspn(link, ">")] = '\0';
		pxs_buf_clear(&url);
		pxs_buf_add_str(&url, link);
	}
	return n;
}

static void
exports_lead_through_everything(void **state)
{
	static const struct {
		const char *url;
		const char *type;
		char end;
		int n;
		int pages;
	} ROWS[] = {
		{ "/files?where={}&max_results=1000&after=", "application/x-pxs-paths", '\0',
		  FIXTURE_DOCUMENTS, 11 },
		{ "/files?where={}&max_results=1000", "application/x-pxs-paths", '\0',
		  FIXTURE_DOCUMENTS, 11 },
		{ "/files?where={}&max_results=1000&sort=-core.size&after=", "application/x-ndjson",
		  '\n', FIXTURE_DOCUMENTS, 11 },
		{ "/files?where={}&max_results=1000&limit=1500&after=", "application/x-ndjson",
		  '\n', 1500, 2 },
		{ "/files?path=_limit=30&max_results=20&limit=1500", "application/x-ndjson", '\n',
		  30, 2 },
		{ "/files?where={\"_all\":\"nothing\"}", "application/x-ndjson", '\n', 0, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		int pages;

		assert_int_equal(export_all(ROWS[i].url, ROWS[i].type, ROWS[i].end, &pages),
				 ROWS[i].n);
		assert_int_equal(pages, ROWS[i].pages);
	}
}

static void
an_exported_path_has_its_exact_bytes(void **state)
{
	static const char EXPECTED[] = "/tree/\xff\n%\0/tree/8";
	CLEANUP(answer) struct answer answer = { 0 };
	char hits[24];

	(void)state;
	ask("GET", "/files?where={\"core.size\":[49,64]}&sort=core.size",
	    "Accept: application/x-pxs-paths\r\n", "", &answer);
	assert_int_equal(answer.body_len, sizeof(EXPECTED));
	assert_memory_equal(answer.body, EXPECTED, sizeof(EXPECTED));
	read_header(&answer, "Pxs-Hits: ", hits, sizeof(hits));
	assert_string_equal(hits, "2");
}

/* One line is one document: the same names and values as its item has. */
static void
an_exported_line_is_the_item_made_flat(void **state)
{
	CLEANUP(answer) struct answer line = { 0 };
	CLEANUP(answer) struct answer item = { 0 };
	json_t *data;
	json_t *pair;
	size_t i;

	(void)state;
	get("/files/3721279936826738513", &item);
	ask("GET", "/files/3721279936826738513", "Accept: application/x-ndjson\r\n", "", &line);
	data = json_object_get(json_array_get(member(&item, "items"), 0), "data");
	json_array_foreach (data, i, pair) {
		const char *name = json_string_value(json_object_get(pair, "name"));

		assert_true(json_equal(json_object_get(line.json, name),
				       json_object_get(pair, "value")));
	}
	assert_int_equal(json_object_size(line.json), json_array_size(data) + 1);
	assert_string_equal(json_string_value(json_object_get(line.json, "path_escaped")),
			    "/tree/%FF%0A%25");
}

static void
exported_lines_are_those_of_the_page(void **state)
{
	static const char URL[] = "/files?where={}&sort=-core.size&page=2";
	CLEANUP(answer) struct answer items = { 0 };
	CLEANUP(answer) struct answer lines = { 0 };
	char *line;
	json_t *item;
	size_t i;

	(void)state;
	get(URL, &items);
	ask("GET", URL, "Accept: application/x-ndjson\r\n", "", &lines);
	line = lines.body;
	json_array_foreach (member(&items, "items"), i, item) {
		CLEANUP(json_decref) json_t *flat = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);

		assert_true(json_equal(json_object_get(flat, "_id"), datum(item, "_id")));
		line += strcspn(line, "\n") + 1;
	}
	assert_int_equal(i, 25);
	assert_string_equal(line, "");
}

int
main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(next_links_lead_through_everything),
		cmocka_unit_test(page_links_are_as_documented),
		cmocka_unit_test(items_carry_what_is_known),
		cmocka_unit_test(advertised_counts_are_kept),
		cmocka_unit_test(names_and_prompts_of_facets_are_as_documented),
		cmocka_unit_test(no_document_is_lost_between_buckets),
		cmocka_unit_test(exports_lead_through_everything),
		cmocka_unit_test(an_exported_path_has_its_exact_bytes),
		cmocka_unit_test(an_exported_line_is_the_item_made_flat),
		cmocka_unit_test(exported_lines_are_those_of_the_page),
	};

	return cmocka_run_group_tests_name("rest/lists", TESTS, fixture_setup, fixture_teardown);
}
