#include "fs/request.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/macros.h"
#include "fs/errors.h"
#include "fs/mount.h"
#include "fs/node.h"
#include "fs/viewer.h"

#define BATCH 1024 /* hits between two looks at the clock */

static bool
is_cancelled(void *context)
{
	const struct fs_request *request = context;

	return atomic_load_explicit(&request->fs->stopping, memory_order_relaxed) ||
	       fuse_req_interrupted(request->req);
}

void
fs_request_init(struct fs_request *request, fuse_req_t req, uint64_t node, const char *name)
{
	*request = (struct fs_request){
		.fs = fuse_req_userdata(req),
		.req = req,
		.node = node,
		.name = name,
		.budget = {
			.deadline_ns = pxs_clock_steady_ns() + FS_DEADLINE_S * PXS_NS_PER_S,
			.cancelled = is_cancelled,
			.context = request,
		},
	};
}

void
fs_request_done(struct fs_request *request)
{
	index_view_put(request->view);
}

/* Takes VIEW. */
static void
set_view(struct fs_request *request, struct index_view *view)
{
	index_view_put(request->view);
	request->view = view;
	fs_core_find(&request->core, index_view_schema(view));
}

int
fs_request_enter(struct fs_request *request)
{
	struct index_view *view = NULL;
	int r = fs_viewer_view(request, &view, &request->viewer);

	if (r == -EAGAIN)
		return pxs_error_set(&request->err, r, -1,
				     "too many users ask at once what they may see; try again");
	if (r < 0)
		return r;
	set_view(request, view);
	return 0;
}

struct index_view *
fs_request_view(struct fs_request *request)
{
	/* Where everybody sees the same it can be had at any time. */
	if (!request->view && !request->fs->options.visibility_unix)
		set_view(request, index_view_get(request->fs->index));
	assert(request->view);
	return request->view;
}

void
fs_request_use_view(struct fs_request *request, struct index_view *view, uint64_t viewer)
{
	request->viewer = viewer;
	set_view(request, index_view_ref(view));
}

int
fs_request_document(struct fs_request *request, uint64_t node, uint32_t *ret_doc)
{
	int r = index_doc_find_row(fs_request_view(request), fs_node_row(node), ret_doc);

	if (r == -ENOENT)
		return pxs_error_set(&request->err, -ESTALE, -1,
				     "this document is no longer in the catalogue");
	return r;
}

/* A turn to search, from which its time counts. */
static int
wait_for_turn(struct fs_request *request)
{
	const struct index_budget patience = { .cancelled = is_cancelled, .context = request };
	int r = index_budget_wait(&patience, &request->fs->turns);

	if (r == 0)
		request->budget.deadline_ns = pxs_clock_steady_ns() + FS_DEADLINE_S * PXS_NS_PER_S;
	return r;
}

int
fs_request_hits(struct fs_request *request, const struct fs_node *folder,
		struct index_hits **ret_hits)
{
	struct index_view *view = fs_request_view(request);
	struct index_hits *hits = index_search_cached(view, folder->query);
	int r;

	if (hits) {
		*ret_hits = hits;
		return 0;
	}
	r = wait_for_turn(request);
	if (r < 0)
		return r;
	r = index_search(view, folder->query, &request->budget, ret_hits, &request->err);
	(void)sem_post(&request->fs->turns);
	return r;
}

int
fs_request_check(struct fs_request *request)
{
	const struct index_budget *budget = &request->budget;

	if (budget->cancelled && budget->cancelled(budget->context))
		return -ECANCELED;
	if (budget->deadline_ns && pxs_clock_steady_ns() > budget->deadline_ns)
		return pxs_error_set(&request->err, -ETIMEDOUT, -1,
				     "this took longer than %d seconds; narrow the search",
				     FS_DEADLINE_S);
	return 0;
}

int
fs_request_each_hit(struct fs_request *request, struct index_hits *hits, uint64_t max,
		    int (*each)(void *context, uint32_t doc), void *context)
{
	uint32_t docs[BATCH];
	uint64_t told = 0, row = 0;
	size_t n = 0;
	int r;

	do {
		r = fs_request_check(request);
		if (r == 0)
			r = index_hits_after(hits, row, &request->budget, docs,
					     (size_t)MIN(max - told, (uint64_t)BATCH), &n);
		for (size_t i = 0; r == 0 && i < n; i++)
			r = each(context, docs[i]);
		if (r < 0)
			return r;
		told += n;
		if (n > 0)
			row = index_doc_row(index_hits_view(hits), docs[n - 1]);
	} while (n > 0 && told < max);
	return 0;
}

uid_t
fs_request_uid(const struct fs_request *request)
{
	return fuse_req_ctx(request->req)->uid;
}

/* Failures that are nobody's request but ours to explain. */
static bool
is_internal(int r)
{
	static const int INTERNAL[] = { -EIO, -ENOMEM, -ENOSPC, -EBADMSG, -EMFILE, -ENFILE };

	for (size_t i = 0; i < ARRAY_SIZE(INTERNAL); i++)
		if (r == INTERNAL[i])
			return true;
	return false;
}

static void
record(struct fs_request *request, int r)
{
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;

	fs_node_print_path(request->fs, request->node, request->name, &path);
	fs_errors_add(request->fs->errors, fs_request_uid(request), request->node,
		      pxs_buf_text(&path), r, pxs_error_text(&request->err, r));
	pxs_log(is_internal(r) ? PXS_LOG_ERROR : PXS_LOG_DEBUG, "mount: %s: %s",
		pxs_buf_text(&path), pxs_error_text(&request->err, r));
}

void
fs_request_fail(struct fs_request *request, int r)
{
	if (r != -ECANCELED && (request->err.code || is_internal(r)))
		record(request, r);
	(void)fuse_reply_err(request->req, r == -ECANCELED ? EINTR : -r);
}
