/* libFuzzer: values; the first byte chooses the type. */
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;
	struct pxs_arena arena = { 0 };
	struct pxs_error err = { 0 };
	struct query_value value, again;
	enum query_type type = size ? data[0] % (QUERY_TYPE_PROXY + 1) : QUERY_TYPE_STRING;

	fuzz_text(&text, data + (size > 0), size - (size > 0));
	if (query_value_parse(type, pxs_buf_text(&text), &arena, &value, &err) == 0) {
		query_value_print(&value, &buf);
		FUZZ_REQUIRE(query_value_parse(type, pxs_buf_text(&buf), &arena, &again, NULL) ==
			     0);
		FUZZ_REQUIRE(query_value_compare(&value, &again) == 0);
	} else {
		FUZZ_REQUIRE(err.code == EINVAL && err.text[0]);
	}
	pxs_arena_done(&arena);
	return 0;
}
