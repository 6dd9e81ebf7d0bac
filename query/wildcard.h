/* wildcard.h - patterns of words: "?" is one character, "*" any number, "\" takes what follows as
 * is.
 */
#ifndef PXS_QUERY_WILDCARD_H
#define PXS_QUERY_WILDCARD_H

struct query_draft;
struct query_node;

/* NODE, a WILDCARD, in its canonical form, which may be of another kind: of signs in a row "?"
 * comes before "*", which stands once; "a*" is a PREFIX, "*" everything or whatever has the
 * property, and what has no sign a FUZZY that allows no change. NULL: the draft has failed. */
struct query_node *query_wildcard_canon(struct query_draft *draft, struct query_node *node);

#endif
