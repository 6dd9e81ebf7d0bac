/* The text index: what it finds against a model that looks through every document, and what it
 * keeps when writers fail, processes die and files are damaged. */
#include "index/fts.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/macros.h"
#include "index/index.h"
#include "index/terms.h"
#include "query/query.h"

/* --- A file for each test --- */

static char folder[] = "/tmp/pxs-test-fts-XXXXXX";
static char path[sizeof(folder) + 16];

static int
make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/fts.db", folder);
	return 0;
}

static int
remove_file(void **state)
{
	static const char *const ENDINGS[] = { "", "-wal", "-shm", "-terms" };
	char name[sizeof(path) + 8];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ENDINGS); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", path, ENDINGS[i]);
		(void)unlink(name);
	}
	return 0;
}

static int
remove_folder(void **state)
{
	(void)remove_file(state);
	return rmdir(folder);
}

static struct fts *
open_fts(uint64_t expected_seq)
{
	struct pxs_error err = { 0 };
	struct fts *fts = NULL;
	uint64_t seq = 12345;

	if (fts_open(path, &fts, &seq, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(seq, expected_seq);
	return fts;
}

static const struct query_property TITLE = { .name = "common.title", .number = 7 };

/* The words of TEXT as plain terms. */
static void
put_text(struct fts *fts, uint32_t doc, const char *text)
{
	CLEANUP(pxs_buf) struct pxs_buf stream = PXS_BUF_INIT;

	for (size_t len; *text; text += len + (text[len] == ' ')) {
		len = strcspn(text, " ");
		assert_int_equal(terms_stream_add_number(&stream, text, len), 0);
	}
	assert_int_equal(fts_put(fts, doc, stream.data, stream.len), 0);
}

/* Documents FIRST to LAST, each "aa ab ac every" and its number. */
static void
put_many(struct fts *fts, uint32_t first, uint32_t last)
{
	char text[32];

	for (uint32_t doc = first; doc <= last; doc++) {
		(void)snprintf(text, sizeof(text), "aa ab ac every n%u", doc);
		put_text(fts, doc, text);
	}
}

static void
fill(struct fts *fts, uint32_t first, uint32_t last, uint64_t seq)
{
	assert_int_equal(fts_begin(fts), 0);
	put_many(fts, first, last);
	assert_int_equal(fts_commit(fts, seq), 0);
}

static uint64_t
count_hits(struct fts *fts, const char *term)
{
	roaring_bitmap_t *hits = roaring_bitmap_create();
	uint64_t n;

	assert_int_equal(fts_find_term(fts, term, strlen(term), NULL, hits), 0);
	n = roaring_bitmap_get_cardinality(hits);
	roaring_bitmap_free(hits);
	return n;
}

static void
assert_sound(struct fts *fts)
{
	CLEANUP(pxs_buf) struct pxs_buf report = PXS_BUF_INIT;
	int r = fts_check(fts, &report);

	if (r != 0)
		fail_msg("%d: %s", r, pxs_buf_text(&report));
}

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
	r = fts_find_phrase(model->fts, terms, query->words.n, NULL, hits);
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
		return fts_find_prefix(model->fts, term.data, term.len, NULL, hits);
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

/* --- Terms --- */

static void
terms_may_hold_any_byte_but_nul(void **state)
{
	static const char VALUE[] = "say \"\"hi\" AND (x OR -y) ^:*{}+\\ \x7f' \n\t";
	CLEANUP(pxs_buf) struct pxs_buf stream = PXS_BUF_INIT;
	CLEANUP(fts) struct fts *fts = open_fts(0);
	roaring_bitmap_t *hits = roaring_bitmap_create();

	(void)state;
	assert_int_equal(terms_stream_add_number(&stream, VALUE, strlen(VALUE)), 0);
	assert_int_equal(fts_begin(fts), 0);
	put_text(fts, 1, "other");
	assert_int_equal(fts_put(fts, 4000000000u, stream.data, stream.len), 0);
	assert_int_equal(fts_commit(fts, 1), 0);

	assert_int_equal(fts_find_term(fts, VALUE, strlen(VALUE), NULL, hits), 0);
	assert_int_equal(roaring_bitmap_get_cardinality(hits), 1);
	assert_true(roaring_bitmap_contains(hits, 4000000000u));
	assert_int_equal(fts_find_prefix(fts, VALUE, 8, NULL, hits), 0);
	assert_int_equal(roaring_bitmap_get_cardinality(hits), 1);
	roaring_bitmap_free(hits);
}

static void
what_no_term_can_be_is_found_nowhere(void **state)
{
	CLEANUP(fts) struct fts *fts = open_fts(0);
	roaring_bitmap_t *hits = roaring_bitmap_create();
	struct pxs_buf empty = PXS_BUF_INIT;

	(void)state;
	fill(fts, 1, 3, 1);
	assert_int_equal(fts_find_term(fts, "", 0, NULL, hits), 0);
	assert_int_equal(fts_find_term(fts, "every\0", 6, NULL, hits), 0);
	assert_int_equal(fts_find_prefix(fts, "", 0, NULL, hits), 0);
	assert_int_equal(fts_find_prefix(fts, "e\0", 2, NULL, hits), 0);
	assert_int_equal(fts_find_phrase(fts, &empty, 1, NULL, hits), 0);
	assert_int_equal(fts_find_phrase(fts, NULL, 0, NULL, hits), 0);
	assert_int_equal(roaring_bitmap_get_cardinality(hits), 0);
	roaring_bitmap_free(hits);
}

static void
phrases_do_not_cross_numbers(void **state)
{
	CLEANUP(pxs_buf) struct pxs_buf stream = PXS_BUF_INIT;
	CLEANUP(fts) struct fts *fts = open_fts(0);
	roaring_bitmap_t *hits = roaring_bitmap_create();
	char one[] = "1", two[] = "2", red[] = "red";
	const struct pxs_buf numbers[] = { { one, 1, 2, 0 }, { two, 1, 2, 0 } };
	const struct pxs_buf mixed[] = { { two, 1, 2, 0 }, { red, 3, 4, 0 } };

	(void)state;
	assert_int_equal(terms_stream_add_number(&stream, one, 1), 0);
	assert_int_equal(terms_stream_add_number(&stream, two, 1), 0);
	assert_int_equal(terms_stream_add_string(&stream, &TITLE, red, 3), 0);
	assert_int_equal(fts_begin(fts), 0);
	assert_int_equal(fts_put(fts, 1, stream.data, stream.len), 0);
	assert_int_equal(fts_put(fts, 2, NULL, 0), 0);
	assert_int_equal(fts_commit(fts, 1), 0);
	assert_int_equal(fts_find_phrase(fts, numbers, 2, NULL, hits), 0);
	assert_int_equal(fts_find_phrase(fts, mixed, 2, NULL, hits), 0);
	assert_int_equal(roaring_bitmap_get_cardinality(hits), 0);
	assert_int_equal(count_hits(fts, two), 1);
	roaring_bitmap_free(hits);
}

static void
a_damaged_stream_is_refused(void **state)
{
	CLEANUP(fts) struct fts *fts = open_fts(0);

	(void)state;
	assert_int_equal(fts_begin(fts), 0);
	assert_int_equal(fts_put(fts, 1, "\4\0cat", 5), -EIO);
	fts_rollback(fts);
	fill(fts, 1, 1, 1);
	assert_int_equal(count_hits(fts, "every"), 1);
}

/* --- Transactions --- */

static void
only_commits_are_seen_and_kept(void **state)
{
	struct fts *fts = open_fts(0);

	(void)state;
	fill(fts, 1, 10, 77);
	assert_int_equal(fts_begin(fts), 0);
	put_many(fts, 11, 20);
	assert_int_equal(count_hits(fts, "every"), 10);
	fts_rollback(fts);
	fts_rollback(fts);
	assert_int_equal(count_hits(fts, "every"), 10);
	fill(fts, 11, 30, 78);
	assert_int_equal(count_hits(fts, "every"), 30);
	assert_true(fts_bytes(fts) > 8192);
	fts_close(fts);

	fts = open_fts(78);
	assert_int_equal(count_hits(fts, "every"), 30);
	fts_close(fts);
}

static void
a_process_that_dies_leaves_its_commits(void **state)
{
	pid_t pid = fork();
	struct fts *fts;
	int status;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		fts = open_fts(0);
		fill(fts, 1, 500, 5);
		fill(fts, 501, 900, 6);
		assert_int_equal(fts_begin(fts), 0);
		put_many(fts, 901, 2000);
		(void)raise(SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));

	fts = open_fts(6);
	assert_int_equal(count_hits(fts, "every"), 900);
	assert_sound(fts);
	fts_close(fts);
}

/* A file that may grow no further stands for a full disk. */
static void
a_write_that_fails_loses_only_itself(void **state)
{
	struct fts *fts = open_fts(0);
	struct rlimit before;
	struct rlimit limit;
	int r;

	(void)state;
	fill(fts, 1, 100, 1);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = 200000;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);

	assert_int_equal(fts_begin(fts), 0);
	put_many(fts, 101, 8000);
	r = fts_commit(fts, 2);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_true(r < 0);
	fts_rollback(fts);
	assert_int_equal(fts_commit(fts, 3), -EIO);
	assert_int_equal(fts_put(fts, 1, NULL, 0), -EIO);

	assert_int_equal(count_hits(fts, "every"), 100);
	fill(fts, 101, 200, 4);
	assert_int_equal(count_hits(fts, "every"), 200);
	assert_sound(fts);
	fts_close(fts);
	fts_close(open_fts(4));
}

/* --- Files that are not as we left them --- */

static void
overwrite(off_t at, size_t len, int byte)
{
	CLEANUP(close) int fd = open(path, O_WRONLY | O_CLOEXEC);
	CLEANUP(free) char *bytes = malloc(len);

	assert_true(fd >= 0);
	assert_non_null(bytes);
	memset(bytes, byte, len);
	assert_int_equal(pwrite(fd, bytes, len, at), (ssize_t)len);
}

static void
execute(const char *sql)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void
damage_header(void)
{
	overwrite(0, 100, 'x');
}

static void
damage_schema(void)
{
	overwrite(100, 8000, 0x5a);
}

static void
damage_length(void)
{
	assert_int_equal(truncate(path, 3 * 8192), 0);
}

static void
damage_all(void)
{
	overwrite(0, 60000, 0xa5);
}

static void
empty_file(void)
{
	assert_int_equal(truncate(path, 0), 0);
}

static void
other_version(void)
{
	execute("UPDATE meta SET value = value + 1 WHERE key = 'version'");
}

static void
foreign_tables(void)
{
	(void)remove_file(NULL);
	execute("CREATE TABLE meta (x); CREATE TABLE f (y)");
}

static void
missing_settings(void)
{
	execute("DELETE FROM f_config");
}

static void
missing_structure(void)
{
	execute("DELETE FROM f_data WHERE id = 10");
}

static const struct damage {
	const char *name;
	void (*make)(void);
} DAMAGES[] = {
	{ "a damaged header empties the file", damage_header },
	{ "a damaged schema empties the file", damage_schema },
	{ "a file cut short is emptied", damage_length },
	{ "a file of rubbish is emptied", damage_all },
	{ "a file of length 0 is a new one", empty_file },
	{ "another version empties the file", other_version },
	{ "tables of others are replaced", foreign_tables },
	{ "FTS5 without its settings is emptied", missing_settings },
	{ "FTS5 without its structure is emptied", missing_structure },
};

static void
check_damage(void **state)
{
	const struct damage *damage = *state;
	struct fts *fts = open_fts(0);

	fill(fts, 1, 2000, 9);
	fts_close(fts);
	damage->make();

	fts = open_fts(0);
	assert_int_equal(count_hits(fts, "every"), 0);
	fill(fts, 1, 50, 1);
	assert_int_equal(count_hits(fts, "every"), 50);
	assert_sound(fts);
	fts_close(fts);
	fts_close(open_fts(1));
}

static void
clearing_empties_while_readers_are_connected(void **state)
{
	struct fts *fts = open_fts(0);

	(void)state;
	fill(fts, 1, 3000, 9);
	assert_int_equal(count_hits(fts, "every"), 3000);
	assert_int_equal(fts_clear(fts), 0);
	assert_int_equal(count_hits(fts, "every"), 0);
	fts_close(fts);

	fts = open_fts(0);
	assert_int_equal(count_hits(fts, "every"), 0);
	fill(fts, 1, 20, 2);
	assert_int_equal(count_hits(fts, "every"), 20);
	assert_sound(fts);
	fts_close(fts);
	fts_close(open_fts(2));
}

/* In all blocks but the last, the one where opening looks for a term that sorts last. */
static void
damage_posting_lists(void)
{
	execute("UPDATE f_data SET block = x'ee'"
		" WHERE id > 10 AND id < (SELECT max(id) FROM f_data)");
}

/* The page where FTS5 keeps the term "every", on which it is the first: after the length, and
 * FTS5's own "0". */
static void
damage_page(void)
{
	CLEANUP(fclose) FILE *file = fopen(path, "rb");
	char page[8192];
	off_t at = 0;

	assert_non_null(file);
	while (fread(page, sizeof(page), 1, file) == 1 && !memmem(page, sizeof(page),
								  "\x06"
								  "0every",
								  7))
		at += (off_t)sizeof(page);
	assert_false(feof(file));
	overwrite(at, sizeof(page), 0x5a);
}

static const struct damage WITHIN[] = {
	{ "damaged postings are told and can be cleared", damage_posting_lists },
	{ "a damaged page is told and can be cleared", damage_page },
};

static void
check_damage_within(void **state)
{
	const struct damage *damage = *state;
	CLEANUP(pxs_buf) struct pxs_buf report = PXS_BUF_INIT;
	roaring_bitmap_t *hits = roaring_bitmap_create();
	struct fts *fts = open_fts(0);

	fill(fts, 1, 2000, 9);
	fts_close(fts);
	damage->make();

	fts = open_fts(9);
	assert_int_equal(fts_find_term(fts, "every", 5, NULL, hits), -EBADMSG);
	assert_int_equal(fts_check(fts, &report), 1);
	assert_true(report.len > 0 && report.data[report.len - 1] == '\n');
	assert_int_equal(fts_clear(fts), 0);
	fill(fts, 1, 10, 10);
	assert_int_equal(count_hits(fts, "every"), 10);
	assert_sound(fts);
	fts_close(fts);
	fts_close(open_fts(10));
	roaring_bitmap_free(hits);
}

static void
a_file_that_cannot_be_opened_is_named(void **state)
{
	struct pxs_error err = { 0 };
	struct fts *fts = NULL;
	uint64_t seq = 1;

	(void)state;
	assert_int_equal(fts_open("/nonexistent/fts.db", &fts, &seq, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nonexistent/fts.db"));
	assert_null(fts);
	assert_int_equal(seq, 1);
}

/* --- Readers --- */

static bool
cancel_third_time(void *context)
{
	int *calls = context;

	return ++*calls == 3;
}

static bool
expire_on_the_way(void *context)
{
	struct index_budget *budget = context;

	budget->deadline_ns = budget->deadline_ns == INT64_MAX - 1 ? 1 : budget->deadline_ns - 1;
	return false;
}

static void
budgets_end_searches(void **state)
{
	int calls = 0;
	struct index_budget late = { .deadline_ns = 1 };
	struct index_budget expiring = { .deadline_ns = INT64_MAX,
					 .cancelled = expire_on_the_way,
					 .context = &expiring };
	struct index_budget ample = { .deadline_ns = INT64_MAX };
	struct index_budget cancelled = { .cancelled = cancel_third_time, .context = &calls };
	CLEANUP(fts) struct fts *fts = open_fts(0);
	roaring_bitmap_t *hits = roaring_bitmap_create();

	(void)state;
	fill(fts, 1, 5000, 1);
	assert_int_equal(fts_find_term(fts, "n1", 2, &late, hits), -ETIMEDOUT);
	assert_int_equal(roaring_bitmap_get_cardinality(hits), 0);
	assert_int_equal(fts_find_term(fts, "every", 5, &cancelled, hits), -ECANCELED);
	assert_int_equal(calls, 3);
	assert_true(roaring_bitmap_get_cardinality(hits) < 5000);
	calls = 0;
	assert_int_equal(fts_find_prefix(fts, "n", 1, &cancelled, hits), -ECANCELED);
	assert_int_equal(fts_find_term(fts, "every", 5, &expiring, hits), -ETIMEDOUT);
	assert_int_equal(fts_find_term(fts, "every", 5, &ample, hits), 0);
	assert_int_equal(roaring_bitmap_get_cardinality(hits), 5000);
	roaring_bitmap_free(hits);
}

/* The log can be emptied, so nobody still reads an old state of the file. */
static void
no_reader_stays_in_a_transaction(void **state)
{
	int calls = 0;
	struct index_budget cancelled = { .cancelled = cancel_third_time, .context = &calls };
	CLEANUP(fts) struct fts *fts = open_fts(0);
	roaring_bitmap_t *hits = roaring_bitmap_create();
	char wal[sizeof(path) + 8];
	struct stat st;

	(void)state;
	fill(fts, 1, 3000, 1);
	assert_int_equal(count_hits(fts, "every"), 3000);
	assert_int_equal(fts_find_term(fts, "every", 5, &cancelled, hits), -ECANCELED);
	fill(fts, 3001, 3002, 2);
	execute("PRAGMA wal_checkpoint(TRUNCATE)");
	(void)snprintf(wal, sizeof(wal), "%s-wal", path);
	assert_int_equal(stat(wal, &st), 0);
	assert_int_equal(st.st_size, 0);
	roaring_bitmap_free(hits);
}

enum { READERS = 12, COMMITS = 40 };

static struct {
	struct fts *fts;
	_Atomic uint64_t committed; /* documents */
	_Atomic bool cleared;
	_Atomic bool ended;
	_Atomic bool failed;
} shared;

/* A search sees at least what was committed when it began, and nothing half done. */
static void *
read_on(void *context)
{
	roaring_bitmap_t *hits;
	uint64_t before;
	uint64_t n;
	int r;

	(void)context;
	while (!shared.ended) {
		before = shared.committed;
		hits = roaring_bitmap_create();
		r = fts_find_term(shared.fts, "every", 5, NULL, hits);
		n = roaring_bitmap_get_cardinality(hits);
		if (r < 0 || n % 10 || (n < before && !shared.cleared))
			shared.failed = true;
		roaring_bitmap_free(hits);
	}
	return NULL;
}

static void
commit_on(void)
{
	for (uint32_t i = 0; i < COMMITS; i++) {
		fill(shared.fts, i * 10 + 1, i * 10 + 10, i + 1);
		shared.committed = (i + 1) * 10;
	}
}

static void
many_threads_read_while_one_writes(void **state)
{
	pthread_t threads[READERS];

	(void)state;
	shared.fts = open_fts(0);
	for (size_t i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_on, NULL), 0);
	commit_on();
	shared.cleared = true;
	for (int i = 0; i < 5; i++) {
		assert_int_equal(fts_clear(shared.fts), 0);
		commit_on();
	}
	shared.ended = true;
	for (size_t i = 0; i < READERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_false(shared.failed);
	fts_close(shared.fts);
}

static struct CMUnitTest
damage_test(const struct damage *damage, CMUnitTestFunction check)
{
	return (struct CMUnitTest){
		.name = damage->name,
		.test_func = check,
		.teardown_func = remove_file,
		.initial_state = (void *)(uintptr_t)damage,
	};
}

int
main(void)
{
	static const struct CMUnitTest OTHERS[] = {
		cmocka_unit_test_teardown(finds_what_the_model_finds, remove_file),
		cmocka_unit_test_teardown(terms_may_hold_any_byte_but_nul, remove_file),
		cmocka_unit_test_teardown(what_no_term_can_be_is_found_nowhere, remove_file),
		cmocka_unit_test_teardown(phrases_do_not_cross_numbers, remove_file),
		cmocka_unit_test_teardown(a_damaged_stream_is_refused, remove_file),
		cmocka_unit_test_teardown(only_commits_are_seen_and_kept, remove_file),
		cmocka_unit_test_teardown(a_process_that_dies_leaves_its_commits, remove_file),
		cmocka_unit_test_teardown(a_write_that_fails_loses_only_itself, remove_file),
		cmocka_unit_test_teardown(clearing_empties_while_readers_are_connected,
					  remove_file),
		cmocka_unit_test_teardown(a_file_that_cannot_be_opened_is_named, remove_file),
		cmocka_unit_test_teardown(budgets_end_searches, remove_file),
		cmocka_unit_test_teardown(no_reader_stays_in_a_transaction, remove_file),
		cmocka_unit_test_teardown(many_threads_read_while_one_writes, remove_file),
	};
	struct CMUnitTest tests[ARRAY_SIZE(DAMAGES) + ARRAY_SIZE(WITHIN) + ARRAY_SIZE(OTHERS)];
	struct CMUnitTest *test = tests;

	/* One named test for each row, so that a failure says which. */
	for (size_t i = 0; i < ARRAY_SIZE(DAMAGES); i++)
		*test++ = damage_test(&DAMAGES[i], check_damage);
	for (size_t i = 0; i < ARRAY_SIZE(WITHIN); i++)
		*test++ = damage_test(&WITHIN[i], check_damage_within);
	memcpy(test, OTHERS, sizeof(OTHERS));
	return cmocka_run_group_tests_name("fts", tests, make_folder, remove_folder);
}
