/* parse.h - the languages that stand within other languages. */
#ifndef PXS_QUERY_PARSE_H
#define PXS_QUERY_PARSE_H

#include <stddef.h>

struct query_draft;
struct query_node;
struct query_schema;

/* The condition that TEXT says. NULL: the draft has failed, and says why and at which byte of TEXT.
 * The length of TEXT is the caller's to limit. */
struct query_node *query_string_parse(struct query_draft *draft, const char *text,
				      const struct query_schema *schema);
struct query_node *query_where_parse(struct query_draft *draft, const char *json, size_t len,
				     const struct query_schema *schema);

#endif
