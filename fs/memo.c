#include "fs/memo.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/macros.h"
#include "fs/mount.h"
#include "fs/node.h"
#include "fs/request.h"
#include "index/index.h"
#include "query/query.h"

#define KEPT 8

struct memo {
	uint64_t seq; /* generation */
	struct query_key key;
	uint64_t used; /* when last, by the clock of uses; 0: free */
	struct fs_names *names;
	struct fs_tree *tree;
};

struct fs_memos {
	pthread_mutex_t lock;
	uint64_t clock;
	struct memo memos[KEPT];
};

int
fs_memos_new(struct fs_memos **ret_memos)
{
	struct fs_memos *memos = calloc(1, sizeof(*memos));

	if (!memos)
		return -ENOMEM;
	(void)pthread_mutex_init(&memos->lock, NULL);
	*ret_memos = memos;
	return 0;
}

static void
clear(struct memo *memo)
{
	fs_names_put(memo->names);
	fs_tree_put(memo->tree);
	*memo = (struct memo){ 0 };
}

void
fs_memos_free(struct fs_memos *memos)
{
	if (!memos)
		return;
	for (size_t i = 0; i < KEPT; i++)
		clear(&memos->memos[i]);
	(void)pthread_mutex_destroy(&memos->lock);
	free(memos);
}

/* The memo of this generation and query, if need be in the place of the one least used. */
static struct memo *
find_locked(struct fs_memos *memos, uint64_t seq, struct query_key key)
{
	struct memo *oldest = &memos->memos[0];
	struct memo *memo;

	for (size_t i = 0; i < KEPT; i++) {
		memo = &memos->memos[i];
		if (memo->used && memo->seq == seq && memo->key.high == key.high &&
		    memo->key.low == key.low) {
			memo->used = ++memos->clock;
			return memo;
		}
		if (memo->used < oldest->used)
			oldest = memo;
	}
	clear(oldest);
	*oldest = (struct memo){ .seq = seq, .key = key, .used = ++memos->clock };
	return oldest;
}

int
fs_memo_names(struct fs_request *request, struct index_hits *hits, struct fs_names **ret_names)
{
	struct fs_memos *memos = request->fs->memos;
	uint64_t seq = index_view_seq(index_hits_view(hits));
	struct query_key key = index_hits_key(hits);
	struct fs_names *names;
	struct memo *memo;
	int r;

	if (request->viewer)
		return fs_names_new(request, hits, ret_names);
	(void)pthread_mutex_lock(&memos->lock);
	memo = find_locked(memos, seq, key);
	names = memo->names ? fs_names_ref(memo->names) : NULL;
	(void)pthread_mutex_unlock(&memos->lock);

	if (!names) {
		r = fs_names_new(request, hits, &names);
		if (r < 0)
			return r;
		(void)pthread_mutex_lock(&memos->lock);
		memo = find_locked(memos, seq, key);
		if (!memo->names)
			memo->names = fs_names_ref(names);
		(void)pthread_mutex_unlock(&memos->lock);
	}
	*ret_names = names;
	return 0;
}

static int
make_tree(struct fs_request *request, const struct fs_node *folder, struct fs_tree **ret_tree)
{
	CLEANUP(index_hits) struct index_hits *hits = NULL;
	int r = fs_request_hits(request, folder, &hits);

	return r < 0 ? r : fs_tree_new(request, hits, ret_tree);
}

/* The key of the hits of FOLDER; without a search unless its query is relative to now. */
static int
hits_key(struct fs_request *request, const struct fs_node *folder, struct query_key *ret_key)
{
	CLEANUP(index_hits) struct index_hits *hits = NULL;
	int r;

	if (!query_is_relative(folder->query))
		return query_key(folder->query, ret_key);
	r = fs_request_hits(request, folder, &hits);
	if (r == 0)
		*ret_key = index_hits_key(hits);
	return r;
}

int
fs_memo_tree(struct fs_request *request, const struct fs_node *folder, struct fs_tree **ret_tree)
{
	struct fs_memos *memos = request->fs->memos;
	uint64_t seq = index_view_seq(fs_request_view(request));
	struct fs_tree *tree;
	struct query_key key = { 0 };
	struct memo *memo;
	int r;

	if (request->viewer)
		return make_tree(request, folder, ret_tree);
	r = hits_key(request, folder, &key);
	if (r < 0)
		return r;
	(void)pthread_mutex_lock(&memos->lock);
	memo = find_locked(memos, seq, key);
	tree = memo->tree ? fs_tree_ref(memo->tree) : NULL;
	(void)pthread_mutex_unlock(&memos->lock);

	if (!tree) {
		r = make_tree(request, folder, &tree);
		if (r < 0)
			return r;
		(void)pthread_mutex_lock(&memos->lock);
		memo = find_locked(memos, seq, key);
		if (!memo->tree)
			memo->tree = fs_tree_ref(tree);
		(void)pthread_mutex_unlock(&memos->lock);
	}
	*ret_tree = tree;
	return 0;
}
