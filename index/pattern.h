/* pattern.h - one condition on a word or value as a whole: it begins so, or has this shape. */
#ifndef PXS_INDEX_PATTERN_H
#define PXS_INDEX_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

struct lexicon_filter;
struct pattern;
struct pxs_error;
struct query_node;

/* Of NODE: PREFIX, WILDCARD, FUZZY or REGEX. -EINVAL: no such pattern, ERR says why; -EILSEQ,
 * -ENOMEM. */
int pattern_new(const struct query_node *node, struct pattern **ret_pattern, struct pxs_error *err);
void pattern_free(struct pattern *pattern);
DEFINE_CLEANUP(pattern, struct pattern *, pattern_free)

/* How far TEXT (folded) is from the pattern: 0 where it matches, for FUZZY the edits; -ENOENT: too
 * far; -E2BIG: too hard to tell. For one thread at a time. */
int pattern_match(struct pattern *pattern, const char *text, size_t len);

/* What every match holds; of length 0 if there is nothing. Lent. */
const char *pattern_literal(const struct pattern *pattern, size_t *ret_len);

/* What a word must be like to match; lent pointers. */
void pattern_filter(const struct pattern *pattern, struct lexicon_filter *ret_filter);

/* Whether a value that matches has a word that matches, so that looking at words is enough. */
bool pattern_words_suffice(const struct pattern *pattern);

/* The sentence for -E2BIG of pattern_match(). */
int pattern_refuse(const struct pattern *pattern, struct pxs_error *err);

#endif
