/* The parts of rest/ that need no server: rows of text in, text out. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "rest/content.h"
#include "rest/href.h"
#include "rest/item.h"
#include "rest/projection.h"
#include "rest/reply.h"
#include "rest/request.h"
#include "rest/route.h"

static void
check_href(void **state)
{
	static const struct {
		struct href href;
		const char *text;
	} ROWS[] = {
		{ { 0 }, "/files" },
		{ { .page = 1, .max_results = 25 }, "/files" },
		{ { .where = "{\"_all\":\"cats\"}", .page = 3, .max_results = 25 },
		  "/files/?where={\"_all\":\"cats\"}&page=3" },
		{ { .where = "{}", .sort = "-core.size,core.filename", .max_results = 5 },
		  "/files/?where={}&sort=-core.size,core.filename&max_results=5" },
		{ { .q = "a+b & c%d #\xc3\xa9" }, "/files/?q=a%2Bb%20%26%20c%25d%20%23%C3%A9" },
		{ { .path = "core.size=1-2/core.type=file", .limit = 7 },
		  "/files/?path=core.size%3D1-2%2Fcore.type%3Dfile&limit=7" },
		{ { .q = "x", .projection = "{\"filters\":\".\"}", .after = "1f" },
		  "/files/?q=x&projection={\"filters\":\".\"}&after=1f" },
		{ { .q = "<>\\" }, "/files/?q=%3C%3E%5C" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;

		href_print(&ROWS[i].href, &buf);
		assert_string_equal(pxs_buf_text(&buf), ROWS[i].text);
	}
}

static void
check_projection(void **state)
{
	static const struct {
		const char *text;
		const char *property;
		bool shown;
	} ROWS[] = {
		{ "{}", "core.size", true },
		{ "{\"core.size\":1}", "core.size", true },
		{ "{\"core.size\":true}", "core.size", true },
		{ "{\"core.size\":1}", "core.type", false },
		{ "{\"core.size\":1}", "core.sizes", false },
		{ "{\"core.size\":0}", "core.size", false },
		{ "{\"core.size\":0}", "core.type", true },
		{ "{\"core.size\":1,\"core.type\":0}", "core.type", false },
		{ "{\"core.size\":1,\"core.type\":0}", "core.gid", false },
		{ "{\"image\":1}", "image.width", true },
		{ "{\"image\":1}", "imagery.width", false },
		{ "{\"video.codec\":0}", "video.codec.audio", false },
		{ "{\"no.such\":1}", "core.size", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		struct projection projection = { 0 };

		assert_int_equal(projection_parse(ROWS[i].text, &projection, NULL), 0);
		if (projection_shows(&projection, ROWS[i].property) != ROWS[i].shown)
			fail_msg("%s, %s", ROWS[i].text, ROWS[i].property);
		projection_done(&projection);
	}
}

static void
check_bad_projection(void **state)
{
	static const char *const ROWS[] = {
		"", "[1]", "1", "{\"a\":", "x", "{\"filters\":1}", "{\"filters\":\"\"}"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		struct projection projection = { 0 };
		struct pxs_error err = { 0 };

		assert_int_equal(projection_parse(ROWS[i], &projection, &err), -EINVAL);
		assert_true(err.text[0]);
	}
}

/* As python-eve: int(float(text)). */
static void
check_count(void **state)
{
	static const struct {
		const char *text;
		uint64_t count;
	} ROWS[] = {
		{ NULL, 25 },  { "", 25 },	 { "10", 10 },	   { "1e2", 100 },
		{ "2.9", 2 },  { "0", 25 },	 { "-5", 25 },	   { "x", 25 },
		{ "10x", 25 }, { "1000", 1000 }, { "1001", 1000 }, { "1e300", 1000 },
		{ "nan", 25 }, { "inf", 25 },	 { "0.5", 25 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
		assert_int_equal(request_count(ROWS[i].text, 25, 1000), ROWS[i].count);
}

static void
check_accept(void **state)
{
	static const struct {
		const char *accept;
		bool plain;
	} ROWS[] = {
		{ NULL, false },
		{ "*/*", false },
		{ "application/json", true },
		{ "Application/JSON;q=0.9", true },
		{ "application/json, */*", false },
		{ "application/vnd.collection+json", false },
		{ "application/vnd.collection+json, application/json", false },
		{ "text/html", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
		assert_int_equal(request_accept_prefers(ROWS[i].accept, "application/json"),
				 ROWS[i].plain);
}

static void
check_etag(void **state)
{
	static const struct {
		const char *list;
		bool matches;
	} ROWS[] = {
		{ "\"abc\"", true },	 { "abc", true },
		{ "W/\"abc\"", true },	 { "\"x\", \"abc\"", true },
		{ "\"x\",W/abc", true }, { "*", true },
		{ "\"ab\"", false },	 { "\"abcd\"", false },
		{ "", false },		 { "\"", false },
		{ ",,,", false },	 { "\"x\"\"y\"", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
		assert_int_equal(item_etag_matches(ROWS[i].list, "abc"), ROWS[i].matches);
}

static void
check_id(void **state)
{
	static const struct {
		const char *text;
		int result;
		int64_t id;
	} ROWS[] = {
		{ "1", 0, 1 },
		{ "9223372036854775807", 0, INT64_MAX },
		{ "9223372036854775808", -ENOENT, 0 },
		{ "99999999999999999999", -ENOENT, 0 },
		{ "0", -ENOENT, 0 },
		{ "01", -ENOENT, 0 },
		{ "-1", -ENOENT, 0 },
		{ "", -ENOENT, 0 },
		{ "1 ", -ENOENT, 0 },
		{ "1x", -ENOENT, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		int64_t id = 0;

		assert_int_equal(item_id_parse(ROWS[i].text, &id), ROWS[i].result);
		assert_int_equal(id, ROWS[i].id);
	}
}

static void
check_route(void **state)
{
	static const struct {
		const char *method;
		const char *path;
		int result;
		handler handle;
		const char *tail;
		const char *allowed;
	} ROWS[] = {
		{ "GET", "/", 0, handle_home, "", "" },
		{ "GET", "/api", 0, handle_home, "", "" },
		{ "GET", "/api/", 0, handle_home, "", "" },
		{ "GET", "/files", 0, handle_files, "", "" },
		{ "GET", "/files/", 0, handle_files, "", "" },
		{ "HEAD", "/api/files", 0, handle_files, "", "" },
		{ "GET", "/files/5", 0, handle_item, "5", "" },
		{ "GET", "/files/5/", 0, handle_item, "5", "" },
		{ "GET", "/api/files/5", 0, handle_item, "5", "" },
		{ "GET", "/files/5/6", -ENOENT, NULL, "", "" },
		{ "GET", "/filesystem", -ENOENT, NULL, "", "" },
		{ "GET", "/apifiles", -ENOENT, NULL, "", "" },
		{ "GET", "", -ENOENT, NULL, "", "" },
		{ "GET", "//", 0, handle_home, "", "" },
		{ "POST", "/files", -EOPNOTSUPP, NULL, "", "GET, HEAD, DELETE, OPTIONS" },
		{ "PUT", "/files/5", -EOPNOTSUPP, NULL, "", "GET, HEAD, PATCH, DELETE, OPTIONS" },
		{ "PATCH", "/files/5", 0, handle_patch, "5", "" },
		{ "DELETE", "/api/files/5/", 0, handle_delete, "5", "" },
		{ "DELETE", "/files/", 0, handle_purge, "", "" },
		{ "POST", "/files/5/undelete", 0, handle_undelete, "5", "" },
		{ "POST", "/files//undelete", -ENOENT, NULL, "", "" },
		{ "POST", "/files/undelete", -EOPNOTSUPP, NULL, "",
		  "GET, HEAD, PATCH, DELETE, OPTIONS" },
		{ "GET", "/files/5/undelete", -EOPNOTSUPP, NULL, "", "POST, OPTIONS" },
		{ "OPTIONS", "/mounts", -EOPNOTSUPP, NULL, "", "GET, HEAD, POST, DELETE, OPTIONS" },
		{ "DELETE", "/mounts", 0, handle_unmount, "", "" },
		{ "POST", "/ingest", 0, handle_job_submit, "", "" },
		{ "GET", "/ingest/12", 0, handle_job, "12", "" },
		{ "GET", "/schema/files", 0, handle_schema, "", "" },
		{ "GET", "/schema", -ENOENT, NULL, "", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		CLEANUP(pxs_buf) struct pxs_buf tail = PXS_BUF_INIT;
		CLEANUP(pxs_buf) struct pxs_buf allowed = PXS_BUF_INIT;
		const struct route *route = NULL;

		if (route_find(ROWS[i].method, ROWS[i].path, &route, &tail, &allowed) !=
		    ROWS[i].result)
			fail_msg("%s %s", ROWS[i].method, ROWS[i].path);
		assert_ptr_equal(route ? route->handle : NULL, ROWS[i].handle);
		assert_string_equal(pxs_buf_text(&tail), ROWS[i].tail);
		if (ROWS[i].result)
			assert_string_equal(pxs_buf_text(&allowed), ROWS[i].allowed);
	}
}

static void
check_status(void **state)
{
	static const struct {
		int result;
		unsigned int status;
	} ROWS[] = {
		{ -EINVAL, 400 },	{ -ENAMETOOLONG, 400 }, { -EACCES, 403 },
		{ -ENOENT, 404 },	{ -EBUSY, 409 },	{ -EMSGSIZE, 413 },
		{ -E2BIG, 414 },	{ -ERANGE, 416 },	{ -EIO, 500 },
		{ -ENOMEM, 500 },	{ -ETIMEDOUT, 503 },	{ -ENOSPC, 507 },
		{ -EHOSTUNREACH, 502 }, { -EREMOTEIO, 502 },	{ -EPROTO, 502 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
		assert_int_equal(reply_status_of(ROWS[i].result), ROWS[i].status);
}

/* A path goes out and comes back with the same bytes, text or not. */
static void
check_path_bytes(void **state)
{
	static const char *const ROWS[] = { "/a b", "/caf\xc3\xa9", "/bad\xff%41\n", "/%41",
					    "/\xed\xa0\x80" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;
		CLEANUP(pxs_buf) struct pxs_buf back = PXS_BUF_INIT;
		CLEANUP(json_decref) json_t *object = NULL;
		struct pxs_json json;

		pxs_json_init(&json, &text, 0);
		pxs_json_begin_object(&json);
		reply_path(&json, "path", ROWS[i]);
		pxs_json_end_object(&json);
		object = json_loads(pxs_buf_text(&text), 0, NULL);
		assert_non_null(object);
		assert_int_equal(request_json_path(object, "path", &back, NULL), 0);
		assert_string_equal(pxs_buf_text(&back), ROWS[i]);
	}
}

static void
check_range(void **state)
{
	static const struct {
		const char *header;
		enum content_range range;
		uint64_t start, len;
	} ROWS[] = {
		{ "bytes=0-499", CONTENT_PART, 0, 500 },
		{ "bytes=0-0", CONTENT_PART, 0, 1 },
		{ "Bytes=500-", CONTENT_PART, 500, 500 },
		{ "bytes=-1", CONTENT_PART, 999, 1 },
		{ "bytes=-5000", CONTENT_PART, 0, 1000 },
		{ "bytes=900-5000", CONTENT_PART, 900, 100 },
		{ "bytes=0-99999999999999999999999", CONTENT_PART, 0, 1000 },
		{ "bytes=1000-", CONTENT_UNSATISFIABLE, 0, 0 },
		{ "bytes=99999999999999999999999-", CONTENT_UNSATISFIABLE, 0, 0 },
		{ "bytes=-0", CONTENT_UNSATISFIABLE, 0, 0 },
		{ "bytes=5-4", CONTENT_WHOLE, 0, 0 },
		{ "bytes=0-1,3-4", CONTENT_WHOLE, 0, 0 },
		{ "bytes=-", CONTENT_WHOLE, 0, 0 },
		{ "bytes=", CONTENT_WHOLE, 0, 0 },
		{ "bytes=x-", CONTENT_WHOLE, 0, 0 },
		{ "bytes= 0-1", CONTENT_WHOLE, 0, 0 },
		{ "items=0-1", CONTENT_WHOLE, 0, 0 },
		{ "", CONTENT_WHOLE, 0, 0 },
	};
	uint64_t start, len;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		start = len = 0;
		assert_int_equal(content_range_parse(ROWS[i].header, 1000, &start, &len),
				 ROWS[i].range);
		assert_int_equal(start, ROWS[i].start);
		assert_int_equal(len, ROWS[i].len);
	}
	assert_int_equal(content_range_parse("bytes=0-", 0, &start, &len), CONTENT_UNSATISFIABLE);
}

static void
check_gzip(void **state)
{
	static const struct {
		const char *value;
		bool taken;
	} ROWS[] = {
		{ NULL, false },	  { "", false },
		{ "gzip", true },	  { "deflate, gzip;q=1.0, *;q=0.5", true },
		{ "GZIP", true },	  { "gzip;q=0.5", true },
		{ "gzip;q=0.001", true }, { "gzip;q=0", false },
		{ "gzip; q=0.0", false }, { "gzip;q=0, deflate", false },
		{ "identity", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
		assert_int_equal(reply_accepts_gzip(ROWS[i].value), ROWS[i].taken);
}

static void
check_dates(void **state)
{
	char text[40];
	int64_t time_ns;

	(void)state;
	assert_int_equal(reply_date_parse("Sun, 06 Nov 1994 08:49:37 GMT", &time_ns), 0);
	assert_int_equal(time_ns, INT64_C(784111777000000000));
	reply_date_print(time_ns, text, sizeof(text));
	assert_string_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT");
	assert_int_equal(reply_date_parse("yesterday", &time_ns), -EINVAL);
	assert_int_equal(reply_date_parse("Sun, 06 Nov 1994 08:49:37 GMT+", &time_ns), -EINVAL);
	assert_int_equal(reply_date_parse("Fri, 11 Apr 2262 23:47:16 GMT", &time_ns), 0);
	assert_int_equal(reply_date_parse("Fri, 31 Dec 9999 23:59:59 GMT", &time_ns), -EINVAL);
}

int
main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(check_href),
		cmocka_unit_test(check_projection),
		cmocka_unit_test(check_bad_projection),
		cmocka_unit_test(check_count),
		cmocka_unit_test(check_accept),
		cmocka_unit_test(check_etag),
		cmocka_unit_test(check_id),
		cmocka_unit_test(check_route),
		cmocka_unit_test(check_status),
		cmocka_unit_test(check_path_bytes),
		cmocka_unit_test(check_range),
		cmocka_unit_test(check_gzip),
		cmocka_unit_test(check_dates),
	};

	return cmocka_run_group_tests_name("rest", TESTS, NULL, NULL);
}
