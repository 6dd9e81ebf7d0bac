/* sync.h - follows an upstream: keeps documents of a remote core in the index, under their own ids
 * and etags, and true to it.
 *
 *     upstream.c   asks the core, logs in there
 *     reader.c     from its answers to documents
 *     follow.c     what to ask: of a pxs the whole once (listing.c), then what changed (feed.c);
 *                  of another core again and again what there is (crawl.c)
 *     writer.c     changes of documents, which are made there and then here
 *     content.c    reads the content of files that lie there
 *     sync.c       when: a thread of its own, which waits longer after each failure
 *
 * All that is known of how far it is stands in the index, so it goes on after any interruption.
 * Whatever is applied twice changes nothing. A document is removed only when the upstream says that
 * it is gone. */
#ifndef PXS_SYNC_H
#define PXS_SYNC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct index;
struct index_budget;
struct pxs_error;
struct sync;

/* Texts are copied. */
struct sync_options {
	const char *url;	   /* the base, as https://core.example/api */
	const char *auth_url;	   /* of the authorisation server; NULL: as url */
	const char *user;	   /* NULL: without a token */
	const char *password_file; /* read at each log-in; its first line */
	const char *cacert;	   /* PEM file to trust; NULL: the system's */
	const char *fingerprint;   /* "sha256//BASE64" of the public key to trust instead; NULL */
	bool insecure;		   /* trust any certificate */
};

/* Start to follow. -EINVAL: options that do not fit, ERR has the sentence. */
int sync_open(struct index *index, const struct sync_options *options, struct sync **ret_sync,
	      struct pxs_error *err);
/* Ends what is under way; what was committed stays. */
void sync_close(struct sync *sync);
DEFINE_CLEANUP(sync, struct sync *, sync_close)

enum sync_state {
	SYNC_STARTING,
	SYNC_READING,	  /* the whole catalogue */
	SYNC_COMPARING,	  /* looking for what is gone */
	SYNC_CATCHING_UP, /* reading what changed */
	SYNC_FOLLOWING,	  /* all that changed is here */
	SYNC_AWAY,	  /* no answer, or one that cannot be right; tried again */
	SYNC_REFUSED,	  /* not authorised; tried again */
	SYNC_HELD,	  /* so many documents would go that somebody must say so (sync_now()) */
};

/* Kinds of failures. */
enum sync_fault {
	SYNC_FAULT_CONNECTION,
	SYNC_FAULT_AUTHORISATION,
	SYNC_FAULT_SERVER, /* it says that it failed, or is busy */
	SYNC_FAULT_ANSWER, /* cannot be understood */
	SYNC_FAULT_LOCAL,  /* ours: disk, memory */
	SYNC_FAULT_VALUE,  /* of one document; left out */
	SYNC_FAULTS
};

struct sync_status {
	char url[512];
	enum sync_state state;
	char reason[400];	   /* of AWAY, REFUSED, HELD */
	int64_t success_ns;	   /* when all that had changed was last here; 0: never */
	int64_t attempt_ns;	   /* when it is tried again; 0: it is under way */
	uint64_t documents;	   /* of the upstream, here */
	uint64_t expected;	   /* there, while READING; 0: unknown */
	uint64_t pages;		   /* of answers, since the start */
	uint64_t received;	   /* documents in them */
	uint64_t written, removed; /* since the start */
	uint64_t faults[SYNC_FAULTS];
};

void sync_status(struct sync *sync, struct sync_status *ret_status);
/* "following", ...; "connection", ...; static. */
const char *sync_state_name(enum sync_state state);
const char *sync_fault_name(enum sync_fault fault);

/* --- Content of files that lie there --- */

/* One that was opened; for any thread, and closed before the sync is. */
struct sync_content;

/* Open the content of document ID, and read its head. -ENOENT: the upstream has it not; -EACCES: it
 * does not let us; -EREMOTEIO: it gives no content; -EAGAIN: it is busy; -EHOSTUNREACH, -ETIMEDOUT,
 * -EPROTO: no answer, or none that can be taken; BUDGET's. ERR has the sentence. */
int sync_content_open(struct sync *sync, int64_t id, const struct index_budget *budget,
		      struct sync_content **ret_content, struct pxs_error *err);
void sync_content_close(struct sync_content *content);
DEFINE_CLEANUP(sync_content, struct sync_content *, sync_content_close)

uint64_t sync_content_size(const struct sync_content *content); /* bytes */
/* The etag of the version that is read, without its quotes, "" if it has none; when that was
 * changed, 0 if the upstream does not say. */
const char *sync_content_etag(const struct sync_content *content);
int64_t sync_content_modified_ns(const struct sync_content *content);

/* Up to SIZE bytes at OFFSET; fewer at the end alone. -ESTALE: it has changed there; and as above.
 */
int sync_content_read(struct sync_content *content, uint64_t offset, char *bytes, size_t size,
		      const struct index_budget *budget, size_t *ret_len, struct pxs_error *err);

/* Try at once. CONFIRM: what HELD stopped may be done, once. */
void sync_now(struct sync *sync, bool confirm);

#endif
