#include "index/ingest/heirs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "index/index.h"
#include "index/ingest/batch.h"
#include "index/ingest/entry.h"
#include "index/ingest/located.h"

void
heirs_done(struct heirs *heirs)
{
	for (size_t i = 0; i < heirs->n; i++)
		free(heirs->items[i].path);
	free(heirs->items);
}

static bool
has_peoples(const struct index_view *view, uint32_t doc)
{
	const struct query_schema *schema = index_view_schema(view);

	for (size_t i = 0; i < schema->n_properties; i++)
		if (!schema->properties[i]->readonly &&
		    index_doc_values(view, doc, schema->properties[i], NULL, 0) > 0)
			return true;
	return false;
}

int
heirs_add(struct heirs *heirs, const struct index_view *view, uint32_t doc, const char *path)
{
	size_t cap = heirs->cap ? heirs->cap * 2 : 16;
	struct replaced *grown;
	char *copy;

	if (!has_peoples(view, doc))
		return 0;
	if (heirs->n == heirs->cap) {
		grown = reallocarray(heirs->items, cap, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		heirs->items = grown;
		heirs->cap = cap;
	}
	copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	heirs->items[heirs->n++] = (struct replaced){ copy, index_doc_id(view, doc) };
	return 0;
}

static int
compare(const void *a, const void *b)
{
	return strcmp(((const struct replaced *)a)->path, ((const struct replaced *)b)->path);
}

struct settling {
	const struct heirs *heirs;
	const struct catalogue *catalogue;
	const struct index_view *before;
	struct batch *batch;
	struct pxs_error *err;
	struct pxs_buf path;
};

static int
settle(void *context, const struct index_view *view, uint32_t doc)
{
	struct settling *settling = context;
	const struct heirs *heirs = settling->heirs;
	int64_t id = index_doc_id(view, doc);
	const struct replaced *found;
	struct replaced key;
	uint32_t known;
	int r;

	if (index_doc_find(settling->before, id, &known) == 0)
		return 0;
	pxs_buf_clear(&settling->path);
	r = entry_path_of(settling->catalogue, view, doc, &settling->path);
	if (r < 0)
		return r;
	key.path = settling->path.data;
	found = bsearch(&key, heirs->items, heirs->n, sizeof(key), compare);
	return found ? batch_inherit(settling->batch, id, found->id, settling->err) : 0;
}

int
heirs_settle(struct heirs *heirs, const struct located *parts, const struct index_view *before,
	     struct index_view *after, struct batch *batch, struct pxs_error *err)
{
	struct settling settling = { heirs, parts->catalogue, before, batch, err, PXS_BUF_INIT };
	int r;

	if (heirs->n == 0)
		return 0;
	qsort(heirs->items, heirs->n, sizeof(*heirs->items), compare);
	r = located_each(parts, after, settle, &settling, err);
	pxs_buf_done(&settling.path);
	return r;
}
