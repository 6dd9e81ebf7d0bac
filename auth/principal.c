#include "auth/auth.h"

#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* One entry of the user database; longer ones count as without a name. */
#define ENTRY_BYTES 16384

static void
name_user(struct auth_principal *principal)
{
	struct passwd entry;
	struct passwd *found = NULL;
	char bytes[ENTRY_BYTES];
	uid_t uid = principal->caller.uid;

	if (getpwuid_r(uid, &entry, bytes, sizeof(bytes), &found) == 0 && found &&
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
