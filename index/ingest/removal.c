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
#include "index/ingest/catalogue.h"
#include "index/ingest/entry.h"
#include "index/ingest/identity.h"
#include "index/ingest/pathname.h"
#include "index/ingest/unread.h"

#define PAGE_DOCS 4096

/* Fewer are always ordinary. */
#define ORDINARY_MIN 1000

int
removal_documents_of(struct index_view *view, const struct catalogue *catalogue, int64_t source,
		     struct index_hits **ret_hits, struct pxs_error *err)
{
	const struct query_node condition = {
		.kind = QUERY_EQUALS,
		.property = catalogue->properties[CORE_SOURCE],
		.value = { .type = QUERY_TYPE_LONG, .integer = source },
	};
	CLEANUP(query) struct query *query = NULL;
	int r;

	r = query_new(&query);
	if (r >= 0)
		r = query_add_condition(query, &condition);
	return r < 0 ? r : index_search(view, query, NULL, ret_hits, err);
}

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
	size_t root_len = strcmp(scan->root, "/") != 0 ? strlen(scan->root) : 0;
	CLEANUP(close) int fd = -1;
	int r;

	if (scan->root_fd < 0)
		return true;
	r = beneath_open(scan->root_fd, path + root_len + 1, O_PATH, &fd);
	return r == -ENOENT || r == -ENOTDIR || r == -ELOOP;
}

static int
judge(const struct removal_scan *scan, uint32_t doc, struct pxs_buf *path,
      struct removal_vanished *vanished)
{
	const struct index_view *view = index_hits_view(scan->documents);
	int r;

	if (identities_seen(scan->identities, doc))
		return 0;
	pxs_buf_clear(path);
	r = entry_path_of(scan->catalogue, view, doc, path);
	if (r < 0)
		return r;
	if (!pathname_within(pxs_buf_text(path), scan->folder) ||
	    unread_covers(scan->unread, pxs_buf_text(path)))
		return 0;
	vanished->n_gone += is_gone(scan, pxs_buf_text(path));
	return add_id(vanished, index_doc_id(view, doc));
}

int
removal_find(const struct removal_scan *scan, struct removal_vanished *vanished)
{
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	uint32_t docs[PAGE_DOCS];
	size_t n;

	for (uint64_t offset = 0;; offset += n) {
		int r = index_hits_page(scan->documents, offset, NULL, docs, PAGE_DOCS, &n);

		for (size_t i = 0; i < n && r >= 0; i++)
			r = atomic_load(scan->stop) ? -ECANCELED
						    : judge(scan, docs[i], &path, vanished);
		if (r < 0 || n == 0)
			return r;
	}
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
