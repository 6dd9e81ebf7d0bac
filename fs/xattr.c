/* Extended attributes: user.<property> of documents, and user.pxs.* of documents and folders. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "auth/auth.h"
#include "base/buf.h"
#include "base/macros.h"
#include "fs/errors.h"
#include "fs/mount.h"
#include "fs/node.h"
#include "fs/ops.h"
#include "fs/record.h"
#include "fs/request.h"
#include "fs/seen.h"
#include "index/index.h"
#include "query/query.h"

/* Limits of the kernel (xattr(7)): bytes of a value and of all names together, of one name. */
#define VALUE_MAX 65536
#define LIST_MAX 65536
#define NAME_MAX_LEN 255

static const char USER[] = "user.";
#define USER_LEN (sizeof(USER) - 1)

/* --- What we tell beside properties --- */

static int
print_id(struct fs_request *request, uint32_t doc, struct pxs_buf *buf)
{
	pxs_buf_addf(buf, "%" PRId64, index_doc_id(request->view, doc));
	return buf->error;
}

static int
print_etag(struct fs_request *request, uint32_t doc, struct pxs_buf *buf)
{
	char etag[INDEX_ETAG_SIZE];

	index_doc_etag(request->view, doc, etag);
	pxs_buf_add_str(buf, etag);
	return buf->error;
}

static int
print_href(struct fs_request *request, uint32_t doc, struct pxs_buf *buf)
{
	pxs_buf_addf(buf, "/files/%" PRId64, index_doc_id(request->view, doc));
	return buf->error;
}

static int
print_path(struct fs_request *request, uint32_t doc, struct pxs_buf *buf)
{
	(void)index_doc_path(request->view, doc, buf);
	return buf->error;
}

static const struct {
	const char *name;
	int (*print)(struct fs_request *request, uint32_t doc, struct pxs_buf *buf);
} OF_DOCUMENTS[] = {
	{ "user.pxs.id", print_id },
	{ "user.pxs.etag", print_etag },
	{ "user.pxs.href", print_href },
	{ "user.pxs.path", print_path },
};

static int
print_query(struct fs_request *request, const struct fs_node *folder, struct pxs_buf *buf)
{
	(void)request;
	if (folder->query)
		return query_print_path(folder->query, buf);
	pxs_buf_add_str(buf, folder->saved_path);
	return buf->error;
}

static int
print_count(struct fs_request *request, const struct fs_node *folder, struct pxs_buf *buf)
{
	CLEANUP(index_hits) struct index_hits *hits = NULL;
	int r = fs_request_hits(request, folder, &hits);

	if (r < 0)
		return r;
	pxs_buf_addf(buf, "%" PRIu64, index_hits_count(hits));
	return buf->error;
}

static const struct {
	const char *name;
	bool of_templates; /* also of saved searches that need values */
	int (*print)(struct fs_request *request, const struct fs_node *folder, struct pxs_buf *buf);
} OF_FOLDERS[] = {
	{ "user.pxs.query", true, print_query },
	{ "user.pxs.count", false, print_count },
};

/* Whether NODE has the I-th of them. */
static bool
has(const struct fs_node *node, size_t i)
{
	return node->kind == FS_KIND_QUERY ||
	       (node->kind == FS_KIND_TEMPLATE && OF_FOLDERS[i].of_templates);
}

/* Of every node, while there is a failure to tell of; not listed, as it comes and goes. */
static const char ERROR[] = "user.pxs.error";

static int
print_error(struct fs_request *request, uint64_t id, struct pxs_buf *buf)
{
	const struct auth_caller caller = { .uid = fs_request_uid(request) };
	uid_t uid = auth_caller_is_operator(&caller) ? FS_ERRORS_ALL : caller.uid;

	return fs_errors_find(request->fs->errors, uid, id, buf) ? buf->error : -ENODATA;
}

/* --- One value --- */

/* From here on he knows this version. */
static void
note_seen(struct fs_request *request, uint32_t doc)
{
	fs_seen_note(request->fs->seen, fuse_req_ctx(request->req),
		     index_doc_id(request->view, doc), index_doc_seq(request->view, doc));
}

static int
get_of_document(struct fs_request *request, uint64_t id, const char *name, struct pxs_buf *buf)
{
	const struct query_property *property;
	uint32_t doc;
	int r = fs_request_document(request, id, &doc);

	if (r < 0)
		return r;
	note_seen(request, doc);
	for (size_t i = 0; i < ARRAY_SIZE(OF_DOCUMENTS); i++)
		if (!strcmp(name, OF_DOCUMENTS[i].name))
			return OF_DOCUMENTS[i].print(request, doc, buf);
	property = query_schema_find(index_view_schema(request->view), name + USER_LEN);
	if (!property || !fs_record_shows(property))
		return -ENODATA;
	return fs_record_print_text(request->view, doc, property, buf);
}

static int
get_of_node(struct fs_request *request, uint64_t id, const char *name, struct pxs_buf *buf)
{
	CLEANUP(fs_node) struct fs_node *node = NULL;
	int r;

	if (id & FS_NODE_TAGS)
		return -ENODATA;
	r = fs_node_get(request, id, &node);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(OF_FOLDERS); i++)
		if (has(node, i) && !strcmp(name, OF_FOLDERS[i].name))
			return OF_FOLDERS[i].print(request, node, buf);
	return r < 0 ? r : -ENODATA;
}

static int
get(struct fs_request *request, uint64_t id, const char *name, struct pxs_buf *buf)
{
	int r;

	if (!strcmp(name, ERROR))
		return print_error(request, id, buf);
	r = fs_node_is_document(id) ? get_of_document(request, id, name, buf)
				    : get_of_node(request, id, name, buf);
	if (r == 0 && buf->len > VALUE_MAX)
		return pxs_error_set(&request->err, -E2BIG, -1,
				     "%s has more than %d bytes; .pxs/meta/NAME.json shows it",
				     name, VALUE_MAX);
	return r;
}

/* --- All names --- */

static void
add_name(struct pxs_buf *list, const char *prefix, const char *name)
{
	size_t len = strlen(prefix) + strlen(name);

	/* What is too much is left out; the value can be had all the same, or from meta/. */
	if (len > NAME_MAX_LEN || list->len + len + 1 > LIST_MAX)
		return;
	pxs_buf_add_str(list, prefix);
	pxs_buf_add(list, name, strlen(name) + 1);
}

static int
list_of_document(struct fs_request *request, uint64_t id, struct pxs_buf *list)
{
	const struct query_schema *schema;
	uint32_t doc;
	int r = fs_request_document(request, id, &doc);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(OF_DOCUMENTS); i++)
		add_name(list, "", OF_DOCUMENTS[i].name);
	schema = index_view_schema(request->view);
	for (size_t i = 0; i < schema->n_properties; i++)
		if (fs_record_shows(schema->properties[i]) &&
		    index_doc_values(request->view, doc, schema->properties[i], NULL, 0) > 0)
			add_name(list, USER, schema->properties[i]->name);
	return list->error;
}

static int
list_of_node(struct fs_request *request, uint64_t id, struct pxs_buf *list)
{
	CLEANUP(fs_node) struct fs_node *node = NULL;
	int r;

	if (id & FS_NODE_TAGS)
		return 0;
	r = fs_node_get(request, id, &node);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(OF_FOLDERS); i++)
		if (has(node, i))
			add_name(list, "", OF_FOLDERS[i].name);
	return list->error;
}

/* --- Requests --- */

/* SIZE 0 asks for the length only. */
static void
reply(struct fs_request *request, const struct pxs_buf *buf, size_t size, int r)
{
	if (r == 0 && size && buf->len > size)
		r = -ERANGE;
	if (r < 0)
		fs_request_fail(request, r);
	else if (!size)
		(void)fuse_reply_xattr(request->req, buf->len);
	else
		(void)fuse_reply_buf(request->req, pxs_buf_text(buf), buf->len);
}

/* ls -l asks for security.selinux and system.posix_acl_access of every file until it hears that
 * there are none of this kind; so that is answered before anything else. */
void
fs_op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	CLEANUP(fs_request) struct fs_request request = { 0 };
	CLEANUP(pxs_buf) struct pxs_buf value = PXS_BUF_INIT;
	int r;

	if (strncmp(name, USER, USER_LEN) != 0) {
		(void)fuse_reply_err(req, EOPNOTSUPP);
		return;
	}
	fs_request_init(&request, req, ino, NULL);
	r = fs_request_enter(&request);
	if (r == 0)
		r = get(&request, ino, name, &value);
	reply(&request, &value, size, r);
}

void
fs_op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	CLEANUP(fs_request) struct fs_request request;
	CLEANUP(pxs_buf) struct pxs_buf list = PXS_BUF_INIT;
	int r;

	fs_request_init(&request, req, ino, NULL);
	r = fs_request_enter(&request);
	if (r == 0)
		r = fs_node_is_document(ino) ? list_of_document(&request, ino, &list)
					     : list_of_node(&request, ino, &list);
	reply(&request, &list, size, r);
}
