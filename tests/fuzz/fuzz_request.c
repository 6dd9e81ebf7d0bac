/* libFuzzer: what stands in a request beside queries. Any bytes as a number, a header's value, an
 * id, a body, and as the text that a link carries. */
#include "tests/fuzz/fuzz.h"

#include <errno.h>

#include "base/percent.h"
#include "rest/href.h"
#include "rest/item.h"
#include "rest/reply.h"
#include "rest/request.h"

static void
check_count(const char *text)
{
	uint64_t count = request_count(text, 25, 1000);
	int64_t id;

	FUZZ_REQUIRE(count >= 1 && count <= 1000);
	FUZZ_REQUIRE(request_count(text, 0, UINT64_MAX / 2) <= UINT64_MAX / 2);
	if (item_id_parse(text, &id) == 0)
		FUZZ_REQUIRE(id > 0);
}

static void
check_headers(const char *text)
{
	(void)request_accept_prefers(text, "application/json");
	(void)reply_accepts_gzip(text);
	(void)item_etag_matches(text, "0123456789abcdef");
}

static void
check_path(const json_t *object)
{
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	struct pxs_error err = { 0 };
	int r = request_json_path(object, "path", &path, &err);

	FUZZ_REQUIRE(r == 0 || (r == -EINVAL && err.text[0]));
	FUZZ_REQUIRE(r < 0 || strlen(pxs_buf_text(&path)) == path.len);
}

static void
check_body(const uint8_t *data, size_t size)
{
	CLEANUP(request) struct request *request = NULL;
	CLEANUP(json_decref) json_t *object = NULL;
	struct pxs_error err = { 0 };
	int r;

	FUZZ_REQUIRE(request_new(NULL, "/", &request) == 0);
	request_add_body(request, (const char *)data, size);
	r = request_json(request, &object, &err);
	FUZZ_REQUIRE(r == 0 || (r == -EINVAL && err.text[0]));
	if (r == 0)
		check_path(object);
}

/* What a link says is what its reader decodes. */
static void
check_link(const char *text)
{
	static const char BEFORE[] = "/files/?where=";
	const struct href href = { .where = text, .max_results = 10 };
	CLEANUP(pxs_buf) struct pxs_buf link = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf decoded = PXS_BUF_INIT;
	const char *value;

	href_print(&href, &link);
	FUZZ_REQUIRE(link.error == 0 && !strncmp(link.data, BEFORE, strlen(BEFORE)));
	value = link.data + strlen(BEFORE);
	pxs_percent_decode(&decoded, value, strcspn(value, "&"));
	FUZZ_REQUIRE(!strcmp(pxs_buf_text(&decoded), text));
	FUZZ_REQUIRE(!strcmp(strchrnul(value, '&'), "&max_results=10"));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

	fuzz_text(&text, data, size);
	check_count(pxs_buf_text(&text));
	check_headers(pxs_buf_text(&text));
	check_link(pxs_buf_text(&text));
	check_body(data, size);
	return 0;
}
