/* engine.c - the engine on a line: JSON requests on standard input, one answer each on standard
 * output, so that a model in another language can be held against it and can kill it at any time.
 *
 *     {"do": "open", "dir": D}                        opens the index in D, or makes it
 *     {"do": "close"}
 *     {"do": "declare", "name": N, "type": T, "multi": B, "filter": B}    T as in schemas
 *     {"do": "put", "id": I, "values": {N: [V, ...]}} into the open write, which begins here
 *     {"do": "remove", "id": I}                       the same; 0 removed: there is none
 *     {"do": "commit"}  {"do": "abort"}
 *     {"do": "get", "id": I}                          the values, as they were put
 *     {"do": "query", "string": S, "where": W, "path": [SEGMENT, ...], "sort": K, "limit": L,
 *      "offset": O, "max": M, "facets": B, "deadline_ms": T}   all of it optional; M: ids told
 *     {"do": "facet", ..., "property": N, "values": V}         the same, and the facet of N
 *     {"do": "count"}  {"do": "check"}  {"do": "compact"}
 *
 * Numbers are JSON's, dates nanoseconds since 1970. An answer is {"ok": true, ...}, or {"ok":
 * false, "code": ERRNO, "at": BYTE, "error": SENTENCE}. The program ends with its input. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/macros.h"
#include "index/index.h"

/* Ids told of one query unless the request says otherwise. */
#define IDS_DEFAULT ((size_t)10000)
#define IDS_MAX ((size_t)1000000)

struct engine {
	struct index *index;
	struct index_write *write;
	struct index_document *document;
	struct pxs_json json; /* the answer in the making */
	struct pxs_error err;
};

static const char *
text_of(const json_t *request, const char *key)
{
	return json_string_value(json_object_get(request, key));
}

static int
refuse(struct engine *engine, const char *expected)
{
	return pxs_error_set(&engine->err, -EINVAL, -1, "expected %s", expected);
}

/* --- The index --- */

static int
do_open(struct engine *engine, const json_t *request)
{
	const char *dir = text_of(request, "dir");

	if (engine->index || !dir)
		return refuse(engine, "no open index, and \"dir\"");
	return index_open(dir, INDEX_CREATE, &engine->index, &engine->err);
}

static int
do_close(struct engine *engine, const json_t *request)
{
	(void)request;
	index_write_abort(STEAL(engine->write));
	index_close(STEAL(engine->index));
	return 0;
}

/* "Long", and with MULTI "[Long]", is what schemas call it. */
static int
read_type(struct engine *engine, const json_t *request, struct query_property *property)
{
	const char *name = text_of(request, "type");

	for (int type = 0; name && type <= QUERY_TYPE_PROXY; type++) {
		property->type = (enum query_type)type;
		if (strcmp(query_type_name(property->type, property->multi), name) == 0)
			return 0;
	}
	return refuse(engine, "a \"type\" as in schemas");
}

static int
do_declare(struct engine *engine, const json_t *request)
{
	struct query_property property = {
		.name = text_of(request, "name"),
		.prompt = text_of(request, "name"),
		.multi = json_is_true(json_object_get(request, "multi")),
		.filter = !json_is_false(json_object_get(request, "filter")),
	};
	const struct query_property *declared;
	int r = read_type(engine, request, &property);

	if (r < 0 || !property.name)
		return r < 0 ? r : refuse(engine, "a \"name\"");
	return index_property_add(engine->index, &property, &declared, &engine->err);
}

static int
do_count(struct engine *engine, const json_t *request)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(engine->index);

	(void)request;
	pxs_json_key(&engine->json, "count");
	pxs_json_int(&engine->json, (int64_t)index_view_count(view));
	pxs_json_key(&engine->json, "seq");
	pxs_json_int(&engine->json, (int64_t)index_view_seq(view));
	return 0;
}

static int
do_check(struct engine *engine, const json_t *request)
{
	CLEANUP(pxs_buf) struct pxs_buf report = PXS_BUF_INIT;
	int r = index_check(engine->index, &report);

	(void)request;
	pxs_json_key(&engine->json, "report");
	pxs_json_string(&engine->json, pxs_buf_text(&report));
	return r < 0 ? r : 0;
}

static int
do_compact(struct engine *engine, const json_t *request)
{
	(void)request;
	return engine->write ? refuse(engine, "no open write") : index_compact(engine->index, NULL);
}

/* --- Writing --- */

static int
begin(struct engine *engine)
{
	return engine->write ? 0 : index_write_begin(engine->index, &engine->write);
}

static int
add_value(struct engine *engine, const struct query_property *property, const json_t *json)
{
	struct query_value value = { .type = property->type };

	if (json_is_string(json))
		return index_document_add_string(engine->document, property,
						 json_string_value(json), json_string_length(json));
	if (property->type == QUERY_TYPE_FLOAT || property->type == QUERY_TYPE_DOUBLE)
		value.real = json_number_value(json);
	else
		value.integer = json_is_boolean(json) ? json_is_true(json)
						      : json_integer_value(json);
	return index_document_add(engine->document, property, &value);
}

static int
add_values(struct engine *engine, const struct query_schema *schema, json_t *values)
{
	const struct query_property *property;
	const char *name;
	json_t *list, *json;
	size_t i;
	int r;

	json_object_foreach (values, name, list) {
		property = query_schema_find(schema, name);
		if (!property)
			return refuse(engine, "a declared property");
		json_array_foreach (list, i, json) {
			r = add_value(engine, property, json);
			if (r < 0)
				return pxs_error_set(&engine->err, r, -1,
						     "%.100s takes no such value", name);
		}
	}
	return 0;
}

static int
do_put(struct engine *engine, const json_t *request)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(engine->index);
	int r = begin(engine);

	if (r < 0)
		return r;
	index_document_clear(engine->document);
	index_document_set_id(engine->document, json_integer_value(json_object_get(request, "id")));
	r = add_values(engine, index_view_schema(view), json_object_get(request, "values"));
	if (r == 0)
		r = index_document_seal(engine->document);
	return r < 0 ? r : index_write_put(engine->write, engine->document);
}

static int
do_remove(struct engine *engine, const json_t *request)
{
	int r = begin(engine);

	if (r == 0)
		r = index_write_remove(engine->write,
				       json_integer_value(json_object_get(request, "id")));
	pxs_json_key(&engine->json, "removed");
	pxs_json_int(&engine->json, r == 0);
	return r == -ENOENT ? 0 : r;
}

static int
do_commit(struct engine *engine, const json_t *request)
{
	(void)request;
	return engine->write ? index_write_commit(STEAL(engine->write), &engine->err) : 0;
}

static int
do_abort(struct engine *engine, const json_t *request)
{
	(void)request;
	index_write_abort(STEAL(engine->write));
	return 0;
}

/* --- Documents --- */

static void
write_value(struct pxs_json *json, const struct query_value *value)
{
	if (value->type == QUERY_TYPE_DATETIME)
		pxs_json_int(json, value->integer);
	else
		query_value_write(value, json);
}

static void
write_values(struct engine *engine, const struct index_view *view, uint32_t doc,
	     const struct query_property *property)
{
	struct query_value values[INDEX_LIST_MAX];
	size_t n = index_doc_values(view, doc, property, values, ARRAY_SIZE(values));

	if (!n)
		return;
	pxs_json_key(&engine->json, property->name);
	pxs_json_begin_array(&engine->json);
	for (size_t i = 0; i < n; i++)
		write_value(&engine->json, &values[i]);
	pxs_json_end_array(&engine->json);
}

static int
do_get(struct engine *engine, const json_t *request)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(engine->index);
	const struct query_schema *schema = index_view_schema(view);
	uint32_t doc;
	int r;

	r = index_doc_find(view, json_integer_value(json_object_get(request, "id")), &doc);
	if (r < 0)
		return r;
	pxs_json_key(&engine->json, "values");
	pxs_json_begin_object(&engine->json);
	for (size_t i = 0; i < schema->n_properties; i++)
		write_values(engine, view, doc, schema->properties[i]);
	pxs_json_end_object(&engine->json);
	return 0;
}

/* --- Facets --- */

static void
write_bound(struct pxs_json *json, const char *name, const struct query_bound *bound)
{
	if (!bound->set)
		return;
	pxs_json_key(json, name);
	write_value(json, &bound->value);
}

static void
write_bucket(struct engine *engine, const struct index_bucket *bucket)
{
	CLEANUP(pxs_buf) struct pxs_buf segment = PXS_BUF_INIT;
	struct pxs_json *json = &engine->json;

	pxs_json_begin_object(json);
	pxs_json_key(json, "count");
	pxs_json_int(json, (int64_t)bucket->count);
	if (bucket->kind == INDEX_BUCKET_VALUE) {
		pxs_json_key(json, "value");
		write_value(json, &bucket->condition.value);
	} else if (bucket->kind == INDEX_BUCKET_RANGE) {
		write_bound(json, "low", &bucket->condition.low);
		write_bound(json, "high", &bucket->condition.high);
	}
	if (query_print_segment(&bucket->condition, &segment) == 0) {
		pxs_json_key(json, "segment");
		pxs_json_string(json, pxs_buf_text(&segment));
	}
	pxs_json_end_object(json);
}

static void
write_facet(struct engine *engine, const struct index_facet *facet)
{
	struct pxs_json *json = &engine->json;

	pxs_json_begin_object(json);
	pxs_json_key(json, "property");
	pxs_json_string(json, facet->property->name);
	pxs_json_key(json, "count");
	pxs_json_int(json, (int64_t)facet->count);
	pxs_json_key(json, "missing");
	pxs_json_int(json, (int64_t)facet->missing);
	pxs_json_key(json, "other");
	pxs_json_int(json, (int64_t)facet->other);
	pxs_json_key(json, "buckets");
	pxs_json_begin_array(json);
	for (size_t i = 0; i < facet->n_buckets; i++)
		write_bucket(engine, &facet->buckets[i]);
	pxs_json_end_array(json);
	pxs_json_end_object(json);
}

static int
write_facets(struct engine *engine, struct index_hits *hits, const struct index_budget *budget)
{
	const struct index_facets *facets;
	int r = index_hits_facets(hits, budget, &facets, &engine->err);

	if (r < 0)
		return r;
	pxs_json_key(&engine->json, "facets");
	pxs_json_begin_array(&engine->json);
	for (size_t i = 0; i < facets->n_facets; i++)
		write_facet(engine, &facets->facets[i]);
	pxs_json_end_array(&engine->json);
	return 0;
}

static int
write_one_facet(struct engine *engine, struct index_hits *hits, const json_t *request,
		const struct index_budget *budget)
{
	const struct query_property *property;
	CLEANUP(index_facet) struct index_facet *facet = NULL;
	size_t max = (size_t)json_integer_value(json_object_get(request, "values"));
	int r;

	property = query_schema_find(index_view_schema(index_hits_view(hits)),
				     text_of(request, "property"));
	if (!property)
		return refuse(engine, "a declared property");
	r = index_hits_facet(hits, property, max ? max : 5, budget, &facet, &engine->err);
	if (r < 0)
		return r;
	pxs_json_key(&engine->json, "facet");
	write_facet(engine, facet);
	return 0;
}

/* --- Queries --- */

static int
add_path(struct engine *engine, struct query *query, const struct query_schema *schema,
	 const json_t *path)
{
	json_t *segment;
	size_t i;
	int r = 0;

	json_array_foreach (path, i, segment) {
		r = query_add_segment(query, json_string_value(segment), schema, &engine->err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int
read_query(struct engine *engine, const json_t *request, const struct query_schema *schema,
	   struct query **ret_query)
{
	CLEANUP(query) struct query *query = NULL;
	const char *text;
	int r = query_new(&query);

	if (r == 0 && (text = text_of(request, "string")))
		r = query_add_string(query, text, schema, &engine->err);
	if (r == 0 && (text = text_of(request, "where")))
		r = query_add_where(query, text, schema, &engine->err);
	if (r == 0)
		r = add_path(engine, query, schema, json_object_get(request, "path"));
	if (r == 0 && (text = text_of(request, "sort")))
		r = query_set_sort(query, text, schema, &engine->err);
	if (r < 0)
		return r;
	if (json_object_get(request, "limit"))
		query->limit = (uint64_t)json_integer_value(json_object_get(request, "limit"));
	*ret_query = STEAL(query);
	return 0;
}

/* The query in the other languages; what a language cannot say is left out. */
static void
write_texts(struct engine *engine, const struct query *query)
{
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf where = PXS_BUF_INIT;

	if (query_print_path(query, &path) == 0) {
		pxs_json_key(&engine->json, "path");
		pxs_json_string(&engine->json, pxs_buf_text(&path));
	}
	if (query_print_where(query, &where) == 0) {
		pxs_json_key(&engine->json, "where");
		pxs_json_string(&engine->json, pxs_buf_text(&where));
	}
}

static int
write_ids(struct engine *engine, struct index_hits *hits, const json_t *request,
	  const struct index_budget *budget)
{
	const json_t *given = json_object_get(request, "max");
	size_t max = given ? (size_t)json_integer_value(given) : IDS_DEFAULT;
	CLEANUP(free) uint32_t *docs = calloc(MIN(max, IDS_MAX) + 1, sizeof(*docs));
	size_t n = 0;
	int r = docs ? 0 : -ENOMEM;

	if (r == 0 && max)
		r = index_hits_page(
			hits, (uint64_t)json_integer_value(json_object_get(request, "offset")),
			budget, docs, MIN(max, IDS_MAX), &n);
	pxs_json_key(&engine->json, "ids");
	pxs_json_begin_array(&engine->json);
	for (size_t i = 0; i < n; i++)
		pxs_json_int(&engine->json, index_doc_id(index_hits_view(hits), docs[i]));
	pxs_json_end_array(&engine->json);
	return r;
}

static int
search(struct engine *engine, const json_t *request, bool one_facet)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(engine->index);
	CLEANUP(query) struct query *query = NULL;
	CLEANUP(index_hits) struct index_hits *hits = NULL;
	struct index_budget budget = { 0 };
	int64_t ms = json_integer_value(json_object_get(request, "deadline_ms"));
	int64_t start_ns = pxs_clock_steady_ns();
	int r;

	if (ms)
		budget.deadline_ns = start_ns + ms * PXS_NS_PER_MS;
	r = read_query(engine, request, index_view_schema(view), &query);
	if (r < 0)
		return r;
	write_texts(engine, query);
	r = index_search(view, query, &budget, &hits, &engine->err);
	if (r < 0)
		return r;
	pxs_json_key(&engine->json, "count");
	pxs_json_int(&engine->json, (int64_t)index_hits_count(hits));
	r = write_ids(engine, hits, request, &budget);
	if (r == 0 && json_is_true(json_object_get(request, "facets")))
		r = write_facets(engine, hits, &budget);
	return r == 0 && one_facet ? write_one_facet(engine, hits, request, &budget) : r;
}

static int
do_query(struct engine *engine, const json_t *request)
{
	return search(engine, request, false);
}

static int
do_facet(struct engine *engine, const json_t *request)
{
	return search(engine, request, true);
}

/* --- Requests --- */

static const struct verb {
	const char *name;
	bool needs_index;
	int (*run)(struct engine *engine, const json_t *request);
} VERBS[] = {
	{ "abort", true, do_abort },	 { "check", true, do_check },
	{ "close", false, do_close },	 { "commit", true, do_commit },
	{ "compact", true, do_compact }, { "count", true, do_count },
	{ "declare", true, do_declare }, { "facet", true, do_facet },
	{ "get", true, do_get },	 { "open", false, do_open },
	{ "put", true, do_put },	 { "query", true, do_query },
	{ "remove", true, do_remove },
};

static int
obey(struct engine *engine, const json_t *request)
{
	const char *name = text_of(request, "do");

	for (size_t i = 0; name && i < ARRAY_SIZE(VERBS); i++) {
		if (strcmp(VERBS[i].name, name) != 0)
			continue;
		if (VERBS[i].needs_index && !engine->index)
			return refuse(engine, "an open index; \"open\" one first");
		return VERBS[i].run(engine, request);
	}
	return pxs_error_set(&engine->err, -ENOSYS, -1,
			     "there is no verb '%.40s'; engine.c lists them", name ? name : "");
}

/* What a failed verb had begun to say is thrown away. */
static void
answer(struct engine *engine, const char *line, struct pxs_buf *buf)
{
	json_t *request = json_loads(line, 0, NULL);
	int64_t start_ns = pxs_clock_steady_ns();
	int r;

	engine->err = (struct pxs_error){ .at = -1 };
	pxs_json_init(&engine->json, buf, 0);
	pxs_json_begin_object(&engine->json);
	r = request ? obey(engine, request) : refuse(engine, "a JSON object on one line");
	json_decref(request);
	if (r < 0) {
		pxs_buf_clear(buf);
		pxs_json_init(&engine->json, buf, 0);
		pxs_json_begin_object(&engine->json);
		pxs_json_key(&engine->json, "code");
		pxs_json_int(&engine->json, -r);
		pxs_json_key(&engine->json, "at");
		pxs_json_int(&engine->json, engine->err.at);
		pxs_json_key(&engine->json, "error");
		pxs_json_string(&engine->json, pxs_error_text(&engine->err, r));
	}
	pxs_json_key(&engine->json, "ms");
	pxs_json_double(&engine->json, (double)(pxs_clock_steady_ns() - start_ns) / PXS_NS_PER_MS);
	pxs_json_key(&engine->json, "ok");
	pxs_json_bool(&engine->json, r >= 0);
	pxs_json_end_object(&engine->json);
}

int
main(void)
{
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;
	CLEANUP(index_document) struct index_document *document = NULL;
	CLEANUP(free) char *line = NULL;
	struct engine engine = { 0 };
	size_t room = 0;

	if (index_document_new(&document) < 0)
		return 1;
	engine.document = document;
	while (getline(&line, &room, stdin) > 0) {
		pxs_buf_clear(&buf);
		answer(&engine, line, &buf);
		if (puts(pxs_buf_text(&buf)) < 0 || fflush(stdout) != 0)
			break;
	}
	(void)do_close(&engine, NULL);
	return 0;
}
