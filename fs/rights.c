#include "fs/rights.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "auth/auth.h"
#include "base/clock.h"
#include "base/error.h"
#include "fs/mount.h"
#include "fs/request.h"

/* Users share a place only if there are more than this; then they share what is allowed. */
#define PLACES 1024
#define MINUTE_NS (60 * PXS_NS_PER_S)

struct allowance {
	int64_t since_ns; /* steady; when the minute began */
	unsigned int taken;
};

struct fs_allowances {
	pthread_mutex_t lock;
	struct allowance places[PLACES];
};

int
fs_rights_check(struct fs_request *request, unsigned int right, struct auth_principal *ret_who)
{
	const struct fuse_ctx *context = fuse_req_ctx(request->req);
	const struct auth_caller caller = { .uid = context->uid, .gid = context->gid };
	struct auth *auth = request->fs->options.auth;
	struct auth_principal named;

	auth_principal_from_caller(&caller, 0, ret_who);
	if (!auth_caller_is_operator(&caller) && auth &&
	    auth_principal_of(auth, ret_who->user, &named) == 0)
		ret_who->rights = named.rights;
	if (ret_who->rights & right)
		return 0;
	return pxs_error_set(&request->err, -EPERM, -1, "%s has not the right %s", ret_who->user,
			     auth_right_name(right));
}

int
fs_allowances_new(struct fs_allowances **ret_allowances)
{
	struct fs_allowances *allowances = calloc(1, sizeof(*allowances));

	if (!allowances)
		return -ENOMEM;
	(void)pthread_mutex_init(&allowances->lock, NULL);
	*ret_allowances = allowances;
	return 0;
}

void
fs_allowances_free(struct fs_allowances *allowances)
{
	if (!allowances)
		return;
	(void)pthread_mutex_destroy(&allowances->lock);
	free(allowances);
}

int64_t
fs_allowances_take(struct fs_allowances *allowances, uid_t uid, unsigned int per_minute)
{
	struct allowance *allowance = &allowances->places[uid % PLACES];
	int64_t now_ns = pxs_clock_steady_ns();
	int64_t wait_s = 0;

	(void)pthread_mutex_lock(&allowances->lock);
	if (!allowance->since_ns || now_ns - allowance->since_ns >= MINUTE_NS)
		*allowance = (struct allowance){ .since_ns = now_ns };
	if (allowance->taken < per_minute)
		allowance->taken++;
	else
		wait_s = (allowance->since_ns + MINUTE_NS - now_ns) / PXS_NS_PER_S + 1;
	(void)pthread_mutex_unlock(&allowances->lock);
	return wait_s;
}
