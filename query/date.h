/* date.h - what this folder needs of dates beyond query.h. */
#ifndef PXS_QUERY_DATE_H
#define PXS_QUERY_DATE_H

#include <stdint.h>

struct pxs_buf;

/* As query_time_print(), always with nine digits of a fraction: names the instant and not, as a
 * whole second would, a span. */
void query_time_print_exact(int64_t time_ns, struct pxs_buf *buf);

#endif
