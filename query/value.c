#include "query/value.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <uninorm.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "base/utf8.h"
#include "query/date.h"
#include "query/number.h"
#include "query/query.h"

static bool
is_ascii(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] >= 0x80)
			return false;
	return true;
}

const char *
query_text_nfc(struct pxs_arena *arena, const char *text, size_t len)
{
	CLEANUP(free) uint8_t *normal = NULL;
	size_t n = 0;

	if (is_ascii(text, len))
		return pxs_arena_strndup(arena, text, len);
	normal = u8_normalize(UNINORM_NFC, (const uint8_t *)text, len, NULL, &n);
	return normal ? pxs_arena_strndup(arena, (const char *)normal, n) : NULL;
}

static int
parse_string(const char *text, struct pxs_arena *arena, struct query_value *value,
	     struct pxs_error *err)
{
	size_t len = strlen(text);
	size_t valid = pxs_utf8_valid_prefix(text, len);

	if (valid < len)
		return pxs_error_set(err, -EINVAL, (long)valid, "the text is not valid UTF-8");
	value->string = query_text_nfc(arena, text, len);
	return value->string ? 0 : -ENOMEM;
}

static int
parse_whole(const char *text, int64_t least, int64_t greatest, struct query_value *value,
	    struct pxs_error *err)
{
	struct query_number number;

	if (!query_number_parse(text, &number) || !number.whole)
		return pxs_error_set(err, -EINVAL, 0, "'%.40s' is no whole number", text);
	if (number.beyond || number.floor < least || number.floor > greatest)
		return pxs_error_set(err, -EINVAL, 0,
				     "%.40s is not between %" PRId64 " and %" PRId64, text, least,
				     greatest);
	value->integer = number.floor;
	return 0;
}

static int
parse_real(const char *text, struct query_value *value, struct pxs_error *err)
{
	struct query_number number;

	if (!query_number_parse(text, &number))
		return pxs_error_set(err, -EINVAL, 0, "'%.40s' is no number", text);
	if (!isfinite(number.real))
		return pxs_error_set(err, -EINVAL, 0, "%.40s is too large for a double", text);
	value->real = number.real;
	return 0;
}

static int
parse_boolean(const char *text, struct query_value *value, struct pxs_error *err)
{
	value->integer = strcmp(text, "true") == 0;
	if (!value->integer && strcmp(text, "false") != 0)
		return pxs_error_set(err, -EINVAL, 0, "'%.40s' is neither true nor false", text);
	return 0;
}

static int
parse_date(const char *text, struct query_value *value, struct pxs_error *err)
{
	struct pxs_error fault = { 0 };
	int64_t end_ns;

	if (query_time_parse(text, &value->integer, &end_ns, &fault) < 0)
		return pxs_error_set(err, -EINVAL, fault.at, "%s", fault.text);
	return 0;
}

int
query_value_parse(enum query_type type, const char *text, struct pxs_arena *arena,
		  struct query_value *ret_value, struct pxs_error *err)
{
	struct query_value value = { .type = type };
	int r;

	switch (type) {
	case QUERY_TYPE_STRING:
		r = parse_string(text, arena, &value, err);
		break;
	case QUERY_TYPE_INTEGER:
		r = parse_whole(text, INT32_MIN, INT32_MAX, &value, err);
		break;
	case QUERY_TYPE_LONG:
		r = parse_whole(text, INT64_MIN, INT64_MAX, &value, err);
		break;
	case QUERY_TYPE_FLOAT:
	case QUERY_TYPE_DOUBLE:
		r = parse_real(text, &value, err);
		break;
	case QUERY_TYPE_BOOLEAN:
		r = parse_boolean(text, &value, err);
		break;
	case QUERY_TYPE_DATETIME:
		r = parse_date(text, &value, err);
		break;
	default:
		r = pxs_error_set(err, -EINVAL, 0, "a Proxy has no value of its own");
		break;
	}
	if (r == 0)
		*ret_value = value;
	return r;
}

static void
print(const struct query_value *value, void (*print_time)(int64_t, struct pxs_buf *),
      struct pxs_buf *buf)
{
	char text[32];

	switch (value->type) {
	case QUERY_TYPE_STRING:
		pxs_buf_add_str(buf, value->string);
		break;
	case QUERY_TYPE_FLOAT:
	case QUERY_TYPE_DOUBLE:
		pxs_double_print(value->real, text);
		pxs_buf_add_str(buf, text);
		break;
	case QUERY_TYPE_BOOLEAN:
		pxs_buf_add_str(buf, value->integer ? "true" : "false");
		break;
	case QUERY_TYPE_DATETIME:
		print_time(value->integer, buf);
		break;
	default:
		pxs_buf_addf(buf, "%" PRId64, value->integer);
		break;
	}
}

void
query_value_print(const struct query_value *value, struct pxs_buf *buf)
{
	print(value, query_time_print, buf);
}

void
query_value_print_exact(const struct query_value *value, struct pxs_buf *buf)
{
	print(value, query_time_print_exact, buf);
}

void
query_time_write(int64_t time_ns, struct pxs_json *json)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

	query_time_print(time_ns, &text);
	if (text.error)
		json->buf->error = text.error;
	pxs_json_stringn(json, pxs_buf_text(&text), text.len);
}

void
query_value_write(const struct query_value *value, struct pxs_json *json)
{
	switch (value->type) {
	case QUERY_TYPE_STRING:
		pxs_json_string(json, value->string);
		break;
	case QUERY_TYPE_INTEGER:
	case QUERY_TYPE_LONG:
		pxs_json_int(json, value->integer);
		break;
	case QUERY_TYPE_FLOAT:
	case QUERY_TYPE_DOUBLE:
		pxs_json_double(json, value->real);
		break;
	case QUERY_TYPE_BOOLEAN:
		pxs_json_bool(json, value->integer);
		break;
	case QUERY_TYPE_DATETIME:
		query_time_write(value->integer, json);
		break;
	case QUERY_TYPE_PROXY:
		pxs_json_null(json);
		break;
	}
}

static bool
is_real(const struct query_value *value)
{
	return value->type == QUERY_TYPE_FLOAT || value->type == QUERY_TYPE_DOUBLE;
}

/* Exact: beyond 2^53 a double stands for one whole number and its neighbours do not. */
static int
compare_mixed(int64_t whole, double real)
{
	if (real >= 9223372036854775808.0)
		return -1;
	if (real < -9223372036854775808.0)
		return 1;
	if (whole != (int64_t)real)
		return whole < (int64_t)real ? -1 : 1;
	return real > trunc(real) ? -1 : real < trunc(real);
}

int
query_value_compare(const struct query_value *a, const struct query_value *b)
{
	if (a->type == QUERY_TYPE_STRING)
		return strcmp(a->string, b->string);
	if (is_real(a) && is_real(b))
		return a->real < b->real ? -1 : a->real > b->real;
	if (is_real(a))
		return -compare_mixed(b->integer, a->real);
	if (is_real(b))
		return compare_mixed(a->integer, b->real);
	return a->integer < b->integer ? -1 : a->integer > b->integer;
}
