/* libFuzzer: any bytes as text and as a stream, whose length the first byte tells. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "index/terms.h"
#include "query/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool holds)
{
	if (!holds)
		abort();
}

/* Words are folded already, start with nothing that could be a tag, and fit. */
static int
check_word(void *context, const char *word, size_t len)
{
	struct pxs_buf *words = context;
	CLEANUP(pxs_buf) struct pxs_buf folded = PXS_BUF_INIT;

	require(len > 0 && len <= QUERY_WORD_MAX);
	require((unsigned char)word[0] >= 0x20 && !memchr(word, '\0', len));
	require(query_fold(word, len, &folded) == 0);
	require(folded.len == len && !memcmp(folded.data, word, len));
	pxs_buf_add(words, word, len);
	pxs_buf_add_char(words, '\0');
	return 0;
}

static void
check_text(const char *text, size_t len)
{
	CLEANUP(pxs_buf) struct pxs_buf folded = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf words = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf again = PXS_BUF_INIT;
	bool valid = pxs_utf8_valid(text, len);

	require(query_fold(text, len, &folded) == (valid ? 0 : -EILSEQ));
	require(query_words(text, len, check_word, &words) == (valid ? 0 : -EILSEQ));
	if (!valid)
		return;
	require(pxs_utf8_valid(folded.data, folded.len));
	require(query_words(folded.data, folded.len, check_word, &again) == 0);
	require(again.len == words.len &&
		!memcmp(pxs_buf_text(&again), pxs_buf_text(&words), words.len));
}

static void
check_stream(const char *stream, size_t len, bool must_end_well)
{
	const char *term;
	size_t before;
	size_t at = 0;
	size_t term_len;
	bool same;

	for (before = at; terms_stream_next(stream, len, &at, &term, &term_len, &same);
	     before = at) {
		require(at > before && at <= len);
		require(term_len > 0 && term + term_len == stream + at);
		require(!must_end_well || term_len <= QUERY_WORD_MAX + 4);
	}
	require(!must_end_well || at == len);
}

static void
check_own_stream(const char *text, size_t len)
{
	static const struct query_property FILENAME = { .name = "core.filename", .number = 70000 };
	CLEANUP(pxs_buf) struct pxs_buf stream = PXS_BUF_INIT;

	require(terms_stream_add_number(&stream, text, len) == 0);
	if (terms_stream_add_string(&stream, &FILENAME, text, len) == 0)
		check_stream(stream.data, stream.len, true);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data + 1;
	size_t stream_len;

	if (!size)
		return 0;
	stream_len = data[0] < size - 1 ? data[0] : size - 1;
	check_stream(bytes, stream_len, false);
	check_text(bytes + stream_len, size - 1 - stream_len);
	check_own_stream(bytes + stream_len, size - 1 - stream_len);
	return 0;
}
