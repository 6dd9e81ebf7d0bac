/* status.h - what the process itself costs. */
#ifndef PXS_REST_STATUS_H
#define PXS_REST_STATUS_H

#include <stdint.h>

/* Resident memory of this process; 0 where /proc does not tell. */
uint64_t status_rss_bytes(void);

#endif
