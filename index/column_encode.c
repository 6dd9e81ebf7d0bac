/* A segment as bytes: the header, then those of these that its form has, each at a multiple of 8:
 *
 *     places     uint16_t [n]
 *     offsets    uint32_t [n + 1], or of LISTS [COLUMN_SEGMENT_DOCS + 1]
 *     values     of `width` bytes [n_values]
 *
 * LINEAR is the form of values of which each is one more than that of the place before: rows, or
 * the codes of texts that all differ. It has the header alone. Who reads it gets a DENSE slice, all
 * such slices with the same values, which are 1, 2, 3, ...: they differ in their base. */
#include "index/column_encode.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/buf.h"
#include "base/macros.h"

#define ALIGNMENT 8
#define SPARSE_MAX (COLUMN_SEGMENT_DOCS / 100 * COLUMN_SPARSE_PERCENT)

struct header {
	uint8_t form;
	uint8_t width;
	uint16_t zero;
	uint32_t n;
	uint64_t n_values;
	int64_t base, scale;
	int64_t max;
};

/* --- Choosing --- */

struct range {
	size_t n; /* of numbers that are there */
	int64_t min, max;
	uint64_t scale; /* divides all that lies between two numbers; 0 while all are one */
};

static uint64_t
common_divisor(uint64_t a, uint64_t b)
{
	uint64_t rest;

	for (; b; b = rest) {
		rest = a % b;
		a = b;
	}
	return a;
}

static struct range
range_of(const int64_t *numbers, size_t n, bool codes)
{
	struct range range = { .min = INT64_MAX, .max = INT64_MIN, .scale = codes ? 1 : 0 };

	for (size_t i = 0; i < n; i++) {
		if (numbers[i] == COLUMN_MISSING)
			continue;
		range.n++;
		range.min = MIN(range.min, numbers[i]);
		range.max = MAX(range.max, numbers[i]);
	}
	for (size_t i = 0; i < n && range.scale != 1; i++)
		if (numbers[i] != COLUMN_MISSING)
			range.scale = common_divisor((uint64_t)numbers[i] - (uint64_t)range.min,
						     range.scale);
	return range;
}

/* Stored values count from 1. */
static uint8_t
width_of(uint64_t greatest)
{
	if (greatest < UINT8_MAX)
		return 1;
	if (greatest < UINT16_MAX)
		return 2;
	return greatest < UINT32_MAX ? 4 : 8;
}

static void
choose_width(const struct range *range, struct header *header)
{
	uint64_t span = (uint64_t)range->max - (uint64_t)range->min;
	uint64_t scale = MAX(range->scale, UINT64_C(1));

	/* A multiplication for each value must be worth it. */
	if (width_of(span / scale) == width_of(span))
		scale = 1;
	header->width = width_of(span / scale);
	header->max = range->max;
	header->scale = 1;
	if (header->width < 8) {
		header->base = (int64_t)((uint64_t)range->min - scale);
		header->scale = (int64_t)scale;
	}
}

static bool
is_linear(const int64_t *numbers, const struct range *range)
{
	if (range->n < COLUMN_SEGMENT_DOCS || numbers[0] <= COLUMN_MISSING + 1)
		return false;
	for (uint32_t i = 1; i < COLUMN_SEGMENT_DOCS; i++)
		if ((uint64_t)numbers[i] != (uint64_t)numbers[0] + i)
			return false;
	return true;
}

/* --- Writing --- */

static void
align(struct pxs_buf *buf)
{
	static const char zeros[ALIGNMENT];

	pxs_buf_add(buf, zeros, -buf->len % ALIGNMENT);
}

static void
put_stored(const struct header *header, int64_t number, char *out, size_t i)
{
	uint64_t stored = 0;

	if (header->width == 8)
		stored = (uint64_t)number;
	else if (number != COLUMN_MISSING)
		stored = ((uint64_t)number - (uint64_t)header->base) / (uint64_t)header->scale;
	switch (header->width) {
	case 1:
		((uint8_t *)out)[i] = (uint8_t)stored;
		break;
	case 2:
		((uint16_t *)(void *)out)[i] = (uint16_t)stored;
		break;
	case 4:
		((uint32_t *)(void *)out)[i] = (uint32_t)stored;
		break;
	default:
		((uint64_t *)(void *)out)[i] = stored;
		break;
	}
}

/* All N, or only those that are there. */
static void
add_values(const struct header *header, const int64_t *numbers, size_t n, bool all,
	   struct pxs_buf *buf)
{
	char *out = pxs_buf_reserve(buf, n * header->width + ALIGNMENT);
	size_t count = 0;

	if (!out)
		return;
	for (size_t i = 0; i < n; i++)
		if (all || numbers[i] != COLUMN_MISSING)
			put_stored(header, numbers[i], out, count++);
	buf->len += count * header->width;
	align(buf);
}

static void
add_places(const int64_t *numbers, struct pxs_buf *buf)
{
	uint16_t place;

	for (uint32_t i = 0; i < COLUMN_SEGMENT_DOCS; i++)
		if (numbers[i] != COLUMN_MISSING) {
			place = (uint16_t)i;
			pxs_buf_add(buf, &place, sizeof(place));
		}
	align(buf);
}

void
column_encode(const int64_t *numbers, uint32_t first, bool codes, struct pxs_buf *buf)
{
	struct range range = range_of(numbers, COLUMN_SEGMENT_DOCS, codes);
	struct header header = { .form = COLUMN_DENSE, .n_values = COLUMN_SEGMENT_DOCS };

	if (range.n == 0)
		return;
	choose_width(&range, &header);
	if (range.min == range.max && range.n >= COLUMN_SEGMENT_DOCS - first) {
		header = (struct header){ COLUMN_CONSTANT, 1, 0, 0, 0, range.min, 1, range.max };
	} else if (is_linear(numbers, &range)) {
		header = (struct header){ COLUMN_LINEAR, 4, 0, 0, 0, range.min - 1, 1, range.max };
	} else if (range.n < SPARSE_MAX) {
		header.form = COLUMN_SPARSE;
		header.n = (uint32_t)range.n;
		header.n_values = range.n;
	}
	pxs_buf_add(buf, &header, sizeof(header));
	if (header.form == COLUMN_SPARSE)
		add_places(numbers, buf);
	if (header.form == COLUMN_DENSE || header.form == COLUMN_SPARSE)
		add_values(&header, numbers, COLUMN_SEGMENT_DOCS, header.form == COLUMN_DENSE, buf);
}

/* The places of lists that are not empty, and where those lists begin. */
static void
add_list_places(const uint32_t *offsets, struct pxs_buf *buf)
{
	uint16_t place;

	for (uint32_t i = 0; i < COLUMN_SEGMENT_DOCS; i++)
		if (offsets[i] != offsets[i + 1]) {
			place = (uint16_t)i;
			pxs_buf_add(buf, &place, sizeof(place));
		}
	align(buf);
	for (uint32_t i = 0; i < COLUMN_SEGMENT_DOCS; i++)
		if (offsets[i] != offsets[i + 1])
			pxs_buf_add(buf, &offsets[i], sizeof(*offsets));
	pxs_buf_add(buf, &offsets[COLUMN_SEGMENT_DOCS], sizeof(*offsets));
	align(buf);
}

void
column_encode_lists(const int64_t *numbers, const uint32_t *offsets, bool codes,
		    struct pxs_buf *buf)
{
	size_t n_values = offsets[COLUMN_SEGMENT_DOCS];
	struct range range = range_of(numbers, n_values, codes);
	struct header header = { .form = COLUMN_LISTS, .n_values = n_values };
	uint32_t n = 0;

	if (n_values == 0)
		return;
	choose_width(&range, &header);
	for (uint32_t i = 0; i < COLUMN_SEGMENT_DOCS; i++)
		n += offsets[i] != offsets[i + 1];
	if (n < SPARSE_MAX) {
		header.form = COLUMN_SPARSE_LISTS;
		header.n = n;
	}
	pxs_buf_add(buf, &header, sizeof(header));
	if (header.form == COLUMN_SPARSE_LISTS) {
		add_list_places(offsets, buf);
	} else {
		pxs_buf_add(buf, offsets, (COLUMN_SEGMENT_DOCS + 1) * sizeof(*offsets));
		align(buf);
	}
	add_values(&header, numbers, n_values, true, buf);
}

/* --- Reading --- */

/* Takes N elements of SIZE bytes from the front of what is left; NULL: not so much is left. */
static const void *
take(const char **at, size_t *left, uint64_t n, size_t size)
{
	const char *found = *at;
	uint64_t len;

	if (n > *left / size)
		return NULL;
	len = (n * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if (len > *left)
		return NULL;
	*at += len;
	*left -= len;
	return found;
}

static bool
places_ascend(const struct column_slice *slice)
{
	for (uint32_t i = 1; i < slice->n; i++)
		if (slice->places[i] <= slice->places[i - 1])
			return false;
	return true;
}

static bool
offsets_ascend(const uint32_t *offsets, uint32_t n, uint64_t n_values)
{
	for (uint32_t i = 0; i < n; i++)
		if (offsets[i] > offsets[i + 1])
			return false;
	return offsets[0] == 0 && offsets[n] == n_values;
}

static int
check_header(const struct header *header)
{
	bool listed = header->form == COLUMN_SPARSE || header->form == COLUMN_SPARSE_LISTS;

	if (header->form < COLUMN_CONSTANT || header->form > COLUMN_LINEAR ||
	    header->form == COLUMN_SLOTS ||
	    (header->width != 1 && header->width != 2 && header->width != 4 && header->width != 8))
		return -EBADMSG;
	if (listed ? header->n == 0 || header->n > COLUMN_SEGMENT_DOCS : header->n != 0)
		return -EBADMSG;
	if ((header->form == COLUMN_DENSE && header->n_values != COLUMN_SEGMENT_DOCS) ||
	    (header->form == COLUMN_SPARSE && header->n_values != header->n) ||
	    (header->form == COLUMN_CONSTANT && header->n_values != 0))
		return -EBADMSG;
	return 0;
}

static uint32_t counted[COLUMN_SEGMENT_DOCS];
static pthread_once_t counted_once = PTHREAD_ONCE_INIT;

static void
count(void)
{
	for (uint32_t i = 0; i < COLUMN_SEGMENT_DOCS; i++)
		counted[i] = i + 1;
}

static int
take_linear(const struct header *header, size_t left, struct column_slice *slice)
{
	if (header->width != sizeof(counted[0]) || header->scale != 1 || header->n_values != 0 ||
	    left != 0 || (uint64_t)header->max != (uint64_t)header->base + COLUMN_SEGMENT_DOCS ||
	    header->max < header->base)
		return -EBADMSG;
	(void)pthread_once(&counted_once, count);
	slice->form = COLUMN_DENSE;
	slice->values = counted;
	return 0;
}

static int
take_parts(const struct header *header, const char *at, size_t left, struct column_slice *slice)
{
	bool lists = header->form == COLUMN_LISTS || header->form == COLUMN_SPARSE_LISTS;
	uint32_t n_lists = header->n ? header->n : COLUMN_SEGMENT_DOCS;

	if (header->n) {
		slice->places = take(&at, &left, header->n, sizeof(*slice->places));
		if (!slice->places || !places_ascend(slice))
			return -EBADMSG;
	}
	if (lists) {
		slice->offsets = take(&at, &left, n_lists + UINT64_C(1), sizeof(*slice->offsets));
		if (!slice->offsets || !offsets_ascend(slice->offsets, n_lists, header->n_values))
			return -EBADMSG;
	}
	slice->values = take(&at, &left, header->n_values, header->width);
	return slice->values && left == 0 ? 0 : -EBADMSG;
}

int
column_decode(const void *data, size_t len, struct column_slice *ret_slice, int64_t *ret_max)
{
	const struct header *header = data;
	struct column_slice slice;
	int r;

	if (len < sizeof(*header))
		return -EBADMSG;
	r = check_header(header);
	if (r < 0)
		return r;
	slice = (struct column_slice){
		.form = (enum column_form)header->form,
		.width = header->width,
		.n = header->n,
		.base = header->base,
		.scale = header->scale,
	};
	if (header->form == COLUMN_LINEAR)
		r = take_linear(header, len - sizeof(*header), &slice);
	else
		r = take_parts(header, (const char *)data + sizeof(*header), len - sizeof(*header),
			       &slice);
	if (r < 0)
		return r;
	*ret_slice = slice;
	*ret_max = header->max;
	return 0;
}
