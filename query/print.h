/* print.h - the printers that the printers of this folder share. */
#ifndef PXS_QUERY_PRINT_H
#define PXS_QUERY_PRINT_H

struct pxs_buf;
struct query_node;

/* NODE, canonical and textual (split.h), as a query string that parses to it. */
void query_print_string(const struct query_node *node, struct pxs_buf *buf);

#endif
