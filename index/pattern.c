#include "index/pattern.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "base/utf8.h"
#include "index/fuzzy.h"
#include "index/lexicon.h"
#include "index/regex.h"
#include "query/query.h"

struct pattern {
	enum query_kind kind;
	struct pxs_buf text; /* folded */
	/* A wildcard's parts: a byte each that says what it is, at the place of the text's. */
	char *signs;
	struct pxs_buf literal;
	bool words_suffice;
	struct fuzzy fuzzy;
	struct regex *regex;
};

/* Of `signs`; a character's later bytes are plain. */
enum { PLAIN, ONE, MANY };

void
pattern_free(struct pattern *pattern)
{
	if (!pattern)
		return;
	pxs_buf_done(&pattern->text);
	pxs_buf_done(&pattern->literal);
	free(pattern->signs);
	regex_free(pattern->regex);
	free(pattern);
}

/* Letters and digits of ASCII never break from each other: where a value holds a run of them, one
 * of its words does, too. */
static bool
is_within_word(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!((text[i] >= 'a' && text[i] <= 'z') || (text[i] >= '0' && text[i] <= '9')))
			return false;
	return len > 0;
}

/* --- Wildcards --- */

/* Fold TEXT with its signs taken out, so that no sign is folded and an escaped one is a character.
 * Each part between signs is folded by itself. */
static int
read_wildcard(struct pattern *pattern, const char *text)
{
	CLEANUP(pxs_buf) struct pxs_buf part = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf signs = PXS_BUF_INIT;
	int r = 0;

	while (r == 0) {
		char sign = *text;
		size_t before = pattern->text.len;

		if (sign && sign != '*' && sign != '?') {
			if (sign == '\\' && text[1])
				text++;
			pxs_buf_add_char(&part, *text++);
			continue;
		}
		r = query_fold(pxs_buf_text(&part), part.len, &pattern->text);
		for (size_t i = before; i < pattern->text.len; i++)
			pxs_buf_add_char(&signs, PLAIN);
		pxs_buf_clear(&part);
		if (!sign)
			break;
		pxs_buf_add_char(&pattern->text, sign);
		pxs_buf_add_char(&signs, sign == '*' ? MANY : ONE);
		text++;
	}
	if (r < 0)
		return r;
	if (part.error || signs.error || pattern->text.error)
		return -ENOMEM;
	pattern->signs = pxs_buf_steal(&signs);
	return pattern->signs ? 0 : -ENOMEM;
}

/* The longest run without a sign. */
static void
choose_literal(struct pattern *pattern)
{
	const char *text = pxs_buf_text(&pattern->text);
	size_t best = 0, best_len = 0, begin = 0;

	for (size_t i = 0; i <= pattern->text.len; i++) {
		if (i < pattern->text.len && pattern->signs[i] == PLAIN)
			continue;
		if (i - begin > best_len) {
			best = begin;
			best_len = i - begin;
		}
		begin = i + 1;
	}
	pxs_buf_add(&pattern->literal, text + best, best_len);
	pattern->words_suffice = is_within_word(text + best, best_len) &&
				 strspn(text, "*") == best &&
				 strspn(text + best + best_len, "*") ==
					 pattern->text.len - best - best_len;
}

/* The bytes of the character at AT, at least 1. */
static size_t
char_len(const char *text, size_t len, size_t at)
{
	return MAX(pxs_utf8_char(text + at, len - at), (size_t)1);
}

/* Greedy: only the last * that was passed may have to take more, so no pattern runs away. */
static bool
wildcard_matches(const struct pattern *pattern, const char *text, size_t len)
{
	const char *wanted = pxs_buf_text(&pattern->text);
	size_t n = pattern->text.len, at = 0, i = 0, star = SIZE_MAX, from = 0;

	while (at < len) {
		if (i < n && pattern->signs[i] == MANY) {
			star = i++;
			from = at;
		} else if (i < n && pattern->signs[i] == ONE) {
			at += char_len(text, len, at);
			i++;
		} else if (i < n && wanted[i] == text[at]) {
			at++;
			i++;
		} else if (star != SIZE_MAX) {
			from += char_len(text, len, from);
			at = from;
			i = star + 1;
		} else {
			return false;
		}
	}
	while (i < n && pattern->signs[i] == MANY)
		i++;
	return i == n;
}

/* --- Making --- */

static int
read_prefix(struct pattern *pattern, const char *text)
{
	int r = query_fold(text, strlen(text), &pattern->text);

	if (r < 0)
		return r;
	pxs_buf_add(&pattern->literal, pxs_buf_text(&pattern->text), pattern->text.len);
	pattern->words_suffice = is_within_word(pxs_buf_text(&pattern->text), pattern->text.len);
	return pattern->literal.error;
}

static int
read_fuzzy(struct pattern *pattern, const struct query_node *node, struct pxs_error *err)
{
	int r = query_fold(node->text, strlen(node->text), &pattern->text);

	if (r < 0)
		return r;
	if (fuzzy_init(&pattern->fuzzy, pxs_buf_text(&pattern->text), pattern->text.len,
		       MIN(node->edits, (uint8_t)FUZZY_EDITS_MAX)) < 0)
		return pxs_error_set(err, -EINVAL, -1,
				     "a word to be found with edits (~) may have %d characters",
				     FUZZY_CHARS_MAX);
	return 0;
}

static int
read_regex(struct pattern *pattern, const char *text, struct pxs_error *err)
{
	int r = query_fold(text, strlen(text), &pattern->text);

	if (r == 0)
		r = regex_new(pxs_buf_text(&pattern->text), &pattern->regex, err);
	/* What consists of such characters is one word. */
	pattern->words_suffice = r == 0 && regex_is_plain(pattern->regex);
	return r;
}

static int
read_pattern(struct pattern *pattern, const struct query_node *node, struct pxs_error *err)
{
	int r;

	switch (node->kind) {
	case QUERY_PREFIX:
		return read_prefix(pattern, node->text);
	case QUERY_FUZZY:
		return read_fuzzy(pattern, node, err);
	case QUERY_REGEX:
		return read_regex(pattern, node->text, err);
	default:
		r = read_wildcard(pattern, node->text);
		if (r < 0)
			return r;
		choose_literal(pattern);
		return pattern->literal.error;
	}
}

int
pattern_new(const struct query_node *node, struct pattern **ret_pattern, struct pxs_error *err)
{
	CLEANUP(pattern) struct pattern *pattern = calloc(1, sizeof(*pattern));
	int r;

	if (!pattern)
		return -ENOMEM;
	pattern->kind = node->kind;
	r = read_pattern(pattern, node, err);
	if (r < 0)
		return r;
	*ret_pattern = STEAL(pattern);
	return 0;
}

/* --- Asking --- */

int
pattern_match(struct pattern *pattern, const char *text, size_t len)
{
	int r;

	switch (pattern->kind) {
	case QUERY_PREFIX:
		return len >= pattern->text.len && memcmp(text, pxs_buf_text(&pattern->text),
							  pattern->text.len) == 0
			       ? 0
			       : -ENOENT;
	case QUERY_FUZZY:
		r = fuzzy_distance(&pattern->fuzzy, text, len);
		return r < 0 ? -ENOENT : r;
	case QUERY_REGEX:
		r = regex_match(pattern->regex, text, len);
		return r == 0 ? -ENOENT : MIN(r, 0);
	default:
		return wildcard_matches(pattern, text, len) ? 0 : -ENOENT;
	}
}

const char *
pattern_literal(const struct pattern *pattern, size_t *ret_len)
{
	if (pattern->regex)
		return regex_literal(pattern->regex, ret_len);
	*ret_len = pattern->literal.len;
	return pxs_buf_text(&pattern->literal);
}

bool
pattern_words_suffice(const struct pattern *pattern)
{
	return pattern->words_suffice;
}

void
pattern_filter(const struct pattern *pattern, struct lexicon_filter *ret_filter)
{
	struct lexicon_filter filter = LEXICON_FILTER_ALL;
	const struct fuzzy *fuzzy = &pattern->fuzzy;

	filter.literal = pattern_literal(pattern, &filter.len);
	filter.shortest = filter.len;
	if (pattern->kind == QUERY_FUZZY) {
		filter.shortest = fuzzy->n > fuzzy->edits ? fuzzy->n - fuzzy->edits : 0;
		filter.longest = fuzzy->n + fuzzy->edits;
		filter.letters = lexicon_letters(pxs_buf_text(&pattern->text), pattern->text.len);
		/* Characters that are not ASCII may have become such. */
		filter.differ = fuzzy->ascii ? 2 * fuzzy->edits : filter.differ;
	}
	*ret_filter = filter;
}

int
pattern_refuse(const struct pattern *pattern, struct pxs_error *err)
{
	return pxs_error_set(err, -EINVAL, -1,
			     "the regular expression /%.80s/ takes too many steps; make its "
			     "repetitions simpler",
			     pxs_buf_text(&pattern->text));
}
