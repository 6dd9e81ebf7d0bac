#include "index/document.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uninorm.h>

#include "base/json.h"
#include "base/utf8.h"
#include "index/record.h"
#include "index/terms.h"

int
index_document_new(struct index_document **ret_document)
{
	*ret_document = calloc(1, sizeof(**ret_document));
	return *ret_document ? 0 : -ENOMEM;
}

void
index_document_free(struct index_document *document)
{
	if (!document)
		return;
	free(document->values);
	pxs_buf_done(&document->text);
	pxs_buf_done(&document->record);
	pxs_buf_done(&document->stream);
	free(document);
}

void
index_document_clear(struct index_document *document)
{
	document->id = 0;
	document->n_values = 0;
	document->sealed = false;
	pxs_buf_clear(&document->text);
	pxs_buf_clear(&document->record);
	pxs_buf_clear(&document->stream);
}

void
index_document_set_id(struct index_document *document, int64_t id)
{
	document->id = id;
}

static struct document_value *
new_value(struct index_document *document, const struct query_property *property)
{
	size_t cap = document->cap_values ? document->cap_values * 2 : 32;
	struct document_value *values = document->values;

	if (document->n_values == document->cap_values) {
		values = realloc(values, cap * sizeof(*values));
		if (!values)
			return NULL;
		document->values = values;
		document->cap_values = cap;
	}
	document->sealed = false;
	values += document->n_values++;
	*values = (struct document_value){ .property = property, .value.type = property->type };
	return values;
}

static bool
is_ascii(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] >= 0x80)
			return false;
	return true;
}

/* Adds TEXT in NFC, with its NUL. */
static int
add_text(struct pxs_buf *buf, const char *text, size_t len)
{
	uint8_t *normal = NULL;
	size_t n;

	if (is_ascii(text, len)) {
		pxs_buf_add(buf, text, len);
	} else {
		normal = u8_normalize(UNINORM_NFC, (const uint8_t *)text, len, NULL, &n);
		if (!normal)
			return -ENOMEM;
		pxs_buf_add(buf, normal, n);
		free(normal);
	}
	pxs_buf_add_char(buf, '\0');
	return buf->error;
}

int
index_document_add_string(struct index_document *document, const struct query_property *property,
			  const char *text, size_t len)
{
	struct document_value *value;
	size_t at = document->text.len;

	if (property->type != QUERY_TYPE_STRING || len == 0 || memchr(text, '\0', len))
		return -EINVAL;
	if (!pxs_utf8_valid(text, len))
		return -EILSEQ;
	if (add_text(&document->text, text, len) < 0)
		return -ENOMEM;
	value = new_value(document, property);
	if (!value)
		return -ENOMEM;
	value->text_at = at;
	return 0;
}

int
index_document_add_int(struct index_document *document, const struct query_property *property,
		       int64_t number)
{
	struct query_value value = { .type = property->type, .integer = number };

	if (property->type == QUERY_TYPE_STRING || property->type == QUERY_TYPE_FLOAT ||
	    property->type == QUERY_TYPE_DOUBLE)
		return -EINVAL;
	return index_document_add(document, property, &value);
}

/* Whether VALUE is one that PROPERTY can have. */
static int
check_value(const struct query_property *property, const struct query_value *value)
{
	switch (property->type) {
	case QUERY_TYPE_INTEGER:
		return value->integer < INT32_MIN || value->integer > INT32_MAX ? -ERANGE : 0;
	case QUERY_TYPE_LONG:
	case QUERY_TYPE_DATETIME:
		/* The smallest number means "missing" in a column. */
		return value->integer == INT64_MIN ? -ERANGE : 0;
	case QUERY_TYPE_BOOLEAN:
		return value->integer != 0 && value->integer != 1 ? -ERANGE : 0;
	case QUERY_TYPE_FLOAT:
	case QUERY_TYPE_DOUBLE:
		return isnan(value->real) ? -ERANGE : 0;
	default:
		return -EINVAL;
	}
}

int
index_document_add(struct index_document *document, const struct query_property *property,
		   const struct query_value *value)
{
	struct document_value *added;
	int r;

	if (value->type != property->type)
		return -EINVAL;
	if (property->type == QUERY_TYPE_STRING)
		return index_document_add_string(document, property, value->string,
						 strlen(value->string));
	r = check_value(property, value);
	if (r < 0)
		return r;
	added = new_value(document, property);
	if (!added)
		return -ENOMEM;
	added->value = *value;
	return 0;
}

/* The text by which a number is found in _all; dates are not (spec/pixstor.md 2.3). */
static const char *
number_text(const struct query_value *value, char text[32])
{
	switch (value->type) {
	case QUERY_TYPE_INTEGER:
	case QUERY_TYPE_LONG:
		(void)snprintf(text, 32, "%" PRId64, value->integer);
		return text;
	case QUERY_TYPE_FLOAT:
	case QUERY_TYPE_DOUBLE:
		pxs_double_print(value->real, text);
		return text;
	case QUERY_TYPE_BOOLEAN:
		return value->integer ? "true" : "false";
	default:
		return NULL;
	}
}

static int
stream_numbers(struct index_document *document)
{
	const struct document_value *value;
	const char *text;
	char room[32];
	int r;

	for (size_t i = 0; i < document->n_values; i++) {
		value = &document->values[i];
		text = property_is_hidden(value->property) ? NULL
							   : number_text(&value->value, room);
		if (!text)
			continue;
		r = terms_stream_add_number(&document->stream, text, strlen(text));
		if (r < 0)
			return r;
	}
	return 0;
}

static int
stream_strings(struct index_document *document)
{
	const struct document_value *value;
	int r;

	for (size_t i = 0; i < document->n_values; i++) {
		value = &document->values[i];
		if (property_is_hidden(value->property) ||
		    value->property->type != QUERY_TYPE_STRING)
			continue;
		r = terms_stream_add_string(&document->stream, value->property, value->value.string,
					    strlen(value->value.string));
		if (r < 0)
			return r;
	}
	return 0;
}

/* Whether no list is longer than a column takes. */
static bool
lists_fit(const struct index_document *document)
{
	size_t run = 0;

	for (size_t i = 0; i < document->n_values; i++) {
		run = i && document->values[i].property == document->values[i - 1].property
			      ? run + 1
			      : 1;
		if (run > INDEX_LIST_MAX)
			return false;
	}
	return true;
}

/* The text no longer moves: let the values point into it. */
static void
point_strings(struct index_document *document)
{
	for (size_t i = 0; i < document->n_values; i++)
		if (document->values[i].property->type == QUERY_TYPE_STRING)
			document->values[i].value.string = document->text.data +
							   document->values[i].text_at;
}

int
index_document_seal(struct index_document *document)
{
	int r;

	if (document->sealed)
		return 0;
	if (!lists_fit(document))
		return -E2BIG;
	pxs_buf_clear(&document->record);
	pxs_buf_clear(&document->stream);
	point_strings(document);
	for (size_t i = 0; i < document->n_values; i++)
		record_add(&document->record, document->values[i].property,
			   &document->values[i].value);
	/* Numbers come first: they share the first position (terms.h). */
	r = stream_numbers(document);
	if (r == 0)
		r = stream_strings(document);
	if (r == 0)
		r = document->record.error;
	document->sealed = r == 0;
	return r;
}

int
document_from_record(struct index_document *document, const void *record, size_t len,
		     const struct query_property *const *properties, size_t n_properties)
{
	CLEANUP(record_reader) struct record_reader reader = { 0 };
	const struct query_property *property;
	struct query_value value;
	int r;

	record_read(&reader, record, len);
	while ((r = record_next(&reader, properties, n_properties, &property, &value)) > 0) {
		r = index_document_add(document, property, &value);
		if (r < 0)
			return r;
	}
	point_strings(document);
	return r;
}
