/* store.h - struct auth: what is known of users, and the locks. */
#ifndef PXS_AUTH_STORE_H
#define PXS_AUTH_STORE_H

#include <pthread.h>
#include <stdatomic.h>

#include <sqlite3.h>

#include "auth/auth.h"
#include "auth/secret.h"

/* Tokens are found by the first bits of their hash, which nobody can choose. */
#define TOKEN_BUCKETS 16384
/* Remembered principals; two names that fall together take turns. */
#define PERSONS 1024
/* A change of somebody's groups or rights counts after this time at the latest. */
#define PERSON_FRESH_S 60

struct token {
	struct token *next; /* in its bucket */
	unsigned char hash[SECRET_HASH_SIZE];
	struct auth_token facts; /* used_s: see used_s below */
	_Atomic int64_t used_s;
};

struct person {
	struct auth_principal principal;
	int64_t known_ns; /* steady; 0: no more */
};

struct rule {
	char *name; /* of a user; NULL: of all, or of a group */
	gid_t gid;  /* of the group, looked up when the rules were read */
	bool for_group;
	unsigned int rights;
};

struct robot {
	char *name;
	char *password;
};

struct pam;
struct throttle;

struct auth {
	struct throttle *throttle;
	struct pam *pam; /* NULL: this machine's users may not log in */
	bool root_may_log_in;
	pthread_mutex_t db_lock; /* of db; taken before the others */
	sqlite3 *db;

	pthread_rwlock_t lock; /* of all below */
	struct token *tokens[TOKEN_BUCKETS];
	struct person *persons[PERSONS];
	struct rule *rules;
	size_t n_rules;
	struct robot *robots;
	size_t n_robots;
	int64_t token_life_s;
};

/* Read every token that is valid into memory; the others go. */
int token_load(struct auth *auth, struct pxs_error *err);
void token_forget_all(struct auth *auth);
/* End all of USER's, on disk by the caller; under lock for writing. */
void token_forget_of(struct auth *auth, const char *user);
/* Write down when tokens were last used; under db_lock. */
int token_note_used(struct auth *auth);

/* Forget what is remembered of NAME, or of all (NULL). */
void person_forget(struct auth *auth, const char *name);

/* The hash of the own user called NAME, the caller's to free, and his rights. -ENOENT. */
int user_find(struct auth *auth, const char *name, char **ret_hash, unsigned int *ret_rights);

/* Read the robots' file anew; those of before stay if that fails. */
int robots_load(struct auth *auth, const char *path, struct pxs_error *err);
void robots_free(struct robot *robots, size_t n);
/* The index of the robot called NAME, or -ENOENT; under lock. */
int robots_find(const struct auth *auth, const char *name);

/* Look up what OPTIONS' rules name; -EINVAL: there is no such group. */
int rules_resolve(const struct auth_options *options, struct rule **ret_rules,
		  struct pxs_error *err);
void rules_free(struct rule *rules, size_t n);
/* Rights that the rules give NAME, who is in CALLER's groups; under lock. */
unsigned int rules_rights(const struct auth *auth, const char *name,
			  const struct auth_caller *caller);

#endif
