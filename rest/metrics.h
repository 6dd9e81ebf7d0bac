/* metrics.h - what was asked and how long answers took, for Prometheus. */
#ifndef PXS_REST_METRICS_H
#define PXS_REST_METRICS_H

#include <stdatomic.h>
#include <stdint.h>

struct route;

/* Routes that are counted each for itself; row 0 is for requests that met none. */
#define METRICS_ROUTES_MAX 64
#define METRICS_BUCKETS 10

struct metrics {
	struct metrics_row {
		atomic_uint_fast64_t statuses[5]; /* 1xx .. 5xx */
		atomic_uint_fast64_t buckets[METRICS_BUCKETS + 1];
		atomic_uint_fast64_t total_ns;
	} rows[METRICS_ROUTES_MAX];
};

/* ROUTE may be NULL: no route. */
void metrics_count(struct metrics *metrics, const struct route *route, unsigned int status,
		   int64_t elapsed_ns);

#endif
