/* libFuzzer: cursors, in the orders of a small index. The first byte chooses the order and whether
 * the rest is a cursor, or what is changed in one of ours: pairs of a place and a byte. */
#include "tests/fuzz/fuzz.h"

#include <errno.h>

#include "base/macros.h"
#include "index/index.h"

enum { NAME, TAGS, SIZE, RATIO, PROPERTIES };

static const struct query_property DECLARED[PROPERTIES] = {
	[NAME] = { .name = "t.name", .prompt = "Name", .type = QUERY_TYPE_STRING },
	[TAGS] = { .name = "t.tags", .prompt = "Tags", .type = QUERY_TYPE_STRING, .multi = true },
	[SIZE] = { .name = "t.size", .prompt = "Size", .type = QUERY_TYPE_LONG },
	[RATIO] = { .name = "t.ratio", .prompt = "Ratio", .type = QUERY_TYPE_DOUBLE },
};

static const char *const ORDERS[] = {
	"", "t.name", "-t.name,t.size", "t.tags,-t.ratio", "-t.size", "t.ratio,t.name,t.size",
};

#define DOCUMENTS 5

static struct index_view *view;
static struct index_hits *hits[ARRAY_SIZE(ORDERS)];

static void
add_values(struct index_document *document, const struct query_property *const *property,
	   int64_t id)
{
	static const char *const NAMES[] = { "ant", "bee \xc3\xa4", "cat", "cat", "dog" };
	const struct query_value ratio = { .type = QUERY_TYPE_DOUBLE, .real = (double)id / 3 };
	const char *name = NAMES[id - 1];

	FUZZ_REQUIRE(index_document_add_string(document, property[NAME], name, strlen(name)) == 0);
	for (int64_t i = 0; i < id % 3; i++)
		FUZZ_REQUIRE(index_document_add_string(document, property[TAGS], NAMES[i],
						       strlen(NAMES[i])) == 0);
	if (id % 2)
		FUZZ_REQUIRE(index_document_add_int(document, property[SIZE], id - 3) == 0);
	FUZZ_REQUIRE(index_document_add(document, property[RATIO], &ratio) == 0);
}

static void
put(struct index_write *write, const struct query_property *const *property, int64_t id)
{
	CLEANUP(index_document) struct index_document *document = NULL;

	FUZZ_REQUIRE(index_document_new(&document) == 0);
	index_document_set_id(document, id);
	add_values(document, property, id);
	FUZZ_REQUIRE(index_document_seal(document) == 0);
	FUZZ_REQUIRE(index_write_put(write, document) == 0);
}

static void
fill(struct index *index)
{
	const struct query_property *property[PROPERTIES];
	struct index_write *write;
	struct pxs_error err = { 0 };

	for (size_t i = 0; i < PROPERTIES; i++)
		FUZZ_REQUIRE(index_property_add(index, &DECLARED[i], &property[i], &err) == 0);
	FUZZ_REQUIRE(index_write_begin(index, &write) == 0);
	for (int64_t id = 1; id <= DOCUMENTS; id++)
		put(write, property, id);
	FUZZ_REQUIRE(index_write_commit(write, &err) == 0);
}

static void
ask(size_t order)
{
	CLEANUP(query) struct query *query = NULL;
	struct pxs_error err = { 0 };

	FUZZ_REQUIRE(query_new(&query) == 0);
	if (*ORDERS[order])
		FUZZ_REQUIRE(query_set_sort(query, ORDERS[order], index_view_schema(view), &err) ==
			     0);
	FUZZ_REQUIRE(index_search(view, query, NULL, &hits[order], &err) == 0);
}

/* Once: an index that stays open, in a folder that is gone as soon as it is. */
static void
prepare(void)
{
	char dir[] = "/tmp/pxs-fuzz-cursor-XXXXXX";
	char command[64];
	struct index *index;
	struct pxs_error err = { 0 };

	FUZZ_REQUIRE(mkdtemp(dir) && index_open(dir, INDEX_CREATE, &index, &err) == 0);
	fill(index);
	view = index_view_get(index);
	FUZZ_REQUIRE(view);
	for (size_t i = 0; i < ARRAY_SIZE(ORDERS); i++)
		ask(i);
	(void)snprintf(command, sizeof(command), "rm -rf %s", dir);
	FUZZ_REQUIRE(system(command) == 0);
}

/* The cursor of the first document, with BYTES put in. */
static void
change(struct index_hits *order, const uint8_t *bytes, size_t size, struct pxs_buf *cursor)
{
	uint32_t doc;
	size_t n;

	FUZZ_REQUIRE(index_hits_page(order, 0, NULL, &doc, 1, &n) == 0 && n == 1);
	FUZZ_REQUIRE(index_hits_cursor(order, doc, cursor) == 0);
	for (size_t i = 0; i + 1 < size; i += 2)
		cursor->data[bytes[i] % cursor->len] = (char)bytes[i + 1];
}

/* A cursor that is taken tells no document twice, and each tells where its own place is. */
static void
check(struct index_hits *order, const char *cursor)
{
	CLEANUP(pxs_buf) struct pxs_buf next = PXS_BUF_INIT;
	uint32_t docs[DOCUMENTS];
	uint32_t rest[DOCUMENTS];
	struct pxs_error err = { 0 };
	size_t n_rest;
	size_t n;
	int r = index_hits_resume(order, cursor, NULL, docs, DOCUMENTS, &n, &err);

	FUZZ_REQUIRE(r == 0 || (r == -EINVAL && err.text[0]));
	if (r < 0 || n == 0)
		return;
	FUZZ_REQUIRE(index_hits_cursor(order, docs[0], &next) == 0);
	FUZZ_REQUIRE(index_hits_resume(order, pxs_buf_text(&next), NULL, rest, DOCUMENTS, &n_rest,
				       &err) == 0);
	FUZZ_REQUIRE(n_rest == n - 1 && !memcmp(rest, docs + 1, n_rest * sizeof(*rest)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(pxs_buf) struct pxs_buf cursor = PXS_BUF_INIT;
	struct index_hits *order;

	if (!view)
		prepare();
	if (!size)
		return 0;
	order = hits[(data[0] >> 1) % ARRAY_SIZE(ORDERS)];
	if (data[0] & 1)
		change(order, data + 1, size - 1, &cursor);
	else
		fuzz_text(&cursor, data + 1, size - 1);
	check(order, pxs_buf_text(&cursor));
	return 0;
}
