/* Kept postings: what was read once, and what was put later. */
#include "index/postings.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "index/fts.h"
#include "index/lexicon.h"
#include "index/terms.h"
#include "query/query.h"

struct fixture {
	char folder[32], path[48];
	struct fts *fts;
	struct postings_cache *cache;
	uint32_t last_doc;
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct pxs_error err = { 0 };
	uint64_t seq;

	if (!f)
		return -1;
	(void)strcpy(f->folder, "/tmp/pxs-test-post-XXXXXX");
	if (!mkdtemp(f->folder))
		return -1;
	(void)snprintf(f->path, sizeof(f->path), "%s/fts.db", f->folder);
	*state = f;
	return fts_open(f->path, &f->fts, &seq, &err) < 0
		       ? -1
		       : postings_cache_new(POSTINGS_BYTES_MAX, 0, &f->cache);
}

static int
tear_down(void **state)
{
	static const char *const ENDINGS[] = { "", "-wal", "-shm", "-terms" };
	struct fixture *f = *state;
	char name[sizeof(f->path) + 8];

	postings_cache_free(f->cache);
	fts_close(f->fts);
	for (size_t i = 0; i < ARRAY_SIZE(ENDINGS); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", f->path, ENDINGS[i]);
		(void)unlink(name);
	}
	(void)rmdir(f->folder);
	free(f);
	return 0;
}

/* A document of the one word. */
static void
put(struct fixture *f, const char *word)
{
	CLEANUP(pxs_buf) struct pxs_buf stream = PXS_BUF_INIT;

	assert_int_equal(terms_stream_add_number(&stream, word, strlen(word)), 0);
	assert_int_equal(fts_put(f->fts, ++f->last_doc, stream.data, stream.len), 0);
}

static void
put_alone(struct fixture *f, const char *word)
{
	assert_int_equal(fts_begin(f->fts), 0);
	put(f, word);
	assert_int_equal(fts_commit(f->fts, f->last_doc), 0);
}

static uint32_t
number_of(const struct fixture *f, const char *word)
{
	return lexicon_find(fts_lexicon(f->fts), word, strlen(word));
}

static uint64_t
count(struct fixture *f, const char *word)
{
	roaring_bitmap_t *hits = roaring_bitmap_create();
	uint32_t number = number_of(f, word);
	uint64_t n;

	assert_int_equal(postings_find(f->cache, f->fts, &number, 1, NULL, hits), 0);
	n = roaring_bitmap_get_cardinality(hits);
	roaring_bitmap_free(hits);
	return n;
}

static void
test_later(void **state)
{
	struct fixture *f = *state;

	put_alone(f, "cat");
	assert_int_equal(count(f, "cat"), 1);
	for (uint32_t n = 2; n < 6; n++) {
		put_alone(f, "dog");
		put_alone(f, "cat");
		assert_int_equal(count(f, "cat"), n);
		assert_int_equal(count(f, "dog"), n - 1);
	}
}

/* Others come and go between: nothing of the file is read for a word that none of them has. */
static void
test_not_read_again(void **state)
{
	CLEANUP(postings) struct postings *first = NULL, *second = NULL, *third = NULL;
	struct fixture *f = *state;
	uint32_t number;

	put_alone(f, "cat");
	put_alone(f, "cat");
	number = number_of(f, "cat");
	assert_int_equal(postings_get(f->cache, f->fts, number, NULL, &first), 0);
	put_alone(f, "dog");
	assert_int_equal(postings_get(f->cache, f->fts, number, NULL, &second), 0);
	assert_ptr_equal(first, second);
	put_alone(f, "cat");
	assert_int_equal(postings_get(f->cache, f->fts, number, NULL, &third), 0);
	assert_ptr_not_equal(first, third);
	assert_int_equal(roaring_bitmap_get_cardinality(third->docs), 3);
}

static const struct query_property TITLE = { .name = "common.title", .number = 7 };

/* As a file has them that was filled anew from documents that had changed. */
static void
test_not_ascending(void **state)
{
	static const uint32_t DOCS[] = { 9, 2, 7, 1, 12, 3 };
	CLEANUP(pxs_buf) struct pxs_buf term = PXS_BUF_INIT;
	CLEANUP(postings) struct postings *postings = NULL;
	struct fixture *f = *state;

	assert_int_equal(fts_begin(f->fts), 0);
	for (size_t i = 0; i < ARRAY_SIZE(DOCS); i++) {
		CLEANUP(pxs_buf) struct pxs_buf stream = PXS_BUF_INIT;

		assert_int_equal(terms_stream_add_string(&stream, &TITLE, "cat cat", 7), 0);
		assert_int_equal(fts_put(f->fts, DOCS[i], stream.data, stream.len), 0);
	}
	assert_int_equal(fts_commit(f->fts, 1), 0);
	assert_int_equal(fts_last_doc(f->fts), 12);
	terms_tagged(&term, &TITLE, "cat", 3);
	assert_int_equal(
		postings_get(f->cache, f->fts, number_of(f, pxs_buf_text(&term)), NULL, &postings),
		0);
	assert_int_equal(roaring_bitmap_get_cardinality(postings->docs), ARRAY_SIZE(DOCS));
	assert_int_equal(postings->n_more, ARRAY_SIZE(DOCS));
	for (size_t i = 1; i < postings->n_more; i++)
		assert_true(postings->more[i - 1].doc < postings->more[i].doc);
}

/* Documents of any of the words are kept together where they are many. */
static void
check_any(struct fixture *f, const char *const *words, size_t n, uint64_t expected)
{
	roaring_bitmap_t *hits = roaring_bitmap_create();
	uint32_t numbers[4];

	for (size_t i = 0; i < n; i++)
		numbers[i] = number_of(f, words[i]);
	assert_int_equal(postings_find(f->cache, f->fts, numbers, n, NULL, hits), 0);
	assert_int_equal(roaring_bitmap_get_cardinality(hits), expected);
	roaring_bitmap_free(hits);
}

static void
test_any(void **state)
{
	static const char *const WORDS[] = { "cat", "dog", "cow" };
	struct fixture *f = *state;
	size_t bytes;

	assert_int_equal(fts_begin(f->fts), 0);
	for (int i = 0; i < 3000; i++) {
		put(f, "cat");
		put(f, "dog");
	}
	put(f, "cow");
	put(f, "cow");
	assert_int_equal(fts_commit(f->fts, f->last_doc), 0);
	check_any(f, WORDS, 2, 6000);
	bytes = postings_cache_bytes(f->cache);
	check_any(f, WORDS, 2, 6000);
	assert_int_equal(postings_cache_bytes(f->cache), bytes);
	check_any(f, WORDS, 3, 6002);
	assert_true(postings_cache_bytes(f->cache) > bytes);
	check_any(f, WORDS + 1, 2, 3002);

	put_alone(f, "cow");
	check_any(f, WORDS, 2, 6000);
	check_any(f, WORDS, 3, 6003);
	put_alone(f, "cat");
	check_any(f, WORDS, 2, 6001);
	check_any(f, WORDS, 3, 6004);
}

/* --- Phrases --- */

static void
put_title(struct fixture *f, const char *text)
{
	CLEANUP(pxs_buf) struct pxs_buf stream = PXS_BUF_INIT;

	assert_int_equal(terms_stream_add_string(&stream, &TITLE, text, strlen(text)), 0);
	assert_int_equal(fts_begin(f->fts), 0);
	assert_int_equal(fts_put(f->fts, ++f->last_doc, stream.data, stream.len), 0);
	assert_int_equal(fts_commit(f->fts, f->last_doc), 0);
}

static struct postings *
phrase_of(struct fixture *f, const char *first, const char *second)
{
	struct pxs_buf terms[2] = { 0 };
	struct postings *postings = NULL;

	terms_tagged(&terms[0], &TITLE, first, strlen(first));
	terms_tagged(&terms[1], &TITLE, second, strlen(second));
	assert_int_equal(postings_of_phrase(f->cache, f->fts, terms, 2, NULL, &postings), 0);
	pxs_buf_done(&terms[0]);
	pxs_buf_done(&terms[1]);
	return postings;
}

/* It is read again when a document came that has all its words, and only then. */
static void
test_phrases(void **state)
{
	CLEANUP(postings) struct postings *first = NULL, *second = NULL, *third = NULL;
	CLEANUP(postings) struct postings *turned = NULL;
	struct fixture *f = *state;

	put_title(f, "red fox");
	first = phrase_of(f, "red", "fox");
	assert_int_equal(roaring_bitmap_get_cardinality(first->docs), 1);
	put_title(f, "red dog");
	put_title(f, "dog");
	second = phrase_of(f, "red", "fox");
	assert_ptr_equal(first, second);
	put_title(f, "fox red");
	put_title(f, "red fox and red fox");
	third = phrase_of(f, "red", "fox");
	assert_int_equal(roaring_bitmap_get_cardinality(third->docs), 2);
	assert_int_equal(third->n_more, 1);
	assert_int_equal(third->more[0].doc, 5);
	turned = phrase_of(f, "fox", "red");
	assert_int_equal(roaring_bitmap_get_cardinality(turned->docs), 1);
	assert_true(roaring_bitmap_contains(turned->docs, 4));
}

static void
test_failed(void **state)
{
	struct fixture *f = *state;

	put_alone(f, "cat");
	put_alone(f, "cat");
	assert_int_equal(count(f, "cat"), 2);
	assert_int_equal(fts_begin(f->fts), 0);
	put(f, "cat");
	put(f, "dog");
	fts_rollback(f->fts);
	assert_int_equal(count(f, "cat"), 2);
	assert_int_equal(count(f, "dog"), 0);
	put_alone(f, "cat");
	assert_int_equal(count(f, "cat"), 3);
}

/* While it is filled anew, what is there is read; then what was put later, too. */
static void
test_filled_anew(void **state)
{
	struct fixture *f = *state;

	put_alone(f, "cat");
	put_alone(f, "cat");
	assert_int_equal(count(f, "cat"), 2);
	assert_int_equal(fts_clear(f->fts), 0);
	assert_int_equal(count(f, "cat"), 0);
	f->last_doc = 1; /* the first is gone */
	put_alone(f, "cat");
	put_alone(f, "cat");
	assert_in_range(count(f, "cat"), 2, 3); /* of those, views mask the first */
}

/* More terms than some of the sets have room for. */
static void
test_many(void **state)
{
	enum { WORDS = 20000 };
	struct fixture *f = *state;
	char word[16];

	assert_int_equal(fts_begin(f->fts), 0);
	for (int twice = 0; twice < 2; twice++) {
		CLEANUP(pxs_buf) struct pxs_buf stream = PXS_BUF_INIT;

		for (int i = 0; i < WORDS; i++) {
			(void)snprintf(word, sizeof(word), "w%d", i);
			(void)terms_stream_add_number(&stream, word, strlen(word));
		}
		assert_int_equal(fts_put(f->fts, ++f->last_doc, stream.data, stream.len), 0);
	}
	assert_int_equal(fts_commit(f->fts, 2), 0);
	for (int i = 0; i < WORDS; i++) {
		(void)snprintf(word, sizeof(word), "w%d", i);
		assert_int_equal(count(f, word), 2);
	}
	assert_in_range(postings_cache_bytes(f->cache), 1, POSTINGS_BYTES_MAX);
}

/* --- In little memory --- */

/* Of some dozens of words of few documents. */
#define LITTLE ((size_t)16 << 10)

enum { SOME = 300 };

/* The words w0 ... of two documents each. */
static void
put_some(struct fixture *f)
{
	char word[16];

	assert_int_equal(fts_begin(f->fts), 0);
	for (int i = 0; i < 2 * SOME; i++) {
		(void)snprintf(word, sizeof(word), "w%d", i / 2);
		put(f, word);
	}
	assert_int_equal(fts_commit(f->fts, f->last_doc), 0);
}

static void
get_some(struct fixture *f, int i, struct postings **ret_postings)
{
	char word[16];

	(void)snprintf(word, sizeof(word), "w%d", i);
	assert_int_equal(postings_get(f->cache, f->fts, number_of(f, word), NULL, ret_postings), 0);
	assert_int_equal(roaring_bitmap_get_cardinality((*ret_postings)->docs), 2);
	assert_true(roaring_bitmap_contains((*ret_postings)->docs, (uint32_t)(2 * i + 1)));
	assert_in_range(postings_cache_bytes(f->cache), 1, LITTLE);
}

/* What is let go is read again, and whoever holds it has it until then. */
static void
test_let_go(void **state)
{
	struct postings *first[SOME];
	struct fixture *f = *state;
	int kept = 0;

	postings_cache_free(STEAL(f->cache));
	assert_int_equal(postings_cache_new(LITTLE, 0, &f->cache), 0);
	put_some(f);
	for (int i = 0; i < SOME; i++)
		get_some(f, i, &first[i]);
	for (int i = SOME - 1; i >= 0; i--) {
		CLEANUP(postings) struct postings *again = NULL;

		get_some(f, i, &again);
		kept += again == first[i];
	}
	assert_in_range(kept, 1, SOME / 2);
	for (int i = 0; i < SOME; i++) {
		assert_true(roaring_bitmap_contains(first[i]->docs, (uint32_t)(2 * i + 2)));
		postings_put(first[i]);
	}
}

static void
find_matched(struct fixture *f, int i)
{
	roaring_bitmap_t *hits = roaring_bitmap_create();
	char word[16];

	(void)snprintf(word, sizeof(word), "w%d", i);
	assert_int_equal(postings_find_matched(f->cache, f->fts, number_of(f, word), NULL, hits),
			 0);
	assert_int_equal(roaring_bitmap_get_cardinality(hits), 2);
	assert_in_range(postings_cache_bytes(f->cache), 1, LITTLE);
	roaring_bitmap_free(hits);
}

/* A pattern that matches more words than there is room for takes none from those that were asked
 * for by name. */
static void
test_matched(void **state)
{
	enum { NAMED = 10 };
	struct postings *first[NAMED];
	struct fixture *f = *state;

	postings_cache_free(STEAL(f->cache));
	assert_int_equal(postings_cache_new(LITTLE, 0, &f->cache), 0);
	put_some(f);
	for (int i = NAMED; i < 2 * NAMED; i++)
		find_matched(f, i);
	for (int i = 0; i < NAMED; i++)
		get_some(f, i, &first[i]);
	for (int i = 0; i < SOME; i++)
		find_matched(f, i);
	for (int i = 0; i < NAMED; i++) {
		CLEANUP(postings) struct postings *again = NULL;

		get_some(f, i, &again);
		assert_ptr_equal(again, first[i]);
		postings_put(first[i]);
	}
}

static void
test_too_large(void **state)
{
	struct fixture *f = *state;

	postings_cache_free(STEAL(f->cache));
	assert_int_equal(postings_cache_new(1, 0, &f->cache), 0);
	put_alone(f, "cat");
	assert_int_equal(count(f, "cat"), 1);
	assert_int_equal(postings_cache_bytes(f->cache), 0);
	put_alone(f, "cat");
	assert_int_equal(count(f, "cat"), 2);
}

/* --- Threads --- */

struct reader {
	struct fixture *f;
	atomic_uint *committed;
	atomic_bool *ended;
	int word;
};

/* All documents that were there before it asked. */
static void *
read_on(void *context)
{
	struct reader *reader = context;
	struct fixture *f = reader->f;
	bool right = true;

	while (right && !atomic_load(reader->ended)) {
		CLEANUP(postings) struct postings *postings = NULL;
		CLEANUP(postings) struct postings *other = NULL;
		uint32_t before = atomic_load(reader->committed);
		uint32_t number = number_of(f, "cat");

		right = postings_get(f->cache, f->fts, number, NULL, &postings) == 0 &&
			roaring_bitmap_range_cardinality(postings->docs, 2 * SOME, UINT32_MAX) >=
				before;
		reader->word = (reader->word + 1) % SOME; /* pushes others out */
		number = lexicon_find(fts_lexicon(f->fts), "w0", 2) + (uint32_t)reader->word;
		right = right && postings_get(f->cache, f->fts, number, NULL, &other) == 0;
	}
	return right ? NULL : context;
}

static void
test_threads(void **state)
{
	struct fixture *f = *state;
	atomic_uint committed = 1;
	atomic_bool ended = false;
	struct reader readers[] = { { f, &committed, &ended, 0 },
				    { f, &committed, &ended, SOME / 2 } };
	pthread_t threads[ARRAY_SIZE(readers)];
	void *wrong;

	postings_cache_free(STEAL(f->cache));
	assert_int_equal(postings_cache_new(LITTLE, 0, &f->cache), 0);
	put_some(f);
	put_alone(f, "cat");
	for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_on, &readers[i]), 0);
	for (int i = 0; i < 200; i++) {
		put_alone(f, "cat");
		atomic_fetch_add(&committed, 1);
	}
	atomic_store(&ended, true);
	for (size_t i = 0; i < ARRAY_SIZE(readers); i++) {
		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		assert_null(wrong);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_later, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_not_read_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_not_ascending, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_any, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_phrases, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_failed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_filled_anew, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_let_go, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_matched, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_too_large, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_threads, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
