/* escape.h - the text of tokens, without what stands in it for the lexer. */
#ifndef PXS_QUERY_ESCAPE_H
#define PXS_QUERY_ESCAPE_H

struct query_draft;
struct query_token;

/* All in the draft's arena and in NFC. NULL: the draft has failed. */

/* The text of a TERM, PREFIX or QUOTED: "\" gives way to what stands behind it. */
const char *query_unescape(struct query_draft *draft, const struct query_token *token);

/* The pattern of a WILD, as QUERY_WILDCARD has it: "\" stays before *, ? and \ alone. */
const char *query_unescape_wild(struct query_draft *draft, const struct query_token *token);

/* The expression of a REGEX: "\" stays, but not before '/'. */
const char *query_unescape_regex(struct query_draft *draft, const struct query_token *token);

#endif
