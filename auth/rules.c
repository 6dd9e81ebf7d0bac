/* Which users and groups have which rights, as the configuration says. */
#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>

#include "auth/store.h"
#include "base/error.h"

/* One entry of the group database; a longer one counts as not there. */
#define ENTRY_BYTES 65536

void
rules_free(struct rule *rules, size_t n)
{
	for (size_t i = 0; i < n && rules; i++)
		free(rules[i].name);
	free(rules);
}

static int
find_group(const char *name, gid_t *ret_gid, struct pxs_error *err)
{
	struct group entry;
	struct group *found = NULL;
	CLEANUP(free) char *bytes = malloc(ENTRY_BYTES);

	if (!bytes)
		return -ENOMEM;
	if (getgrnam_r(name, &entry, bytes, ENTRY_BYTES, &found) != 0 || !found)
		return pxs_error_set(err, -EINVAL, -1,
				     "rights are given to the group %s, which does not exist",
				     name);
	*ret_gid = found->gr_gid;
	return 0;
}

static int
resolve(const struct auth_rule *from, struct rule *rule, struct pxs_error *err)
{
	rule->rights = from->rights;
	rule->for_group = from->name[0] == '@';
	if (rule->for_group)
		return find_group(from->name + 1, &rule->gid, err);
	if (strcmp(from->name, "*") == 0)
		return 0;
	rule->name = strdup(from->name);
	return rule->name ? 0 : -ENOMEM;
}

int
rules_resolve(const struct auth_options *options, struct rule **ret_rules, struct pxs_error *err)
{
	struct rule *rules = calloc(options->n_rules + 1, sizeof(*rules));
	int r = rules ? 0 : -ENOMEM;

	for (size_t i = 0; i < options->n_rules && r == 0; i++)
		r = resolve(&options->rules[i], &rules[i], err);
	if (r < 0) {
		rules_free(rules, options->n_rules);
		return r;
	}
	*ret_rules = rules;
	return 0;
}

static bool
is_in_group(const struct auth_caller *caller, gid_t gid)
{
	for (size_t i = 0; i < caller->n_groups; i++)
		if (caller->groups[i] == gid)
			return true;
	return caller->gid == gid;
}

unsigned int
rules_rights(const struct auth *auth, const char *name, const struct auth_caller *caller)
{
	unsigned int rights = 0;
	bool for_all = false;

	for (size_t i = 0; i < auth->n_rules; i++) {
		const struct rule *rule = &auth->rules[i];
		bool all = !rule->name && !rule->for_group;

		for_all = for_all || all;
		if (all || (rule->name && strcmp(rule->name, name) == 0) ||
		    (rule->for_group && is_in_group(caller, rule->gid)))
			rights |= rule->rights;
	}
	return for_all ? rights : rights | AUTH_READ;
}
