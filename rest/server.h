/* server.h - what all requests share, and the doors that they come through. */
#ifndef PXS_REST_SERVER_H
#define PXS_REST_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "rest/collection.h"
#include "rest/metrics.h"

struct MHD_Daemon;
struct auth;
struct certificate;
struct index;
struct ingest;
struct listener;
struct pxs_error;
struct rest_control;
struct sync;
struct watch;
struct work;

/* A door: one address with the threads that read requests there. */
struct server {
	struct rest *rest;
	struct listener *listener;
	struct MHD_Daemon *daemon;
	bool local; /* the Unix socket: the kernel tells who is at the other end */
	bool tls;
	bool only_logins; /* the authorisation server: no catalogue here */
	bool secure;	  /* passwords may pass: nobody on the way can read them */
};

#define SERVERS_MAX 3

struct rest {
	struct server servers[SERVERS_MAX]; /* the first is the Unix socket */
	unsigned int n_servers;
	struct watch *watch;
	struct work *searches; /* what takes long runs here */
	struct work *readers;  /* what waits for content of files, here */
	struct work *waits;    /* what waits for something to happen, here */
	struct work *logins;   /* apart, so that passwords never delay a search */
	struct index *index;
	struct ingest *ingest;
	struct sync *sync;		    /* NULL: no upstream */
	struct auth *auth;		    /* NULL: no users, no tokens */
	struct certificate *certificate;    /* NULL: no door has TLS */
	const struct rest_control *control; /* NULL: no mounts */
	bool public_readers;
	bool rfc6750;
	int64_t started_ns;
	atomic_uint_fast64_t requests; /* answered or about to be; numbers them */
	struct metrics metrics;
	struct collection_cache fields;
	atomic_bool closing;	     /* whoever waits for something goes */
	_Atomic uint64_t newest_job; /* the highest number seen; there may be a newer one */

	pthread_mutex_t lock;
	pthread_cond_t idle;
	unsigned int in_flight; /* requests begun and not yet answered; under lock */
};

/* Open SERVER's door at its listener. -EIO with ERR. */
int server_open(struct server *server, struct pxs_error *err);
/* Nobody new comes in; whoever is here is served on. */
void server_quiesce(struct server *server);
/* When no request of it waits for work. */
void server_close(struct server *server);

#endif
