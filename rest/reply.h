/* reply.h - what goes back: a body and what the header says of it. */
#ifndef PXS_REST_REPLY_H
#define PXS_REST_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/json.h"
#include "index/index.h"
#include "index/sync/sync.h"

struct pxs_error;
struct request;

#define REPLY_JSON "application/json"
#define REPLY_COLLECTION "application/vnd.collection+json"
#define REPLY_TEXT "text/plain;charset=UTF-8"

/* Start it by reply_init(). */
struct reply {
	unsigned int status;
	const char *type; /* NULL: no body */
	struct pxs_buf body;
	char etag[INDEX_ETAG_SIZE]; /* "": none */
	int64_t modified_ns;	    /* 0: not said */
	char location[64];	    /* "": none */
	const char *allow;	    /* methods; NULL: not said */
	int fd;			    /* not -1: the body is of this file, ours to close */
	struct sync_content *there; /* not NULL: of this one, at the upstream; ours to close */
	uint64_t file_start;	    /* the part of it */
	uint64_t file_len;
	char range[72];		/* Content-Range; "": not said */
	struct pxs_buf next;	/* href of the next page; "": none */
	int64_t hits;		/* -1: not said */
	unsigned int refusal;	/* status of a failure that its errno does not tell; 0: it does */
	struct pxs_buf message; /* of a failure, where it is longer than an error holds */
	bool last;		/* the connection ends with it */
	bool secret;		/* it holds a token: nobody on the way may keep it */
	const char *challenge;	/* WWW-Authenticate; NULL: not said */
};

static inline void
reply_init(struct reply *reply)
{
	*reply = (struct reply){ .status = 200, .hits = -1, .fd = -1 };
}

static inline void
reply_cleanup(struct reply *reply)
{
	pxs_buf_done(&reply->body);
	close_cleanup(&reply->fd);
	sync_content_close(reply->there);
	pxs_buf_done(&reply->next);
	pxs_buf_done(&reply->message);
}

/* A writer for the body, indented if the request says ?pretty. The type is TYPE, but
 * application/json for a Collection+JSON document that the client would rather have under that
 * name. */
void reply_begin(struct reply *reply, const struct request *request, const char *type,
		 struct pxs_json *ret_json);

/* Make REPLY the error that R (negative errno) and ERR describe, or where STATUS is not 0, one with
 * that status. */
void reply_fail(struct reply *reply, const struct request *request, const char *url,
		unsigned int status, int r, const struct pxs_error *err);

/* Refuse with STATUS, which R (a negative errno) does not tell: returns R. */
int reply_refuse(struct reply *reply, unsigned int status, int r, struct pxs_error *err,
		 const char *message);

/* "Not Found" for 404; lent, static. */
const char *reply_reason(unsigned int status);

/* The HTTP status for R (negative errno). */
unsigned int reply_status_of(int r);

/* Writes KEY and the PATH (any bytes); where those are not UTF-8, which JSON must be, also
 * KEY_escaped, with every byte outside printable ASCII and '%' as %XX. */
void reply_path(struct pxs_json *json, const char *key, const char *path);

/* Whether VALUE (of Accept-Encoding, or NULL) takes gzip. */
bool reply_accepts_gzip(const char *value);

/* An HTTP date (RFC 9110 section 5.6.7). -EINVAL: none, or after 2262 or before 1678. */
int reply_date_parse(const char *text, int64_t *ret_time_ns);
void reply_date_print(int64_t time_ns, char *text, size_t size);

/* Queue it; the body is the server's afterwards. 0 or -EIO. */
int reply_send(struct reply *reply, struct request *request);

#endif
