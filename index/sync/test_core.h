/* test_core.h - a follower with an index of its own, and a core that gives the answers that a test
 * has laid ready, in their order. Linked with --wrap=upstream_get. */
#ifndef PXS_INDEX_SYNC_TEST_CORE_H
#define PXS_INDEX_SYNC_TEST_CORE_H

#include <errno.h>

#include <jansson.h>

#include "index/sync/follow.h"
#include "index/sync/turn.h"
#include "index/sync/upstream.h"
#include "index/test_catalogue.h"

#define URL "https://core.example/api"

static const struct sync_options options = { .url = URL };
static atomic_bool stop;
static struct turn turn;
static struct follower follower;

static struct {
	const char *href; /* that is expected */
	int r;
	json_t *json;
} answers[64];
static size_t n_answers, n_asked;

/* --- Its answers --- */

/* ITEM's value, to which it adds. Takes VALUE. */
static inline void
add_value(json_t *list, const char *name, json_t *value)
{
	assert_int_equal(
		json_array_append_new(list, json_pack("{s:s,s:o}", "name", name, "value", value)),
		0);
}

/* UPDATED, which may be NULL, is a time. */
static inline json_t *
make_item(int64_t id, const char *etag, const char *updated)
{
	json_t *data = json_array();

	add_value(data, "_id", json_integer(id));
	add_value(data, "_etag", json_string(etag));
	if (updated)
		add_value(data, "_updated", json_string(updated));
	return json_pack("{s:o}", "data", data);
}

/* An answer without properties or links. Takes ITEMS. */
static inline json_t *
make_answer(json_t *items)
{
	return json_pack("{s:{s:o,s:[],s:[]}}", "collection", "items", items, "properties",
			 "links");
}

static inline void
add_property(json_t *answer, const char *name, json_t *value)
{
	add_value(json_object_get(json_object_get(answer, "collection"), "properties"), name,
		  value);
}

/* To HREF, R or JSON, which it takes. */
static inline void
expect(const char *href, int r, json_t *json)
{
	assert_in_range(n_answers, 0, ARRAY_SIZE(answers) - 1);
	answers[n_answers].href = href;
	answers[n_answers].r = r;
	answers[n_answers++].json = json;
}

static inline void
expect_document(const char *href, int64_t id, const char *etag)
{
	expect(href, 0, make_answer(json_pack("[o]", make_item(id, etag, NULL))));
}

int __wrap_upstream_get(struct upstream *upstream, const char *href, json_t **ret_json,
			struct pxs_error *error);

int
__wrap_upstream_get(struct upstream *upstream, const char *href, json_t **ret_json,
		    struct pxs_error *error)
{
	(void)upstream;
	(void)error;
	if (n_asked == n_answers)
		fail_msg("nobody expected %s", href);
	assert_string_equal(href, answers[n_asked].href);
	*ret_json = STEAL(answers[n_asked].json);
	return answers[n_asked++].r;
}

/* --- The follower --- */

/* After it, ERR is empty. */
static inline void
assert_all_asked(void)
{
	assert_int_equal(n_asked, n_answers);
	n_asked = n_answers = 0;
	err = (struct pxs_error){ 0 };
}

static inline int
start_following(void **state)
{
	(void)state;
	if (open_catalogue(NULL, NULL, 0) < 0)
		return -1;
	turn_init(&turn);
	n_asked = n_answers = 0;
	follower = (struct follower){
		.index = catalogue,
		.url = URL,
		.options = &options,
		.stop = &stop,
		.turn = &turn,
	};
	return follow_init(&follower, &err);
}

static inline int
stop_following(void **state)
{
	for (; n_asked < n_answers; n_asked++)
		json_decref(answers[n_asked].json);
	follow_done(&follower);
	turn_done(&turn);
	return close_catalogue(state);
}

/* As if it had come from the core. */
static inline void
keep(int64_t id, const char *etag)
{
	CLEANUP(json_decref) json_t *item = make_item(id, etag, NULL);

	assert_int_equal(intake_put(&follower.intake, &follower.reader, item, &err), 0);
}

static inline void
commit(void)
{
	assert_int_equal(follow_commit(&follower, &err), 0);
}

static inline bool
has(int64_t id)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(catalogue);

	return follow_has(&follower, view, id);
}

static inline bool
has_version(int64_t id, const char *etag)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(catalogue);

	return follow_has_version(&follower, view, id, etag);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start_following, stop_following)

#endif
