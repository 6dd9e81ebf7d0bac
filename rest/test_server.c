/* rest/ over its socket: what is answered to whom, and how the socket comes and goes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "index/index.h"
#include "rest/rest.h"
#include "rest/route.h"
#include "rest/test_fixture.h"

#define NOBODY 65534

static void
requests_get_the_documented_status(void **state)
{
	static const struct {
		const char *method;
		const char *url;
		const char *body;
		int status;
		const char *message; /* of the error; NULL: none */
	} ROWS[] = {
		{ "GET", "/", "", 200, NULL },
		{ "GET", "/files", "", 200, NULL },
		{ "GET", "/api/files/?where={}", "", 200, NULL },
		{ "GET", "/files?where=%7B%22_all%22%3A%22cats%22%7D", "", 200, NULL },
		{ "GET", "/files?where={\"no.such\":1}", "", 200, NULL },
		{ "GET", "/files?where={\"_all\":\"(a\"}", "", 400, "" },
		{ "GET", "/files?where={", "", 400, "" },
		{ "GET", "/files?where=%FF", "", 400, "not text" },
		{ "GET", "/files?where=%00", "", 400, "not text" },
		{ "GET", "/files?q=(a", "", 400, "expected" },
		{ "GET", "/files?path=core.size=1x..", "", 400, "core.size" },
		{ "GET", "/files?path=core.sise=1", "", 400, "core.size" },
		{ "GET", "/files?where={}&sort=no.such", "", 400, "no.such" },
		{ "GET", "/files?where={}&sort=", "", 200, NULL },
		{ "GET", "/files?where={}&limit=0", "", 400, "limit" },
		{ "GET", "/files?where={}&after=zz", "", 400, "after" },
		{ "GET", "/files?where={}&projection=[]", "", 400, "projection" },
		{ "GET", "/files?where={}&projection={\"filters\":\"\"}", "", 400, "filters" },
		{ "GET", "/files?where={}&max_results=1000&page=10", "", 200, NULL },
		{ "GET", "/files?where={}&max_results=1000&page=11", "", 416,
		  "10000 but was 11000" },
		{ "GET", "/files?where={}&max_results=300&page=33", "", 200, NULL },
		{ "GET", "/files?where={}&max_results=300&page=34", "", 416, "10200" },
		{ "GET", "/files?where={}&max_results=99999&page=0", "", 200, NULL },
		{ "GET", "/files/0", "", 404, "0" },
		{ "GET", "/files/3721279936826738507", "", 200, NULL },
		{ "HEAD", "/files/3721279936826738507", "", 200, NULL },
		{ "GET", "/nothing", "", 404, "nothing" },
		{ "PUT", "/files/3721279936826738507", "{}", 405, "PUT" },
		{ "POST", "/files", "", 405, "POST" },
		{ "OPTIONS", "/files", "", 204, NULL },
		{ "GET", "/schema/files", "", 200, NULL },
		{ "GET", "/status", "", 200, NULL },
		{ "GET", "/failures?page=2", "", 200, NULL },
		{ "GET", "/version", "", 200, NULL },
		{ "GET", "/ingest", "", 200, NULL },
		{ "GET", "/ingest/7", "", 404, "7" },
		{ "POST", "/ingest", "", 400, "JSON" },
		{ "POST", "/ingest", "[]", 400, "object" },
		{ "POST", "/ingest", "{}", 400, "path" },
		{ "POST", "/ingest", "{\"path\":\"/no/such\"}", 404, "/no/such" },
		{ "POST", "/ingest", "{\"path\":[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]}", 400,
		  "deep" },
		{ "POST", "/mounts", "{\"mountpoint\":\"/mnt\"}", 501, "mounted" },
		{ "GET", "/mounts", "", 200, NULL },
		{ "DELETE", "/mounts?mountpoint=/mnt", "", 501, "mounted" },
		{ "GET", "/check", "", 200, NULL },
		{ "GET", "/users", "", 501, "no users" },
		{ "POST", "/users", "{}", 501, "no users" },
		{ "PATCH", "/users/u", "{}", 501, "no users" },
		{ "DELETE", "/users/u", "", 501, "no users" },
		{ "GET", "/tokens", "", 501, "no users" },
		{ "POST", "/tokens", "{}", 501, "no users" },
		{ "DELETE", "/tokens/1", "", 501, "no users" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		CLEANUP(answer) struct answer answer = { 0 };
		const char *message;

		ask(ROWS[i].method, ROWS[i].url, "", ROWS[i].body, &answer);
		message = json_string_value(json_object_get(member(&answer, "error"), "message"));
		if (answer.status != ROWS[i].status)
			fail_msg("%s %s: %d, not %d: %s", ROWS[i].method, ROWS[i].url,
				 answer.status, ROWS[i].status, message ? message : "");
		if (ROWS[i].message && (!message || !strstr(message, ROWS[i].message)))
			fail_msg("%s %s: %s", ROWS[i].method, ROWS[i].url,
				 message ? message : "no error");
		if (!ROWS[i].message)
			assert_null(message);
	}
}

static void
an_error_names_the_parameter_and_the_byte(void **state)
{
	CLEANUP(answer) struct answer answer = { 0 };
	json_t *error;

	(void)state;
	get("/files?path=core.size=1..2/core.size=x..", &answer);
	error = member(&answer, "error");
	assert_string_equal(json_string_value(json_object_get(error, "code")), "400");
	assert_string_equal(json_string_value(json_object_get(error, "parameter")), "path");
	assert_int_equal(json_integer_value(json_object_get(error, "at")),
			 strlen("core.size=1..2/core.size="));
}

static void
too_long_requests_are_refused(void **state)
{
	CLEANUP(pxs_buf) struct pxs_buf url = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf body = PXS_BUF_INIT;
	CLEANUP(answer) struct answer long_url = { 0 };
	CLEANUP(answer) struct answer long_body = { 0 };

	(void)state;
	pxs_buf_add_str(&url, "/files?q=");
	while (url.len <= 65536)
		pxs_buf_add_char(&url, 'a');
	get(pxs_buf_text(&url), &long_url);
	assert_int_equal(long_url.status, 414);
	while (body.len <= 1048576)
		pxs_buf_add_char(&body, ' ');
	ask("POST", "/ingest", "", pxs_buf_text(&body), &long_body);
	assert_int_equal(long_body.status, 413);
}

static void
a_known_version_is_not_sent_again(void **state)
{
	CLEANUP(answer) struct answer answer = { 0 };
	CLEANUP(answer) struct answer again = { 0 };
	CLEANUP(answer) struct answer other = { 0 };
	char header[128];
	const char *etag;

	(void)state;
	get("/files/3721279936826738516", &answer);
	etag = json_string_value(datum(json_array_get(member(&answer, "items"), 0), "_etag"));
	(void)snprintf(header, sizeof(header), "ETag: \"%s\"", etag);
	assert_non_null(strstr(answer.head, header));
	(void)snprintf(header, sizeof(header), "If-None-Match: \"x\", W/\"%s\"\r\n", etag);
	ask("GET", "/files/3721279936826738516", header, "", &again);
	assert_int_equal(again.status, 304);
	ask("GET", "/files/3721279936826738517", header, "", &other);
	assert_int_equal(other.status, 200);
}

static void
hidden_properties_stay_hidden(void **state)
{
	static const char *const URLS[] = {
		"/schema/files",
		"/files?where={\"core.size\":49}", /* the one that has such a property */
		"/files?where={}&projection={\"filters\":\".\"}",
	};
	CLEANUP(answer) struct answer facet = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(URLS); i++) {
		CLEANUP(answer) struct answer answer = { 0 };

		get(URLS[i], &answer);
		assert_int_equal(answer.status, 200);
		assert_null(strstr(answer.body, "_index"));
	}
	get("/files?where={}&projection={\"filters\":\"_index.path\"}", &facet);
	assert_int_equal(facet.status, 200);
	assert_int_equal(json_array_size(member(&facet, "links")), 2); /* self and parent */
}

static void
json_may_be_had_under_its_plain_name(void **state)
{
	CLEANUP(answer) struct answer plain = { 0 };
	CLEANUP(answer) struct answer collection = { 0 };

	(void)state;
	ask("GET", "/files", "Accept: application/json\r\n", "", &plain);
	assert_non_null(strstr(plain.head, "Content-Type: application/json\r\n"));
	ask("GET", "/files", "Accept: text/html\r\n", "", &collection);
	assert_non_null(
		strstr(collection.head, "Content-Type: application/vnd.collection+json\r\n"));
}

static void
allow_tells_the_methods(void **state)
{
	CLEANUP(answer) struct answer options = { 0 };
	CLEANUP(answer) struct answer wrong = { 0 };

	(void)state;
	ask("OPTIONS", "/mounts", "", "", &options);
	assert_non_null(strstr(options.head, "Allow: GET, HEAD, POST, DELETE, OPTIONS\r\n"));
	ask("PUT", "/files/1", "", "{}", &wrong);
	assert_non_null(strstr(wrong.head, "Allow: GET, HEAD, PATCH, DELETE, OPTIONS\r\n"));
}

/* The status that URL has for a user that is nobody, its last digit as 0; 0 where he cannot even
 * connect. There are threads, so the child may call nothing that takes a lock: no malloc(). */
static int
status_for_nobody(const char *method, const char *url)
{
	char request[256];
	char head[16] = "";
	int fd;
	int status;
	pid_t pid;
	int len = snprintf(request, sizeof(request),
			   "%s %s HTTP/1.1\r\nHost: pxs\r\nContent-Length: 0\r\n\r\n", method, url);

	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (setgid(NOBODY) < 0 || setuid(NOBODY) < 0)
			_exit(255);
		fd = fixture_connect(fixture.socket_path);
		if (fd < 0)
			_exit(0);
		if (write(fd, request, (size_t)len) != len || read(fd, head, sizeof(head)) < 12)
			_exit(255);
		_exit((head[9] - '0') * 10 + head[10] - '0'); /* a byte has no room for 404 */
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status) * 10;
}

static void
others_may_search_and_no_more(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(status_for_nobody("GET", "/files?q=cats"), 200);
	assert_int_equal(status_for_nobody("POST", "/ingest"), 400);
	assert_int_equal(status_for_nobody("GET", "/check"), 400);
}

static void
without_public_others_cannot_connect(void **state)
{
	struct rest_options options = { .index = fixture.index, .ingest = fixture.ingest };
	char before[sizeof(fixture.socket_path)];
	struct rest *other = NULL;
	int status;

	(void)state;
	if (geteuid() != 0)
		skip();
	memcpy(before, fixture.socket_path, sizeof(before));
	(void)snprintf(fixture.socket_path, sizeof(fixture.socket_path), "%s/closed", fixture.dir);
	options.socket_path = fixture.socket_path;
	assert_int_equal(rest_open(&options, &other, NULL), 0);
	status = status_for_nobody("GET", "/version");
	rest_close(other);
	memcpy(fixture.socket_path, before, sizeof(before));
	assert_int_equal(status, 0);
}

static void
the_socket_is_taken_only_from_the_dead(void **state)
{
	static const struct {
		const char *name;
		int result;
		const char *text;
	} ROWS[] = {
		{ "sock", -EADDRINUSE, "a daemon already answers at" },
		{ "file", -EEXIST, "is not a socket" },
		{ "dead", 0, "" },
		{ "no/such", -ENOENT, "cannot make the socket" },
		{ "longer-than-a-socket-may-be-longer-than-a-socket-may-be-longer-than-a-socket-"
		  "may-be",
		  -ENAMETOOLONG, "longer than 107 bytes" },
	};
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	CLEANUP(close) int dead = socket(AF_UNIX, SOCK_STREAM, 0);
	CLEANUP(fclose) FILE *file = NULL;

	(void)state;
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/file", fixture.dir);
	file = fopen(address.sun_path, "w");
	assert_non_null(file);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/dead", fixture.dir);
	assert_int_equal(bind(dead, (struct sockaddr *)&address, sizeof(address)), 0);
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		struct rest_options options = { .index = fixture.index, .ingest = fixture.ingest };
		struct pxs_error err = { 0 };
		struct rest *other = NULL;
		char path[160];

		(void)snprintf(path, sizeof(path), "%s/%s", fixture.dir, ROWS[i].name);
		options.socket_path = path;
		assert_int_equal(rest_open(&options, &other, &err), ROWS[i].result);
		assert_non_null(strstr(err.text, ROWS[i].text));
		rest_close(other);
		if (ROWS[i].result == 0)
			assert_int_equal(access(path, F_OK), -1);
	}
}

static void
status_text_tells_the_documents(void **state)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

	(void)state;
	rest_status_text(fixture.rest, &text);
	assert_non_null(strstr(pxs_buf_text(&text), "documents 10250"));
	assert_non_null(strstr(pxs_buf_text(&text), fixture.dir));
}

static void
every_request_has_an_id(void **state)
{
	CLEANUP(answer) struct answer given = { 0 };
	CLEANUP(answer) struct answer bad = { 0 };
	char header[96];

	(void)state;
	ask("GET", "/nothing", "X-Request-Id: abc-1.2_3\r\n", "", &given);
	read_header(&given, "X-Request-Id: ", header, sizeof(header));
	assert_string_equal(header, "abc-1.2_3");
	assert_string_equal(json_string_value(json_object_get(member(&given, "error"), "request")),
			    header);
	ask("GET", "/files", "X-Request-Id: a b<c>\r\n", "", &bad);
	read_header(&bad, "X-Request-Id: ", header, sizeof(header));
	assert_true(strlen(header) > 4 && !strpbrk(header, " <>"));
}

static void
large_replies_are_packed_for_who_wants_it(void **state)
{
	CLEANUP(answer) struct answer plain = { 0 };
	CLEANUP(answer) struct answer packed = { 0 };
	CLEANUP(answer) struct answer small = { 0 };

	(void)state;
	get("/files?where={}", &plain);
	assert_null(strstr(plain.head, "Content-Encoding"));
	ask("GET", "/files?where={}", "Accept-Encoding: gzip, deflate\r\n", "", &packed);
	assert_non_null(strstr(packed.head, "Content-Encoding: gzip"));
	assert_non_null(strstr(packed.head, "Vary: Accept, Accept-Encoding"));
	assert_memory_equal(packed.body, "\x1f\x8b", 2);
	assert_true(packed.body_len < plain.body_len / 4);
	ask("GET", "/nothing", "Accept-Encoding: gzip\r\n", "", &small);
	assert_null(strstr(small.head, "Content-Encoding"));
}

static void
who_watches_is_told(void **state)
{
	CLEANUP(answer) struct answer health = { 0 };
	CLEANUP(answer) struct answer ready = { 0 };
	CLEANUP(answer) struct answer metrics = { 0 };
	CLEANUP(answer) struct answer status = { 0 };

	(void)state;
	get("/status", &status);
	assert_int_equal(json_integer_value(json_object_get(status.json, "documents")), 10250);
	get("/healthz", &health);
	assert_int_equal(health.status, 200);
	get("/readyz", &ready);
	assert_string_equal(ready.body, "ready\n");
	get("/metrics", &metrics);
	assert_non_null(strstr(metrics.body, "pxs_documents 10250\n"));
	assert_non_null(strstr(metrics.body,
			       "pxs_http_requests_total{method=\"GET\",route=\"/readyz\","
			       "status=\"2xx\"} 1\n"));
	assert_non_null(strstr(metrics.body, "route=\"/readyz\",le=\"+Inf\"} 1\n"));
}

/* Every row of the table is described, and every parameter in it. */
static void
the_description_is_that_of_the_routes(void **state)
{
	CLEANUP(answer) struct answer answer = { 0 };
	json_t *paths;

	(void)state;
	get("/openapi.json", &answer);
	assert_non_null(answer.json);
	paths = json_object_get(answer.json, "paths");
	for (size_t i = 0; route_at(i); i++) {
		const struct route *route = route_at(i);
		char method[16] = "";
		json_t *operation;
		size_t n = strchr(route->path, '{') ? 1 : 0;

		for (size_t c = 0; route->method[c]; c++)
			method[c] = (char)(route->method[c] | 0x20);
		operation = json_object_get(json_object_get(paths, route->path), method);
		assert_non_null(operation);
		for (const char *c = route->parameters; c && *c; c++)
			n += c == route->parameters || c[-1] == ' ';
		assert_int_equal(json_array_size(json_object_get(operation, "parameters")), n);
		assert_int_equal(!!json_object_get(operation, "requestBody"), route->body != NULL);
		assert_true(json_is_string(json_object_get(operation, "summary")));
	}
}

static void
saved_searches_are_queries(void **state)
{
	CLEANUP(answer) struct answer answer = { 0 };
	CLEANUP(answer) struct answer found = { 0 };
	json_t *query;

	(void)state;
	assert_int_equal(
		index_saved_put(fixture.index, "my cats", "_all=cats/core.size=49", false, NULL),
		0);
	get("/files", &answer);
	query = json_array_get(member(&answer, "queries"), 3);
	assert_string_equal(json_string_value(json_object_get(query, "prompt")), "my cats");
	get(json_string_value(json_object_get(query, "href")), &found);
	assert_int_equal(hits_of(&found), 1);
	assert_int_equal(index_saved_remove(fixture.index, "my cats", NULL), 0);
}

static void
a_date_is_enough_to_know_a_version(void **state)
{
	CLEANUP(answer) struct answer answer = { 0 };
	CLEANUP(answer) struct answer same = { 0 };
	CLEANUP(answer) struct answer older = { 0 };
	CLEANUP(answer) struct answer etag = { 0 };
	char date[64];
	char headers[256];

	(void)state;
	get("/files/3721279936826738516", &answer);
	read_header(&answer, "Last-Modified: ", date, sizeof(date));
	(void)snprintf(headers, sizeof(headers), "If-Modified-Since: %s\r\n", date);
	ask("GET", "/files/3721279936826738516", headers, "", &same);
	assert_int_equal(same.status, 304);
	ask("GET", "/files/3721279936826738516",
	    "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "", &older);
	assert_int_equal(older.status, 200);
	(void)snprintf(headers, sizeof(headers),
		       "If-None-Match: \"x\"\r\nIf-Modified-Since: %s\r\n", date);
	ask("GET", "/files/3721279936826738516", headers, "", &etag);
	assert_int_equal(etag.status, 200);
}

int
main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(requests_get_the_documented_status),
		cmocka_unit_test(an_error_names_the_parameter_and_the_byte),
		cmocka_unit_test(too_long_requests_are_refused),
		cmocka_unit_test(a_known_version_is_not_sent_again),
		cmocka_unit_test(a_date_is_enough_to_know_a_version),
		cmocka_unit_test(every_request_has_an_id),
		cmocka_unit_test(large_replies_are_packed_for_who_wants_it),
		cmocka_unit_test(who_watches_is_told),
		cmocka_unit_test(the_description_is_that_of_the_routes),
		cmocka_unit_test(saved_searches_are_queries),
		cmocka_unit_test(hidden_properties_stay_hidden),
		cmocka_unit_test(json_may_be_had_under_its_plain_name),
		cmocka_unit_test(allow_tells_the_methods),
		cmocka_unit_test(others_may_search_and_no_more),
		cmocka_unit_test(without_public_others_cannot_connect),
		cmocka_unit_test(the_socket_is_taken_only_from_the_dead),
		cmocka_unit_test(status_text_tells_the_documents),
	};

	return cmocka_run_group_tests_name("rest/server", TESTS, fixture_setup, fixture_teardown);
}
