/* jobs.h - what ingest does and did. */
#ifndef PXS_REST_JOBS_H
#define PXS_REST_JOBS_H

#include <stdint.h>

struct ingest_status;
struct pxs_json;
struct rest;

/* The number of the newest job there is; 0: none yet. */
uint64_t jobs_newest(struct rest *rest);

/* The newest job that has ended. -ENOENT: none that is remembered. */
int jobs_last_ended(struct rest *rest, struct ingest_status *ret_status);

/* "queued", "running", ... */
const char *jobs_state_name(const struct ingest_status *status);

void jobs_write(struct pxs_json *json, const struct ingest_status *status);

#endif
