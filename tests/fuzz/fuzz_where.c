/* libFuzzer: where clauses. */
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;
	CLEANUP(query) struct query *query = NULL;
	struct pxs_error err = { 0 };
	int r;

	fuzz_text(&text, data, size);
	FUZZ_REQUIRE(query_new(&query) == 0);
	r = query_add_where(query, pxs_buf_text(&text), test_schema(), &err);
	fuzz_check(query, r, &err, text.len);
	return 0;
}
