/* auth.h - who someone is and what he may do; knows no HTTP and no FUSE. */
#ifndef PXS_AUTH_H
#define PXS_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"

struct auth;
struct pxs_buf;
struct pxs_error;

/* More supplementary groups than this are ignored (which only takes access away). */
#define AUTH_GROUPS_MAX 256

/* Somebody on this machine, as the kernel names him. */
struct auth_caller {
	uid_t uid;
	gid_t gid;
	gid_t groups[AUTH_GROUPS_MAX];
	size_t n_groups;
};

/* What somebody may do, as bits. The names that people write stand in rights.c. */
#define AUTH_READ 1u   /* read: search, and read what is found */
#define AUTH_UPDATE 2u /* update_search_metadata: change documents */
#define AUTH_DELETE 4u /* delete_search_metadata: remove documents */
#define AUTH_BYPASS                                                                                \
	8u /* bypass_file_access_security: see documents whose files he could not stat */
#define AUTH_OPERATE 16u /* operate: ingest, mount, check; users and tokens */
#define AUTH_EVERYTHING (AUTH_READ | AUTH_UPDATE | AUTH_DELETE | AUTH_BYPASS | AUTH_OPERATE)

/* How somebody showed who he is. */
enum auth_means {
	AUTH_BY_NOTHING, /* he did not: no rights */
	AUTH_BY_SOCKET,	 /* the kernel named the process at the other end of a Unix socket */
	AUTH_BY_TOKEN,
};

#define AUTH_USER_MAX 64 /* bytes of a user's name; more than any system has */

/* Whoever asks for something. */
struct auth_principal {
	char user[AUTH_USER_MAX + 1]; /* his name; the number of a uid without one */
	enum auth_means means;
	unsigned int rights;	   /* AUTH_* */
	struct auth_caller caller; /* whose permissions on files are his */
};

/* The name of one AUTH_* bit; NULL if it is none. */
const char *auth_right_name(unsigned int right);
/* Reads names with commas (or blanks) between; "" is none, "all" all but operate. -EINVAL with the
 * byte. */
int auth_rights_parse(const char *text, unsigned int *ret_rights, struct pxs_error *err);
/* Adds the names of RIGHTS with SEPARATOR between. */
void auth_rights_print(unsigned int rights, const char *separator, struct pxs_buf *buf);

/* The process at the other end of the Unix socket FD (SO_PEERCRED, SO_PEERGROUPS). -errno. */
int auth_caller_from_peer(int fd, struct auth_caller *ret_caller);

/* UID and GID with the groups that process PID has now; none where they cannot be read. */
void auth_caller_from_process(uid_t uid, gid_t gid, pid_t pid, struct auth_caller *ret_caller);

/* Tells callers apart who may enter different directories: who has the same user and groups has the
 * same key. Never 0. */
uint64_t auth_caller_key(const struct auth_caller *caller);

/* Root or the user this daemon runs as: may ingest, mount and see everything. */
bool auth_caller_is_operator(const struct auth_caller *caller);

/* Who asks, from whom the kernel named: root and the user that this process runs as may do
 * everything, others what OTHERS has. */
void auth_principal_from_caller(const struct auth_caller *caller, unsigned int others,
				struct auth_principal *ret_principal);

/* openat2(2) of PATH (absolute), checked by the kernel with CALLER's identity, never following a
 * symlink at the end; the daemon's own identity is restored before it returns. The descriptor, or
 * -errno. Root and the daemon's own user are served with the daemon's identity. Where the daemon is
 * not root it can serve nobody else: -EACCES. */
int auth_open_as(const struct auth_caller *caller, const char *path, int flags);

/* --- Users, rights and tokens: what struct auth keeps, in auth.db --- */

#define AUTH_PASSWORD_MAX 511 /* bytes; what crypt(3) and PAM take */
#define AUTH_LABEL_MAX 80     /* bytes of what a token is called */
/* A token's text: pxs_ and 48 characters of base64url, which are 256 random bits and their CRC-32.
 */
#define AUTH_TOKEN_LEN 52
#define AUTH_TOKEN_SIZE (AUTH_TOKEN_LEN + 1)
#define AUTH_TOKEN_HINT_LEN 12 /* of them are shown in lists */

#define AUTH_TOKEN_LIFE_S 86400 /* of a token that a log-in gave */
#define AUTH_TOKEN_LIFE_MAX_S (INT64_C(10) * 366 * 86400)
/* The oldest token of a user goes when he is given one more. */
#define AUTH_TOKENS_PER_USER_MAX 1000
#define AUTH_USERS_MAX 10000 /* of our own */

/* Who has which rights: a line of the configuration's section [rights]. */
struct auth_rule {
	char *name; /* a user, or "@" and a group; "*" is everybody who can log in */
	unsigned int rights;
};

struct auth_options {
	const char *dir; /* auth.db is there, made if it is not; readable by our user only */
	const struct auth_rule *rules; /* copied */
	size_t n_rules;
	const char *robots_path; /* a file of name:password lines; NULL: no robots */
	int64_t token_life_s;	 /* 0: AUTH_TOKEN_LIFE_S */
	/* These count only at the opening. */
	const char
		*pam_service;	/* a file in /etc/pam.d; NULL: this machine's users cannot log in */
	const char *pam_helper; /* path of pxs-auth */
	bool root_may_log_in;
};

int auth_open(const struct auth_options *options, struct auth **ret_auth, struct pxs_error *err);
/* Take over OPTIONS anew (dir counts only at the opening); on failure nothing changes. */
int auth_configure(struct auth *auth, const struct auth_options *options, struct pxs_error *err);
void auth_close(struct auth *auth);
DEFINE_CLEANUP(auth, struct auth *, auth_close)

/* A user of our own, for machines without system users. */
struct auth_user {
	const char *name;
	unsigned int rights;
	int64_t created_s;
};

/* NAME: 1 to AUTH_USER_MAX bytes, letters, digits and ._-, no '-' first; PASSWORD: 1 to
 * AUTH_PASSWORD_MAX bytes. -EEXIST, -EINVAL. */
int auth_user_add(struct auth *auth, const char *name, const char *password, unsigned int rights,
		  struct pxs_error *err);
/* A new PASSWORD, which ends his tokens; or new RIGHTS; NULL: as it was. -ENOENT. */
int auth_user_change(struct auth *auth, const char *name, const char *password,
		     const unsigned int *rights, struct pxs_error *err);
/* His tokens end with him. -ENOENT. */
int auth_user_remove(struct auth *auth, const char *name, struct pxs_error *err);
/* Calls EACH for every one, by name, until it returns other than 0, which is returned. */
int auth_user_list(struct auth *auth, int (*each)(void *context, const struct auth_user *user),
		   void *context);

/* The user called NAME, known in any way, with the rights that he has now. -ENOENT. */
int auth_principal_of(struct auth *auth, const char *name, struct auth_principal *ret_principal);

/* Whether PASSWORD is that of the robot or own user called NAME: 0, -EACCES. -ENOENT: he is none
 * of these (found out in the same time). */
int auth_password_check(struct auth *auth, const char *name, const char *password);

/* Whether NAME, at the address FROM (text), has PASSWORD: 0, or -EACCES, whatever the reason is;
 * then the answer must be held back until *RET_HOLD_UNTIL_NS (steady), so that guessing is slow and
 * the time tells nothing. It may take as long as PAM does. */
int auth_login(struct auth *auth, const char *name, const char *password, const char *from,
	       int64_t *ret_hold_until_ns);

/* What is known of a token. */
struct auth_token {
	int64_t id;
	char user[AUTH_USER_MAX + 1];
	char hint[AUTH_TOKEN_HINT_LEN + 1]; /* how its text begins */
	char label[AUTH_LABEL_MAX + 1];
	bool granted;	     /* it has its rights whatever its user has */
	unsigned int rights; /* it has no others */
	int64_t created_s;
	int64_t expires_s;
	int64_t used_s; /* 0: never yet */
};

/* A new token, of which FACTS say user, label, rights and granted: for a user who has shown who he
 * is not granted, and he has those of his rights. It is valid for LIFE_S seconds (0: the default).
 * FACTS get the rest; TEXT is its only copy. -EINVAL: no such user. */
int auth_token_create(struct auth *auth, struct auth_token *facts, int64_t life_s,
		      char text[AUTH_TOKEN_SIZE], struct pxs_error *err);

/* Who shows TEXT. -EACCES: it is no token, or none that is valid now. RET_TOKEN may be NULL. */
int auth_token_check(struct auth *auth, const char *text, struct auth_principal *ret_principal,
		     struct auth_token *ret_token);

/* End the token with this TEXT, or this ID. -ENOENT. */
int auth_token_revoke(struct auth *auth, const char *text);
int auth_token_revoke_id(struct auth *auth, int64_t id);

/* As auth_user_list(), the newest first. */
int auth_token_list(struct auth *auth, int (*each)(void *context, const struct auth_token *token),
		    void *context);

/* Whether CALLER has search permission on each of N directories (absolute) and on all above it, and
 * so could stat what is in it. Root and the daemon's own user are judged as the daemon. Where the
 * daemon is not root it cannot ask the kernel in another's name: then mode, owner and group decide,
 * and a directory with an access list lets in nobody but its owner. */
enum auth_entry { AUTH_ENTRY_REFUSED, AUTH_ENTRY_GRANTED, AUTH_ENTRY_GONE };

int auth_enters(const struct auth_caller *caller, const char *const *directories, size_t n,
		uint8_t *entries);

#endif
