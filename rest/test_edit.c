/* PATCH, DELETE and what comes of them, over the socket: every check of spec/pixstor.md 1.2 in its
 * order, every sentence of a refused value, and the feed of changes. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
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

#define ID "3721279936826738516" /* FIXTURE_ID + 10 */
#define URL "/files/" ID

static void
etag_of(const char *url, char etag[64])
{
	CLEANUP(answer) struct answer answer = { 0 };

	ask("HEAD", url, "", "", &answer);
	assert_int_equal(answer.status, 200);
	read_header(&answer, "ETag: \"", etag, 64);
	etag[strcspn(etag, "\"")] = '\0';
}

/* FORMAT has the place of the etag as %s, or is "" for no header. */
static void
ask_matching(const char *method, const char *url, const char *format, const char *etag,
	     const char *body, struct answer *answer)
{
	CLEANUP(pxs_buf) struct pxs_buf headers = PXS_BUF_INIT;
	const char *place = strstr(format, "%s");

	if (place)
		pxs_buf_addf(&headers, "If-Match: %.*s%s%s\r\n", (int)(place - format), format,
			     etag, place + 2);
	else if (*format)
		pxs_buf_addf(&headers, "If-Match: %s\r\n", format);
	ask(method, url, pxs_buf_text(&headers), body, answer);
}

static void
patch(const char *url, const char *body, struct answer *answer)
{
	char etag[64];

	etag_of(url, etag);
	ask_matching("PATCH", url, "%s", etag, body, answer);
}

#define DATA(entries) "{\"template\":{\"data\":[" entries "]}}"
#define SET(name, value) "{\"name\":\"" name "\",\"value\":" value "}"

static const char *
message_of(const struct answer *answer)
{
	const char *text = json_string_value(json_object_get(member(answer, "error"), "message"));

	return text ? text : "";
}

/* --- The order of checks --- */

static void
checks_come_in_their_order(void **state)
{
	static const struct {
		const char *method;
		const char *url;
		const char *match;
		const char *body;
		int status;
		const char *message;
	} ROWS[] = {
		/* malformed beats missing, missing document beats missing etag, and so on */
		{ "PATCH", "/files/5", "", "{", 400, "not JSON" },
		{ "PATCH", "/files/5", "", "[]", 400, "object" },
		{ "PATCH", "/files/5", "", "{}", 400, "template" },
		{ "PATCH", "/files/5", "", "{\"template\":5}", 400, "template" },
		{ "PATCH", "/files/5", "", "{\"template\":{}}", 400, "template" },
		{ "PATCH", "/files/5", "", DATA(""), 400, "one entry" },
		{ "PATCH", "/files/5", "", DATA("5"), 400, "name" },
		{ "PATCH", "/files/5", "", DATA("{\"value\":5}"), 400, "name" },
		{ "PATCH", "/files/5", "", DATA(SET("", "5")), 400, "name" },
		{ "PATCH", "/files/5", "", DATA(SET("no.such", "5")), 404, "no document" },
		{ "PATCH", "/files/x", "*", DATA(SET("no.such", "5")), 404, "no document" },
		{ "PATCH", URL, "", DATA(SET("no.such", "5")), 428, "If-Match" },
		{ "PATCH", URL, "\"x\"", DATA(SET("no.such", "5")), 412, "etags don't match" },
		{ "PATCH", URL, "", DATA(SET("user.comment", "\"x\"")), 428, "If-Match" },
		{ "PATCH", URL, "%s", DATA(SET("no.such", "5")), 422, "unknown field" },
		{ "PATCH", "/files", "*", DATA(SET("user.comment", "\"x\"")), 405, "PATCH" },
		{ "DELETE", "/files/5", "", "", 404, "no document" },
		{ "DELETE", URL, "", "", 428, "If-Match" },
		{ "DELETE", URL, "x", "", 412, "etags don't match" },
		{ "DELETE", URL, "\"\"", "", 412, "etags don't match" },
		{ "POST", URL "/undelete", "", "", 409, "not deleted" },
		{ "POST", "/files/5/undelete", "", "", 404, "forgotten" },
		{ "POST", "/files/x/undelete", "", "", 404, "no document" },
		{ "DELETE", "/files", "", "", 400, "where" },
		{ "DELETE", "/files/?where={}", "", "", 400, "all" },
		{ "DELETE", "/files/?where={\"_all\":\"\"}", "", "", 400, "all" },
		{ "DELETE", "/files/?where={\"_all\":\" \"}", "", "", 400, "all" },
		{ "DELETE", "/files/?where={\"_all\":\"*\"}", "", "", 400, "all" },
		{ "DELETE", "/files/?q=", "", "", 400, "all" },
		{ "DELETE", "/files/?where={", "", "", 400, "" },
		{ "DELETE", "/files/?where={\"core.size\":49}&expect=2", "", "", 412, "1 match" },
		{ "DELETE", "/files/?where={\"core.size\":49}&expect=x", "", "", 400, "expect" },
		{ "DELETE", "/files/?where={\"no.such\":1}", "", "", 204, "" },
		{ "GET", "/changes?since=x", "", "", 400, "since" },
		{ "GET", "/changes?since=-1", "", "", 400, "since" },
		{ "GET", "/changes?since=99999999", "", "", 410, "no longer known" },
	};
	char etag[64];

	(void)state;
	etag_of(URL, etag);
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		CLEANUP(answer) struct answer answer = { 0 };

		ask_matching(ROWS[i].method, ROWS[i].url, ROWS[i].match, etag, ROWS[i].body,
			     &answer);
		if (answer.status != ROWS[i].status ||
		    !strstr(message_of(&answer), ROWS[i].message))
			fail_msg("%s %s %s: %d %s", ROWS[i].method, ROWS[i].url, ROWS[i].body,
				 answer.status, message_of(&answer));
	}
}

static void
other_types_are_415(void **state)
{
	static const struct {
		const char *type;
		int status;
	} ROWS[] = {
		{ "Content-Type: text/plain\r\n", 415 },
		{ "Content-Type: application/x-www-form-urlencoded\r\n", 415 },
		{ "Content-Type: application/jsonp\r\n", 415 },
		{ "Content-Type: application/json; charset=utf-8\r\n", 404 },
		{ "Content-Type: Application/Vnd.Collection+JSON\r\n", 404 },
		{ "", 404 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		CLEANUP(answer) struct answer answer = { 0 };

		ask("PATCH", "/files/5", ROWS[i].type, DATA(SET("user.comment", "\"x\"")), &answer);
		assert_int_equal(answer.status, ROWS[i].status);
	}
}

/* --- Values --- */

static void
faulty_values_are_named(void **state)
{
	static const struct {
		const char *body;
		const char *message;
	} ROWS[] = {
		{ DATA(SET("common.creator", "5")),
		  "common : {'creator': 'must be of string type'}" },
		{ DATA(SET("common.creator", "null")),
		  "common : {'creator': 'null value not allowed'}" },
		{ DATA("{\"name\":\"common.creator\"}"),
		  "common : {'creator': 'null value not allowed'}" },
		{ DATA(SET("core.size", "5")), "core : {'size': 'field is read-only'}" },
		{ DATA(SET("_id", "5")), "_id : 'unknown field'" },
		{ DATA(SET("_etag", "\"5\"")), "_etag : 'unknown field'" },
		{ DATA(SET("_index.path", "\"5\"")), "_index : {'path': 'unknown field'}" },
		{ DATA(SET("video.codec.audio", "5")),
		  "video : {'codec': {'audio': 'unknown field'}}" },
		{ DATA(SET("it's.o'k", "5")), "it's : {'o\\'k': 'unknown field'}" },
		{ DATA(SET("user.rating", "5.0")), "user : {'rating': 'must be of integer type'}" },
		{ DATA(SET("user.rating", "true")),
		  "user : {'rating': 'must be of integer type'}" },
		{ DATA(SET("user.rating", "\"5\"")),
		  "user : {'rating': 'must be of integer type'}" },
		{ DATA(SET("user.rating", "2147483648")),
		  "user : {'rating': 'max value is 2147483647'}" },
		{ DATA(SET("user.rating", "-2147483649")),
		  "user : {'rating': 'min value is -2147483648'}" },
		{ DATA(SET("user.ratio", "\"1\"")), "user : {'ratio': 'must be of float type'}" },
		{ DATA(SET("user.all_flags", "1")),
		  "user : {'all_flags': 'must be of boolean type'}" },
		{ DATA(SET("user.tags", "\"a\"")), "user : {'tags': 'must be of list type'}" },
		{ DATA(SET("user.tags", "[\"a\",5]")),
		  "user : {'tags': {1: 'must be of string type'}}" },
		{ DATA(SET("user.tags", "[\"\"]")),
		  "user : {'tags': {0: 'empty values not allowed'}}" },
		/* all of them, in the order of the schema */
		{ DATA(SET("user.rating", "null") "," SET("common.title",
							  "5") "," SET("user.comment", "\"fine\"")),
		  "common : {'title': 'must be of string type'}; "
		  "user : {'rating': 'null value not allowed'}" },
	};
	char before[64];
	char after[64];

	(void)state;
	etag_of(URL, before);
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		CLEANUP(answer) struct answer answer = { 0 };

		patch(URL, ROWS[i].body, &answer);
		assert_int_equal(answer.status, 422);
		assert_string_equal(message_of(&answer), ROWS[i].message);
	}
	etag_of(URL, after);
	assert_string_equal(before, after); /* all or nothing */
}

static void
assert_value(const char *url, const char *name, const char *expected)
{
	CLEANUP(answer) struct answer answer = { 0 };
	CLEANUP(free) char *found = NULL;
	json_t *value;

	get(url, &answer);
	value = datum(json_array_get(member(&answer, "items"), 0), name);
	found = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT) : strdup("none");
	assert_string_equal(found, expected);
}

static void
a_patch_merges(void **state)
{
	static const struct {
		const char *body;
		const char *name;
		const char *value;
	} ROWS[] = {
		{ DATA(SET("common.creator", "\"arcapix\"")), "common.creator", "\"arcapix\"" },
		{ DATA(SET("user.tags", "[\"b\",\"a\"]")), "user.tags", "[\"b\",\"a\"]" },
		{ DATA(SET("user.rating", "-7")), "user.rating", "-7" },
		{ DATA(SET("user.rating", "1") "," SET("user.rating", "2")), "user.rating", "2" },
		{ DATA(SET("user.ratio", "3")), "user.ratio", "3" },
		{ DATA(SET("user.all_flags", "true")), "user.all_flags", "true" },
		{ "{\"collection\":" DATA(SET("user.comment", "\"caf\\u00e9\"")) "}",
		  "user.comment", "\"caf\xc3\xa9\"" },
		{ DATA("{\"prompt\":\"x\",\"name\":\"user.comment\",\"value\":\"y\",\"z\":1}"),
		  "user.comment", "\"y\"" },
		{ DATA(SET("user.comment", "\"\"")), "user.comment", "none" },
		{ DATA(SET("user.tags", "[]")), "user.tags", "none" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		CLEANUP(answer) struct answer answer = { 0 };

		patch(URL, ROWS[i].body, &answer);
		assert_int_equal(answer.status, 200);
		if (strcmp(ROWS[i].name, "user.tags") != 0 || ROWS[i].value[0] == 'n')
			assert_value(URL, ROWS[i].name, ROWS[i].value);
	}
	assert_value(URL, "common.creator", "\"arcapix\"");
	assert_value(URL, "core.size", "100");
}

/* The sample of the documentation. */
static void
a_patch_answers_as_documented(void **state)
{
	static const char *const NAMES[] = { "_updated", "_created", "_status", "_id", "_etag" };
	CLEANUP(answer) struct answer answer = { 0 };
	json_t *item, *data, *link;
	char etag[64];

	(void)state;
	patch(URL, DATA(SET("common.creator", "\"x\"")), &answer);
	assert_string_equal(json_string_value(member(&answer, "href")), URL);
	assert_string_equal(json_string_value(member(&answer, "version")), "1.0");
	item = json_array_get(member(&answer, "items"), 0);
	assert_string_equal(json_string_value(json_object_get(item, "href")), URL);
	assert_int_equal(json_array_size(json_object_get(item, "links")), 0);
	data = json_object_get(item, "data");
	assert_int_equal(json_array_size(data), ARRAY_SIZE(NAMES));
	for (size_t i = 0; i < ARRAY_SIZE(NAMES); i++) {
		json_t *pair = json_array_get(data, i);

		assert_string_equal(json_string_value(json_object_get(pair, "name")), NAMES[i]);
		assert_string_equal(json_string_value(json_object_get(pair, "prompt")), NAMES[i]);
	}
	assert_true(json_integer_value(datum(item, "_id")) == FIXTURE_ID + 10);
	assert_string_equal(json_string_value(datum(item, "_status")), "OK");
	link = json_array_get(member(&answer, "links"), 0);
	assert_string_equal(json_string_value(json_object_get(link, "rel")), "self");
	assert_string_equal(json_string_value(json_object_get(link, "prompt")), "File");
	etag_of(URL, etag);
	assert_string_equal(json_string_value(datum(item, "_etag")), etag);
}

static void
every_form_of_if_match_counts(void **state)
{
	static const char *const FORMS[] = { "%s", "\"%s\"", "W/\"%s\"", "*", "\"x\", \"%s\"" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(FORMS); i++) {
		CLEANUP(answer) struct answer answer = { 0 };
		char etag[64];

		etag_of(URL, etag);
		ask_matching("PATCH", URL, FORMS[i], etag, DATA(SET("user.rating", "1")), &answer);
		assert_int_equal(answer.status, 200);
	}
}

/* --- Deleting --- */

static void
what_is_deleted_can_come_back(void **state)
{
	CLEANUP(answer) struct answer deleted = { 0 };
	CLEANUP(answer) struct answer gone = { 0 };
	CLEANUP(answer) struct answer removed = { 0 };
	CLEANUP(answer) struct answer back = { 0 };
	json_t *first;
	char etag[64];

	(void)state;
	etag_of(URL, etag);
	ask_matching("DELETE", URL, "\"%s\"", etag, "", &deleted);
	assert_int_equal(deleted.status, 204);
	assert_int_equal(deleted.body_len, 0);
	assert_null(strstr(deleted.head, "Content-Type"));
	get(URL, &gone);
	assert_int_equal(gone.status, 404);
	get("/removed", &removed);
	first = json_array_get(json_object_get(removed.json, "removed"), 0);
	assert_true(json_integer_value(json_object_get(first, "id")) == FIXTURE_ID + 10);
	assert_string_equal(json_string_value(json_object_get(first, "path")), "/tree/10");
	ask("POST", URL "/undelete", "", "", &back);
	assert_int_equal(back.status, 200);
	assert_value(URL, "core.size", "100");
}

static json_int_t
count(const char *url)
{
	CLEANUP(answer) struct answer answer = { 0 };

	get(url, &answer);
	return hits_of(&answer);
}

static void
a_query_deletes_what_it_finds(void **state)
{
	static const char WHERE[] = "/files/?where={\"core.size\":{\"gte\":100000000}}";
	CLEANUP(answer) struct answer dry = { 0 };
	CLEANUP(answer) struct answer wet = { 0 };
	json_int_t all = count("/files?where={}");
	json_int_t some = count(WHERE);
	char url[160];
	char hits[32];

	(void)state;
	assert_int_equal(some, 251);
	(void)snprintf(url, sizeof(url), "%s&dry_run=1", WHERE);
	ask("DELETE", url, "", "", &dry);
	assert_int_equal(dry.status, 200);
	assert_int_equal(hits_of(&dry), some);
	assert_int_equal(count(WHERE), some);
	(void)snprintf(url, sizeof(url), "%s&expect=%d", WHERE, (int)some);
	ask("DELETE", url, "", "", &wet);
	assert_int_equal(wet.status, 204);
	read_header(&wet, "Pxs-Hits: ", hits, sizeof(hits));
	assert_string_equal(hits, "251");
	assert_int_equal(count(WHERE), 0);
	assert_int_equal(count("/files?where={}"), all - some);
}

/* --- The feed --- */

static json_int_t
newest(void)
{
	CLEANUP(answer) struct answer answer = { 0 };

	get("/changes", &answer);
	assert_int_equal(answer.status, 200);
	assert_int_equal(json_array_size(member(&answer, "items")), 0);
	return json_integer_value(
		json_object_get(json_array_get(member(&answer, "properties"), 1), "value"));
}

static void
changes_are_told_once(void **state)
{
	CLEANUP(answer) struct answer feed = { 0 };
	CLEANUP(answer) struct answer more = { 0 };
	CLEANUP(answer) struct answer deleted = { 0 };
	CLEANUP(answer) struct answer back = { 0 };
	json_int_t seq = newest();
	json_t *items;
	char url[96];

	(void)state;
	for (int i = 0; i < 2; i++) {
		CLEANUP(answer) struct answer patched = { 0 };

		patch(URL, DATA(SET("user.comment", "\"x\"")), &patched);
		assert_int_equal(patched.status, 200);
	}
	ask("DELETE", "/files/3721279936826738517", "If-Match: *\r\n", "", &deleted);
	assert_int_equal(deleted.status, 204);
	(void)snprintf(url, sizeof(url), "/changes?since=%" PRId64, (int64_t)seq);
	get(url, &feed);
	items = member(&feed, "items");
	assert_int_equal(json_array_size(items), 2);
	assert_true(json_is_false(datum(json_array_get(items, 0), "_deleted")));
	assert_true(json_integer_value(datum(json_array_get(items, 0), "_id")) == FIXTURE_ID + 10);
	assert_true(json_is_true(datum(json_array_get(items, 1), "_deleted")));
	get(href_of(&feed, "next"), &more);
	assert_int_equal(json_array_size(member(&more, "items")), 0);
	ask("POST", "/files/3721279936826738517/undelete", "", "", &back);
	assert_int_equal(back.status, 200);
}

static void *
patch_soon(void *context)
{
	CLEANUP(answer) struct answer answer = { 0 };

	(void)context;
	ask("PATCH", URL, "If-Match: *\r\n", DATA(SET("user.comment", "\"soon\"")), &answer);
	return NULL;
}

static void
a_feed_waits_for_a_change(void **state)
{
	CLEANUP(answer) struct answer feed = { 0 };
	json_int_t seq = newest();
	pthread_t thread;
	char url[96];

	(void)state;
	(void)snprintf(url, sizeof(url), "/changes?since=%" PRId64 "&wait=60", (int64_t)seq);
	assert_int_equal(pthread_create(&thread, NULL, patch_soon, NULL), 0);
	get(url, &feed);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(json_array_size(member(&feed, "items")), 1);
}

int
main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(checks_come_in_their_order),
		cmocka_unit_test(other_types_are_415),
		cmocka_unit_test(faulty_values_are_named),
		cmocka_unit_test(a_patch_merges),
		cmocka_unit_test(a_patch_answers_as_documented),
		cmocka_unit_test(every_form_of_if_match_counts),
		cmocka_unit_test(what_is_deleted_can_come_back),
		cmocka_unit_test(a_query_deletes_what_it_finds),
		cmocka_unit_test(changes_are_told_once),
		cmocka_unit_test(a_feed_waits_for_a_change),
	};

	return cmocka_run_group_tests_name("rest/edit", TESTS, fixture_setup, fixture_teardown);
}
