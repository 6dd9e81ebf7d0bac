/* Who comes with a name and a password: robots, then users of our own, then this machine's. */
#include <errno.h>
#include <string.h>

#include "auth/auth.h"
#include "auth/pam.h"
#include "auth/store.h"
#include "auth/throttle.h"
#include "base/clock.h"

/* PAM would let root in; whoever guesses passwords begins with him. */
static int
check_system(struct auth *auth, const char *name, const char *password, const char *from)
{
	struct auth_principal who;
	int r = auth->pam ? auth_principal_of(auth, name, &who) : -EACCES;

	if (r < 0)
		return -EACCES;
	r = pam_check(auth->pam, name, password, from);
	if (who.caller.uid == 0 && !auth->root_may_log_in)
		r = -EACCES; /* asked all the same, so that it takes as long */
	return r;
}

static int
check(struct auth *auth, const char *name, const char *password, const char *from)
{
	int r;

	if (!*name || strlen(name) > AUTH_USER_MAX || strlen(password) > AUTH_PASSWORD_MAX)
		return -EACCES;
	r = auth_password_check(auth, name, password);
	return r == -ENOENT ? check_system(auth, name, password, from) : r;
}

int
auth_login(struct auth *auth, const char *name, const char *password, const char *from,
	   int64_t *ret_hold_until_ns)
{
	int64_t now_ns = pxs_clock_steady_ns();
	int64_t delay_ms;
	int r = -EACCES;

	if (throttle_try(auth->throttle, name, from, now_ns, &delay_ms))
		r = check(auth, name, password, from);
	if (r == 0)
		throttle_succeeded(auth->throttle, name, from, now_ns);
	else
		*ret_hold_until_ns = now_ns + delay_ms * PXS_NS_PER_MS;
	return r;
}
