/* Documents whose files somebody could not stat are not there for him: wherever he looks. */
#include "index/index.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"

static char dir[64];
static struct index *index_;
static struct pxs_error err;
static const struct query_property *directory, *exact, *color;

static const struct query_property *
declare(const char *name)
{
	const struct query_property property = {
		.name = name, .prompt = name, .type = QUERY_TYPE_STRING, .filter = true
	};
	const struct query_property *declared = NULL;

	if (index_property_add(index_, &property, &declared, &err) < 0)
		fail_msg("%s", err.text);
	return declared;
}

static void
add(struct index_document *document, const struct query_property *property, const char *text)
{
	if (text)
		assert_int_equal(index_document_add_string(document, property, text, strlen(text)),
				 0);
}

static void
put(int64_t id, const char *folder, const char *path, const char *text)
{
	CLEANUP(index_document) struct index_document *document = NULL;
	struct index_write *write;

	assert_int_equal(index_document_new(&document), 0);
	index_document_set_id(document, id);
	add(document, directory, folder);
	add(document, exact, path);
	add(document, color, text);
	assert_int_equal(index_document_seal(document), 0);
	assert_int_equal(index_write_begin(index_, &write), 0);
	assert_int_equal(index_write_put(write, document), 0);
	assert_int_equal(index_write_commit(write, &err), 0);
}

static void
take_away(int64_t id)
{
	struct index_write *write;

	assert_int_equal(index_write_begin(index_, &write), 0);
	assert_int_equal(index_write_remove(write, id), 0);
	assert_int_equal(index_write_commit(write, &err), 0);
}

static void
open_index(void)
{
	memset(&err, 0, sizeof(err));
	if (index_open(dir, INDEX_CREATE, &index_, &err) < 0)
		fail_msg("%s", err.text);
	directory = declare("core.directory");
	exact = declare("_index.path");
	color = declare("user.color");
}

static int
setup(void **state)
{
	(void)state;
	(void)strcpy(dir, "/tmp/pxs-test-visible-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	open_index();
	put(1, "/open", NULL, "red");
	put(2, "/closed", NULL, "red");
	put(3, "/open", NULL, "blue");
	put(4, "/odd?", "/open/odd%FF/x", "blue"); /* core.directory is not what is on disk */
	put(5, "/open", "/closed/%FE", "green");
	put(6, NULL, NULL, "green");
	return 0;
}

static int
teardown(void **state)
{
	char command[96];

	(void)state;
	index_close(index_);
	index_ = NULL;
	(void)snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command); // NOLINT(cert-env33-c)
}

/* Enters what begins with the text that CONTEXT is; a directory called gone is not there. */
static int
enters(void *context, const char *const *directories, size_t n, uint8_t *entries)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(directories[i], "/gone") == 0)
			entries[i] = INDEX_ENTRY_GONE;
		else
			entries[i] = strncmp(directories[i], context, strlen(context)) == 0
					     ? INDEX_ENTRY_GRANTED
					     : INDEX_ENTRY_REFUSED;
	return 0;
}

static struct index_view *
view_of(uint64_t key, const char *prefix)
{
	const struct index_viewer viewer = { key, enters, (void *)prefix };
	struct index_view *view = NULL;

	assert_int_equal(index_view_for(index_, &viewer, &view), 0);
	return view;
}

static uint64_t
count_of(struct index_view *view, const char *text)
{
	CLEANUP(query) struct query *query = NULL;
	CLEANUP(index_hits) struct index_hits *hits = NULL;

	assert_int_equal(query_new(&query), 0);
	if (text)
		assert_int_equal(query_add_string(query, text, index_view_schema(view), &err), 0);
	assert_int_equal(index_search(view, query, NULL, &hits, &err), 0);
	return index_hits_count(hits);
}

/* --- Tests --- */

static void
searches_find_what_is_seen(void **state)
{
	static const struct {
		uint64_t key;
		const char *prefix;
		uint64_t all, red, not_red, seen1, seen2;
	} ROWS[] = {
		{ 7, "/open", 3, 1, 2, 1, 0 },
		{ 9, "/closed", 2, 1, 1, 0, 1 },
		{ 11, "/none", 0, 0, 0, 0, 0 },
		{ 13, "/", 5, 2, 3, 1, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		CLEANUP(index_view)
		struct index_view *view = view_of(ROWS[i].key, ROWS[i].prefix);
		uint32_t doc;

		assert_int_equal(index_view_count(view), ROWS[i].all);
		assert_int_equal(count_of(view, NULL), ROWS[i].all);
		assert_int_equal(count_of(view, "red"), ROWS[i].red);
		assert_int_equal(count_of(view, "NOT red"), ROWS[i].not_red);
		assert_int_equal(index_doc_find(view, 1, &doc) == 0, ROWS[i].seen1);
		assert_int_equal(index_doc_find(view, 2, &doc) == 0, ROWS[i].seen2);
		assert_int_equal(index_doc_find(view, 6, &doc), -ENOENT);
	}
}

static void
facets_count_what_is_seen(void **state)
{
	CLEANUP(index_view) struct index_view *view = view_of(9, "/closed");
	CLEANUP(index_facet) struct index_facet *facet = NULL;
	CLEANUP(query) struct query *query = NULL;
	CLEANUP(index_hits) struct index_hits *hits = NULL;

	(void)state;
	assert_int_equal(query_new(&query), 0);
	assert_int_equal(index_search(view, query, NULL, &hits, &err), 0);
	assert_int_equal(index_hits_facet(hits, color, 10, NULL, &facet, &err), 0);
	assert_int_equal(facet->n_buckets, 2);
	assert_string_equal(facet->buckets[0].condition.value.string, "green");
	assert_string_equal(facet->buckets[1].condition.value.string, "red");
	assert_int_equal(facet->buckets[1].count, 1);
}

/* What bears the name here that it has there is another directory. */
static void
where_paths_are_mapped_what_lies_there_is_asked(void **state)
{
	static const struct index_path_rule RULES[] = { { "/open", "/shut" },
							{ "/closed", "/open/there" },
							{ "/root", "" } };
	CLEANUP(index_view) struct index_view *open = NULL;
	CLEANUP(index_view) struct index_view *root = NULL;

	(void)state;
	put(7, "/root", NULL, "white");
	assert_int_equal(index_map_paths(index_, RULES, ARRAY_SIZE(RULES)), 0);
	open = view_of(7, "/open");
	assert_int_equal(index_view_count(open), 2);
	assert_int_equal(count_of(open, "red"), 1);
	assert_int_equal(count_of(open, "green"), 1);
	root = view_of(8, "/");
	assert_int_equal(count_of(root, "white"), 1);
}

static void
what_is_new_is_judged_at_once(void **state)
{
	CLEANUP(index_view) struct index_view *before = view_of(7, "/open");
	CLEANUP(index_view) struct index_view *after = NULL;

	(void)state;
	put(20, "/open/new", NULL, "red");
	put(21, "/secret", NULL, "red");
	after = view_of(7, "/open");
	assert_int_equal(count_of(before, "red"), 1);
	assert_int_equal(count_of(after, "red"), 2);
}

/* "+1 -2": put 1, removed 2 */
static void
assert_changes(struct index_view *view, uint64_t since, const char *expected)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;
	struct index_change list[16];
	struct index_changes changes = { .list = list, .max = 16, .seq = since };

	assert_int_equal(index_changes(view, &changes), 0);
	for (size_t i = 0; i < changes.n; i++)
		pxs_buf_addf(&text, "%s%c%d", i ? " " : "", list[i].removed ? '-' : '+',
			     (int)list[i].id);
	assert_string_equal(pxs_buf_text(&text), expected);
}

static void
changes_tell_of_what_is_seen(void **state)
{
	CLEANUP(index_view) struct index_view *all = NULL;
	CLEANUP(index_view) struct index_view *open = NULL;
	CLEANUP(index_view) struct index_view *later = NULL;
	struct index_change change;
	struct index_changes changes = { .list = &change, .max = 1 };

	(void)state;
	put(30, "/gone", NULL, "red");
	take_away(1);
	take_away(2);
	take_away(30);
	all = index_view_get(index_);
	open = view_of(7, "/open");
	assert_changes(all, 0, "+3 +4 +5 +6 -1 -2 -30");
	assert_changes(open, 0, "+3 +4 -1 -30");

	/* Nobody knows any more where they were. */
	index_view_put(STEAL(all));
	index_view_put(STEAL(open));
	index_close(index_);
	open_index();
	later = view_of(7, "/open");
	changes.seq = index_view_seq(later) - 3;
	assert_int_equal(index_changes(later, &changes), -ESTALE);
	changes.seq = index_view_seq(later);
	assert_int_equal(index_changes(later, &changes), 0);
}

static void
delete_as(int64_t id, const char *user)
{
	struct index_write *write;

	assert_int_equal(index_write_begin(index_, &write), 0);
	assert_int_equal(index_write_delete(write, id, user), 0);
	assert_int_equal(index_write_commit(write, &err), 0);
}

static void
removals_are_known_to_who_saw_or_did_them(void **state)
{
	CLEANUP(index_view) struct index_view *open = NULL;

	(void)state;
	delete_as(1, "anna");
	delete_as(2, "anna");
	open = view_of(7, "/open");
	assert_int_equal(index_removed_is_known(open, 1, "bert"), 1);
	assert_int_equal(index_removed_is_known(open, 2, "bert"), 0);
	assert_int_equal(index_removed_is_known(open, 2, "anna"), 1);
	assert_int_equal(index_removed_is_known(open, 5, "anna"), 0); /* there, but not seen */
	assert_int_equal(index_removed_is_known(open, 99, "anna"), 0);

	/* After a start only the journal remembers. */
	index_view_put(STEAL(open));
	index_close(index_);
	open_index();
	open = view_of(7, "/open");
	assert_int_equal(index_removed_is_known(open, 1, "bert"), 0);
	assert_int_equal(index_removed_is_known(open, 1, "anna"), 1);
}

static void
hear_word(void *context, const struct query_property *property, const char *word, size_t len,
	  uint64_t documents)
{
	pxs_buf_addf(context, "%s:%.*s %d;", property->name, (int)len, word, (int)documents);
}

static void
hear_leaf(void *context, const struct index_answer *answer)
{
	pxs_buf_addf(context, "%d of %d", (int)answer->found, (int)answer->n_terms);
}

static void
explanations_have_no_words_of_what_is_not_seen(void **state)
{
	static const struct {
		const char *text, *open, *closed;
	} ROWS[] = {
		{ "gr*", "0 of 0", "user.color:green 1;1 of 1" },
		{ "green", "0 of 0", "user.color:green 1;1 of 1" },
		{ "greem~", "0 of 0", "user.color:green 1;1 of 1" },
		{ "r*", "user.color:red 1;1 of 1", "user.color:red 1;1 of 1" },
		{ "\"green sky\"", "0 of 2", "0 of 2" },
		{ "\"black sky\"", "0 of 2", "0 of 2" },
	};
	CLEANUP(index_view) struct index_view *open = view_of(7, "/open");
	CLEANUP(index_view) struct index_view *closed = view_of(9, "/closed");

	(void)state;
	put(40, "/third", NULL, "sky"); /* a word that is there, beside what nobody here sees */
	for (size_t i = 0; i < 2 * ARRAY_SIZE(ROWS); i++) {
		struct index_view *view = i % 2 ? closed : open;
		CLEANUP(query) struct query *query = NULL;
		CLEANUP(index_hits) struct index_hits *hits = NULL;
		CLEANUP(pxs_buf) struct pxs_buf told = PXS_BUF_INIT;
		const struct index_trace trace = { hear_word, hear_leaf, &told };

		assert_int_equal(query_new(&query), 0);
		assert_int_equal(
			query_add_string(query, ROWS[i / 2].text, index_view_schema(view), &err),
			0);
		assert_int_equal(index_explain(view, query, NULL, &trace, &hits, &err), 0);
		assert_string_equal(pxs_buf_text(&told),
				    i % 2 ? ROWS[i / 2].closed : ROWS[i / 2].open);
	}
}

/* Directories have other numbers then, and what was said of one must not be taken for another's. */
static void
compaction_shows_nobody_more(void **state)
{
	CLEANUP(index_view) struct index_view *open = view_of(7, "/open");
	CLEANUP(index_view) struct index_view *closed = view_of(9, "/closed");

	(void)state;
	put(1, "/open", NULL, "red");
	put(3, "/open", NULL, "blue");
	assert_int_equal(index_compact(index_, NULL), 0);
	index_view_put(STEAL(open));
	index_view_put(STEAL(closed));
	put(7, "/open", NULL, "grey");
	open = view_of(7, "/open");
	closed = view_of(9, "/closed");
	assert_int_equal(count_of(open, "red"), 1);
	assert_int_equal(count_of(open, "green"), 0);
	assert_int_equal(index_view_count(open), 4);
	assert_int_equal(count_of(closed, "blue"), 0);
	assert_int_equal(index_view_count(closed), 2);
}

static void
many_viewers_push_each_other_out(void **state)
{
	(void)state;
	for (uint64_t key = 1; key <= 200; key++) {
		CLEANUP(index_view)
		struct index_view *view = view_of(key, key % 2 ? "/open" : "/closed");

		assert_int_equal(index_view_count(view), key % 2 ? 3 : 2);
	}
}

int
main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test_setup_teardown(searches_find_what_is_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(facets_count_what_is_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(where_paths_are_mapped_what_lies_there_is_asked,
						setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_new_is_judged_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(changes_tell_of_what_is_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(removals_are_known_to_who_saw_or_did_them, setup,
						teardown),
		cmocka_unit_test_setup_teardown(explanations_have_no_words_of_what_is_not_seen,
						setup, teardown),
		cmocka_unit_test_setup_teardown(compaction_shows_nobody_more, setup, teardown),
		cmocka_unit_test_setup_teardown(many_viewers_push_each_other_out, setup, teardown),
	};

	return cmocka_run_group_tests_name("visible", TESTS, NULL, NULL);
}
