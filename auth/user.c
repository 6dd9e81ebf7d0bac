/* Users of our own, in auth.db. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "auth/auth.h"
#include "auth/authdb.h"
#include "auth/store.h"
#include "base/error.h"

static bool
is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '_' || c == '-';
}

static int
check_name(const char *name, struct pxs_error *err)
{
	size_t len = strlen(name);
	size_t good = 0;

	while (good < len && is_name_byte(name[good]))
		good++;
	if (len > 0 && len <= AUTH_USER_MAX && good == len && name[0] != '-')
		return 0;
	return pxs_error_set(err, -EINVAL, good < len ? (long)good : -1,
			     "a user's name is 1 to %d letters, digits, '.', '_' and '-', with no "
			     "'-' first",
			     AUTH_USER_MAX);
}

static int
check_password(const char *password, struct pxs_error *err)
{
	size_t len = strlen(password);

	if (len > 0 && len <= AUTH_PASSWORD_MAX)
		return 0;
	return pxs_error_set(err, -EINVAL, -1, "a password is 1 to %d bytes long",
			     AUTH_PASSWORD_MAX);
}

static int
count_users(struct auth *auth)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	int r = authdb_prepare(auth->db, &stmt, "SELECT count(*) FROM user", "");

	if (r == 0)
		r = authdb_step(stmt);
	return r < 0 ? r : sqlite3_column_int(stmt, 0);
}

static int
insert(struct auth *auth, const char *name, const char *hash, unsigned int rights)
{
	int n = count_users(auth);

	if (n < 0)
		return n;
	if (n >= AUTH_USERS_MAX)
		return -EMFILE;
	return authdb_run(
		auth->db,
		"INSERT INTO user (name, hash, rights, created_s) VALUES (?1, ?2, ?3, ?4)", "ttii",
		name, hash, (int64_t)rights, (int64_t)time(NULL));
}

int
auth_user_add(struct auth *auth, const char *name, const char *password, unsigned int rights,
	      struct pxs_error *err)
{
	CLEANUP(free) char *hash = NULL;
	int r = check_name(name, err);

	if (r == 0)
		r = check_password(password, err);
	if (r == 0)
		r = secret_password_hash(password, &hash);
	if (r < 0)
		return r;
	(void)pthread_mutex_lock(&auth->db_lock);
	r = insert(auth, name, hash, rights);
	(void)pthread_mutex_unlock(&auth->db_lock);
	person_forget(auth, name);
	if (r == -EEXIST)
		return pxs_error_set(err, r, -1, "there is a user %s already", name);
	if (r == -EMFILE)
		return pxs_error_set(err, -EINVAL, -1, "there are %d users, which is the limit",
				     AUTH_USERS_MAX);
	return r < 0 ? r : 0;
}

static int
no_such_user(const char *name, struct pxs_error *err)
{
	return pxs_error_set(err, -ENOENT, -1, "there is no user %s of pxs's own", name);
}

/* In one transaction, so that no token outlives the password that it was given for. */
static int
update(struct auth *auth, const char *name, const char *hash, const unsigned int *rights)
{
	int r = authdb_run(auth->db, "BEGIN IMMEDIATE", "");
	int n = 0;

	if (r < 0)
		return r;
	if (hash)
		r = n = authdb_run(auth->db, "UPDATE user SET hash = ?2 WHERE name = ?1", "tt",
				   name, hash);
	if (r >= 0 && hash)
		r = authdb_run(auth->db, "DELETE FROM token WHERE user = ?1", "t", name);
	if (r >= 0 && rights)
		r = n = authdb_run(auth->db, "UPDATE user SET rights = ?2 WHERE name = ?1", "ti",
				   name, (int64_t)*rights);
	if (r >= 0)
		r = authdb_run(auth->db, n ? "COMMIT" : "ROLLBACK", "");
	if (r < 0)
		(void)authdb_run(auth->db, "ROLLBACK", "");
	return r < 0 ? r : n;
}

static void
forget(struct auth *auth, const char *name, bool tokens)
{
	if (tokens) {
		(void)pthread_rwlock_wrlock(&auth->lock);
		token_forget_of(auth, name);
		(void)pthread_rwlock_unlock(&auth->lock);
	}
	person_forget(auth, name);
}

int
auth_user_change(struct auth *auth, const char *name, const char *password,
		 const unsigned int *rights, struct pxs_error *err)
{
	CLEANUP(free) char *hash = NULL;
	int r = 0;

	if (password) {
		r = check_password(password, err);
		if (r == 0)
			r = secret_password_hash(password, &hash);
	}
	if (r < 0)
		return r;
	(void)pthread_mutex_lock(&auth->db_lock);
	r = update(auth, name, hash, rights);
	if (r > 0)
		forget(auth, name, hash != NULL);
	(void)pthread_mutex_unlock(&auth->db_lock);
	if (r == 0 && (hash || rights))
		return no_such_user(name, err);
	return r < 0 ? r : 0;
}

static int delete (struct auth *auth, const char *name)
{
	int r = authdb_run(auth->db, "BEGIN IMMEDIATE", "");
	int n = 0;

	if (r >= 0)
		r = n = authdb_run(auth->db, "DELETE FROM user WHERE name = ?1", "t", name);
	if (r > 0)
		r = authdb_run(auth->db, "DELETE FROM token WHERE user = ?1", "t", name);
	if (r >= 0)
		r = authdb_run(auth->db, "COMMIT", "");
	if (r < 0)
		(void)authdb_run(auth->db, "ROLLBACK", "");
	return r < 0 ? r : n;
}

int
auth_user_remove(struct auth *auth, const char *name, struct pxs_error *err)
{
	int r;

	(void)pthread_mutex_lock(&auth->db_lock);
	r = delete (auth, name);
	if (r > 0)
		forget(auth, name, true);
	(void)pthread_mutex_unlock(&auth->db_lock);
	if (r == 0)
		return no_such_user(name, err);
	return r < 0 ? r : 0;
}

int
auth_user_list(struct auth *auth, int (*each)(void *context, const struct auth_user *user),
	       void *context)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	int r;

	(void)pthread_mutex_lock(&auth->db_lock);
	r = authdb_prepare(auth->db, &stmt,
			   "SELECT name, rights, created_s FROM user ORDER BY name", "");
	while (r == 0 && (r = authdb_step(stmt)) == 1) {
		struct auth_user user = {
			.name = (const char *)sqlite3_column_text(stmt, 0),
			.rights = (unsigned int)sqlite3_column_int64(stmt, 1),
			.created_s = sqlite3_column_int64(stmt, 2),
		};

		r = user.name ? each(context, &user) : -ENOMEM;
	}
	(void)pthread_mutex_unlock(&auth->db_lock);
	return r;
}

int
user_find(struct auth *auth, const char *name, char **ret_hash, unsigned int *ret_rights)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	int r;

	(void)pthread_mutex_lock(&auth->db_lock);
	r = authdb_prepare(auth->db, &stmt, "SELECT hash, rights FROM user WHERE name = ?1", "t",
			   name);
	if (r == 0)
		r = authdb_step(stmt);
	if (r == 1) {
		if (ret_hash)
			*ret_hash = strdup((const char *)sqlite3_column_text(stmt, 0));
		*ret_rights = (unsigned int)sqlite3_column_int64(stmt, 1);
		r = !ret_hash || *ret_hash ? 0 : -ENOMEM;
	} else if (r == 0) {
		r = -ENOENT;
	}
	(void)pthread_mutex_unlock(&auth->db_lock);
	return r;
}

int
auth_password_check(struct auth *auth, const char *name, const char *password)
{
	CLEANUP(free) char *hash = NULL;
	unsigned int rights;
	int robot;
	int r;

	(void)pthread_rwlock_rdlock(&auth->lock);
	robot = robots_find(auth, name);
	if (robot >= 0)
		r = secret_equals(auth->robots[robot].password, password) ? 0 : -EACCES;
	(void)pthread_rwlock_unlock(&auth->lock);
	if (robot >= 0)
		return r;
	r = user_find(auth, name, &hash, &rights);
	if (r < 0 && r != -ENOENT)
		return r;
	if (secret_password_matches(password, hash))
		return 0;
	return r < 0 ? r : -EACCES;
}
