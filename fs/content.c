#include "fs/content.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/buf.h"
#include "fs/mount.h"
#include "fs/node.h"
#include "fs/request.h"
#include "fs/virtual.h"

#define KEPT 64
#define KEPT_BYTES ((size_t)64 << 20)

struct kept {
	uint64_t node;
	uint64_t seq; /* generation */
	struct fs_content *content;
};

/* A ring: what was made longest ago makes room. */
struct fs_contents {
	pthread_mutex_t lock;
	struct kept kept[KEPT];
	size_t next;
	size_t bytes;
};

/* --- One content --- */

struct fs_content *
fs_content_new(struct pxs_buf *buf)
{
	CLEANUP(fs_content) struct fs_content *content = calloc(1, sizeof(*content));

	if (!content)
		return NULL;
	atomic_init(&content->references, 1);
	content->len = buf->len;
	content->data = pxs_buf_steal(buf);
	return content->data ? STEAL(content) : NULL;
}

struct fs_content *
fs_content_ref(struct fs_content *content)
{
	(void)atomic_fetch_add_explicit(&content->references, 1, memory_order_relaxed);
	return content;
}

void
fs_content_put(struct fs_content *content)
{
	if (!content ||
	    atomic_fetch_sub_explicit(&content->references, 1, memory_order_acq_rel) > 1)
		return;
	free(content->data);
	free(content);
}

/* --- Those that are kept --- */

int
fs_contents_new(struct fs_contents **ret_contents)
{
	struct fs_contents *contents = calloc(1, sizeof(*contents));

	if (!contents)
		return -ENOMEM;
	(void)pthread_mutex_init(&contents->lock, NULL);
	*ret_contents = contents;
	return 0;
}

static void
drop(struct fs_contents *contents, struct kept *kept)
{
	if (!kept->content)
		return;
	contents->bytes -= kept->content->len;
	fs_content_put(kept->content);
	*kept = (struct kept){ 0 };
}

void
fs_contents_free(struct fs_contents *contents)
{
	if (!contents)
		return;
	for (size_t i = 0; i < KEPT; i++)
		drop(contents, &contents->kept[i]);
	(void)pthread_mutex_destroy(&contents->lock);
	free(contents);
}

/* A reference to what is kept for NODE in generation SEQ, or NULL. */
static struct fs_content *
find(struct fs_contents *contents, uint64_t node, uint64_t seq)
{
	struct fs_content *content = NULL;

	(void)pthread_mutex_lock(&contents->lock);
	for (size_t i = 0; i < KEPT && !content; i++)
		if (contents->kept[i].node == node && contents->kept[i].seq == seq &&
		    contents->kept[i].content)
			content = fs_content_ref(contents->kept[i].content);
	(void)pthread_mutex_unlock(&contents->lock);
	return content;
}

static void
keep(struct fs_contents *contents, uint64_t node, uint64_t seq, struct fs_content *content)
{
	if (content->len > KEPT_BYTES / 2)
		return;
	(void)pthread_mutex_lock(&contents->lock);
	drop(contents, &contents->kept[contents->next]);
	contents->kept[contents->next] = (struct kept){ node, seq, fs_content_ref(content) };
	contents->next = (contents->next + 1) % KEPT;
	contents->bytes += content->len;
	for (size_t i = contents->next; contents->bytes > KEPT_BYTES; i = (i + 1) % KEPT)
		drop(contents, &contents->kept[i]);
	(void)pthread_mutex_unlock(&contents->lock);
}

/* Files of /.pxs tell of more than the catalogue, and whoever does not see everything is told of
 * what he sees at this moment, so these are made for every reader. */
static bool
is_kept(const struct fs_request *request, const struct fs_node *node)
{
	return node->file->place == FS_VIRTUAL_QUERY && !request->viewer;
}

int
fs_content_get(struct fs_request *request, struct fs_node *node, struct fs_content **ret_content)
{
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;
	uint64_t seq = index_view_seq(fs_request_view(request));
	struct fs_content *content = NULL;
	int r;

	if (is_kept(request, node))
		content = find(request->fs->contents, node->id, seq);
	if (content) {
		*ret_content = content;
		return 0;
	}

	r = node->file->print(request, node->folder, &buf);
	if (r < 0)
		return r;
	content = fs_content_new(&buf);
	if (!content)
		return -ENOMEM;
	if (is_kept(request, node))
		keep(request->fs->contents, node->id, seq, content);
	*ret_content = content;
	return 0;
}

bool
fs_content_len(struct fs_request *request, const struct fs_node *node, size_t *ret_len)
{
	CLEANUP(fs_content) struct fs_content *content = NULL;

	if (is_kept(request, node))
		content = find(request->fs->contents, node->id,
			       index_view_seq(fs_request_view(request)));
	if (content)
		*ret_len = content->len;
	return content;
}
