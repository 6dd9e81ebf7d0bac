/*     cursor = "1-" order { "-" key } "-" tie
 *     key    = "m" | "n" number | "s" { byte }
 *
 * `order` is a hash of the sort keys, so that a cursor is not taken for one of another order;
 * numbers are those of a column, in hexadecimal like all others and the bytes of strings. */
#include "index/cursor.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "base/buf.h"
#include "index/column.h"
#include "index/sort.h"

#define HEX "0123456789abcdef"
#define NUMBER_DIGITS 16

/* Names rather than numbers of properties: an index that was made anew has other numbers. */
static uint32_t
order_hash(const struct sorter *sorter)
{
	uint64_t hash = 0;

	for (size_t i = 0; i < sorter->n; i++) {
		const char *name = sort_key_property(&sorter->keys[i])->name;

		hash = XXH3_64bits_withSeed(name, strlen(name),
					    hash * 2 + sorter->keys[i].descending);
	}
	return (uint32_t)hash;
}

/* --- Printing --- */

static void
print_key(const struct sorter *sorter, size_t level, uint32_t doc, struct pxs_buf *buf)
{
	struct query_value value;

	if (!sorter_value(sorter, level, doc, &value)) {
		pxs_buf_add_str(buf, "-m");
	} else if (value.type != QUERY_TYPE_STRING) {
		pxs_buf_addf(buf, "-n%" PRIx64, (uint64_t)column_number(&value));
	} else {
		pxs_buf_add_str(buf, "-s");
		for (const char *at = value.string; *at; at++)
			pxs_buf_addf(buf, "%02x", (unsigned char)*at);
	}
}

int
cursor_print(const struct sorter *sorter, uint32_t doc, struct pxs_buf *buf)
{
	uint64_t tie;

	pxs_buf_addf(buf, "1-%08" PRIx32, order_hash(sorter));
	for (size_t i = 0; i < sorter->n; i++)
		print_key(sorter, i, doc, buf);
	sorter_level(sorter, sorter->n, &doc, 1, &tie);
	pxs_buf_addf(buf, "-%" PRIx64, tie);
	return buf->error;
}

/* --- Parsing --- */

static bool
parse_number(const char **text, uint64_t *ret_number)
{
	size_t digits = strspn(*text, HEX);

	if (digits == 0 || digits > NUMBER_DIGITS)
		return false;
	*ret_number = strtoull(*text, NULL, 16);
	*text += digits;
	return true;
}

static unsigned int
digit(char c)
{
	return (unsigned int)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* The caller frees the string. */
static int
parse_bytes(const char **text, char **ret_string)
{
	size_t n = strspn(*text, HEX) / 2;
	char *string = malloc(n + 1);

	if (!string)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		string[i] = (char)(digit((*text)[2 * i]) << 4 | digit((*text)[2 * i + 1]));
	string[n] = '\0';
	*text += 2 * n;
	*ret_string = string;
	return 0;
}

static int
parse_string_key(const struct sorter *sorter, size_t level, const char **text, uint64_t *ret_key)
{
	struct query_value value = { .type = QUERY_TYPE_STRING };
	CLEANUP(free) char *string = NULL;
	int r = parse_bytes(text, &string);

	if (r < 0)
		return r;
	value.string = string;
	*ret_key = sorter_value_key(sorter, level, &value);
	return 0;
}

static int
parse_key(const struct sorter *sorter, size_t level, const char **text, uint64_t *ret_key)
{
	const struct sort_key *key = &sorter->keys[level];
	struct query_value value;
	uint64_t number;
	char kind;

	if (*(*text)++ != '-')
		return -EINVAL;
	kind = **text;
	if (kind == 'm') {
		++*text;
		*ret_key = sorter_value_key(sorter, level, NULL);
		return 0;
	}
	if (kind != (sort_key_dict(key) ? 's' : 'n'))
		return -EINVAL;
	++*text;
	if (kind == 's')
		return parse_string_key(sorter, level, text, ret_key);
	if (!parse_number(text, &number) || (int64_t)number == COLUMN_MISSING)
		return -EINVAL;
	column_number_value(sort_key_property(key), (int64_t)number, &value);
	*ret_key = sorter_value_key(sorter, level, &value);
	return 0;
}

int
cursor_parse(const struct sorter *sorter, const char *text, struct sort_place *ret_place)
{
	struct sort_place place;
	uint64_t order;
	int r = 0;

	if (strncmp(text, "1-", 2) != 0)
		return -EINVAL;
	text += 2;
	if (!parse_number(&text, &order) || order != order_hash(sorter))
		return -EINVAL;
	for (size_t level = 0; r == 0 && level < sorter->n; level++)
		r = parse_key(sorter, level, &text, &place.levels[level]);
	if (r < 0)
		return r;
	if (*text++ != '-' || !parse_number(&text, &place.levels[sorter->n]) || *text)
		return -EINVAL;
	*ret_place = place;
	return 0;
}
