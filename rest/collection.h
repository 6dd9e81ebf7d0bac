/* collection.h - writes Collection+JSON 1.0 as spec/pixstor.md 1.3 shapes it. */
#ifndef PXS_REST_COLLECTION_H
#define PXS_REST_COLLECTION_H

#include <pthread.h>
#include <stdint.h>

#include "base/json.h"
#include "index/index.h"

struct encoded;
struct projection;

/* {"collection":{"version":"1.0","href":HREF, ... end() closes it. */
void collection_begin(struct pxs_json *json, const char *href);
void collection_end(struct pxs_json *json);

/* One entry of "links". */
void collection_link(struct pxs_json *json, const char *rel, const char *name, const char *prompt,
		     const char *href);

/* The same with members of ours behind: how many documents it leads to and, where the mount has a
 * folder for it, the segment of its path. */
void collection_link_count(struct pxs_json *json, const char *rel, const char *name,
			   const char *prompt, const char *href, uint64_t count,
			   const char *segment);

/* "properties": the number of hits. */
void collection_hits(struct pxs_json *json, uint64_t hits);

/* What is shown of each document of one reply, and how it is introduced. Counted references. */
struct collection_fields;

/* Those of all properties are kept from reply to reply, as long as no property is declared, and
 * items that were written with them. */
struct collection_cache {
	pthread_mutex_t lock;
	struct encoded *items;
	struct collection_fields *all; /* NULL: none yet */
};

/* -ENOMEM. */
int collection_cache_init(struct collection_cache *cache);
void collection_cache_done(struct collection_cache *cache);

int collection_fields_get(struct collection_cache *cache, const struct index_view *view,
			  const struct projection *projection,
			  struct collection_fields **ret_fields);
void collection_fields_put(struct collection_fields *fields);
DEFINE_CLEANUP(collection_fields, struct collection_fields *, collection_fields_put)

/* One entry of "items". Where the exact bytes of the file's path are not the text of core.pathname,
 * the member of ours "path_escaped" has them, with %XX for '%' and all outside printable ASCII. */
int collection_item(struct pxs_json *json, const struct index_view *view, uint32_t doc,
		    const struct collection_fields *fields);

/* The same as one line of JSON, an object of names and values. */
int collection_line(struct pxs_buf *buf, const struct index_view *view, uint32_t doc,
		    const struct collection_fields *fields);

/* "File size in bytes (long)" */
void collection_prompt(const struct query_property *property, struct pxs_buf *buf);

#endif
