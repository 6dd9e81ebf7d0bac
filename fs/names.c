#include "fs/names.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "base/buf.h"
#include "base/macros.h"
#include "fs/document.h"
#include "fs/request.h"
#include "index/index.h"

struct fs_names {
	atomic_uint references;
	uint32_t *suffixed; /* ascending */
	size_t n_suffixed;
	size_t cap_suffixed;
};

/* --- Finding the ones that share a name --- */

/* An open hash table of the hits seen so far, by file name. */
struct slot {
	uint32_t hash;
	uint32_t doc; /* the lowest row of this name; 0: free */
};

struct seen {
	struct slot *slots;
	size_t mask;
	struct index_view *view;
	const struct query_property *filename;
};

static int
seen_init(struct seen *seen, uint64_t n)
{
	size_t size = 16;

	while (size < n * 2)
		size *= 2;
	seen->slots = calloc(size, sizeof(*seen->slots));
	seen->mask = size - 1;
	return seen->slots ? 0 : -ENOMEM;
}

/* The place of DOC's name in the table: taken by a document of this name, or free. */
static struct slot *
seen_find(const struct seen *seen, uint32_t doc, uint32_t *ret_hash)
{
	const char *name = fs_document_text(seen->filename, seen->view, doc);
	uint64_t hash = XXH3_64bits(name, strlen(name));
	struct slot *slot;

	*ret_hash = (uint32_t)(hash >> 32);
	for (size_t i = hash & seen->mask;; i = (i + 1) & seen->mask) {
		slot = &seen->slots[i];
		if (!slot->doc ||
		    (slot->hash == *ret_hash &&
		     !strcmp(name, fs_document_text(seen->filename, seen->view, slot->doc))))
			return slot;
	}
}

static int
add_suffixed(struct fs_names *names, uint32_t doc)
{
	size_t cap = names->cap_suffixed ? names->cap_suffixed * 2 : 64;
	uint32_t *docs;

	if (names->n_suffixed == names->cap_suffixed) {
		docs = realloc(names->suffixed, cap * sizeof(*docs));
		if (!docs)
			return -ENOMEM;
		names->suffixed = docs;
		names->cap_suffixed = cap;
	}
	names->suffixed[names->n_suffixed++] = doc;
	return 0;
}

struct adding {
	struct fs_names *names;
	struct seen seen;
};

static int
add_hit(void *context, uint32_t doc)
{
	struct adding *adding = context;
	const struct seen *seen = &adding->seen;
	uint32_t hash;
	struct slot *slot = seen_find(seen, doc, &hash);
	uint32_t loser = doc;

	if (!slot->doc) {
		*slot = (struct slot){ hash, doc };
		return 0;
	}
	if (index_doc_row(seen->view, doc) < index_doc_row(seen->view, slot->doc)) {
		loser = slot->doc;
		slot->doc = doc;
	}
	return add_suffixed(adding->names, loser);
}

static int
compare_docs(const void *a, const void *b)
{
	uint32_t doc_a = *(const uint32_t *)a;
	uint32_t doc_b = *(const uint32_t *)b;

	return (doc_a > doc_b) - (doc_a < doc_b);
}

int
fs_names_new(struct fs_request *request, struct index_hits *hits, struct fs_names **ret_names)
{
	CLEANUP(fs_names) struct fs_names *names = calloc(1, sizeof(*names));
	struct adding adding = { names, { .view = index_hits_view(hits) } };
	struct fs_core core;
	int r;

	if (!names)
		return -ENOMEM;
	atomic_init(&names->references, 1);
	fs_core_find(&core, index_view_schema(adding.seen.view));
	adding.seen.filename = core.filename;

	r = seen_init(&adding.seen, index_hits_count(hits));
	if (r == 0)
		r = fs_request_each_hit(request, hits, UINT64_MAX, add_hit, &adding);
	free(adding.seen.slots);
	if (r < 0)
		return r;
	if (names->n_suffixed)
		qsort(names->suffixed, names->n_suffixed, sizeof(*names->suffixed), compare_docs);
	*ret_names = STEAL(names);
	return 0;
}

struct fs_names *
fs_names_ref(struct fs_names *names)
{
	(void)atomic_fetch_add_explicit(&names->references, 1, memory_order_relaxed);
	return names;
}

void
fs_names_put(struct fs_names *names)
{
	if (!names || atomic_fetch_sub_explicit(&names->references, 1, memory_order_acq_rel) > 1)
		return;
	free(names->suffixed);
	free(names);
}

bool
fs_names_is_suffixed(const struct fs_names *names, uint32_t doc)
{
	return names->n_suffixed && bsearch(&doc, names->suffixed, names->n_suffixed,
					    sizeof(*names->suffixed), compare_docs);
}

size_t
fs_names_print_one(const struct fs_core *core, const struct index_view *view, uint32_t doc,
		   bool is_lowest, size_t max, char name[FS_NAME_SIZE])
{
	const struct query_schema *schema = index_view_schema(view);
	const char *filename = fs_document_text(core->filename, view, doc);
	size_t len = 0;

	if (is_lowest)
		len = fs_name_plain(filename, schema, max, name);
	if (!len)
		len = fs_name_suffixed(filename, index_doc_id(view, doc), schema, max, name);
	return len;
}

size_t
fs_names_print(const struct fs_names *names, const struct fs_core *core,
	       const struct index_view *view, uint32_t doc, size_t max, char name[FS_NAME_SIZE])
{
	return fs_names_print_one(core, view, doc, !fs_names_is_suffixed(names, doc), max, name);
}

/* --- Resolving a name --- */

static bool
hits_contain(const struct fs_scope *scope, uint32_t doc)
{
	return index_hits_contains(scope->set, doc);
}

static int
hits_each_named(const struct fs_scope *scope, const char *filename,
		int (*each)(void *context, uint32_t doc), void *context)
{
	return index_hits_equal(scope->set, scope->core->filename, filename, each, context);
}

void
fs_scope_of_hits(struct fs_scope *scope, struct index_hits *hits, const struct fs_core *core)
{
	static const struct fs_scope_ops HITS = { hits_contain, hits_each_named };

	*scope = (struct fs_scope){ index_hits_view(hits), core, &HITS, hits };
}

/* NAME has a suffix: that of the document which we would show exactly so? */
static int
resolve_suffixed(const struct fs_scope *scope, const char *name, size_t max, uint32_t *ret_doc)
{
	const struct query_schema *schema = index_view_schema(scope->view);
	char shown[FS_NAME_SIZE];
	const char *at = NULL;
	const char *filename;
	uint32_t doc;
	int64_t id;

	while (fs_name_next_suffix(name, &at, &id)) {
		if (index_doc_find(scope->view, id, &doc) < 0 || !scope->ops->contains(scope, doc))
			continue;
		filename = fs_document_text(scope->core->filename, scope->view, doc);
		(void)fs_name_suffixed(filename, id, schema, max, shown);
		if (!strcmp(shown, name)) {
			*ret_doc = doc;
			return 0;
		}
	}
	return -ENOENT;
}

struct lowest {
	struct index_view *view;
	uint32_t doc; /* 0: none yet */
};

static int
take_lower(void *context, uint32_t doc)
{
	struct lowest *lowest = context;

	if (!lowest->doc ||
	    index_doc_row(lowest->view, doc) < index_doc_row(lowest->view, lowest->doc))
		lowest->doc = doc;
	return 0;
}

static int
resolve_plain(const struct fs_scope *scope, const char *filename, uint32_t *ret_doc)
{
	struct lowest lowest = { .view = scope->view };
	int r = scope->ops->each_named(scope, filename, take_lower, &lowest);

	if (r < 0)
		return r;
	if (!lowest.doc)
		return -ENOENT;
	*ret_doc = lowest.doc;
	return 0;
}

int
fs_names_resolve(const struct fs_scope *scope, const char *name, size_t max, uint32_t *ret_doc)
{
	CLEANUP(pxs_buf) struct pxs_buf normal = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf filename = PXS_BUF_INIT;
	int r;

	if (!scope->core->filename)
		return -ENOENT;
	r = fs_name_normalize(name, &normal);
	if (r == 0)
		r = resolve_suffixed(scope, normal.data, max, ret_doc);
	if (r != -ENOENT)
		return r;
	r = fs_name_decode(name, &filename);
	if (r < 0)
		return r;
	return resolve_plain(scope, filename.data, ret_doc);
}
