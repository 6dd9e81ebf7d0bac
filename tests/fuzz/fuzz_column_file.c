/* libFuzzer: what the files of segments/ hold. The first byte says which reader gets the rest; what
 * it takes is then read from end to end, which must stay within the input. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "index/column_encode.h"
#include "index/dict.h"
#include "index/sections.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ALIGNMENT 64

static volatile uint64_t sink; /* so that no read is left out */

static void
read_column(const void *data, size_t size)
{
	struct column_slice slice;
	const void *list;
	int64_t max;

	if (column_decode(data, size, &slice, &max) < 0)
		return;
	for (uint32_t place = 0; place < COLUMN_SEGMENT_DOCS; place++) {
		size_t n = column_slice_list(&slice, place, &list);

		for (size_t i = 0; i < n; i++)
			sink += (uint64_t)column_list_number_at(&slice, list, i);
		if (slice.form != COLUMN_LISTS && slice.form != COLUMN_SPARSE_LISTS)
			sink += (uint64_t)column_slice_number(&slice, place);
	}
}

static void
read_part(const void *data, size_t size)
{
	struct dict_part part;

	if (dict_part_decode(data, size, &part) < 0)
		return;
	for (uint32_t i = 0; i < part.n; i++)
		sink += strlen(part.text + dict_part_offset(&part, i));
}

static void
read_lexicon(const void *data, size_t size)
{
	struct dict_lexicon lexicon;

	if (dict_lexicon_decode(data, size, &lexicon) < 0)
		return;
	for (uint32_t i = 0; i < lexicon.order.n; i++)
		sink += lexicon.order.ranks[i] + lexicon.order.codes[i];
	for (uint32_t i = 0; i < lexicon.n_slots; i++)
		sink += lexicon.slots[i];
}

static void
read_sections(const void *data, size_t size)
{
	const struct sections_name name = { 0 };
	CLEANUP(sections) struct sections *sections = NULL;

	if (sections_read(data, size, &name, &sections) < 0)
		return;
	for (size_t i = 0; i < sections->n; i++)
		if (sections->sections[i].len)
			sink += *(const uint8_t *)sections->sections[i].data;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const READERS[])(const void *data, size_t size) = { read_column, read_part,
									  read_lexicon,
									  read_sections };
	void *copy;

	if (size < 2)
		return 0;
	/* Of the very length, so that a byte behind it is noticed. */
	if (posix_memalign(&copy, ALIGNMENT, size - 1) != 0)
		return 0;
	memcpy(copy, data + 1, size - 1);
	READERS[data[0] % 4](copy, size - 1);
	free(copy);
	return 0;
}
