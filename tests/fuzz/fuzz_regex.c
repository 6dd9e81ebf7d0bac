/* libFuzzer: a regular expression in Lucene's syntax, and behind a line's end what it may match. */
#include "tests/fuzz/fuzz.h"

#include "base/utf8.h"
#include "index/regex.h"

static void
check_refusal(int r, const struct pxs_error *err, const char *text)
{
	FUZZ_REQUIRE(r == -EINVAL && err->code == EINVAL && err->text[0]);
	FUZZ_REQUIRE(err->at >= -1 && err->at <= (long)strlen(text));
}

static void
check_match(struct regex *regex, const char *text, size_t len)
{
	size_t literal_len;
	const char *literal = regex_literal(regex, &literal_len);
	int r = regex_match(regex, text, len);

	FUZZ_REQUIRE(r == 0 || r == 1 || r == -E2BIG);
	FUZZ_REQUIRE(r != 1 || !literal_len || memmem(text, len, literal, literal_len));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;
	CLEANUP(regex) struct regex *regex = NULL;
	struct pxs_error err = { 0 };
	const uint8_t *line = memchr(data, '\n', size);
	size_t len = line ? (size_t)(line - data) : size;
	const char *subject = (const char *)data + len + (line != NULL);
	size_t subject_len = size - len - (line != NULL);
	int r;

	fuzz_text(&text, data, len);
	r = regex_new(pxs_buf_text(&text), &regex, &err);
	if (r < 0)
		check_refusal(r, &err, pxs_buf_text(&text));
	else if (pxs_utf8_valid(subject, subject_len)) /* as all that the index holds */
		check_match(regex, subject, subject_len);
	return 0;
}
