/* regex.h - Lucene's regular expressions, matched by PCRE2. */
#ifndef PXS_INDEX_REGEX_H
#define PXS_INDEX_REGEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

struct pxs_buf;
struct pxs_error;
struct regex;

/* Bytes of one expression (spec/pixstor.md 2.2). */
#define REGEX_MAX 1000

/* TEXT (UTF-8, case-folded) in Lucene's syntax: . ? + * | {m,n} [] () "quoted" \ and @ for any
 * text. What it also has and we have not (~ & # <n-m>) is -EINVAL, as is what is no expression or
 * is larger than PCRE2 takes: ERR says where. -ENOMEM. */
int regex_new(const char *text, struct regex **ret_regex, struct pxs_error *err);
void regex_free(struct regex *regex);
DEFINE_CLEANUP(regex, struct regex *, regex_free)

/* Whether all of TEXT matches: 1 or 0; -E2BIG: that takes more steps than are allowed. For one
 * thread at a time. */
int regex_match(struct regex *regex, const char *text, size_t len);

/* What every match holds; "" if nothing is known. Lent. */
const char *regex_literal(const struct regex *regex, size_t *ret_len);

/* Whether every match consists of a to z and 0 to 9. */
bool regex_is_plain(const struct regex *regex);

/* TEXT translated to PCRE2's syntax, added to BUF; LITERAL becomes what every match holds, PLAIN
 * as above. As regex_new(). */
int regex_translate(const char *text, struct pxs_buf *buf, struct pxs_buf *literal, bool *ret_plain,
		    struct pxs_error *err);

#endif
