/* Dictionaries as bytes. A part:
 *
 *     first, n     uint32_t      codes
 *     far          uint32_t      0 or 1
 *     near:   rows uint32_t [n / DICT_ROW + 1], offsets uint16_t [n + 1]
 *     far:    offsets uint32_t [n + 1]
 *     texts        each with its NUL, up to the n-th offset
 *
 * A lexicon:
 *
 *     n, n_slots   uint32_t
 *     ranks        uint32_t [n]
 *     codes        uint32_t [n]
 *     slots        uint32_t [n_slots]
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "base/buf.h"
#include "base/macros.h"
#include "index/dict.h"
#include "index/text_order.h"

/* Texts of a part are cut here, so that their offsets fit. */
#define PART_BYTES (256u << 20)

/* Numbers before the offsets. */
#define PART_HEAD 3

/* --- Parts --- */

static uint32_t
size_of(const struct dict *dict, uint32_t code)
{
	return (uint32_t)strlen(dict_text(dict, code)) + 1;
}

/* How many texts fit a part, and whether a row of them is too long. */
static uint32_t
count_texts(const struct dict *dict, uint32_t first, uint32_t last, uint32_t *ret_far)
{
	uint32_t offset = 0, n = 0, row = 0;

	*ret_far = 0;
	for (; n <= last - first && offset < PART_BYTES; n++) {
		if (n % DICT_ROW == 0)
			row = offset;
		*ret_far |= offset - row > UINT16_MAX;
		offset += size_of(dict, first + n);
	}
	*ret_far |= n % DICT_ROW && offset - row > UINT16_MAX;
	return n;
}

static void
add_far(const struct dict *dict, uint32_t first, uint32_t n, struct pxs_buf *buf)
{
	uint32_t offset = 0;

	for (uint32_t i = 0; i <= n; i++) {
		pxs_buf_add(buf, &offset, sizeof(offset));
		if (i < n)
			offset += size_of(dict, first + i);
	}
}

static void
add_near(const struct dict *dict, uint32_t first, uint32_t n, struct pxs_buf *buf)
{
	size_t n_rows = n / DICT_ROW + (size_t)1, len = n_rows * sizeof(uint32_t);
	uint32_t *rows = (uint32_t *)(void *)pxs_buf_reserve(buf, len + (n + 1) * sizeof(uint16_t));
	uint16_t *near = (uint16_t *)(void *)(rows + n_rows);
	uint32_t offset = 0;

	if (!rows)
		return;
	for (uint32_t i = 0; i <= n; i++) {
		if (i % DICT_ROW == 0)
			rows[i / DICT_ROW] = offset;
		near[i] = (uint16_t)(offset - rows[i / DICT_ROW]);
		if (i < n)
			offset += size_of(dict, first + i);
	}
	buf->len += len + (n + 1) * sizeof(uint16_t);
}

uint32_t
dict_part_encode(const struct dict *dict, uint32_t first, uint32_t last, struct pxs_buf *buf)
{
	uint32_t far;
	uint32_t n = count_texts(dict, first, last, &far);
	const uint32_t head[] = { first, n, far };

	pxs_buf_add(buf, head, sizeof(head));
	if (far)
		add_far(dict, first, n, buf);
	else
		add_near(dict, first, n, buf);
	for (uint32_t i = 0; i < n; i++) {
		const char *text = dict_text(dict, first + i);

		pxs_buf_add(buf, text, strlen(text) + 1);
	}
	return n;
}

static bool
texts_end(const struct dict_part *part, size_t len)
{
	uint32_t before = dict_part_offset(part, 0);

	if (before != 0 || dict_part_offset(part, part->n) != len)
		return false;
	for (uint32_t i = 1; i <= part->n; i++) {
		uint32_t offset = dict_part_offset(part, i);

		if (offset <= before || offset > len || part->text[offset - 1] != '\0')
			return false;
		before = offset;
	}
	return true;
}

int
dict_part_decode(const void *data, size_t len, struct dict_part *ret_part)
{
	const uint32_t *numbers = data;
	struct dict_part part = { .bytes = len };
	size_t before, n_rows;

	if (len < PART_HEAD * sizeof(*numbers))
		return -EBADMSG;
	part.first = numbers[0];
	part.n = numbers[1];
	if (part.first == 0 || part.n == 0 || part.n > UINT32_MAX / 2 ||
	    part.first > UINT32_MAX / 2 || numbers[2] > 1)
		return -EBADMSG;
	n_rows = part.n / DICT_ROW + (size_t)1;
	before = PART_HEAD * sizeof(*numbers);
	if (numbers[2]) {
		part.far = numbers + PART_HEAD;
		before += (part.n + (size_t)1) * sizeof(*part.far);
	} else {
		part.rows = numbers + PART_HEAD;
		part.near = (const uint16_t *)(part.rows + n_rows);
		before += n_rows * sizeof(*part.rows) + (part.n + (size_t)1) * sizeof(*part.near);
	}
	if (before > len)
		return -EBADMSG;
	part.text = (const char *)data + before;
	if (!texts_end(&part, len - before))
		return -EBADMSG;
	*ret_part = part;
	return 0;
}

/* --- Lexicons --- */

static void
fill_slots(const struct dict *dict, uint32_t n, uint32_t *slots, uint32_t n_slots)
{
	for (uint32_t code = 1; code <= n; code++) {
		const char *text = dict_text(dict, code);
		uint32_t hash = (uint32_t)XXH3_64bits(text, strlen(text));
		uint32_t slot = (uint32_t)((uint64_t)hash * n_slots >> 32);

		while (slots[slot])
			slot = slot + 1 == n_slots ? 0 : slot + 1;
		slots[slot] = code;
	}
}

static int
sort_codes(const struct dict *dict, uint32_t n, uint32_t *codes)
{
	CLEANUP(text_order) struct text_order *order = NULL;
	int r = text_order_new(dict, n, &order);

	if (r < 0)
		return r;
	for (uint32_t code = 1; code <= n; code++)
		text_order_add(order, code, 1);
	(void)text_order_sort(order, NULL);
	for (uint32_t rank = 0; rank < n; rank++)
		codes[rank] = text_order_code(order, rank);
	return 0;
}

int
dict_lexicon_encode(const struct dict *dict, uint32_t n, struct pxs_buf *buf)
{
	uint32_t n_slots = n + n / 2 + 1;
	const uint32_t head[] = { n, n_slots };
	size_t len = (2 * (size_t)n + n_slots) * sizeof(uint32_t);
	uint32_t *ranks, *codes;
	int r;

	pxs_buf_add(buf, head, sizeof(head));
	ranks = (uint32_t *)(void *)pxs_buf_reserve(buf, len);
	if (!ranks)
		return -ENOMEM;
	memset(ranks, 0, len);
	codes = ranks + n;
	r = sort_codes(dict, n, codes);
	if (r < 0)
		return r;
	for (uint32_t rank = 0; rank < n; rank++)
		ranks[codes[rank] - 1] = rank;
	fill_slots(dict, n, codes + n, n_slots);
	buf->len += len;
	return 0;
}

static bool
are_codes(const uint32_t *codes, uint32_t n, uint32_t min, uint32_t max)
{
	for (uint32_t i = 0; i < n; i++)
		if (codes[i] < min || codes[i] > max)
			return false;
	return true;
}

int
dict_lexicon_decode(const void *data, size_t len, struct dict_lexicon *ret_lexicon)
{
	const uint32_t *numbers = data;
	struct dict_lexicon lexicon = { .bytes = len };
	uint32_t n;

	if (len < 2 * sizeof(*numbers))
		return -EBADMSG;
	n = numbers[0];
	lexicon.n_slots = numbers[1];
	if (n > UINT32_MAX / 2 || len != (2 + 2 * (uint64_t)n + lexicon.n_slots) * sizeof(*numbers))
		return -EBADMSG;
	lexicon.order = (struct dict_order){ n, numbers + 2, numbers + 2 + n };
	lexicon.slots = numbers + 2 + 2 * (size_t)n;
	if ((n && !are_codes(lexicon.order.ranks, n, 0, n - 1)) ||
	    !are_codes(lexicon.order.codes, n, 1, n) ||
	    !are_codes(lexicon.slots, lexicon.n_slots, 0, n))
		return -EBADMSG;
	*ret_lexicon = lexicon;
	return 0;
}
