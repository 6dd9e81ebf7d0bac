/* libFuzzer: what a core answers: a schema, or a collection. Whatever comes, it is refused with a
 * sentence or becomes documents; and every part of a catalogue has an item or not. */
#include <errno.h>
#include <stdatomic.h>

#include "base/macros.h"
#include "index/sync/partition.h"
#include "index/sync/reader.h"
#include "tests/fuzz/fuzz.h"

/* Each input may declare some for good; then the index is made anew. */
#define PROPERTIES_MAX 300

static struct reader reader;
static struct index_document *document;

/* An index in a folder that is gone as soon as it is open. */
static void
prepare(void)
{
	char dir[] = "/tmp/pxs-fuzz-reader-XXXXXX";
	char command[64];
	struct pxs_error err = { 0 };

	FUZZ_REQUIRE(mkdtemp(dir) && index_open(dir, INDEX_CREATE, &reader.index, &err) == 0);
	FUZZ_REQUIRE(index_origin_declare(reader.index, &reader.origin, &err) == 0);
	(void)snprintf(command, sizeof(command), "rm -rf %s", dir);
	FUZZ_REQUIRE(system(command) == 0);
	FUZZ_REQUIRE(document || index_document_new(&document) == 0);
}

static void
check_parts(const json_t *item, const struct partition *part, int depth)
{
	struct partition parts[PARTITION_SPLIT_MAX];
	struct partition rest = *part;
	size_t within = 0;
	size_t n;

	if (partition_advance(&rest, item))
		FUZZ_REQUIRE(rest.ranges[rest.n - 1].low > part->ranges[rest.n - 1].low);
	partition_split(part, parts, &n);
	for (size_t i = 0; i < n; i++)
		within += partition_has(&parts[i], item);
	FUZZ_REQUIRE(n == 0 || within == partition_has(part, item));
	for (size_t i = 0; i < n && depth < 6; i++)
		if (partition_has(&parts[i], item))
			check_parts(item, &parts[i], depth + 1);
}

static void
check_item(const json_t *item)
{
	const struct partition whole = { 0 };
	struct pxs_error err = { 0 };
	const char *etag = "";
	int64_t id = 0;
	int known = reader_identity(item, &id, &etag, &err);

	FUZZ_REQUIRE(known == 0 ? id > 0 && *etag : known == -EPROTO && err.text[0]);
	(void)reader_time(item, "_updated");
	check_parts(item, &whole, 0);
	index_document_clear(document);
	err = (struct pxs_error){ 0 };
	FUZZ_REQUIRE(reader_document(&reader, item, document, &err) < 0 || known == 0);
}

static void
check_answer(const json_t *answer)
{
	const json_t *items = NULL;
	const json_t *item;
	struct pxs_error err = { 0 };
	int64_t number;
	size_t i;

	(void)reader_number(answer, "hits", &number);
	(void)reader_text(answer, "index");
	(void)reader_link(answer, "next");
	if (reader_items(answer, &items, &err) < 0) {
		FUZZ_REQUIRE(err.text[0]);
		return;
	}
	json_array_foreach (items, i, item)
		check_item(item);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *json = json_loadb((const char *)data, size, 0, NULL);
	struct pxs_error err = { 0 };
	struct index_stats stats;

	if (!json)
		return 0;
	if (!reader.index)
		prepare();
	check_answer(json);
	FUZZ_REQUIRE(reader_schema(&reader, json, &err) == 0 || err.text[0]);
	json_decref(json);
	FUZZ_REQUIRE(index_stats(reader.index, &stats) == 0);
	if (stats.properties > PROPERTIES_MAX) {
		index_close(reader.index);
		reader.index = NULL;
	}
	return 0;
}
