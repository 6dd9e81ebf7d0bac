#include "rest/guided.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "rest/collection.h"
#include "rest/request.h"
#include "rest/search.h"

/* So many properties carry their buckets with them, the others are one more request away. */
#define PROPERTIES_INLINE 5
#define VALUES_OF_ONE 100

/* The documents that have a value, but none of those listed. */
#define NAME_OTHER "!other"
#define NAME_MISSING "!missing"

struct guided {
	struct pxs_json *json;
	const struct search *search;
	struct request *request;
	struct index_budget budget;
	struct pxs_error *err;
	bool one; /* a single property was asked for: also its missing and other values */
};

/* What C reads as in a title, behind BEFORE. Names are ASCII. */
static char
title_char(char before, char c)
{
	if (before == '.' && c >= 'a' && c <= 'z')
		return (char)(c - 'a' + 'A');
	if (c == '_')
		return ' ';
	return c;
}

/* "image.all_black" as "Image - All black". */
static void
print_title(const char *name, struct pxs_buf *buf)
{
	char before = '.';

	for (const char *c = name; *c; c++) {
		if (*c == '.')
			pxs_buf_add_str(buf, " - ");
		else
			pxs_buf_add_char(buf, title_char(before, *c));
		before = *c;
	}
}

static void
print_value(const struct query_value *value, bool short_dates, struct pxs_buf *buf)
{
	if (value->type == QUERY_TYPE_DATETIME && short_dates)
		query_time_print_short(value->integer, buf);
	else
		query_value_print(value, buf);
}

/* "27400-44000" in names, "27400 - 44000" in prompts, whose dates leave out a time of 00:00:00. */
static void
print_label(const struct index_bucket *bucket, bool for_prompt, struct pxs_buf *buf)
{
	const struct query_node *condition = &bucket->condition;

	switch (bucket->kind) {
	case INDEX_BUCKET_NONE:
		pxs_buf_add_str(buf, for_prompt ? "(none)" : NAME_MISSING);
		break;
	case INDEX_BUCKET_RANGE:
		if (condition->low.set)
			print_value(&condition->low.value, for_prompt, buf);
		pxs_buf_add_str(buf, for_prompt ? " - " : "-");
		if (condition->high.set)
			print_value(&condition->high.value, for_prompt, buf);
		break;
	case INDEX_BUCKET_VALUE:
		if (for_prompt && condition->value.type == QUERY_TYPE_BOOLEAN)
			pxs_buf_add_str(buf, condition->value.integer ? "True" : "False");
		else
			print_value(&condition->value, for_prompt, buf);
		break;
	}
}

/* The current search with CONDITION added, as a where; order and page size stay. */
static int
print_restricted(const struct guided *guided, const struct query *restricted, struct pxs_buf *buf)
{
	CLEANUP(pxs_buf) struct pxs_buf where = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf sort = PXS_BUF_INIT;
	struct href href = { .limit = restricted->limit,
			     .max_results = guided->search->href.max_results };
	int r = query_print_where(restricted, &where);

	if (r < 0)
		return r;
	query_print_sort(restricted, &sort);
	href.where = pxs_buf_text(&where);
	href.sort = sort.len ? pxs_buf_text(&sort) : NULL;
	href_print(&href, buf);
	return where.error ? where.error : sort.error;
}

static int
restrict_query(const struct guided *guided, const struct query_node *condition,
	       struct query **ret_query)
{
	CLEANUP(query) struct query *query = NULL;
	int r = query_copy(guided->search->query, &query);

	if (r < 0)
		return r;
	r = query_add_condition(query, condition);
	if (r < 0)
		return r;
	*ret_query = STEAL(query);
	return 0;
}

static int
write_choice(const struct guided *guided, const struct query *restricted, const char *name,
	     const char *prompt, uint64_t count, const char *segment)
{
	CLEANUP(pxs_buf) struct pxs_buf href = PXS_BUF_INIT;
	int r = print_restricted(guided, restricted, &href);

	if (r < 0)
		return r;
	collection_link_count(guided->json, "collection", name, prompt, pxs_buf_text(&href), count,
			      segment);
	return href.error;
}

static int
write_bucket(const struct guided *guided, const char *property, const struct index_bucket *bucket)
{
	CLEANUP(pxs_buf) struct pxs_buf name = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf prompt = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf segment = PXS_BUF_INIT;
	CLEANUP(query) struct query *restricted = NULL;
	bool has_folder = query_print_segment(&bucket->condition, &segment) == 0;
	int r = restrict_query(guided, &bucket->condition, &restricted);

	if (r < 0)
		return r;
	pxs_buf_addf(&name, "%s.", property);
	print_label(bucket, false, &name);
	print_title(property, &prompt);
	pxs_buf_add_str(&prompt, " - ");
	print_label(bucket, true, &prompt);
	pxs_buf_addf(&prompt, " (%" PRIu64 ")", bucket->count);
	r = write_choice(guided, restricted, pxs_buf_text(&name), pxs_buf_text(&prompt),
			 bucket->count, has_folder ? pxs_buf_text(&segment) : NULL);
	return r < 0 ? r : name.error | prompt.error | segment.error;
}

/* A condition for the documents of FACET that no bucket lists; CHILDREN has room for its parts. */
static struct query_node
other_condition(const struct index_facet *facet, struct query_node *children)
{
	struct query_node *last = children;

	*last = (struct query_node){ .kind = QUERY_EXISTS, .property = facet->property };
	for (size_t i = 0; i < facet->n_buckets; i++) {
		if (facet->buckets[i].kind != INDEX_BUCKET_VALUE)
			continue;
		last->next = last + 1;
		last++;
		*last = facet->buckets[i].condition;
		last->occur = QUERY_MUST_NOT;
		last->next = NULL;
	}
	return (struct query_node){ .kind = QUERY_BOOL, .first_child = children };
}

/* Counted by a search of its own: of a list, facet->other counts values, not documents. */
static int
write_other(const struct guided *guided, const struct index_facet *facet)
{
	struct query_node children[VALUES_OF_ONE + 1];
	struct query_node condition = other_condition(facet, children);
	CLEANUP(pxs_buf) struct pxs_buf name = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf prompt = PXS_BUF_INIT;
	CLEANUP(query) struct query *restricted = NULL;
	CLEANUP(index_hits) struct index_hits *hits = NULL;
	int r = restrict_query(guided, &condition, &restricted);

	if (r < 0)
		return r;
	r = index_search(guided->search->view, restricted, &guided->budget, &hits, guided->err);
	if (r < 0 || index_hits_count(hits) == 0)
		return r;
	pxs_buf_addf(&name, "%s." NAME_OTHER, facet->property->name);
	print_title(facet->property->name, &prompt);
	pxs_buf_addf(&prompt, " - (other) (%" PRIu64 ")", index_hits_count(hits));
	r = write_choice(guided, restricted, pxs_buf_text(&name), pxs_buf_text(&prompt),
			 index_hits_count(hits), NULL);
	return r < 0 ? r : name.error | prompt.error;
}

static int
write_buckets(const struct guided *guided, const struct index_facet *facet)
{
	int r = 0;

	for (size_t i = 0; i < facet->n_buckets && r == 0; i++)
		if (guided->one || facet->buckets[i].kind != INDEX_BUCKET_NONE)
			r = write_bucket(guided, facet->property->name, &facet->buckets[i]);
	if (r == 0 && guided->one && facet->other)
		r = write_other(guided, facet);
	return r;
}

/* The link to one property's facet alone. */
static int
write_property(const struct guided *guided, const struct index_facet *facet)
{
	const char *name = facet->property->name;
	CLEANUP(pxs_buf) struct pxs_buf projection = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf prompt = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf link = PXS_BUF_INIT;
	struct href href = guided->search->href;

	pxs_buf_addf(&projection, "{\"filters\":\"%s\"}", name);
	href.projection = pxs_buf_text(&projection);
	href.page = 0;
	href.after = NULL;
	href_print(&href, &link);
	print_title(name, &prompt);
	pxs_buf_addf(&prompt, " (%" PRIu64 ")", facet->count);
	collection_link_count(guided->json, "links", name, pxs_buf_text(&prompt),
			      pxs_buf_text(&link), facet->count, name);
	return projection.error | prompt.error | link.error;
}

/* "." asks for all, "core" for that namespace. */
static bool
is_asked_for(const char *filters, const char *name)
{
	size_t len = strlen(filters);

	return strcmp(filters, ".") == 0 || (strncmp(name, filters, len) == 0 && name[len] == '.');
}

static int
write_all(const struct guided *guided)
{
	const struct index_facets *facets;
	int inlined = 0;
	int r = index_hits_facets(guided->search->hits, &guided->budget, &facets, guided->err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < facets->n_facets && r == 0; i++) {
		const struct index_facet *facet = &facets->facets[i];

		if (!is_asked_for(guided->search->projection.filters, facet->property->name))
			continue;
		r = write_property(guided, facet);
		if (r == 0 && facet->usefulness > 0 && inlined++ < PROPERTIES_INLINE)
			r = write_buckets(guided, facet);
	}
	return r;
}

static int
write_one(const struct guided *guided, const struct query_property *property)
{
	CLEANUP(index_facet) struct index_facet *facet = NULL;
	int r = index_hits_facet(guided->search->hits, property, VALUES_OF_ONE, &guided->budget,
				 &facet, guided->err);

	if (r < 0)
		return r;
	r = write_property(guided, facet);
	return r < 0 ? r : write_buckets(guided, facet);
}

int
guided_links(struct pxs_json *json, const struct search *search, struct request *request,
	     struct pxs_error *err)
{
	struct guided guided = { .json = json, .search = search, .request = request, .err = err };
	const char *filters = search->projection.filters;
	const struct query_property *property = query_schema_find(index_view_schema(search->view),
								  filters);

	request_budget(request, &guided.budget);
	if (!property)
		return write_all(&guided);
	/* Hidden ones do not exist for users, and of proxies there is nothing to choose. */
	if (filters[0] == '_' || property->type == QUERY_TYPE_PROXY)
		return 0;
	guided.one = true;
	return write_one(&guided, property);
}
