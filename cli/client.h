/* client.h - a conversation with an engine: a daemon's, or one started for it in this process. */
#ifndef PXS_CLI_CLIENT_H
#define PXS_CLI_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/cleanup.h"

struct cli_program;
struct client;
struct options;
struct pxs_buf;
struct pxs_error;

#define CLIENT_CREATE 1u    /* make the index if there is none */
#define CLIENT_DAEMON 2u    /* a daemon, or none: -ECONNREFUSED */
#define CLIENT_IMPATIENT 4u /* no answer within 10 s is -ECONNRESET */

/* The first daemon that answers where OPTIONS say (and has the index that they name, if they name
 * one); else an engine of our own for the index.
 *
 * -ENOMEDIUM: no index there; -EBUSY: another process holds it; -ECONNREFUSED: no daemon answers
 * where one was named; -EACCES: one refused us; ERR has the sentence. */
int client_open(const struct options *options, unsigned int flags,
		const struct cli_program *program, struct client **ret_client,
		struct pxs_error *err);
void client_close(struct client *client);
DEFINE_CLEANUP(client, struct client *, client_close)

/* The engine is ours and ends with us. */
bool client_is_local(const struct client *client);

/* The body that METHOD on HREF (root-relative; what must be encoded in its parameters is) answers,
 * is added to BUF. SENT is a JSON body to send, or NULL; ACCEPT the type wanted, or NULL for JSON.
 *
 * An error that is answered becomes its errno (400 -EINVAL, 404 -ENOENT, ...) and its sentence;
 * err->at is the byte of the faulty parameter, which client_faulty() names. -EINTR: Ctrl-C. */
int client_ask(struct client *client, const char *method, const char *href, const json_t *sent,
	       const char *accept, struct pxs_buf *buf, struct pxs_error *err);

/* The next request is meant for the version ETAG of its document: -EAGAIN if it has another one by
 * then. ETAG is lent until then. */
void client_match(struct client *client, const char *etag);

/* GET as parsed JSON; the caller's to decref. */
int client_get(struct client *client, const char *href, json_t **ret_json, struct pxs_error *err);

/* Name of the parameter that the last error was in; "" if none. */
const char *client_faulty(const struct client *client);

/* Of the last answer: where its next page is (its header Link; "" if nowhere), and how many hits
 * there are in all (Pxs-Hits). */
const char *client_next(const struct client *client);
uint64_t client_hits(const struct client *client);

/* Adds PART as one part of a path, encoded, to the href in BUF. */
void client_add_part(struct pxs_buf *href, const char *part);

/* Adds "?NAME=VALUE" or "&NAME=VALUE", encoded, to the href in BUF; nothing for a NULL value. */
void client_add_param(struct pxs_buf *href, const char *name, const char *value);

#endif
