#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/auth.h"
#include "auth/store.h"
#include "base/clock.h"

/* One entry of the user or group database; longer ones count as not there. */
#define ENTRY_BYTES 65536

/* Who is no user of this machine sees the files that everybody sees: the kernel's overflow user. */
#define NOBODY 65534

static void
name_user(struct auth_principal *principal)
{
	struct passwd entry;
	struct passwd *found = NULL;
	CLEANUP(free) char *bytes = malloc(ENTRY_BYTES);
	uid_t uid = principal->caller.uid;

	if (bytes && getpwuid_r(uid, &entry, bytes, ENTRY_BYTES, &found) == 0 && found &&
	    strlen(found->pw_name) <= AUTH_USER_MAX)
		(void)stpcpy(principal->user, found->pw_name);
	else
		(void)snprintf(principal->user, sizeof(principal->user), "%ju", (uintmax_t)uid);
}

void
auth_principal_from_caller(const struct auth_caller *caller, unsigned int others,
			   struct auth_principal *ret_principal)
{
	*ret_principal = (struct auth_principal){
		.means = AUTH_BY_SOCKET,
		.rights = auth_caller_is_operator(caller) ? AUTH_EVERYTHING : others,
		.caller = *caller,
	};
	name_user(ret_principal);
}

/* --- By name --- */

static bool
system_caller(const char *name, struct auth_caller *caller)
{
	struct passwd entry;
	struct passwd *found = NULL;
	CLEANUP(free) char *bytes = malloc(ENTRY_BYTES);
	int n = AUTH_GROUPS_MAX;

	if (!bytes || getpwnam_r(name, &entry, bytes, ENTRY_BYTES, &found) != 0 || !found)
		return false;
	caller->uid = found->pw_uid;
	caller->gid = found->pw_gid;
	/* -1: there are more than we keep. */
	if (getgrouplist(name, found->pw_gid, caller->groups, &n) < 0)
		n = AUTH_GROUPS_MAX;
	caller->n_groups = (size_t)n;
	return true;
}

int
auth_principal_of(struct auth *auth, const char *name, struct auth_principal *ret_principal)
{
	struct auth_principal who = { .means = AUTH_BY_TOKEN,
				      .caller = { .uid = NOBODY, .gid = NOBODY } };
	bool known = system_caller(name, &who.caller);
	unsigned int own = 0;
	int r;

	if (strlen(name) > AUTH_USER_MAX)
		return -ENOENT;
	(void)stpcpy(who.user, name);
	r = user_find(auth, name, NULL, &own);
	if (r < 0 && r != -ENOENT)
		return r;
	(void)pthread_rwlock_rdlock(&auth->lock);
	known = known || r == 0 || robots_find(auth, name) >= 0;
	/* Whom `pxs user add` gave rights has these; the rules are for everybody else. */
	who.rights = r == 0 ? own : rules_rights(auth, name, &who.caller);
	(void)pthread_rwlock_unlock(&auth->lock);
	if (!known)
		return -ENOENT;
	*ret_principal = who;
	return 0;
}

void
person_forget(struct auth *auth, const char *name)
{
	(void)pthread_rwlock_wrlock(&auth->lock);
	for (size_t i = 0; i < PERSONS; i++)
		if (auth->persons[i] &&
		    (!name || strcmp(auth->persons[i]->principal.user, name) == 0))
			auth->persons[i]->known_ns = 0;
	(void)pthread_rwlock_unlock(&auth->lock);
}
