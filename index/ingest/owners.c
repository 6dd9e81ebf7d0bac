#include "index/ingest/owners.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

/* Each number has one slot that it may have to share; a tree with more owners than this asks more
 * often. */
#define SLOTS 1024

/* A group of thousands of members has a long entry; past this it counts as nameless. */
#define ENTRY_BYTES_MAX (1024 * 1024)

struct slot {
	bool used;
	uint32_t number;
	char *name; /* NULL: has none */
};

struct owners {
	struct slot users[SLOTS];
	struct slot groups[SLOTS];
	char *entry; /* room for what the system answers */
	size_t entry_size;
};

int
owners_new(struct owners **ret_owners)
{
	CLEANUP(owners) struct owners *owners = calloc(1, sizeof(*owners));

	if (!owners)
		return -ENOMEM;
	owners->entry_size = 1024;
	owners->entry = malloc(owners->entry_size);
	if (!owners->entry)
		return -ENOMEM;
	*ret_owners = STEAL(owners);
	return 0;
}

void
owners_free(struct owners *owners)
{
	if (!owners)
		return;
	for (size_t i = 0; i < SLOTS; i++) {
		free(owners->users[i].name);
		free(owners->groups[i].name);
	}
	free(owners->entry);
	free(owners);
}

/* 0, *RET_NAME is NULL where there is no such user; ERANGE: the entry needs more room. */
static int
ask_user(uint32_t uid, char *entry, size_t size, const char **ret_name)
{
	struct passwd user;
	struct passwd *found = NULL;
	int error = getpwuid_r(uid, &user, entry, size, &found);

	*ret_name = found ? user.pw_name : NULL;
	return error;
}

static int
ask_group(uint32_t gid, char *entry, size_t size, const char **ret_name)
{
	struct group group;
	struct group *found = NULL;
	int error = getgrgid_r(gid, &group, entry, size, &found);

	*ret_name = found ? group.gr_name : NULL;
	return error;
}

typedef int (*ask_fn)(uint32_t number, char *entry, size_t size, const char **ret_name);

static bool
grow_entry(struct owners *owners)
{
	char *larger;

	if (owners->entry_size >= ENTRY_BYTES_MAX)
		return false;
	larger = realloc(owners->entry, owners->entry_size * 4);
	if (!larger)
		return false;
	owners->entry = larger;
	owners->entry_size *= 4;
	return true;
}

static const char *
look_up(struct owners *owners, struct slot *slots, uint32_t number, ask_fn ask)
{
	struct slot *slot = &slots[number % SLOTS];
	const char *name = NULL;
	int error;

	if (slot->used && slot->number == number)
		return slot->name;

	do
		error = ask(number, owners->entry, owners->entry_size, &name);
	while (error == ERANGE && grow_entry(owners));

	free(slot->name);
	slot->name = NULL;
	/* An answer that failed (a directory service away) is not remembered as "no name". */
	slot->used = error == 0;
	slot->number = number;
	if (!error && name && *name && pxs_utf8_valid(name, strlen(name)))
		slot->name = strdup(name);
	return slot->name;
}

const char *
owners_user(struct owners *owners, uint32_t uid)
{
	return look_up(owners, owners->users, uid, ask_user);
}

const char *
owners_group(struct owners *owners, uint32_t gid)
{
	return look_up(owners, owners->groups, gid, ask_group);
}
