/* The files of a query folder's .pxs that tell of its results as a whole. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "fs/bucket.h"
#include "fs/mount.h"
#include "fs/node.h"
#include "fs/request.h"
#include "fs/virtual.h"
#include "query/query.h"

int
fs_print_count(struct fs_request *request, const struct fs_node *folder, struct pxs_buf *buf)
{
	CLEANUP(index_hits) struct index_hits *hits = NULL;
	int r = fs_request_hits(request, folder, &hits);

	if (r < 0)
		return r;
	pxs_buf_addf(buf, "%" PRIu64 "\n", index_hits_count(hits));
	return buf->error;
}

/* --- query.json --- */

static int
write_query(const struct query *query, struct pxs_json *json)
{
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf where = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf sort = PXS_BUF_INIT;
	int r;

	r = query_print_path(query, &path);
	if (r == 0)
		r = query_print_where(query, &where);
	if (r < 0)
		return r;
	query_print_sort(query, &sort);
	if (sort.error)
		return sort.error;

	pxs_json_pair(json, "path", pxs_buf_text(&path));
	pxs_json_key(json, "where");
	pxs_json_raw(json, pxs_buf_text(&where));
	pxs_json_pair(json, "sort", pxs_buf_text(&sort));
	pxs_json_key(json, "limit");
	if (query->limit)
		pxs_json_int(json, (int64_t)query->limit);
	else
		pxs_json_null(json);
	return 0;
}

int
fs_print_query(struct fs_request *request, const struct fs_node *folder, struct pxs_buf *buf)
{
	CLEANUP(index_hits) struct index_hits *hits = NULL;
	struct index_view *view;
	struct pxs_json json;
	int r = fs_request_hits(request, folder, &hits);

	if (r < 0)
		return r;
	view = index_hits_view(hits);
	pxs_json_init(&json, buf, 2);
	pxs_json_begin_object(&json);
	r = write_query(folder->query, &json);
	pxs_json_key(&json, "hits");
	pxs_json_int(&json, (int64_t)index_hits_count(hits));
	if (!request->viewer) { /* it counts the changes of all documents */
		pxs_json_key(&json, "generation");
		pxs_json_int(&json, (int64_t)index_view_seq(view));
	}
	pxs_json_key(&json, "changed");
	query_time_write(index_view_changed_ns(view), &json);
	pxs_json_key(&json, "time");
	query_time_write(pxs_clock_now_ns(), &json);
	pxs_json_end_object(&json);
	pxs_buf_add_char(buf, '\n');
	return r < 0 ? r : buf->error;
}

/* --- facets.tsv --- */

/* As in the facet folder, those that no name of 255 bytes selects are left out. */
static int
print_bucket(const struct query_property *property, const struct index_bucket *bucket,
	     struct pxs_buf *buf)
{
	CLEANUP(pxs_buf) struct pxs_buf segment = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf name = PXS_BUF_INIT;
	int r;

	r = fs_bucket_print_name(property, &bucket->condition, &name);
	if (r == 0)
		r = query_print_segment(&bucket->condition, &segment);
	if (r < 0)
		return r == -ENAMETOOLONG ? 0 : r;
	pxs_buf_addf(buf, "%s\t%s\t%" PRIu64 "\t%s\n", property->name, name.data, bucket->count,
		     segment.data);
	return buf->error;
}

static int
print_facet(const struct index_facet *facet, struct pxs_buf *buf)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < facet->n_buckets; i++)
		r = print_bucket(facet->property, &facet->buckets[i], buf);
	return r;
}

int
fs_print_facets(struct fs_request *request, const struct fs_node *folder, struct pxs_buf *buf)
{
	CLEANUP(index_hits) struct index_hits *hits = NULL;
	const struct index_facets *facets;
	int r;

	r = fs_request_hits(request, folder, &hits);
	if (r == 0)
		r = index_hits_facets(hits, &request->budget, &facets, &request->err);
	if (r < 0)
		return r;
	pxs_buf_add_str(buf, "property\tbucket\tcount\tsegment\n");
	for (size_t i = 0; r == 0 && i < facets->n_facets; i++)
		if (fs_facet_subdivides(&facets->facets[i], facets->hits))
			r = print_facet(&facets->facets[i], buf);
	return r;
}

/* --- paths, paths0 --- */

struct printing {
	struct fs_request *request;
	const struct index_view *view;
	struct fs_core core;
	struct pxs_buf *buf;
	char end;
};

static int
print_path(void *context, uint32_t doc)
{
	struct printing *printing = context;
	struct pxs_buf *buf = printing->buf;
	size_t start = buf->len;

	(void)index_doc_path(printing->view, doc, buf);
	if (buf->error)
		return buf->error;
	if (buf->len == start)
		return 0; /* a document without a path */
	if (memchr(buf->data + start, printing->end, buf->len - start)) {
		buf->len = start;
		return 0;
	}
	pxs_buf_add_char(buf, printing->end);
	if (buf->len > FS_VIRTUAL_MAX)
		return pxs_error_set(
			&printing->request->err, -EFBIG, -1,
			"more than %zu MiB of paths; narrow the search or use pxs find",
			FS_VIRTUAL_MAX >> 20);
	return buf->error;
}

static int
print_paths(struct fs_request *request, const struct fs_node *folder, char end, struct pxs_buf *buf)
{
	CLEANUP(index_hits) struct index_hits *hits = NULL;
	struct printing printing = { .request = request, .buf = buf, .end = end };
	int r = fs_request_hits(request, folder, &hits);

	if (r < 0)
		return r;
	printing.view = index_hits_view(hits);
	fs_core_find(&printing.core, index_view_schema(printing.view));
	return fs_request_each_hit(request, hits, UINT64_MAX, print_path, &printing);
}

int
fs_print_paths(struct fs_request *request, const struct fs_node *folder, struct pxs_buf *buf)
{
	return print_paths(request, folder, '\n', buf);
}

int
fs_print_paths0(struct fs_request *request, const struct fs_node *folder, struct pxs_buf *buf)
{
	return print_paths(request, folder, '\0', buf);
}
