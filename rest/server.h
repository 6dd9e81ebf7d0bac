/* server.h - what all requests share. */
#ifndef PXS_REST_SERVER_H
#define PXS_REST_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct MHD_Daemon;
struct index;
struct ingest;
struct listener;
struct rest_control;

struct rest {
	struct MHD_Daemon *daemon;
	struct listener *listener;
	struct index *index;
	struct ingest *ingest;
	const struct rest_control *control; /* NULL: no mounts */
	bool public_readers;
	bool rfc6750;
	int64_t started_ns;
	atomic_bool closing;	     /* whoever waits for something goes */
	_Atomic uint64_t newest_job; /* the highest number seen; there may be a newer one */

	pthread_mutex_t lock;
	pthread_cond_t idle;
	unsigned int in_flight; /* requests begun and not yet answered; under lock */
};

#endif
