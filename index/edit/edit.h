/* edit.h - changes that people make to single documents, by whichever door they come in.
 *
 *     values.c   what they write, checked against the schema
 *     edit.c     the version that they saw, the change, the journal
 *
 * The version is checked inside the write, so no two who saw the same one change it. What is an
 * upstream's is changed there. Whether somebody may do it is the door's to ask, of auth/. */
#ifndef PXS_EDIT_H
#define PXS_EDIT_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/cleanup.h"

struct index;
struct index_document;
struct index_version;
struct pxs_error;
struct query_property;
struct query_schema;

/* --- Values --- */

/* What a PATCH says. Start it as { 0 }. */
struct edit_values {
	const json_t *given;		       /* as it was read; lent */
	struct index_document *document;       /* the values, sealed */
	const struct query_property **emptied; /* those that get "" or [], that is no value */
	size_t n_emptied;
	struct pxs_buf faults; /* not "": these values are refused, and why (spec/pixstor.md 1.3) */
};

void edit_values_done(struct edit_values *values);
static inline void
edit_values_cleanup(struct edit_values *values)
{
	edit_values_done(values);
}

/* Read GIVEN, an object {"user.tags": ["a"]}, which must live as long as VALUES. -ENOMEM. 0 even
 * where values are faulty: then `faults` names all of them, in order of name, and nothing else
 * counts. */
int edit_values_read(struct edit_values *values, const struct query_schema *schema,
		     const json_t *given);

/* --- Changes --- */

struct edit {
	struct index *index;
	int64_t id;
	const char *etag; /* of the version that he saw; NULL: whichever there is */
	const char *user; /* who it is, for the journal */
};

/* Give the document the values, which have no faults. Durable and visible when it returns 0; on
 * failure nothing has changed, and ERR has the sentence. -ESTALE: there is another version, or none
 * any more; -EROFS: it is an upstream's, and that cannot be changed from here; -E2BIG; errors of
 * the commit (-ENOSPC, ...) and of the upstream (below). The version's seq is 0 where an upstream
 * made it and another has come since. */
int edit_patch(const struct edit *edit, const struct edit_values *values,
	       struct index_version *ret_version, struct pxs_error *err);

/* Remove the document from the catalogue, never its file. Errors as edit_patch(). */
int edit_delete(const struct edit *edit, struct pxs_error *err);

/* Bring it back as it was when it was last deleted; its etag does not count. -ENOENT: it was not,
 * or it is forgotten; -EEXIST: it is there. */
int edit_undelete(const struct edit *edit, struct index_version *ret_version,
		  struct pxs_error *err);
/* -ENOENT with the sentence of edit_undelete(), also for who may not know what was deleted. */
int edit_refuse_undelete(int64_t id, struct pxs_error *err);

/* --- Documents of an upstream --- */

/* How they are changed: there, on the condition that its version is edit->etag (never NULL), and
 * then here, so that the change is visible when the call returns 0. On failure ERR has the
 * sentence. -ESTALE: it has another version, which is here now; -EINVAL: it refuses the values;
 * -EACCES, -EPERM: it does not let us; -EHOSTUNREACH: it did not happen; -ETIMEDOUT: nobody knows,
 * or it did and cannot be seen here yet. */
struct edit_upstream {
	/* *RET_VERSION: what the change made, as the upstream has it, so without a seq. */
	int (*patch)(void *context, const struct edit *edit, const json_t *values,
		     struct index_version *ret_version, struct pxs_error *err);
	int (*remove)(void *context, const struct edit *edit, struct pxs_error *err);
	/* What we do not know to be deleted. -ENOENT, -EEXIST as edit_undelete(). NULL: cannot. */
	int (*undelete)(void *context, const struct edit *edit, struct index_version *ret_version,
			struct pxs_error *err);
	void *context;
};

/* From now on UPSTREAM (lent; NULL: nobody) is asked. Returns when no call of the one before is
 * under way. */
void edit_set_upstream(struct index *index, const struct edit_upstream *upstream);

#endif
