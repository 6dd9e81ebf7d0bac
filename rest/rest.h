/* rest.h - answers HTTP: Collection+JSON as spec/pixstor.md, and what the command line needs
 * beyond. */
#ifndef PXS_REST_H
#define PXS_REST_H

#include <stdbool.h>

#include "base/cleanup.h"

struct auth;
struct index;
struct ingest;
struct pxs_buf;
struct pxs_error;
struct rest;
struct sync;

/* What the daemon does on request but rest/ does not know how to do. Called from any thread. */
struct rest_control {
	void *context;
	int (*mount)(void *context, const char *mountpoint, const char *options,
		     struct pxs_error *err);
	int (*unmount)(void *context, const char *mountpoint, struct pxs_error *err);
	/* Adds the mountpoints to BUF, each ended by a NUL. */
	void (*mounts)(void *context, struct pxs_buf *buf);
};

struct rest_options {
	const char
		*socket_path; /* Unix socket; its folder exists. A dead socket there is replaced. */
	struct index *index;
	struct ingest *ingest;
	struct sync *sync;		    /* NULL: there is no upstream */
	const struct rest_control *control; /* NULL: no mounts */
	/* Every user of this machine may search; ingest and mounts stay with root and the user that
	 * this process runs as, who else are the only ones admitted. */
	bool public_readers;
	struct auth *auth; /* users and tokens; NULL: there are none */
	/* HOST:PORT where the catalogue is served over TCP; NULL: nowhere. */
	const char *search_address;
	/* HOST:PORT of the authorisation server, which has TLS; NULL: nowhere. */
	const char *auth_address;
	/* TLS for the catalogue, too. By default only where other machines can reach it. */
	enum rest_tls { REST_TLS_AUTO, REST_TLS_ALWAYS, REST_TLS_NEVER } search_tls;
	/* For tests: the authorisation server, and log-ins, over plain HTTP on a loopback address.
	 */
	bool plain_logins;
	/* PEM files; NULL: a certificate of our own making, in the index's folder. */
	const char *certificate_path;
	const char *certificate_key_path;
	/* Without valid credentials 401 as RFC 6750 has it, instead of 403 as PixStor. */
	bool rfc6750;
};

/* Serve in threads of its own. -EADDRINUSE: a daemon already answers there; -EACCES, ...; ERR. */
int rest_open(const struct rest_options *options, struct rest **ret_rest, struct pxs_error *err);
/* Answers what was begun, then ends. */
void rest_close(struct rest *rest);
DEFINE_CLEANUP(rest, struct rest *, rest_close)

/* "http://HOST:PORT" of the I-th door over TCP, with the port that it has, added to BUF and what it
 * is; false: there are no more. */
bool rest_door(const struct rest *rest, unsigned int i, struct pxs_buf *url, const char **ret_what);

/* Read the certificate anew; connections go on. On failure the old one stays. */
int rest_reload(struct rest *rest, struct pxs_error *err);

/* What GET /status answers, as text for people: for .pxs/status in the mount. */
void rest_status_text(struct rest *rest, struct pxs_buf *buf);

#endif
