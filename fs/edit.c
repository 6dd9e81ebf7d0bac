/* setxattr is a PATCH, unlink a DELETE: of the version that the user was shown (seen.h). */
#include "fs/edit.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/xattr.h>

#include "auth/auth.h"
#include "base/log.h"
#include "base/macros.h"
#include "fs/lookup.h"
#include "fs/mount.h"
#include "fs/node.h"
#include "fs/ops.h"
#include "fs/request.h"
#include "fs/rights.h"
#include "fs/seen.h"
#include "fs/watched.h"
#include "index/edit/edit.h"
#include "index/index.h"
#include "query/query.h"

static const char USER[] = "user.";
#define USER_LEN (sizeof(USER) - 1)
static const char OURS[] = "user.pxs.";
static const char PATCH[] = "user.pxs.patch";

/* How often a document may change between our reading and writing it before we give up. */
#define TRIES 16

static inline void
json_decref_cleanup(json_t **owned)
{
	json_decref(*owned);
}

/* --- Which version --- */

struct target {
	struct fs_request *request;
	uint64_t row;
	const char *user;
	const char *only; /* the etag that it must have; NULL: any that he was shown */

	uint32_t doc;
	char etag[INDEX_ETAG_SIZE]; /* of the request's view */
	bool blind;		    /* he knows no version, any will do */
};

static int
refuse_version(struct fs_request *request)
{
	return pxs_error_set(&request->err, -EBUSY, -1,
			     "the document has changed since you read its properties; read them "
			     "again first");
}

/* As the newest view has it. */
static int
find_version(struct target *target)
{
	struct fs_request *request = target->request;
	struct index_view *view;
	int r = fs_request_enter(request);

	if (r < 0)
		return r;
	view = fs_request_view(request);
	r = fs_request_document(request, fs_node_of_row(target->row), &target->doc);
	if (r < 0)
		return r;
	index_doc_etag(view, target->doc, target->etag);
	target->blind = false;
	if (target->only)
		return strcmp(target->only, target->etag) == 0 ? 0 : refuse_version(request);
	return fs_seen_fits(request->fs->seen, fuse_req_ctx(request->req),
			    index_doc_id(view, target->doc), index_doc_seq(view, target->doc),
			    &target->blind)
		       ? 0
		       : refuse_version(request);
}

static struct edit
edit_of(const struct target *target)
{
	return (struct edit){
		.index = target->request->fs->index,
		.id = index_doc_id(target->request->view, target->doc),
		.etag = target->etag,
		.user = target->user,
	};
}

/* Whether an edit that came too late may be tried once more. */
static bool
is_again(const struct target *target, int r, int tries)
{
	return r == -ESTALE && target->blind && tries < TRIES;
}

/* --- Values --- */

/* Numbers and truth values as JSON has them, all else as it stands; of a list either a JSON array
 * or its only element. What does not fit is found where all values are checked. */
static json_t *
read_value(const struct query_property *property, const char *text, size_t len)
{
	bool is_text = !property || property->type == QUERY_TYPE_STRING ||
		       property->type == QUERY_TYPE_DATETIME;
	json_t *value = NULL;
	json_t *list;

	if (property && property->multi && len > 0 && text[0] == '[')
		return json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	if (!is_text)
		value = json_loadb(text, len, JSON_DECODE_ANY, NULL);
	if (!value)
		value = json_stringn(text, len);
	if (!value || !property || !property->multi)
		return value;
	list = json_array();
	if (list && (len == 0 || json_array_append(list, value) == 0)) {
		json_decref(value);
		return list;
	}
	json_decref(value);
	json_decref(list);
	return NULL;
}

/* "user.P": one; "user.pxs.patch": an object of several. -EINVAL, -EPERM, -ENOMEM. */
static int
read_values(struct fs_request *request, const char *name, const char *text, size_t len,
	    json_t **ret_values)
{
	const struct query_schema *schema = index_view_schema(fs_request_view(request));
	json_t *value;

	if (memchr(text, '\0', len))
		return pxs_error_set(&request->err, -EINVAL, -1, "a value holds no NUL byte");
	if (strcmp(name, PATCH) == 0) {
		*ret_values = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
		return json_is_object(*ret_values)
			       ? 0
			       : pxs_error_set(&request->err, -EINVAL, -1,
					       "%s takes an object: {\"user.rating\": 5, ...}",
					       PATCH);
	}
	if (strncmp(name, OURS, strlen(OURS)) == 0)
		return pxs_error_set(&request->err, -EPERM, -1, "%s cannot be set", name);
	value = read_value(query_schema_find(schema, name + USER_LEN), text, len);
	if (!value)
		return pxs_error_set(&request->err, -EINVAL, -1,
				     "%s must be UTF-8, and a list a JSON array or one element",
				     name);
	*ret_values = json_pack("{s:o}", name + USER_LEN, value);
	return *ret_values ? 0 : -ENOMEM;
}

/* XATTR_CREATE and XATTR_REPLACE. */
static int
check_flags(const struct target *target, const char *name, int flags)
{
	struct index_view *view = target->request->view;
	const struct query_property *property = query_schema_find(index_view_schema(view),
								  name + USER_LEN);
	bool has = property && index_doc_values(view, target->doc, property, NULL, 0) > 0;

	if (flags & XATTR_CREATE && has)
		return -EEXIST;
	return flags & XATTR_REPLACE && !has ? -ENODATA : 0;
}

/* --- setxattr --- */

/* -ESTALE: there is another version by now. */
static int
patch_once(struct target *target, const json_t *given, struct index_version *ret_version)
{
	CLEANUP(edit_values) struct edit_values values = { 0 };
	struct fs_request *request = target->request;
	const struct edit edit = edit_of(target);
	struct pxs_error why = { 0 };
	int r = edit_values_read(&values, index_view_schema(request->view), given);

	if (r == 0 && values.faults.len)
		return pxs_error_set(&request->err, -EINVAL, -1, "%s",
				     pxs_buf_text(&values.faults));
	if (r == 0)
		r = edit_patch(&edit, &values, ret_version, &why);
	if (r < 0 && r != -ESTALE && why.code)
		return pxs_error_set(&request->err, r, -1, "%s", why.text);
	return r;
}

static int
patch_document(struct target *target, const char *name, json_t *values, int flags)
{
	struct index_version version = { 0 };
	int r = 0;

	for (int tries = 1; tries == 1 || is_again(target, r, tries); tries++) {
		r = find_version(target);
		if (r == 0)
			r = check_flags(target, name, flags);
		if (r == 0)
			r = patch_once(target, values, &version);
	}
	if (r == -ESTALE && !target->request->err.code)
		return refuse_version(target->request);
	if (r == 0)
		fs_seen_note(target->request->fs->seen, fuse_req_ctx(target->request->req),
			     index_doc_id(target->request->view, target->doc), version.seq);
	return r;
}

static int
set(struct fs_request *request, const char *name, const char *text, size_t len, int flags)
{
	CLEANUP(json_decref) json_t *values = NULL;
	CLEANUP(json_decref) json_t *etag = NULL;
	struct auth_principal who;
	struct target target = {
		.request = request,
		.row = fs_node_row(request->node),
		.user = who.user,
	};
	int r;

	if (!fs_node_is_document(request->node))
		return pxs_error_set(&request->err, -EPERM, -1,
				     "only documents have properties that can be set");
	r = fs_rights_check(request, AUTH_UPDATE, &who);
	if (r == 0)
		r = read_values(request, name, text, len, &values);
	if (r < 0)
		return r;
	if (strcmp(name, PATCH) == 0) {
		etag = json_incref(json_object_get(values, "_etag"));
		target.only = json_string_value(etag);
		if (target.only)
			(void)json_object_del(values, "_etag");
	}
	return patch_document(&target, name, values, flags);
}

void
fs_op_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size,
	       int flags)
{
	CLEANUP(fs_request) struct fs_request request = { 0 };
	int r;

	if (strncmp(name, USER, USER_LEN) != 0) {
		(void)fuse_reply_err(req, EOPNOTSUPP);
		return;
	}
	fs_request_init(&request, req, ino, NULL);
	r = fs_request_enter(&request);
	if (r == 0)
		r = set(&request, name, value, size, flags);
	if (r < 0)
		fs_request_fail(&request, r);
	else
		(void)fuse_reply_err(req, 0);
}

/* --- unlink --- */

static int
check_allowance(struct fs_request *request)
{
	unsigned int n = request->fs->options.deletions_per_minute;
	int64_t wait_s = fs_allowances_take(request->fs->allowances, fs_request_uid(request), n);

	if (wait_s == 0)
		return 0;
	return pxs_error_set(&request->err, -EAGAIN, -1,
			     "%u documents were deleted through this mount within a minute, more "
			     "are not allowed; wait %" PRId64 " s, or pxs rm, or pxs undelete",
			     n, wait_s);
}

/* The name that is unlinked may have been another document's when the kernel heard of it; or of
 * another version, which is all that he knows who has not read the present one. */
static int
check_name(const struct target *target)
{
	struct fs_request *request = target->request;
	uint64_t seq = target->blind ? index_doc_seq(request->view, target->doc) : 0;
	int64_t id = index_doc_id(request->view, target->doc);

	if (fs_seen_name_fits(request->fs->seen, request->node, request->name, id, seq))
		return 0;
	return pxs_error_set(&request->err, -EBUSY, -1,
			     "'%.100s' has changed, or means another document, since the folder "
			     "was read; look at it again first",
			     request->name);
}

static int
delete_document(struct target *target)
{
	struct fs_request *request = target->request;
	struct pxs_error why = { 0 };
	struct edit edit;
	int r = find_version(target);

	if (r == 0)
		r = check_name(target);
	if (r == 0)
		r = check_allowance(request);
	if (r < 0)
		return r;
	edit = edit_of(target);
	r = edit_delete(&edit, &why);
	if (r == -ESTALE)
		return refuse_version(request);
	return r < 0 && why.code ? pxs_error_set(&request->err, r, -1, "%s", why.text) : r;
}

static bool
shows_documents(const struct fs_node *node)
{
	return node->kind == FS_KIND_QUERY || node->kind == FS_KIND_IDS ||
	       node->kind == FS_KIND_TREE;
}

int
fs_edit_unlink(struct fs_request *request, struct fs_node *parent, const char *name)
{
	struct auth_principal who;
	struct target target = { .request = request, .user = who.user };
	struct fuse_entry_param entry = { 0 };
	int r;

	if (!request->fs->options.deletions_per_minute)
		return pxs_error_set(&request->err, -EPERM, -1,
				     "deleting documents is not allowed in this mount (its option "
				     "delete allows it); no file was touched");
	if (!shows_documents(parent))
		return pxs_error_set(&request->err, -EPERM, -1,
				     "only documents can be deleted here");
	r = fs_rights_check(request, AUTH_DELETE, &who);
	if (r == 0)
		r = fs_lookup_document(request, parent, name, &entry);
	if (r < 0)
		return r;
	target.row = fs_node_row(entry.ino);
	if (request->fs->watched)
		fs_watched_unlink(request->fs->watched, parent->id, target.row);
	r = delete_document(&target);
	if (r < 0 && request->fs->watched)
		(void)fs_watched_unlinked(request->fs->watched, parent->id, target.row);
	if (r == 0)
		pxs_log(PXS_LOG_INFO, "%s: deleted document %" PRId64, who.user,
			index_doc_id(request->view, target.doc));
	return r;
}
