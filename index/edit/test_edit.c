/* Changes of single documents: by the version that was seen, and at the upstream where it is one's.
 */
#include "index/edit/edit.h"

#include <errno.h>

#include "index/test_catalogue.h"

enum { SIZE, TAGS, RATING, COUNT };

static const struct query_property DECLARED[COUNT] = {
	[SIZE] = { .name = "core.size", .type = QUERY_TYPE_LONG, .filter = true, .readonly = true },
	[TAGS] = { .name = "user.tags", .type = QUERY_TYPE_STRING, .multi = true, .filter = true },
	[RATING] = { .name = "user.rating", .type = QUERY_TYPE_INTEGER, .filter = true },
};
static const struct query_property *property[COUNT];
static struct index_origin origin;

#define OURS 5
#define THEIRS 6

static void
put(int64_t id, const char *their_etag)
{
	CLEANUP(index_document) struct index_document *document = NULL;
	struct index_write *write = begin();

	assert_int_equal(index_document_new(&document), 0);
	index_document_set_id(document, id);
	assert_int_equal(index_document_add_int(document, property[SIZE], 1), 0);
	if (their_etag)
		assert_int_equal(index_document_set_origin(document, &origin, their_etag, 1, 2), 0);
	assert_int_equal(index_document_seal(document), 0);
	assert_int_equal(index_write_put(write, document), 0);
	end(write);
}

static int
setup(void **state)
{
	(void)state;
	if (open_catalogue(DECLARED, property, COUNT) < 0 ||
	    index_origin_declare(catalogue, &origin, &err) < 0)
		return -1;
	put(OURS, NULL);
	put(THEIRS, "their-etag");
	return 0;
}

/* --- An upstream --- */

struct upstream {
	struct edit_upstream ops;
	int result;		/* of what is asked */
	const char *etag_since; /* NULL: nobody changes it after us */
	char asked[200];
};

static int
ask(struct upstream *upstream, const char *what, const struct edit *edit, const char *more)
{
	(void)snprintf(upstream->asked, sizeof(upstream->asked), "%s %lld %s %s%s", what,
		       (long long)edit->id, edit->etag ? edit->etag : "-", edit->user, more);
	return upstream->result;
}

static int
patch_there(void *context, const struct edit *edit, const json_t *values,
	    struct index_version *ret_version, struct pxs_error *fault)
{
	struct upstream *upstream = context;
	char *text = json_dumps(values, JSON_COMPACT);
	int r = ask(upstream, "patch", edit, text);

	(void)fault;
	free(text);
	if (r == 0)
		put(edit->id, upstream->etag_since ? upstream->etag_since : "newer-etag");
	*ret_version = (struct index_version){ .etag = "newer-etag" };
	return r;
}

static int
remove_there(void *context, const struct edit *edit, struct pxs_error *fault)
{
	int r = ask(context, "remove", edit, "");

	if (r < 0)
		return pxs_error_set(fault, r, -1, "the upstream says no");
	return 0;
}

static int
undelete_there(void *context, const struct edit *edit, struct index_version *ret_version,
	       struct pxs_error *fault)
{
	(void)fault;
	*ret_version = (struct index_version){ 0 };
	return ask(context, "undelete", edit, "");
}

static struct upstream
an_upstream(int result)
{
	return (struct upstream){ .ops = { patch_there, remove_there, undelete_there, NULL },
				  .result = result };
}

static void
use(struct upstream *upstream)
{
	upstream->ops.context = upstream;
	edit_set_upstream(catalogue, &upstream->ops);
}

/* --- Changing --- */

static struct edit
edit_of(int64_t id, const char *etag)
{
	memset(&err, 0, sizeof(err));
	return (struct edit){ .index = catalogue, .id = id, .etag = etag, .user = "ada" };
}

static int
patch_with(int64_t id, const char *etag, const char *text, struct index_version *version)
{
	struct edit_values values = { 0 };
	struct edit edit = edit_of(id, etag);
	struct index_view *view = index_view_get(catalogue);
	json_t *given = json_loads(text, 0, NULL);
	int r = edit_values_read(&values, index_view_schema(view), given);

	assert_int_equal(r, 0);
	assert_string_equal(pxs_buf_text(&values.faults), "");
	r = edit_patch(&edit, &values, version, &err);
	edit_values_done(&values);
	index_view_put(view);
	json_decref(given);
	return r;
}

static void
etag_of(int64_t id, char etag[INDEX_ETAG_SIZE])
{
	struct index_view *view = index_view_get(catalogue);
	uint32_t doc;

	assert_int_equal(index_doc_find(view, id, &doc), 0);
	index_doc_etag(view, doc, etag);
	index_view_put(view);
}

static void
only_the_version_that_was_seen_is_changed(void **state)
{
	struct index_version version;
	char etag[INDEX_ETAG_SIZE], now[INDEX_ETAG_SIZE];
	struct edit edit;

	(void)state;
	etag_of(OURS, etag);
	assert_int_equal(patch_with(OURS, etag, "{\"user.rating\":5}", &version), 0);
	etag_of(OURS, now);
	assert_string_equal(version.etag, now);
	assert_string_not_equal(etag, now);

	assert_int_equal(patch_with(OURS, etag, "{\"user.rating\":6}", &version), -ESTALE);
	edit = edit_of(OURS, etag);
	assert_int_equal(edit_delete(&edit, &err), -ESTALE);
	assert_string_equal(err.text, "Client and server etags don't match");
	assert_int_equal(patch_with(OURS, NULL, "{\"user.rating\":7}", &version), 0);
}

static void
what_was_deleted_comes_back(void **state)
{
	struct index_version version;
	char etag[INDEX_ETAG_SIZE];
	struct edit edit;

	(void)state;
	etag_of(OURS, etag);
	edit = edit_of(OURS, etag);
	assert_int_equal(edit_undelete(&edit, &version, &err), -EEXIST);
	edit = edit_of(OURS, etag);
	assert_int_equal(edit_delete(&edit, &err), 0);
	edit = edit_of(OURS, etag);
	assert_int_equal(edit_delete(&edit, &err), -ESTALE);
	edit = edit_of(OURS, NULL);
	assert_int_equal(edit_undelete(&edit, &version, &err), 0);
	etag_of(OURS, etag);
	assert_string_equal(version.etag, etag);
}

static void
an_upstreams_document_is_refused_without_it(void **state)
{
	struct index_version version;
	struct edit edit;

	(void)state;
	assert_int_equal(patch_with(THEIRS, "their-etag", "{\"user.rating\":5}", &version), -EROFS);
	assert_non_null(strstr(err.text, "upstream"));
	edit = edit_of(THEIRS, "their-etag");
	assert_int_equal(edit_delete(&edit, &err), -EROFS);
	edit = edit_of(77, NULL);
	assert_int_equal(edit_undelete(&edit, &version, &err), -ENOENT);
}

static void
an_upstreams_document_is_changed_there(void **state)
{
	struct upstream upstream = an_upstream(0);
	struct index_version version;
	struct edit edit;

	(void)state;
	use(&upstream);
	assert_int_equal(patch_with(THEIRS, NULL, "{\"user.tags\":[\"a\"]}", &version), 0);
	assert_string_equal(upstream.asked, "patch 6 their-etag ada{\"user.tags\":[\"a\"]}");
	assert_string_equal(version.etag, "newer-etag");
	assert_int_not_equal(version.seq, 0);
	edit = edit_of(THEIRS, "newer-etag");
	assert_int_equal(edit_delete(&edit, &err), 0);
	assert_string_equal(upstream.asked, "remove 6 newer-etag ada");
	edit = edit_of(THEIRS, NULL);
	assert_int_equal(edit_undelete(&edit, &version, &err), -EEXIST);
	upstream.asked[0] = '\0';
	assert_int_equal(patch_with(OURS, NULL, "{\"user.rating\":5}", &version), 0);
	assert_string_equal(upstream.asked, "");
	edit_set_upstream(catalogue, NULL);
}

/* Who made one version has not seen what another made of it since. */
static void
an_upstreams_version_is_not_taken_for_what_came_since(void **state)
{
	struct upstream upstream = an_upstream(0);
	struct index_version version;

	(void)state;
	upstream.etag_since = "another-etag";
	use(&upstream);
	assert_int_equal(patch_with(THEIRS, NULL, "{\"user.rating\":5}", &version), 0);
	assert_string_equal(version.etag, "newer-etag");
	assert_int_equal(version.seq, 0);
	edit_set_upstream(catalogue, NULL);
}

/* The version that we know is old: it need not be asked. */
static void
an_upstream_is_not_asked_about_old_versions(void **state)
{
	struct upstream upstream = an_upstream(0);
	struct index_version version;

	(void)state;
	use(&upstream);
	assert_int_equal(patch_with(THEIRS, "old", "{\"user.rating\":5}", &version), -ESTALE);
	assert_string_equal(upstream.asked, "");
	edit_set_upstream(catalogue, NULL);
}

static void
an_upstreams_refusal_is_handed_on(void **state)
{
	struct upstream upstream = an_upstream(-EPERM);
	struct index_version version;
	struct edit edit;

	(void)state;
	use(&upstream);
	edit = edit_of(THEIRS, NULL);
	assert_int_equal(edit_delete(&edit, &err), -EPERM);
	assert_string_equal(err.text, "the upstream says no");
	upstream.result = -ENOENT;
	edit = edit_of(77, NULL);
	assert_int_equal(edit_undelete(&edit, &version, &err), -ENOENT);
	assert_string_equal(upstream.asked, "undelete 77 - ada");
	edit_set_upstream(catalogue, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, close_catalogue)
		TEST(only_the_version_that_was_seen_is_changed),
		TEST(what_was_deleted_comes_back),
		TEST(an_upstreams_document_is_refused_without_it),
		TEST(an_upstreams_document_is_changed_there),
		TEST(an_upstreams_version_is_not_taken_for_what_came_since),
		TEST(an_upstream_is_not_asked_about_old_versions),
		TEST(an_upstreams_refusal_is_handed_on),
	};

	return cmocka_run_group_tests_name("edit", tests, NULL, NULL);
}
