/* request.h - one request of the kernel: its limits, its view of the catalogue, its failure. */
#ifndef PXS_FS_REQUEST_H
#define PXS_FS_REQUEST_H

#include <stdint.h>

#include "base/error.h"
#include "fs/document.h"
#include "fs/fuse.h"
#include "index/index.h"

struct fs;
struct fs_node;

/* A query that takes longer is given up: whoever waits for a directory cannot be killed sooner than
 * we answer. */
#define FS_DEADLINE_S 10

struct fs_request {
	struct fs *fs;
	fuse_req_t req;
	uint64_t node;	  /* what it is about, and ... */
	const char *name; /* ... a name in that, or NULL: for the record of failures */
	struct index_budget budget;
	struct index_view *view; /* the newest one, as whoever asks sees it */
	uint64_t viewer;	 /* key of those who see the same; 0: everything */
	struct fs_core core;	 /* properties of that view */
	struct pxs_error err;
};

void fs_request_init(struct fs_request *request, fuse_req_t req, uint64_t node, const char *name);
void fs_request_done(struct fs_request *request);
static inline void
fs_request_cleanup(struct fs_request *request)
{
	fs_request_done(request);
}

/* Take the newest view, before anything is asked for, or anew. Sets request->core as well. Errors
 * as index_view_for(). */
int fs_request_enter(struct fs_request *request);

/* Lent, as long as the request, or until it takes another one. */
struct index_view *fs_request_view(struct fs_request *request);

/* Answer from VIEW, which is of VIEWER (as above), rather than from the newest one. */
void fs_request_use_view(struct fs_request *request, struct index_view *view, uint64_t viewer);

/* The document that a node number stands for, in the request's view. -ESTALE: it is gone. */
int fs_request_document(struct fs_request *request, uint64_t node, uint32_t *ret_doc);

/* The results of a query folder. */
int fs_request_hits(struct fs_request *request, const struct fs_node *folder,
		    struct index_hits **ret_hits);

/* Calls EACH for the first MAX of HITS, in their order, until it returns a failure, which is then
 * returned. Stops when the request must. */
int fs_request_each_hit(struct fs_request *request, struct index_hits *hits, uint64_t max,
			int (*each)(void *context, uint32_t doc), void *context);

/* Between the parts of long work: -ECANCELED or -ETIMEDOUT when it must stop. */
int fs_request_check(struct fs_request *request);

/* Answers with failure R (negative), and records why where there is a sentence for it. */
void fs_request_fail(struct fs_request *request, int r);

/* Who asks. */
uid_t fs_request_uid(const struct fs_request *request);

#endif
