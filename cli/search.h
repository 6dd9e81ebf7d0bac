/* search.h - the query that find, explain and facets share. */
#ifndef PXS_CLI_SEARCH_H
#define PXS_CLI_SEARCH_H

struct client;
struct options;
struct pxs_buf;
struct pxs_error;

/* Adds RESOURCE ("/files/") and "?..." for WORDS (a query string, "" if none) and the shared
 * options. Where nothing was asked for, everything is. */
void search_add_href(struct pxs_buf *href, const char *resource, const struct pxs_buf *words,
		     const struct options *options);

/* As message_failure(), and shows where in the query the fault is. */
int search_failure(const char *speaker, int r, const struct pxs_error *err,
		   const struct client *client, const struct pxs_buf *words,
		   const struct options *options);

#endif
