#include "fs/viewer.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "auth/auth.h"
#include "base/clock.h"
#include "fs/mount.h"
#include "fs/request.h"
#include "index/index.h"

/* Rights are looked up in a database, permissions asked of the kernel: of so many users it is
 * remembered whether they see everything, and for so long, as what they may stat. */
#define USERS 256
#define REMEMBERED_NS (10 * PXS_NS_PER_S)

struct user {
	uid_t uid;
	int64_t known_ns; /* steady; 0: nobody */
	bool sees_all;
};

struct fs_viewers {
	pthread_mutex_t lock;
	struct user users[USERS];
};

int
fs_viewers_new(struct fs_viewers **ret_viewers)
{
	struct fs_viewers *viewers = calloc(1, sizeof(*viewers));

	if (!viewers)
		return -ENOMEM;
	(void)pthread_mutex_init(&viewers->lock, NULL);
	*ret_viewers = viewers;
	return 0;
}

void
fs_viewers_free(struct fs_viewers *viewers)
{
	if (!viewers)
		return;
	(void)pthread_mutex_destroy(&viewers->lock);
	free(viewers);
}

static bool
has_bypass(struct auth *auth, const struct auth_caller *caller)
{
	struct auth_principal who;
	struct auth_principal named;

	auth_principal_from_caller(caller, 0, &who);
	return auth && auth_principal_of(auth, who.user, &named) == 0 && named.rights & AUTH_BYPASS;
}

static bool
sees_all(struct fs *fs, const struct auth_caller *caller)
{
	struct fs_viewers *viewers = fs->viewers;
	struct user *place = &viewers->users[caller->uid % USERS];
	int64_t now_ns = pxs_clock_steady_ns();
	struct user user;

	if (auth_caller_is_operator(caller))
		return true;
	(void)pthread_mutex_lock(&viewers->lock);
	user = *place;
	(void)pthread_mutex_unlock(&viewers->lock);
	if (user.known_ns && user.uid == caller->uid && now_ns - user.known_ns < REMEMBERED_NS)
		return user.sees_all;
	user = (struct user){ caller->uid, now_ns, has_bypass(fs->options.auth, caller) };
	(void)pthread_mutex_lock(&viewers->lock);
	*place = user;
	(void)pthread_mutex_unlock(&viewers->lock);
	return user.sees_all;
}

static int
enters(void *context, const char *const *directories, size_t n, uint8_t *entries)
{
	return auth_enters(context, directories, n, entries);
}

int
fs_viewer_view(struct fs_request *request, struct index_view **ret_view, uint64_t *ret_key)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(request->req);
	struct auth_caller caller;
	struct index_viewer viewer = { .enters = enters, .context = &caller };
	int r;

	*ret_key = 0;
	if (request->fs->options.visibility_unix) {
		auth_caller_from_process(ctx->uid, ctx->gid, ctx->pid, &caller);
		if (!sees_all(request->fs, &caller)) {
			viewer.key = auth_caller_key(&caller);
			r = index_view_for(request->fs->index, &viewer, ret_view);
			*ret_key = viewer.key;
			return r;
		}
	}
	*ret_view = index_view_get(request->fs->index);
	return 0;
}
