#include "index/record.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "base/varint.h"

void
record_add(struct pxs_buf *record, const struct query_property *property,
	   const struct query_value *value)
{
	uint64_t bits;
	size_t len;

	pxs_varint_add(record, property->number);
	if (property->type == QUERY_TYPE_STRING) {
		len = strlen(value->string);
		pxs_varint_add(record, len);
		pxs_buf_add(record, value->string, len);
		return;
	}
	memcpy(&bits, &value->integer, sizeof(bits)); /* or the double that shares its place */
	bits = htole64(bits);
	pxs_buf_add(record, &bits, sizeof(bits));
}

void
record_read(struct record_reader *reader, const void *record, size_t len)
{
	reader->at = record;
	reader->end = reader->at + len;
}

static int
read_string(struct record_reader *reader, struct query_value *ret_value)
{
	uint64_t len;
	int r;

	r = pxs_varint_read(&reader->at, reader->end, &len);
	if (r < 0)
		return r;
	if (len > (uint64_t)(reader->end - reader->at))
		return -EBADMSG;
	pxs_buf_clear(&reader->text);
	pxs_buf_add(&reader->text, reader->at, len);
	if (reader->text.error)
		return reader->text.error;
	reader->at += len;
	ret_value->string = reader->text.data;
	return 0;
}

static int
read_number(struct record_reader *reader, struct query_value *ret_value)
{
	uint64_t bits;

	if (reader->end - reader->at < (ptrdiff_t)sizeof(bits))
		return -EBADMSG;
	memcpy(&bits, reader->at, sizeof(bits));
	reader->at += sizeof(bits);
	bits = le64toh(bits);
	memcpy(&ret_value->integer, &bits, sizeof(bits));
	return 0;
}

int
record_next(struct record_reader *reader, const struct query_property *const *properties,
	    size_t n_properties, const struct query_property **ret_property,
	    struct query_value *ret_value)
{
	uint64_t number;
	int r;

	if (reader->at == reader->end)
		return 0;
	r = pxs_varint_read(&reader->at, reader->end, &number);
	if (r < 0)
		return r;
	if (number >= n_properties || !properties[number])
		return -EBADMSG;
	*ret_property = properties[number];
	ret_value->type = (*ret_property)->type;
	r = ret_value->type == QUERY_TYPE_STRING ? read_string(reader, ret_value)
						 : read_number(reader, ret_value);
	return r < 0 ? r : 1;
}
