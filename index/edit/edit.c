#include "index/edit/edit.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "index/edit/upstream.h"
#include "index/index.h"
#include "index/parts.h"
#include "index/rwlock.h"

/* An edit on its way through a write. */
struct passage {
	const struct edit *edit;
	const struct edit_values *values; /* of a patch */
	struct index_version version;	  /* before; afterwards */
	bool is_upstreams;		  /* and so nothing was done */
};

/* --- Upstreams --- */

void
edit_hook_init(struct edit_hook *hook)
{
	rwlock_init(&hook->lock);
}

void
edit_hook_done(struct edit_hook *hook)
{
	(void)pthread_rwlock_destroy(&hook->lock);
}

void
edit_set_upstream(struct index *index, const struct edit_upstream *upstream)
{
	(void)pthread_rwlock_wrlock(&index->edit_hook.lock);
	index->edit_hook.upstream = upstream;
	(void)pthread_rwlock_unlock(&index->edit_hook.lock);
}

static int
refuse_upstreams(struct pxs_error *err)
{
	return pxs_error_set(err, -EROFS, -1,
			     "this document is an upstream's and can only be changed there");
}

/* On the condition that it is still the version that was found here. */
static int
ask_upstream(struct passage *passage, struct pxs_error *err)
{
	struct edit_hook *hook = &passage->edit->index->edit_hook;
	const struct index_version before = passage->version;
	struct edit edit = *passage->edit;
	const struct edit_upstream *upstream;
	int r;

	edit.etag = before.etag;
	(void)pthread_rwlock_rdlock(&hook->lock);
	upstream = hook->upstream;
	if (!upstream)
		r = refuse_upstreams(err);
	else if (passage->values)
		r = upstream->patch(upstream->context, &edit, passage->values->given,
				    &passage->version, err);
	else
		r = upstream->remove(upstream->context, &edit, err);
	(void)pthread_rwlock_unlock(&hook->lock);
	return r;
}

/* -ENOENT: nobody knows of it. */
static int
ask_upstream_back(const struct edit *edit, struct index_version *ret_version, struct pxs_error *err)
{
	struct edit_hook *hook = &edit->index->edit_hook;
	const struct edit_upstream *upstream;
	int r = -ENOENT;

	(void)pthread_rwlock_rdlock(&hook->lock);
	upstream = hook->upstream;
	if (upstream && upstream->undelete)
		r = upstream->undelete(upstream->context, edit, ret_version, err);
	(void)pthread_rwlock_unlock(&hook->lock);
	return r;
}

/* The seq of VERSION, which the upstream made, if that is the one that is here. */
static void
find_seq(const struct edit *edit, struct index_version *version)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(edit->index);
	char etag[INDEX_ETAG_SIZE];
	uint32_t doc;

	if (index_doc_find(view, edit->id, &doc) < 0)
		return;
	index_doc_etag(view, doc, etag);
	if (strcmp(etag, version->etag) == 0)
		version->seq = index_doc_seq(view, doc);
}

/* --- The version that was seen --- */

static int
check_version(struct passage *passage, const struct index_write *write, struct pxs_error *err)
{
	const struct edit *edit = passage->edit;
	int r = index_write_version(write, edit->id, &passage->version);

	if (r == -ENOENT ||
	    (r == 0 && edit->etag && strcmp(edit->etag, passage->version.etag) != 0))
		return pxs_error_set(err, -ESTALE, -1, "Client and server etags don't match");
	return r;
}

/* Of a change that was not made because of whose the document is: what the index says of it. */
static int
note_upstreams(struct passage *passage, int r)
{
	passage->is_upstreams = r == -EROFS;
	return r;
}

/* --- PATCH --- */

static int
apply_patch(void *context, struct index_write *write, struct pxs_error *err)
{
	struct passage *passage = context;
	const struct edit_values *values = passage->values;
	const struct edit *edit = passage->edit;
	int r = check_version(passage, write, err);

	if (r < 0)
		return r;
	r = index_write_patch(write, edit->id, values->document, values->emptied,
			      values->n_emptied);
	return r < 0 ? note_upstreams(passage, r)
		     : index_write_version(write, edit->id, &passage->version);
}

int
edit_patch(const struct edit *edit, const struct edit_values *values,
	   struct index_version *ret_version, struct pxs_error *err)
{
	struct passage passage = { .edit = edit, .values = values };
	int r = index_apply(edit->index, apply_patch, &passage, err);

	if (r < 0 && passage.is_upstreams) {
		r = ask_upstream(&passage, err);
		if (r == 0)
			find_seq(edit, &passage.version);
	}
	if (r == 0)
		*ret_version = passage.version;
	return r;
}

/* --- DELETE --- */

static int
apply_delete(void *context, struct index_write *write, struct pxs_error *err)
{
	struct passage *passage = context;
	int r = check_version(passage, write, err);

	if (r < 0)
		return r;
	return note_upstreams(passage,
			      index_write_delete(write, passage->edit->id, passage->edit->user));
}

int
edit_delete(const struct edit *edit, struct pxs_error *err)
{
	struct passage passage = { .edit = edit };
	int r = index_apply(edit->index, apply_delete, &passage, err);

	return r < 0 && passage.is_upstreams ? ask_upstream(&passage, err) : r;
}

/* --- Back again --- */

static int
apply_undelete(void *context, struct index_write *write, struct pxs_error *err)
{
	struct passage *passage = context;
	int r = index_write_undelete(write, passage->edit->id);

	(void)err;
	return r < 0 ? r : index_write_version(write, passage->edit->id, &passage->version);
}

int
edit_refuse_undelete(int64_t id, struct pxs_error *err)
{
	return pxs_error_set(
		err, -ENOENT, -1,
		"no document with the id %" PRId64 " was deleted, or it is forgotten by now", id);
}

int
edit_undelete(const struct edit *edit, struct index_version *ret_version, struct pxs_error *err)
{
	struct passage passage = { .edit = edit };
	int r = index_apply(edit->index, apply_undelete, &passage, err);

	if (r == -ENOENT) {
		r = ask_upstream_back(edit, &passage.version, err);
		if (r == 0)
			find_seq(edit, &passage.version);
	}
	if (r == -EEXIST)
		return pxs_error_set(err, r, -1,
				     "there is a document with this id, it is not deleted");
	if (r == -ENOENT)
		return edit_refuse_undelete(edit->id, err);
	if (r == 0)
		*ret_version = passage.version;
	return r;
}
