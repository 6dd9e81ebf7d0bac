/* url.h - what is to be known of URLs before something is sent there. */
#ifndef PXS_URL_H
#define PXS_URL_H

#include <stdbool.h>

struct pxs_buf;

/* Whether a password or token may travel there: https, or plain http within this machine. */
bool pxs_url_is_safe(const char *url);

/* Adds HREF, a link as a server wrote it, with what a URI may not hold percent-encoded; %XX stays
 * (spec/pixstor.md 1.0). */
void pxs_url_add_link(struct pxs_buf *url, const char *href);

#endif
