/* libFuzzer: percent escapes and UTF-8. */
#include "tests/fuzz/fuzz.h"

#include <unistr.h>

#include "base/percent.h"
#include "base/utf8.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	CLEANUP(pxs_buf) struct pxs_buf encoded = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf decoded = PXS_BUF_INIT;
	const uint8_t *fault = u8_check(data, size);

	FUZZ_REQUIRE(pxs_utf8_valid_prefix(bytes, size) == (fault ? (size_t)(fault - data) : size));
	pxs_percent_encode(&encoded, bytes, size, query_name_escapes);
	pxs_percent_decode(&decoded, pxs_buf_text(&encoded), encoded.len);
	FUZZ_REQUIRE(decoded.len == size && (!size || memcmp(decoded.data, bytes, size) == 0));
	pxs_buf_clear(&decoded);
	pxs_percent_decode(&decoded, bytes, size);
	FUZZ_REQUIRE(decoded.len <= size);
	return 0;
}
