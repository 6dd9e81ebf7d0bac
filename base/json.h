/* json.h - writes JSON as it comes, without a tree. */
#ifndef PXS_JSON_H
#define PXS_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pxs_buf;

#define PXS_JSON_DEPTH_MAX 64

/* Commas, quotes and (if indent > 0) line breaks are the writer's; nesting right is the caller's.
 */
struct pxs_json {
	struct pxs_buf
		*buf; /* where the text goes; the caller's; its error field tells of failure */
	int indent;   /* spaces a level; 0: all on one line */
	int depth;
	bool first;	/* nothing was written yet on this level */
	bool after_key; /* the next value belongs to a key */
};

void pxs_json_init(struct pxs_json *json, struct pxs_buf *buf, int indent);
void pxs_json_begin_object(struct pxs_json *json);
void pxs_json_end_object(struct pxs_json *json);
void pxs_json_begin_array(struct pxs_json *json);
void pxs_json_end_array(struct pxs_json *json);
void pxs_json_key(struct pxs_json *json, const char *key);

/* Bytes that are not UTF-8 are written as U+FFFD, so the reply is JSON whatever came in. */
void pxs_json_string(struct pxs_json *json, const char *text);
void pxs_json_stringn(struct pxs_json *json, const char *text, size_t len);
/* KEY with TEXT as its value. */
void pxs_json_pair(struct pxs_json *json, const char *key, const char *text);
void pxs_json_int(struct pxs_json *json, int64_t value);
/* The shortest text that reads back as VALUE; null for NaN and infinities, which JSON lacks. */
void pxs_json_double(struct pxs_json *json, double value);
void pxs_json_bool(struct pxs_json *json, bool value);
void pxs_json_null(struct pxs_json *json);
/* TEXT is JSON already. */
void pxs_json_raw(struct pxs_json *json, const char *text);

/* For objects of which many are alike, where all is on one line: TEXT is the beginning of one up to
 * the ':' of its last key; that one's value comes next, then pxs_json_end_begun(). */
void pxs_json_begun_object(struct pxs_json *json, const char *text, size_t len);
void pxs_json_end_begun(struct pxs_json *json);

/* The shortest decimal text that reads back as VALUE: at most 24 bytes and a NUL. */
void pxs_double_print(double value, char text[32]);

#endif
