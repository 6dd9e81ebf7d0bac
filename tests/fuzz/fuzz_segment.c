/* libFuzzer: paths of segments, and the kind of each name. */
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	CLEANUP(query) struct query *query = NULL;
	struct pxs_error err = { 0 };
	int r;

	fuzz_text(&path, data, size);
	(void)query_name_classify(path.data, test_schema());
	FUZZ_REQUIRE(query_new(&query) == 0);
	r = fuzz_add_path(query, path.data, &err);
	fuzz_check(query, r, &err, size);
	return 0;
}
