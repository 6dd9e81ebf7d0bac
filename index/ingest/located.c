#include "index/ingest/located.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/macros.h"
#include "index/index.h"
#include "index/ingest/catalogue.h"
#include "index/ingest/pathname.h"
#include "index/ingest/walk.h"

#define PAGE_DOCS 4096

/* Starts that one search looks for: QUERY_ALTERNATIVES_MAX bounds them. */
#define STARTS_AT_ONCE ((size_t)1000)

/* More deep ones cost more than a look at every document. */
#define DEEP_MAX 32

static struct query_node
is_of_source(const struct catalogue *catalogue, int64_t source)
{
	return (struct query_node){
		.kind = QUERY_EQUALS,
		.property = catalogue->properties[CORE_SOURCE],
		.value = { .type = QUERY_TYPE_LONG, .integer = source },
	};
}

static int
search(struct index_view *view, const struct query_node *conditions, size_t n,
       struct index_hits **ret_hits, struct pxs_error *err)
{
	CLEANUP(query) struct query *query = NULL;
	int r = query_new(&query);

	for (size_t i = 0; i < n && r >= 0; i++)
		r = query_add_condition(query, &conditions[i]);
	return r < 0 ? r : index_search(view, query, NULL, ret_hits, err);
}

int
located_in_source(struct index_view *view, const struct catalogue *catalogue, int64_t source,
		  struct index_hits **ret_hits, struct pxs_error *err)
{
	const struct query_node condition = is_of_source(catalogue, source);

	return search(view, &condition, 1, ret_hits, err);
}

/* --- By path --- */

static int
compare(const void *a, const void *b)
{
	return strcmp(((const struct walk_start *)a)->path, ((const struct walk_start *)b)->path);
}

static const struct walk_start *
start_at(const struct located *parts, const char *path)
{
	const struct walk_start key = { .path = path };

	return bsearch(&key, parts->starts, parts->n_starts, sizeof(key), compare);
}

/* Whether PATH (relative to the root; not "") lies within a deep start. -ENOMEM. */
static int
is_within(const struct located *parts, const char *path)
{
	const struct walk_start *start = start_at(parts, "");
	CLEANUP(free) char *above = NULL;
	char *slash;

	if (start && !start->shallow)
		return 1;
	above = strdup(path);
	if (!above)
		return -ENOMEM;
	while ((slash = strrchr(above, '/'))) {
		*slash = '\0';
		start = start_at(parts, above);
		if (start && !start->shallow)
			return 1;
	}
	return 0;
}

int
located_prune(struct walk_start *starts, size_t n, size_t *ret_n)
{
	const struct located parts = { .starts = starts, .n_starts = n };
	CLEANUP(free) bool *inside = calloc(n + 1, sizeof(*inside));
	size_t kept = 0;

	if (!inside)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		int r = *starts[i].path ? is_within(&parts, starts[i].path) : 0;

		if (r < 0)
			return r;
		inside[i] = r;
	}
	for (size_t i = 0; i < n; i++)
		if (!inside[i])
			starts[kept++] = starts[i];
	*ret_n = kept;
	return 0;
}

bool
located_covers(const struct located *parts, const char *path)
{
	size_t root_len = strcmp(parts->root, "/") != 0 ? strlen(parts->root) : 0;
	const char *below;

	if (!pathname_within(path, parts->root))
		return false;
	below = path[root_len] ? path + root_len + 1 : "";
	/* Without the memory to tell, what is not told of stays as it is. */
	return start_at(parts, below) || is_within(parts, below) > 0;
}

/* --- Every one --- */

/* A search under way for the documents of parts. */
struct finding {
	const struct located *parts;
	struct index_view *view;
	located_call each;
	void *context;
	struct pxs_error *err;
};

static int
tell(const struct finding *finding, struct index_hits *hits)
{
	uint32_t docs[PAGE_DOCS];
	size_t n;

	for (uint64_t offset = 0;; offset += n) {
		int r = index_hits_page(hits, offset, NULL, docs, PAGE_DOCS, &n);

		for (size_t i = 0; i < n && r >= 0; i++)
			r = finding->each(finding->context, finding->view, docs[i]);
		if (r < 0 || n == 0)
			return r;
	}
}

/* Tell of what is of the source and meets CONDITION (NULL: all). */
static int
find(const struct finding *finding, const struct query_node *condition)
{
	const struct catalogue *catalogue = finding->parts->catalogue;
	CLEANUP(index_hits) struct index_hits *hits = NULL;
	struct query_node both[] = { is_of_source(catalogue, finding->parts->source), { 0 } };
	int r;

	if (condition)
		both[1] = *condition;
	r = search(finding->view, both, condition ? 2 : 1, &hits, finding->err);
	if (r < 0)
		return r;
	return tell(finding, hits);
}

/* Add the absolute path of START, as text. */
static void
add_text(const struct located *parts, const struct walk_start *start, struct pxs_buf *text)
{
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;

	pxs_buf_add_str(&path, strcmp(parts->root, "/") != 0 ? parts->root : "");
	pxs_buf_add_char(&path, '/');
	pxs_buf_add_str(&path, start->path);
	if (path.error)
		text->error = path.error;
	else
		(void)pathname_add_text(text, path.data, path.len);
}

static struct query_value
text_value(const char *text)
{
	return (struct query_value){ .type = QUERY_TYPE_STRING, .string = text };
}

/* Documents whose path is one of N starts from FIRST on. */
static int
find_at(const struct finding *finding, const struct walk_start *first, size_t n)
{
	const struct query_property *pathname =
		finding->parts->catalogue->properties[CORE_PATHNAME];
	CLEANUP(free) struct query_node *nodes = calloc(n, sizeof(*nodes));
	CLEANUP(free) size_t *at = calloc(n, sizeof(*at));
	CLEANUP(pxs_buf) struct pxs_buf texts = PXS_BUF_INIT;
	struct query_node any = { .kind = QUERY_BOOL, .first_child = nodes };

	if (!nodes || !at)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		at[i] = texts.len;
		add_text(finding->parts, &first[i], &texts);
		pxs_buf_add_char(&texts, '\0');
	}
	if (texts.error)
		return texts.error;
	for (size_t i = 0; i < n; i++)
		nodes[i] = (struct query_node){
			.kind = QUERY_EQUALS,
			.occur = QUERY_SHOULD,
			.property = pathname,
			.value = text_value(texts.data + at[i]),
			.next = i + 1 < n ? &nodes[i + 1] : NULL,
		};
	return find(finding, n == 1 ? nodes : &any);
}

/* Documents below START, whether or not its folder still has one. */
static int
find_below(const struct finding *finding, const struct walk_start *start)
{
	const struct query_property *directory =
		finding->parts->catalogue->properties[CORE_DIRECTORY];
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf low = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf high = PXS_BUF_INIT;
	struct query_node inside = { .kind = QUERY_EQUALS, .property = directory };
	struct query_node below = { .kind = QUERY_RANGE, .property = directory };
	int r;

	add_text(finding->parts, start, &text);
	pxs_buf_addf(&low, "%s/", pxs_buf_text(&text));
	pxs_buf_addf(&high, "%s%c", pxs_buf_text(&text), '/' + 1);
	r = text.error ? text.error : low.error ? low.error : high.error;
	if (r < 0)
		return r;
	inside.value = text_value(text.data);
	r = find(finding, &inside);
	if (r < 0)
		return r;
	below.low = (struct query_bound){ .set = true,
					  .inclusive = true,
					  .value = text_value(low.data) };
	below.high = (struct query_bound){ .set = true, .value = text_value(high.data) };
	return find(finding, &below);
}

int
located_each(const struct located *parts, struct index_view *view, located_call each, void *context,
	     struct pxs_error *err)
{
	const struct finding finding = { parts, view, each, context, err };
	size_t n_deep = 0;
	int r = 0;

	for (size_t i = 0; i < parts->n_starts; i++)
		n_deep += !parts->starts[i].shallow;
	if (is_within(parts, "") > 0 || n_deep > DEEP_MAX)
		return find(&finding, NULL);
	for (size_t i = 0; i < parts->n_starts && r >= 0; i += STARTS_AT_ONCE)
		r = find_at(&finding, &parts->starts[i], MIN(parts->n_starts - i, STARTS_AT_ONCE));
	for (size_t i = 0; i < parts->n_starts && r >= 0; i++)
		if (!parts->starts[i].shallow)
			r = find_below(&finding, &parts->starts[i]);
	return r;
}
