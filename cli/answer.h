/* answer.h - reading what the REST API answers: items, links, paths. */
#ifndef PXS_CLI_ANSWER_H
#define PXS_CLI_ANSWER_H

#include <stdint.h>

#include <jansson.h>

struct pxs_buf;

static inline void
json_decref_cleanup(json_t **owned)
{
	json_decref(*owned);
}

/* Adds OBJECT's member KEY, or the bytes that KEY_escaped stands for, to BUF. -EPROTO: neither. */
int answer_path(const json_t *object, const char *key, struct pxs_buf *buf);

/* Sets OBJECT's member KEY to PATH, or KEY_escaped where PATH is not UTF-8. */
int answer_set_path(json_t *object, const char *key, const char *path);

/* Member of a Collection+JSON document; NULL if it is not there. */
const json_t *answer_items(const json_t *document);
const json_t *answer_links(const json_t *document);
/* The property "hits", 0 if it is not there. */
uint64_t answer_hits(const json_t *document);

/* The value called NAME in an item's data, or NULL. */
const json_t *answer_value(const json_t *item, const char *name);
/* The exact path of an item's file, added to BUF. -EPROTO: it tells none. */
int answer_item_path(const json_t *item, struct pxs_buf *buf);

/* Adds VALUE as JSON on one line, with its end. */
void answer_print_json(const json_t *value, struct pxs_buf *buf);

/* Adds VALUE as text for people; of a list, with ", " between. */
void answer_print_value(const json_t *value, struct pxs_buf *buf);

#endif
