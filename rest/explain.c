/* GET /explain: how a query is understood and answered.
 *
 *     {"query": canonical text, "path": below query/ or null, "where": {...},
 *      "now": canonical text where it is relative to now,
 *      "tree": [{"depth": 0, "occur": "must", "text": "all of"},
 *               {"depth": 1, "occur": "must", "text": "_all has fuzzy \"cats\"~1",
 *                "from": "words", "terms": 2, "found": 12, "milliseconds": 0.1,
 *                "words": [{"word": "cat", "property": "core.filename", "documents": 3}]}],
 *      "hits": 12, "failure": a sentence instead of hits, "generation": 7, "milliseconds": 0.3}
 *
 * A leaf without "from" was not asked: nothing was left to look through. */
#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "rest/handlers.h"
#include "rest/reply.h"
#include "rest/request.h"
#include "rest/search.h"

/* Of the words that one leaf was expanded to, so many are told. */
#define WORDS_MAX 20

/* What was told of one leaf. */
struct told {
	struct index_answer answer;
	struct pxs_buf words; /* members of an array, as JSON */
	struct told *next;
};

struct explain {
	struct told *leaves;   /* newest first */
	struct pxs_buf words;  /* of the leaf that is being asked */
	struct pxs_json array; /* writes them */
	size_t n_words;
	int error;
};

static void
explain_done(struct explain *explain)
{
	while (explain->leaves) {
		struct told *told = explain->leaves;

		explain->leaves = told->next;
		pxs_buf_done(&told->words);
		free(told);
	}
	pxs_buf_done(&explain->words);
}

static inline void
explain_cleanup(struct explain *explain)
{
	explain_done(explain);
}

/* --- Listening --- */

static void
write_word(struct pxs_json *json, const struct query_property *property, const char *word,
	   size_t len, uint64_t documents)
{
	pxs_json_begin_object(json);
	pxs_json_key(json, "word");
	pxs_json_stringn(json, word, len);
	if (property) {
		pxs_json_pair(json, "property", property->name);
	}
	pxs_json_key(json, "documents");
	pxs_json_int(json, (int64_t)documents);
	pxs_json_end_object(json);
}

static void
hear_term(void *context, const struct query_property *property, const char *word, size_t len,
	  uint64_t documents)
{
	struct explain *explain = context;

	if (explain->n_words == 0) {
		pxs_json_init(&explain->array, &explain->words, 0);
		pxs_json_begin_array(&explain->array);
	}
	if (explain->n_words++ < WORDS_MAX)
		write_word(&explain->array, property, word, len, documents);
}

static void
hear_leaf(void *context, const struct index_answer *answer)
{
	struct explain *explain = context;
	struct told *told = calloc(1, sizeof(*told));

	if (!told || explain->words.error) {
		free(told);
		explain->error = -ENOMEM;
		return;
	}
	if (explain->n_words)
		pxs_json_end_array(&explain->array);
	explain->n_words = 0;
	told->answer = *answer;
	told->words = explain->words;
	explain->words = (struct pxs_buf)PXS_BUF_INIT;
	told->next = explain->leaves;
	explain->leaves = told;
}

static const struct told *
find_told(const struct explain *explain, const struct query_node *node)
{
	const struct told *told = explain->leaves;

	while (told && told->answer.node != node)
		told = told->next;
	return told;
}

/* --- Telling --- */

/* To the microsecond. */
static void
write_milliseconds(struct pxs_json *json, int64_t spent_ns)
{
	int64_t spent_us = spent_ns / 1000;

	pxs_json_key(json, "milliseconds");
	pxs_json_double(json, (double)spent_us / 1000);
}

static void
write_answer(struct pxs_json *json, const struct told *told)
{
	if (told->answer.from) {
		pxs_json_pair(json, "from", told->answer.from);
	}
	pxs_json_key(json, "terms");
	pxs_json_int(json, (int64_t)told->answer.n_terms);
	pxs_json_key(json, "found");
	pxs_json_int(json, (int64_t)told->answer.found);
	write_milliseconds(json, told->answer.spent_ns);
	if (told->words.len) {
		pxs_json_key(json, "words");
		pxs_json_raw(json, pxs_buf_text(&told->words));
	}
}

static void
write_node(struct pxs_json *json, const struct explain *explain, const struct query_node *node,
	   int depth)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;
	const struct told *told = find_told(explain, node);

	query_print_node(node, &text);
	if (text.error)
		json->buf->error = text.error;
	pxs_json_begin_object(json);
	pxs_json_key(json, "depth");
	pxs_json_int(json, depth);
	pxs_json_pair(json, "occur", query_occur_name(node->occur));
	pxs_json_pair(json, "text", pxs_buf_text(&text));
	if (told)
		write_answer(json, told);
	pxs_json_end_object(json);
	for (const struct query_node *child = node->first_child; child; child = child->next)
		write_node(json, explain, child, depth + 1);
}

/* What PRINT says of QUERY; null where it cannot. */
static int
write_printed(struct pxs_json *json, const char *key, const struct query *query,
	      int (*print)(const struct query *query, struct pxs_buf *buf))
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;
	int r = print(query, &text);

	pxs_json_key(json, key);
	if (r == -ENAMETOOLONG) {
		pxs_json_null(json);
		return 0;
	}
	if (print == query_print_where)
		pxs_json_raw(json, pxs_buf_text(&text));
	else
		pxs_json_string(json, pxs_buf_text(&text));
	return r;
}

static int
write_query(struct pxs_json *json, const struct query *query, const struct query *now)
{
	int r = write_printed(json, "query", query, query_print_text);

	if (r == 0)
		r = write_printed(json, "path", query, query_print_path);
	if (r == 0)
		r = write_printed(json, "where", query, query_print_where);
	if (r == 0 && query_is_relative(query))
		r = write_printed(json, "now", now, query_print_text);
	return r;
}

/* FOUND: what index_explain() said. */
static void
write_result(struct pxs_json *json, const struct search *search, int found,
	     const struct pxs_error *failure)
{
	if (found == 0) {
		pxs_json_key(json, "hits");
		pxs_json_int(json, (int64_t)index_hits_count(search->hits));
	} else {
		pxs_json_pair(json, "failure", pxs_error_text(failure, found));
	}
	pxs_json_key(json, "generation");
	pxs_json_int(json, (int64_t)index_view_seq(search->view));
}

static int
write_reply(struct pxs_json *json, const struct explain *explain, const struct search *search,
	    const struct query *now, int found, const struct pxs_error *failure, int64_t spent_ns)
{
	int r;

	pxs_json_begin_object(json);
	r = write_query(json, search->query, now);
	pxs_json_key(json, "tree");
	pxs_json_begin_array(json);
	write_node(json, explain, now->root, 0);
	pxs_json_end_array(json);
	write_result(json, search, found, failure);
	write_milliseconds(json, spent_ns);
	pxs_json_end_object(json);
	pxs_buf_add_char(json->buf, '\n');
	return r < 0 ? r : json->buf->error;
}

/* A search that passes a limit is explained as far as it came; a query that is none is refused. */
int
handle_explain(struct request *request, struct reply *reply, struct pxs_error *err)
{
	CLEANUP(search) struct search search = { 0 };
	CLEANUP(explain) struct explain explain = { 0 };
	CLEANUP(query) struct query *now = NULL;
	struct index_trace trace = { hear_term, hear_leaf, &explain };
	struct pxs_error failure = { 0 };
	struct index_budget budget;
	struct pxs_json json;
	int64_t spent_ns;
	int found;
	int r;

	r = search_parse(&search, request, err);
	if (r < 0)
		return r;
	r = query_resolve(search.query, pxs_clock_now_ns(), &now);
	if (r < 0)
		return r;
	request_budget(request, &budget);
	spent_ns = -pxs_clock_steady_ns();
	found = index_explain(search.view, now, &budget, &trace, &search.hits, &failure);
	spent_ns += pxs_clock_steady_ns();
	if (found == -ENOMEM || found == -ECANCELED || explain.error)
		return found < 0 ? found : explain.error;
	reply_begin(reply, request, REPLY_JSON, &json);
	return write_reply(&json, &explain, &search, now, found, &failure, spent_ns);
}
