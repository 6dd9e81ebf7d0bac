/* Lucene's syntax has no anchors, classes like \d, back references or look-around: what it does not
 * know is taken as is. So each of its signs becomes PCRE2's, and everything else a character by
 * number, that means nothing to PCRE2:
 *
 *     a.b|"c.d"  ->  \x{61}.\x{62}|(?:\x{63}\x{2e}\x{64})
 *
 * On the way the longest run of such characters that every match must hold is found, "c.d" of
 * a*"c.d": words without it need not be matched.
 *
 * A match that backtracks for ever ends at MATCH_STEPS. */
#include "index/regex.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <unistr.h>

#include "base/buf.h"
#include "base/error.h"

/* Steps for one word or value, and kilobytes of memory meanwhile; 1,000,000 steps take a few ms. */
#define MATCH_STEPS 1000000
#define MATCH_HEAP_KB 4096

/* Groups within groups; PCRE2's own limit is 250. */
#define GROUPS_MAX 100

struct regex {
	struct pxs_buf literal;
	bool plain;
	pcre2_code *code;
	pcre2_match_data *data;
	pcre2_match_context *context;
};

struct translator {
	const char *text;
	size_t at;
	struct pxs_buf *buf;
	struct pxs_error *err;
	unsigned int groups;	 /* that are open */
	bool alternatives;	 /* outside of groups: nothing must be held */
	bool varied;		 /* may match more than is_plain() characters */
	struct pxs_buf run;	 /* of characters in a row, outside of groups */
	size_t last;		 /* where the last of them begins */
	struct pxs_buf *literal; /* the longest run so far */
};

static int
refuse(const struct translator *t, size_t at, const char *what)
{
	return pxs_error_set(t->err, -EINVAL, (long)at,
			     "the regular expression /%.80s/ %s (at its byte %zu)", t->text, what,
			     at + 1);
}

/* --- What every match holds --- */

static void
end_run(struct translator *t)
{
	if (t->run.len > t->literal->len) {
		pxs_buf_clear(t->literal);
		pxs_buf_add(t->literal, t->run.data, t->run.len);
	}
	pxs_buf_clear(&t->run);
	t->last = 0;
}

static void
add_to_run(struct translator *t, const char *bytes, size_t len)
{
	if (t->groups)
		return;
	t->last = t->run.len;
	pxs_buf_add(&t->run, bytes, len);
}

/* The last character repeats, maybe not once. */
static void
repeat_run(struct translator *t)
{
	t->run.len = t->last;
	end_run(t);
}

/* Characters between which no word ends (pattern.c). */
static bool
is_plain(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* --- Translating --- */

/* The next character, as one that means itself. */
static int
add_char(struct translator *t)
{
	const uint8_t *at = (const uint8_t *)t->text + t->at;
	ucs4_t c;
	int n = u8_strmbtouc(&c, at);

	if (n <= 0)
		return refuse(t, t->at, n == 0 ? "ends too early" : "is not UTF-8");
	pxs_buf_addf(t->buf, "\\x{%x}", (unsigned int)c);
	t->varied |= !is_plain((int)c);
	add_to_run(t, (const char *)at, (size_t)n);
	t->at += (size_t)n;
	return 0;
}

static int
add_escaped(struct translator *t)
{
	t->at++;
	return t->text[t->at] ? add_char(t) : refuse(t, t->at - 1, "ends with a lone \\");
}

/* "text": each character means itself. */
static int
add_quoted(struct translator *t)
{
	size_t begin = t->at++;
	int r = 0;

	end_run(t); /* what is quoted may repeat as a whole */
	t->groups++;
	pxs_buf_add_str(t->buf, "(?:");
	while (r == 0 && t->text[t->at] != '"')
		r = t->text[t->at] ? add_char(t) : refuse(t, begin, "has a \" without its end");
	t->at++;
	t->groups--;
	pxs_buf_add_char(t->buf, ')');
	return r;
}

/* The - of a class, which goes from letter to letter or digit to digit, or anywhere. */
static void
add_range(struct translator *t)
{
	t->varied |= (t->text[t->at - 1] <= '9') != (t->text[t->at + 1] <= '9');
	pxs_buf_add_char(t->buf, '-');
	t->at++;
}

/* [abc], [^a-z] */
static int
add_class(struct translator *t)
{
	size_t begin = t->at++;
	bool any = false;
	int r = 0;

	end_run(t);
	t->groups++;
	pxs_buf_add_char(t->buf, '[');
	if (t->text[t->at] == '^') {
		pxs_buf_add_char(t->buf, '^');
		t->varied = true;
		t->at++;
	}
	for (; r == 0 && t->text[t->at] != ']'; any = true) {
		if (!t->text[t->at])
			return refuse(t, begin, "has a [ without its ]");
		if (t->text[t->at] == '-' && any && t->text[t->at + 1] != ']')
			add_range(t);
		else
			r = t->text[t->at] == '\\' ? add_escaped(t) : add_char(t);
	}
	if (r == 0 && !any)
		return refuse(t, begin, "has a class [] of nothing");
	t->at++;
	t->groups--;
	pxs_buf_add_char(t->buf, ']');
	return r;
}

/* Two repetitions in a row would be lazy or possessive in PCRE2; Lucene has neither. */
static int
end_repetition(const struct translator *t)
{
	char next = t->text[t->at];

	if (next && strchr("?+*{", next))
		return refuse(t, t->at, "repeats a repetition; put ( ) around what is repeated");
	return 0;
}

/* {2} {2,} {2,5}; PCRE2 would take anything else as text. */
static int
add_times(struct translator *t)
{
	const char *at = t->text + t->at + 1;
	size_t digits = strspn(at, "0123456789");
	size_t len = digits;

	if (at[len] == ',')
		len += 1 + strspn(at + len + 1, "0123456789");
	if (!digits || at[len] != '}')
		return refuse(t, t->at, "has a { that is no count as in {2,5}");
	repeat_run(t);
	pxs_buf_add(t->buf, t->text + t->at, len + 2);
	t->at += len + 2;
	return end_repetition(t);
}

/* What means the same in both. */
static int
add_sign(struct translator *t)
{
	char sign = t->text[t->at++];

	if (strchr("?+*", sign))
		repeat_run(t);
	end_run(t);
	t->alternatives |= sign == '|' && !t->groups;
	t->varied |= sign == '.';
	if (sign == ')' && t->groups)
		t->groups--;
	pxs_buf_add_char(t->buf, sign);
	return strchr("?+*", sign) ? end_repetition(t) : 0;
}

static int
add_next(struct translator *t)
{
	switch (t->text[t->at]) {
	case '"':
		return add_quoted(t);
	case '\\':
		return add_escaped(t);
	case '[':
		return add_class(t);
	case '{':
		return add_times(t);
	case '(':
		t->at++;
		end_run(t);
		t->groups++;
		pxs_buf_add_str(t->buf, "(?:");
		return 0;
	case '@':
		t->at++;
		t->varied = true;
		end_run(t);
		pxs_buf_add_str(t->buf, "(?:.*)");
		return 0;
	case ')':
	case '|':
	case '.':
	case '?':
	case '+':
	case '*':
		return add_sign(t);
	case '~':
	case '&':
	case '#':
	case '<':
		return refuse(t, t->at,
			      "uses one of ~ & # <, which are not supported; write \\ before it to "
			      "mean the character");
	default:
		return add_char(t);
	}
}

int
regex_translate(const char *text, struct pxs_buf *buf, struct pxs_buf *literal, bool *ret_plain,
		struct pxs_error *err)
{
	struct translator t = { .text = text, .buf = buf, .err = err, .literal = literal };
	size_t len = strlen(text);
	int r = 0;

	if (len > REGEX_MAX)
		return pxs_error_set(err, -EINVAL, REGEX_MAX,
				     "a regular expression may have %d bytes, not %zu", REGEX_MAX,
				     len);
	while (r == 0 && t.at < len)
		r = add_next(&t);
	end_run(&t);
	pxs_buf_done(&t.run);
	if (t.alternatives)
		pxs_buf_clear(literal);
	*ret_plain = !t.varied;
	return r < 0 ? r : buf->error;
}

/* --- Matching --- */

static int
compile(struct regex *regex, const char *text, const struct pxs_buf *translated,
	struct pxs_error *err)
{
	uint32_t options = PCRE2_UTF | PCRE2_DOTALL | PCRE2_ANCHORED | PCRE2_ENDANCHORED |
			   PCRE2_NO_AUTO_CAPTURE | PCRE2_NEVER_BACKSLASH_C;
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	char why[100] = "";
	PCRE2_SIZE at;
	int code;

	if (!context)
		return -ENOMEM;
	(void)pcre2_set_parens_nest_limit(context, GROUPS_MAX);
	regex->code = pcre2_compile((PCRE2_SPTR)pxs_buf_text(translated), translated->len, options,
				    &code, &at, context);
	pcre2_compile_context_free(context);
	if (regex->code)
		return 0;
	(void)pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof(why));
	return pxs_error_set(err, -EINVAL, -1, "the regular expression /%.80s/ is none: %s", text,
			     why);
}

int
regex_new(const char *text, struct regex **ret_regex, struct pxs_error *err)
{
	CLEANUP(regex) struct regex *regex = calloc(1, sizeof(*regex));
	CLEANUP(pxs_buf) struct pxs_buf translated = PXS_BUF_INIT;
	int r;

	if (!regex)
		return -ENOMEM;
	r = regex_translate(text, &translated, &regex->literal, &regex->plain, err);
	if (r == 0)
		r = compile(regex, text, &translated, err);
	if (r < 0)
		return r;
	/* Where there is no compiler for this machine, matching is slower, that is all. */
	(void)pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE);
	regex->data = pcre2_match_data_create(1, NULL);
	regex->context = pcre2_match_context_create(NULL);
	if (!regex->data || !regex->context)
		return -ENOMEM;
	(void)pcre2_set_match_limit(regex->context, MATCH_STEPS);
	(void)pcre2_set_heap_limit(regex->context, MATCH_HEAP_KB);
	*ret_regex = STEAL(regex);
	return 0;
}

void
regex_free(struct regex *regex)
{
	if (!regex)
		return;
	pcre2_match_context_free(regex->context);
	pcre2_match_data_free(regex->data);
	pcre2_code_free(regex->code);
	pxs_buf_done(&regex->literal);
	free(regex);
}

const char *
regex_literal(const struct regex *regex, size_t *ret_len)
{
	*ret_len = regex->literal.len;
	return pxs_buf_text(&regex->literal);
}

bool
regex_is_plain(const struct regex *regex)
{
	return regex->plain;
}

int
regex_match(struct regex *regex, const char *text, size_t len)
{
	int r = pcre2_match(regex->code, (PCRE2_SPTR)text, len, 0, PCRE2_NO_UTF_CHECK, regex->data,
			    regex->context);

	if (r >= 0)
		return 1;
	if (r == PCRE2_ERROR_NOMATCH)
		return 0;
	return r == PCRE2_ERROR_NOMEMORY ? -ENOMEM : -E2BIG;
}
