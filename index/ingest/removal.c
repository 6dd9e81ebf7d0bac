#include "index/ingest/removal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "index/index.h"
#include "index/ingest/batch.h"
#include "index/ingest/beneath.h"
#include "index/ingest/entry.h"
#include "index/ingest/identity.h"
#include "index/ingest/located.h"
#include "index/ingest/unread.h"

#define PAGE_DOCS 4096

/* Fewer are always ordinary. */
#define ORDINARY_MIN 1000

/* --- Finding --- */

static int
add_id(struct removal_vanished *vanished, int64_t id)
{
	size_t cap = vanished->cap ? vanished->cap * 2 : 1024;
	int64_t *grown;

	if (vanished->n == vanished->cap) {
		grown = reallocarray(vanished->ids, cap, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		vanished->ids = grown;
		vanished->cap = cap;
	}
	vanished->ids[vanished->n++] = id;
	return 0;
}

/* Whether nothing is at PATH, below the root, any more. What cannot be told is not gone. */
static bool
is_gone(const struct removal_scan *scan, const char *path)
{
	const char *root = scan->parts->root;
	size_t root_len = strcmp(root, "/") != 0 ? strlen(root) : 0;
	CLEANUP(close) int fd = -1;
	int r;

	if (scan->root_fd < 0)
		return true;
	r = beneath_open(scan->root_fd, path + root_len + 1, O_PATH, &fd);
	return r == -ENOENT || r == -ENOTDIR || r == -ELOOP;
}

struct judging {
	const struct removal_scan *scan;
	struct removal_vanished *vanished;
	struct pxs_buf path;
};

static int
judge(void *context, const struct index_view *view, uint32_t doc)
{
	struct judging *judging = context;
	const struct removal_scan *scan = judging->scan;
	const char *path;
	int r;

	if (atomic_load(scan->stop))
		return -ECANCELED;
	if (identities_seen(scan->identities, doc))
		return 0;
	pxs_buf_clear(&judging->path);
	r = entry_path_of(scan->parts->catalogue, view, doc, &judging->path);
	if (r < 0)
		return r;
	path = pxs_buf_text(&judging->path);
	if (!located_covers(scan->parts, path) || unread_covers(scan->unread, path))
		return 0;
	if (is_gone(scan, path))
		judging->vanished->n_gone++;
	else
		r = heirs_add(&judging->vanished->heirs, view, doc, path);
	return r < 0 ? r : add_id(judging->vanished, index_doc_id(view, doc));
}

int
removal_find(const struct removal_scan *scan, struct removal_vanished *vanished,
	     struct pxs_error *err)
{
	struct judging judging = { scan, vanished, PXS_BUF_INIT };
	int r = located_each(scan->parts, scan->view, judge, &judging, err);

	pxs_buf_done(&judging.path);
	return r;
}

bool
removal_is_ordinary(size_t n_gone, uint64_t n_documents)
{
	return n_gone <= MAX(n_documents / 100, (uint64_t)ORDINARY_MIN);
}

/* --- Removing --- */

static int
end_all(struct batch *batch, const int64_t *ids, size_t n,
	int (*end)(struct batch *batch, int64_t id, struct pxs_error *err), const atomic_bool *stop,
	atomic_uint_fast64_t *removed, struct pxs_error *err)
{
	for (size_t i = 0; i < n; i++) {
		int r = atomic_load(stop) ? -ECANCELED : end(batch, ids[i], err);

		if (r < 0 && r != -ENOENT)
			return r;
		if (r >= 0)
			atomic_fetch_add(removed, 1);
	}
	return batch_commit(batch, err);
}

int
removal_lose(struct batch *batch, const struct removal_vanished *vanished, const atomic_bool *stop,
	     atomic_uint_fast64_t *removed, struct pxs_error *err)
{
	return end_all(batch, vanished->ids, vanished->n, batch_lose, stop, removed, err);
}

int
removal_remove_all(struct batch *batch, struct index_hits *documents, const atomic_bool *stop,
		   atomic_uint_fast64_t *removed, struct pxs_error *err)
{
	uint32_t docs[PAGE_DOCS];
	int64_t ids[PAGE_DOCS];
	size_t n;

	for (uint64_t offset = 0;; offset += n) {
		int r = index_hits_page(documents, offset, NULL, docs, PAGE_DOCS, &n);

		if (r < 0 || n == 0)
			return r;
		for (size_t i = 0; i < n; i++)
			ids[i] = index_doc_id(index_hits_view(documents), docs[i]);
		r = end_all(batch, ids, n, batch_remove, stop, removed, err);
		if (r < 0)
			return r;
	}
}
