/* A dictionary finds, tells and compares its strings the same, wherever they lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/macros.h"
#include "index/dict.h"
#include "index/epoch.h"
#include "index/ranks.h"

#define TEXTS 3000

static struct dict *dict;
static struct epoch *epoch;
static struct pxs_buf kept[8]; /* what is mapped must stay */
static size_t n_kept;

static int
setup(void **state)
{
	(void)state;
	return dict_new(&dict) == 0 && epoch_new(&epoch) == 0 ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	dict_free(dict);
	epoch_unref(epoch);
	while (n_kept)
		pxs_buf_done(&kept[--n_kept]);
	memset(kept, 0, sizeof(kept));
	return 0;
}

static void
make_text(uint32_t i, char text[32])
{
	(void)snprintf(text, 32, "%s%u", i % 3 ? "some/folder/" : "", i * 7919 % 10007);
}

static void
add(uint32_t from, uint32_t to)
{
	char text[32];
	uint32_t code;

	for (uint32_t i = from; i < to; i++) {
		make_text(i, text);
		assert_int_equal(dict_add(dict, text, strlen(text), &code), 0);
		assert_int_equal(code, i + 1);
	}
}

static void
check(uint32_t n)
{
	char text[32];
	uint32_t code;

	assert_int_equal(dict_count(dict), n);
	for (uint32_t i = 0; i < n; i++) {
		make_text(i, text);
		assert_int_equal(dict_find(dict, text, strlen(text)), i + 1);
		assert_string_equal(dict_text(dict, i + 1), text);
		assert_int_equal(dict_add(dict, text, strlen(text), &code), 0);
		assert_int_equal(code, i + 1);
	}
	assert_int_equal(dict_find(dict, "none", 4), 0);
	assert_int_equal(dict_find(dict, "", 0), 0);
	for (uint32_t i = 1; i < n; i += 13) {
		int order = strcmp(dict_text(dict, i), dict_text(dict, n - i));
		int compared = dict_compare(dict, i, n - i);

		assert_int_equal((order > 0) - (order < 0), (compared > 0) - (compared < 0));
	}
}

/* Write codes down up to LAST and read them from there. */
static void
map(uint32_t last)
{
	struct pxs_buf *buf = &kept[n_kept++];
	struct dict_part part;

	assert_int_equal(dict_part_encode(dict, dict_mapped(dict) + 1, last, buf),
			 last - dict_mapped(dict));
	assert_int_equal(dict_part_decode(buf->data, buf->len, &part), 0);
	assert_int_equal(dict_map(dict, &part, 1, epoch), 0);
	assert_int_equal(dict_mapped(dict), last);
}

static void
map_lexicon(uint32_t n)
{
	struct pxs_buf *buf = &kept[n_kept++];
	struct dict_lexicon lexicon;

	assert_int_equal(dict_lexicon_encode(dict, n, buf), 0);
	assert_int_equal(dict_lexicon_decode(buf->data, buf->len, &lexicon), 0);
	assert_int_equal(dict_map_lexicon(dict, &lexicon, epoch), 0);
	assert_int_equal(dict_in_order(dict), n);
}

static void
strings_move_and_stay(void **state)
{
	(void)state;
	check(0);
	add(0, 1000);
	check(1000);
	map(900);
	check(1000);
	add(1000, 2000);
	check(2000);
	map_lexicon(900);
	check(2000);
	map(2000);
	check(2000);
	add(2000, TEXTS);
	map_lexicon(2000);
	check(TEXTS);
}

static void
ranks_are_the_order_of_texts(void **state)
{
	struct dict_order order;

	(void)state;
	add(0, TEXTS);
	map(TEXTS - 1);
	map_lexicon(TEXTS - 1);
	dict_order(dict, &order);
	assert_int_equal(order.n, TEXTS - 1);
	for (uint32_t rank = 0; rank < order.n; rank++) {
		assert_int_equal(order.ranks[order.codes[rank] - 1], rank);
		if (rank)
			assert_true(strcmp(dict_text(dict, order.codes[rank - 1]),
					   dict_text(dict, order.codes[rank])) < 0);
	}
}

/* They begin with the order that was written down, and end with what came after it. */
static void
ranks_of_all_begin_with_those(void **state)
{
	const uint32_t ordered[] = { TEXTS - TEXTS / 16, TEXTS / 2, TEXTS };

	(void)state;
	add(0, TEXTS);
	map(TEXTS);
	for (size_t i = 0; i < ARRAY_SIZE(ordered); i++) {
		CLEANUP(ranks) struct ranks *ranks = NULL;
		struct ranks_slot slot;

		map_lexicon(ordered[i]);
		ranks_slot_init(&slot);
		assert_int_equal(ranks_get(&slot, dict, NULL, &ranks), 0);
		assert_int_equal(ranks->n, TEXTS);
		for (uint32_t rank = 1; rank <= ranks->n; rank++) {
			assert_int_equal(ranks_of(ranks, ranks_code(ranks, rank)), rank);
			if (rank > 1)
				assert_true(strcmp(dict_text(dict, ranks_code(ranks, rank - 1)),
						   dict_text(dict, ranks_code(ranks, rank))) < 0);
		}
		ranks_slot_done(&slot);
	}
}

/* A reader of an old view goes on with the text that it was lent. */
static void
a_lent_text_lives_as_long_as_the_epoch(void **state)
{
	struct epoch *next;
	const char *lent;

	(void)state;
	add(0, 10);
	lent = dict_text(dict, 3);
	assert_int_equal(epoch_new(&next), 0);
	map(10);
	epoch_follow(epoch, next);
	assert_string_equal(lent, dict_text(dict, 3));
	epoch_unref(epoch);
	epoch = next;
	check(10);
}

/* N texts of six bytes, but for the one at AT, of LEN: FAR says how their offsets are told. */
static void
write_long(uint32_t n, uint32_t at, size_t len, bool far)
{
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;
	CLEANUP(dict) struct dict *texts = NULL;
	CLEANUP(free) char *text = malloc(len + 1);
	struct dict_part part;
	uint32_t code;

	assert_non_null(text);
	memset(text, 'x', len);
	assert_int_equal(dict_new(&texts), 0);
	for (uint32_t i = 0; i < n; i++) {
		(void)snprintf(text, 8, "%06u", i);
		if (i == at)
			text[6] = 'x';
		assert_int_equal(dict_add(texts, text, i == at ? len : 6, &code), 0);
	}
	assert_int_equal(dict_part_encode(texts, 1, n, &buf), n);
	assert_int_equal(dict_part_decode(buf.data, buf.len, &part), 0);
	assert_int_equal(part.far != NULL, far);
	for (uint32_t i = 0; i < n; i++)
		assert_string_equal(part.text + dict_part_offset(&part, i),
				    dict_text(texts, i + 1));
	assert_int_equal(dict_part_offset(&part, n), n * 7 + len - 6);
}

static void
rows_of_long_texts_are_told_apart(void **state)
{
	const uint32_t others = (DICT_ROW - 2) * 7; /* before the last of the row */

	(void)state;
	write_long(DICT_ROW * 3, 5, 100, false);
	write_long(DICT_ROW * 3, DICT_ROW + 5, UINT16_MAX - others - 1, false);
	write_long(DICT_ROW * 3, DICT_ROW + 5, UINT16_MAX - others, true);
	write_long(DICT_ROW * 2, DICT_ROW * 2 - 1, 1000000, false);
	write_long(DICT_ROW * 2 - 1, DICT_ROW * 2 - 2, 1000000, true);
	write_long(1, 0, UINT16_MAX - 1, false);
	write_long(1, 0, UINT16_MAX, true);
}

static void
damaged_bytes_are_refused(void **state)
{
	CLEANUP(pxs_buf) struct pxs_buf part = PXS_BUF_INIT, lexicon = PXS_BUF_INIT;
	struct dict_part found;
	struct dict_lexicon words;

	(void)state;
	add(0, 100);
	assert_int_equal(dict_part_encode(dict, 1, 100, &part), 100);
	assert_int_equal(dict_lexicon_encode(dict, 100, &lexicon), 0);
	for (size_t len = 0; len < part.len; len++)
		assert_int_equal(dict_part_decode(part.data, len, &found), -EBADMSG);
	for (size_t len = 0; len < lexicon.len; len++)
		assert_int_equal(dict_lexicon_decode(lexicon.data, len, &words), -EBADMSG);
	/* Where the first row begins, and the first rank. */
	part.data[12] ^= 0x7f;
	lexicon.data[9] ^= 0x7f;
	assert_int_equal(dict_part_decode(part.data, part.len, &found), -EBADMSG);
	assert_int_equal(dict_lexicon_decode(lexicon.data, lexicon.len, &words), -EBADMSG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(strings_move_and_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(ranks_are_the_order_of_texts, setup, teardown),
		cmocka_unit_test_setup_teardown(ranks_of_all_begin_with_those, setup, teardown),
		cmocka_unit_test_setup_teardown(a_lent_text_lives_as_long_as_the_epoch, setup,
						teardown),
		cmocka_unit_test(rows_of_long_texts_are_told_apart),
		cmocka_unit_test_setup_teardown(damaged_bytes_are_refused, setup, teardown),
	};

	return cmocka_run_group_tests_name("dict", tests, NULL, NULL);
}
