/* duration.h - times as people write them: 90s, 15m, 24h, 7d. */
#ifndef PXS_CLI_DURATION_H
#define PXS_CLI_DURATION_H

#include <stdint.h>

struct pxs_error;

#define DURATION_MAX_S (INT64_C(10) * 366 * 86400)

/* 1 s to ten years. -EINVAL with ERR. */
int duration_parse(const char *text, int64_t *ret_seconds, struct pxs_error *err);

#endif
