/* libFuzzer: dates. */
#include "tests/fuzz/fuzz.h"

static void
check_print(int64_t time_ns, void (*print)(int64_t, struct pxs_buf *))
{
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;
	int64_t start_ns, end_ns;

	print(time_ns, &buf);
	FUZZ_REQUIRE(query_time_parse(pxs_buf_text(&buf), &start_ns, &end_ns, NULL) == 0);
	FUZZ_REQUIRE(start_ns == time_ns);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;
	struct pxs_error err = { 0 };
	int64_t start_ns, end_ns;
	int r;

	fuzz_text(&text, data, size);
	r = query_time_parse(pxs_buf_text(&text), &start_ns, &end_ns, &err);
	if (r < 0) {
		FUZZ_REQUIRE(r == -EINVAL || r == -ERANGE);
		FUZZ_REQUIRE(err.at >= 0 && err.at <= (long)text.len);
		return 0;
	}
	FUZZ_REQUIRE(start_ns < end_ns || end_ns == INT64_MAX);
	check_print(start_ns, query_time_print);
	check_print(start_ns, query_time_print_short);
	check_print(end_ns, query_time_print);
	return 0;
}
