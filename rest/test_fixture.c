#include "rest/test_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/buf.h"
#include "base/error.h"
#include "index/index.h"
#include "index/ingest/ingest.h"
#include "rest/rest.h"

struct fixture fixture;

/* --- A client --- */

void
answer_done(struct answer *answer)
{
	json_decref(answer->json);
	free(answer->body);
}

int
fixture_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	(void)close(fd);
	return -errno;
}

/* Illegal characters of links as %XX, as clients must. */
static void
add_url(struct pxs_buf *buf, const char *url)
{
	for (const char *c = url; *c; c++)
		if (strchr(" \"{}[]|<>\\^`", *c))
			pxs_buf_addf(buf, "%%%02X", (unsigned char)*c);
		else
			pxs_buf_add_char(buf, *c);
}

void
ask(const char *method, const char *url, const char *headers, const char *body,
    struct answer *answer)
{
	CLEANUP(pxs_buf) struct pxs_buf request = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf reply = PXS_BUF_INIT;
	CLEANUP(close) int fd = fixture_connect(fixture.socket_path);
	char *end;
	ssize_t n;

	*answer = (struct answer){ 0 };
	assert_true(fd >= 0);
	pxs_buf_addf(&request, "%s ", method);
	add_url(&request, url);
	pxs_buf_addf(&request, " HTTP/1.1\r\nHost: pxs\r\nConnection: close\r\n%s", headers);
	pxs_buf_addf(&request, "Content-Length: %zu\r\n\r\n%s", strlen(body), body);
	assert_int_equal(write(fd, request.data, request.len), (ssize_t)request.len);
	while ((n = read(fd, pxs_buf_reserve(&reply, 65536), 65536)) > 0)
		reply.len += (size_t)n;
	pxs_buf_add(&reply, "", 0);

	end = strstr(pxs_buf_text(&reply), "\r\n\r\n");
	assert_non_null(end);
	(void)snprintf(answer->head, sizeof(answer->head), "%.*s", (int)(end - reply.data + 2),
		       reply.data);
	assert_int_equal(sscanf(answer->head, "HTTP/1.1 %d", &answer->status), 1);
	answer->body_len = reply.len - (size_t)(end + 4 - reply.data);
	answer->body = malloc(answer->body_len + 1);
	assert_non_null(answer->body);
	memcpy(answer->body, end + 4, answer->body_len);
	answer->body[answer->body_len] = '\0';
	answer->json = json_loads(answer->body, 0, NULL);
}

void
get(const char *url, struct answer *answer)
{
	ask("GET", url, "", "", answer);
}

json_t *
member(const struct answer *answer, const char *key)
{
	return json_object_get(json_object_get(answer->json, "collection"), key);
}

json_int_t
hits_of(const struct answer *answer)
{
	json_t *first = json_array_get(member(answer, "properties"), 0);

	assert_string_equal(json_string_value(json_object_get(first, "name")), "hits");
	return json_integer_value(json_object_get(first, "value"));
}

const char *
href_of(const struct answer *answer, const char *rel)
{
	json_t *link;
	size_t i;

	json_array_foreach (member(answer, "links"), i, link)
		if (strcmp(json_string_value(json_object_get(link, "rel")), rel) == 0)
			return json_string_value(json_object_get(link, "href"));
	return NULL;
}

json_t *
datum(json_t *item, const char *name)
{
	json_t *pair;
	size_t i;

	json_array_foreach (json_object_get(item, "data"), i, pair)
		if (strcmp(json_string_value(json_object_get(pair, "name")), name) == 0)
			return json_object_get(pair, "value");
	return NULL;
}

void
read_header(const struct answer *answer, const char *header, char *value, size_t size)
{
	const char *line = strstr(answer->head, header);

	value[0] = '\0';
	if (line)
		(void)snprintf(value, size, "%.*s", (int)strcspn(line + strlen(header), "\r"),
			       line + strlen(header));
}

/* --- The index --- */

static const struct query_property *
declare(const char *name, enum query_type type, bool multi)
{
	const struct query_property property = {
		.name = name, .prompt = name, .type = type, .multi = multi, .filter = true
	};
	const struct query_property *declared = NULL;

	assert_int_equal(index_property_add(fixture.index, &property, &declared, NULL), 0);
	return declared;
}

static const struct query_property *
declared(const char *name)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(fixture.index);

	return query_schema_find(index_view_schema(view), name);
}

static void
put_documents(void)
{
	const struct query_property *filename = declared("core.filename");
	const struct query_property *pathname = declared("core.pathname");
	const struct query_property *exact = declared("_index.path");
	const struct query_property *size = declared("core.size");
	const struct query_property *tags = declare("user.tags", QUERY_TYPE_STRING, true);
	const struct query_property *ratio = declare("user.ratio", QUERY_TYPE_DOUBLE, false);
	const struct query_property *flag = declare("user.all_flags", QUERY_TYPE_BOOLEAN, false);
	CLEANUP(index_document) struct index_document *document = NULL;
	struct index_write *write = NULL;
	struct pxs_error err = { 0 };

	assert_int_equal(index_document_new(&document), 0);
	assert_int_equal(index_write_begin(fixture.index, &write), 0);
	for (int i = 1; i <= FIXTURE_DOCUMENTS; i++) {
		struct query_value value = { .type = QUERY_TYPE_DOUBLE, .real = i / 8.0 };
		char text[64];

		index_document_clear(document);
		index_document_set_id(document, FIXTURE_ID + i);
		(void)snprintf(text, sizeof(text), "%s-%d.txt", i % 10 ? "cats" : "dogs", i);
		(void)index_document_add_string(document, filename, text, strlen(text));
		(void)snprintf(text, sizeof(text), "/tree/%d", i);
		(void)index_document_add_string(document, pathname, text, strlen(text));
		if (i == FIXTURE_EXACT)
			(void)index_document_add_string(document, exact, "/tree/%FF%0A%25", 15);
		(void)index_document_add_int(document, size, (int64_t)i * i);
		(void)index_document_add(document, ratio, &value);
		value = (struct query_value){ .type = QUERY_TYPE_BOOLEAN, .integer = i % 3 == 0 };
		if (i % 2)
			(void)index_document_add(document, flag, &value);
		for (int t = 0; t < i % 4; t++) {
			(void)snprintf(text, sizeof(text), "tag \"%d\"", (i / 4 + t) % 150);
			(void)index_document_add_string(document, tags, text, strlen(text));
		}
		assert_int_equal(index_document_seal(document), 0);
		assert_int_equal(index_write_put(write, document), 0);
	}
	if (index_write_commit(write, &err) < 0)
		fail_msg("%s", err.text);
}

int
fixture_setup(void **state)
{
	struct rest_options options = { .socket_path = fixture.socket_path };
	struct pxs_error err = { 0 };

	(void)state;
	(void)strcpy(fixture.dir, "/tmp/pxs-test-rest-XXXXXX");
	if (!mkdtemp(fixture.dir) || chmod(fixture.dir, 0711) < 0)
		return -1;
	(void)snprintf(fixture.socket_path, sizeof(fixture.socket_path), "%s/sock", fixture.dir);
	if (index_open(fixture.dir, INDEX_CREATE, &fixture.index, &err) < 0 ||
	    ingest_open(fixture.index, &fixture.ingest, &err) < 0) {
		(void)fprintf(stderr, "%s\n", err.text);
		return -1;
	}
	put_documents();
	options.index = fixture.index;
	options.ingest = fixture.ingest;
	options.public_readers = true;
	return rest_open(&options, &fixture.rest, &err);
}

int
fixture_teardown(void **state)
{
	char command[96];

	(void)state;
	rest_close(fixture.rest);
	ingest_close(fixture.ingest);
	index_close(fixture.index);
	(void)snprintf(command, sizeof(command), "rm -rf %s", fixture.dir);
	return system(command); // NOLINT(cert-env33-c)
}
