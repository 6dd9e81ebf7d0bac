#include "auth/auth.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <xxhash.h>

#include "base/cleanup.h"
#include "base/macros.h"

int
auth_caller_from_peer(int fd, struct auth_caller *ret_caller)
{
	struct auth_caller caller = { 0 };
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -errno;
	caller.uid = cred.uid;
	caller.gid = cred.gid;

	len = sizeof(caller.groups);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, caller.groups, &len) == 0)
		caller.n_groups = len / sizeof(caller.groups[0]);
	else if (errno != ERANGE) /* more groups than we keep: none of them counts */
		return -errno;

	*ret_caller = caller;
	return 0;
}

/* "Groups:\t4 24 27 \n" */
static void
read_groups(const char *text, struct auth_caller *caller)
{
	unsigned long group;
	char *end;

	for (; caller->n_groups < ARRAY_SIZE(caller->groups); text = end) {
		group = strtoul(text, &end, 10);
		if (end == text)
			return;
		caller->groups[caller->n_groups++] = (gid_t)group;
	}
}

/* "Uid:\treal effective saved file-system": whether the last one is UID. */
static bool
is_file_user(const char *text, uid_t uid)
{
	char *end;

	for (int i = 0; i < 3; i++) {
		(void)strtoul(text, &end, 10);
		text = end;
	}
	return strtoul(text, &end, 10) == uid && end != text;
}

void
auth_caller_from_process(uid_t uid, gid_t gid, pid_t pid, struct auth_caller *ret_caller)
{
	CLEANUP(fclose) FILE *file = NULL;
	CLEANUP(free) char *line = NULL;
	char path[64];
	size_t cap = 0;
	bool same_user = false;

	*ret_caller = (struct auth_caller){ .uid = uid, .gid = gid };
	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return;

	while (getline(&line, &cap, file) > 0) {
		/* Another user's process took the number of one that was killed: its groups are
		 * not the caller's. */
		if (!strncmp(line, "Uid:", 4))
			same_user = is_file_user(line + 4, uid);
		else if (!strncmp(line, "Groups:", 7) && same_user)
			read_groups(line + 7, ret_caller);
	}
}

bool
auth_caller_is_operator(const struct auth_caller *caller)
{
	return caller->uid == 0 || caller->uid == geteuid();
}

uint64_t
auth_caller_key(const struct auth_caller *caller)
{
	return XXH3_64bits_withSeed(caller->groups, caller->n_groups * sizeof(caller->groups[0]),
				    (uint64_t)caller->uid << 32 | caller->gid) |
	       1;
}
