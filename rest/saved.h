/* saved.h - saved searches over REST: kept at /saved, asked by /files?saved=NAME. */
#ifndef PXS_REST_SAVED_H
#define PXS_REST_SAVED_H

struct index;
struct pxs_buf;
struct pxs_error;
struct pxs_json;
struct request;

/* What parameters of requests begin with that fill in a saved search's: saved.owner=alice. */
#define SAVED_PARAMETER "saved."

/* Adds the path of the saved search NAME, filled in from REQUEST's parameters. -ENOENT: there is
 * none; -EINVAL: a value is missing, or not asked for; ERR has the sentence. */
int saved_print_path(struct request *request, const char *name, struct pxs_buf *path,
		     struct pxs_error *err);

/* Writes all of them as entries of a billboard's "queries". */
int saved_write_queries(struct pxs_json *json, struct index *index);

#endif
