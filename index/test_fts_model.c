/* What the text index finds, against a model that looks through every document. */
#include "index/test_fts.h"

#include <stdbool.h>
#include <time.h>

#include "base/clock.h"

/* --- The model: every document's words as they were drawn --- */

enum {
	MODEL_DOCS = 1500,
	MODEL_PROPERTIES = 6,
	MODEL_WORDS = 6, /* at most, of one value */
	MODEL_QUERIES = 3000,
};

/* Prefixes of each other, doubled quotes' neighbours and characters of several bytes. */
static const char *const VOCABULARY[] = {
	"a", "ab", "abc", "b",	    "ba",      "cat",	 "cats",   "x_1",
	"1", "12", "1.5", "\u00e9", "\u00e9t", "\u6f22", "\u5b57",
};

struct model_value {
	uint8_t words[MODEL_WORDS]; /* places in VOCABULARY */
	uint8_t n;		    /* 0: no value */
};

struct model {
	struct model_value values[MODEL_DOCS + 1][MODEL_PROPERTIES];
	struct query_property properties[MODEL_PROPERTIES];
	struct fts *fts;
};

static uint64_t random_state; /* xorshift64* */

static uint32_t
random_below(uint32_t n)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (uint32_t)((random_state * UINT64_C(2685821657736338717) >> 32) % n);
}

static void
value_text(const struct model_value *value, struct pxs_buf *text)
{
	pxs_buf_clear(text);
	for (size_t i = 0; i < value->n; i++) {
		if (i)
			pxs_buf_add_char(text, ' ');
		pxs_buf_add_str(text, VOCABULARY[value->words[i]]);
	}
}

static void
draw_document(struct model *model, uint32_t doc, struct pxs_buf *stream)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;
	size_t n = 2 + random_below(MODEL_PROPERTIES - 1);

	pxs_buf_clear(stream);
	for (size_t p = 0; p < n; p++) {
		struct model_value *value = &model->values[doc][p];

		value->n = (uint8_t)(1 + random_below(MODEL_WORDS));
		for (size_t i = 0; i < value->n; i++)
			value->words[i] = (uint8_t)random_below(ARRAY_SIZE(VOCABULARY));
		value_text(value, &text);
		assert_int_equal(
			terms_stream_add_string(stream, &model->properties[p], text.data, text.len),
			0);
	}
}

/* Some documents are put, taken back and put again. */
static void
draw_documents(struct model *model)
{
	CLEANUP(pxs_buf) struct pxs_buf stream = PXS_BUF_INIT;
	bool rolled_back;
	uint32_t last;

	for (uint32_t doc = 1; doc <= MODEL_DOCS; doc = last + 1) {
		rolled_back = !random_below(4);
		last = MIN(doc + random_below(200), (uint32_t)MODEL_DOCS);
		assert_int_equal(fts_begin(model->fts), 0);
		for (uint32_t i = doc; i <= last; i++) {
			memset(model->values[i], 0, sizeof(model->values[i]));
			draw_document(model, i, &stream);
			assert_int_equal(fts_put(model->fts, i, stream.data, stream.len), 0);
		}
		if (rolled_back) {
			fts_rollback(model->fts);
			last = doc - 1;
		} else {
			assert_int_equal(fts_commit(model->fts, last), 0);
		}
	}
}

struct model_query {
	enum { TERM, PHRASE, PREFIX, KINDS } kind;
	int property;
	struct model_value words; /* PREFIX: one word */
	size_t prefix_len;	  /* bytes of the word or value */
};

static bool
words_match(const struct model_query *query, const struct model_value *value)
{
	for (size_t at = 0; at + query->words.n <= value->n; at++)
		if (!memcmp(value->words + at, query->words.words, query->words.n))
			return true;
	return false;
}

static bool
prefix_matches(const struct model_query *query, const struct model_value *value)
{
	const char *prefix = VOCABULARY[query->words.words[0]];

	for (size_t i = 0; i < value->n; i++)
		if (!strncmp(VOCABULARY[value->words[i]], prefix, query->prefix_len))
			return true;
	return false;
}

static bool
value_matches(const struct model_query *query, const struct model_value *value)
{
	if (!value->n)
		return false;
	return query->kind == PREFIX ? prefix_matches(query, value) : words_match(query, value);
}

static void
model_find(const struct model *model, const struct model_query *query, roaring_bitmap_t *hits)
{
	for (uint32_t doc = 1; doc <= MODEL_DOCS; doc++)
		for (int p = 0; p < MODEL_PROPERTIES; p++)
			if (query->property == p && value_matches(query, &model->values[doc][p]))
				roaring_bitmap_add(hits, doc);
}

/* Bytes of TEXT, at least one, that end with a character. */
static size_t
random_prefix(const char *text)
{
	size_t len = 1 + random_below((uint32_t)strlen(text));

	while (((unsigned char)text[len] & 0xc0) == 0x80)
		len++;
	return len;
}

static void
draw_query(struct model_query *query)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

	query->kind = random_below(KINDS);
	query->property = (int)random_below(MODEL_PROPERTIES);
	query->words.n = query->kind == PHRASE ? (uint8_t)(1 + random_below(3)) : 1;
	for (size_t i = 0; i < query->words.n; i++)
		query->words.words[i] = (uint8_t)random_below(ARRAY_SIZE(VOCABULARY));
	value_text(&query->words, &text);
	query->prefix_len = text.len ? random_prefix(text.data) : 0;
}

static void
word_term(const struct model *model, const struct model_query *query, size_t at, size_t len,
	  struct pxs_buf *term)
{
	const char *word = VOCABULARY[query->words.words[at]];

	if (!len)
		len = strlen(word);
	terms_tagged(term, &model->properties[query->property], word, len);
}

static int
find_phrase(const struct model *model, const struct model_query *query, roaring_bitmap_t *hits)
{
	struct pxs_buf terms[MODEL_WORDS] = { 0 };
	int r;

	for (size_t i = 0; i < query->words.n; i++)
		word_term(model, query, i, 0, &terms[i]);
	r = fts_count_phrase(model->fts, terms, query->words.n, 0, NULL, add_doc, hits);
	for (size_t i = 0; i < query->words.n; i++)
		pxs_buf_done(&terms[i]);
	return r;
}

static int
fts_find(const struct model *model, const struct model_query *query, roaring_bitmap_t *hits)
{
	CLEANUP(pxs_buf) struct pxs_buf term = PXS_BUF_INIT;

	switch (query->kind) {
	case TERM:
		word_term(model, query, 0, 0, &term);
		return fts_find_term(model->fts, term.data, term.len, NULL, hits);
	case PHRASE:
		return find_phrase(model, query, hits);
	default:
		word_term(model, query, 0, query->prefix_len, &term);
		return find_prefix(model->fts, term.data, term.len, NULL, hits);
	}
}

static void
check_query(const struct model *model)
{
	roaring_bitmap_t *expected = roaring_bitmap_create();
	roaring_bitmap_t *hits = roaring_bitmap_create();
	struct model_query query;

	draw_query(&query);
	model_find(model, &query, expected);
	assert_int_equal(fts_find(model, &query, hits), 0);
	if (!roaring_bitmap_equals(hits, expected))
		fail_msg("kind %d, property %d, first word %s: %llu hits, not %llu", query.kind,
			 query.property, VOCABULARY[query.words.words[0]],
			 (unsigned long long)roaring_bitmap_get_cardinality(hits),
			 (unsigned long long)roaring_bitmap_get_cardinality(expected));
	roaring_bitmap_free(expected);
	roaring_bitmap_free(hits);
}

static void
finds_what_the_model_finds(void **state)
{
	static const char *const NAMES[] = { "a.a", "a.b", "a.c", "a.d", "a.e", "a.f" };
	static const uint32_t NUMBERS[] = { 0, 126, 127, 16446, 16447, 33 };
	CLEANUP(free) struct model *model = calloc(1, sizeof(*model));
	const char *given = getenv("PXS_SEED");

	(void)state;
	assert_non_null(model);
	random_state = (given ? strtoull(given, NULL, 0) : (uint64_t)pxs_clock_now_ns()) | 1;
	print_message("PXS_SEED=%llu\n", (unsigned long long)random_state);
	for (size_t p = 0; p < MODEL_PROPERTIES; p++)
		model->properties[p] = (struct query_property){ .name = NAMES[p],
								.number = NUMBERS[p] };

	model->fts = open_fts(0);
	draw_documents(model);
	for (int i = 0; i < MODEL_QUERIES; i++)
		check_query(model);
	assert_sound(model->fts);
	fts_close(model->fts);
}

int
main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test_teardown(finds_what_the_model_finds, remove_file),
	};

	return cmocka_run_group_tests_name("fts_model", TESTS, make_folder, remove_folder);
}
