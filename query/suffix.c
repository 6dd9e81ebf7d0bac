#include "query/suffix.h"

#include <errno.h>
#include <string.h>

#include "base/macros.h"
#include "base/utf8.h"
#include "query/draft.h"
#include "query/leaf.h"
#include "query/number.h"

/* The number behind the sign of TOKEN; false: the draft has failed. */
static bool
read_number(struct query_draft *draft, const struct query_token *token, struct query_number *number)
{
	const char *text = pxs_arena_strndup(&draft->arena, token->text + 1, token->len - 1);

	if (text)
		return query_number_parse(text, number); /* as the lexer saw to */
	query_draft_fail_memory(draft);
	return false;
}

static size_t
count_characters(const char *text)
{
	size_t n = 0;

	for (; *text; text += pxs_utf8_char(text, strlen(text)))
		n++;
	return n;
}

/* "~" alone: what Elasticsearch calls AUTO. */
static uint8_t
auto_edits(const char *text)
{
	size_t n = count_characters(text);

	return n < 3 ? 0 : n < 6 ? 1 : 2;
}

/* The old form, a similarity below 1, as Lucene turns it into edits (FuzzyQuery.floatToEdits()). */
static uint8_t
edits_of_similarity(double similarity, const char *text)
{
	double edits = (1.0 - (double)(float)similarity) * (double)count_characters(text);

	return edits < 2 ? (uint8_t)edits : 2;
}

/* "~" [ "0" / "1" / "2" / "0." 1*digit ] */
static bool
read_edits(struct query_draft *draft, const struct query_token *token, const char *text,
	   uint8_t *ret_edits)
{
	struct query_number number;

	if (token->len == 1) {
		*ret_edits = auto_edits(text);
		return true;
	}
	if (!read_number(draft, token, &number))
		return false;
	if (number.beyond || number.floor > 2 || (number.floor && !number.whole)) {
		query_draft_fail(draft, -EINVAL, (long)token->at,
				 "a word may be off by ~0, ~1 or ~2 characters (~ alone: by its "
				 "length)");
		return false;
	}
	*ret_edits = number.whole ? (uint8_t)number.floor : edits_of_similarity(number.real, text);
	return true;
}

/* "~" [ 1*digit [ "." 1*digit ] ]; the digits behind the point count for nothing, as in Lucene. */
static bool
read_slop(struct query_draft *draft, const struct query_token *token, uint32_t *ret_slop)
{
	struct query_number number = { 0 };

	if (token->len > 1 && !read_number(draft, token, &number))
		return false;
	if (number.beyond || number.floor > QUERY_SLOP_MAX) {
		query_draft_fail(draft, -EINVAL, (long)token->at,
				 "the words of a phrase may be moved by ~%d at most",
				 QUERY_SLOP_MAX);
		return false;
	}
	*ret_slop = (uint32_t)number.floor;
	return true;
}

bool
query_suffix_apply(struct query_draft *draft, const struct query_suffix *suffix,
		   struct query_leaf *leaf)
{
	if (!suffix->fuzzy.len)
		return true;
	if (leaf->kind == QUERY_PHRASE)
		return read_slop(draft, &suffix->fuzzy, &leaf->slop);
	if (leaf->kind != QUERY_WORDS)
		return true;
	leaf->kind = QUERY_FUZZY;
	return read_edits(draft, &suffix->fuzzy, leaf->text, &leaf->edits);
}

struct query_node *
query_suffix_boost(struct query_draft *draft, const struct query_suffix *suffix,
		   struct query_node *node)
{
	struct query_number number;

	if (!suffix->boost.len || draft->error)
		return draft->error ? NULL : node;
	if (!read_number(draft, &suffix->boost, &number))
		return NULL;
	if (number.real > QUERY_BOOST_MAX)
		return query_draft_fail(draft, -EINVAL, (long)suffix->boost.at,
					"a boost may be ^%d at most", QUERY_BOOST_MAX);
	if (node) {
		node->boosted = true;
		node->boost = number.real;
	}
	return node;
}
