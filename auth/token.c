/* Tokens: in auth.db as hashes, and in memory, where each request asks for its own. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <xxhash.h>

#include "auth/auth.h"
#include "auth/authdb.h"
#include "auth/store.h"
#include "base/clock.h"
#include "base/error.h"

#define COLUMNS "id, user, hint, label, granted, rights, created_s, expires_s, used_s"

static struct token **
bucket_of(struct auth *auth, const unsigned char hash[SECRET_HASH_SIZE])
{
	uint32_t start;

	memcpy(&start, hash, sizeof(start));
	return &auth->tokens[start % TOKEN_BUCKETS];
}

/* Under lock. */
static struct token *
find(struct auth *auth, const unsigned char hash[SECRET_HASH_SIZE])
{
	struct token *token = *bucket_of(auth, hash);

	while (token && memcmp(token->hash, hash, SECRET_HASH_SIZE) != 0)
		token = token->next;
	return token;
}

/* Takes out of memory what MATCHES; under lock for writing. */
static void
forget(struct auth *auth, bool (*matches)(const struct token *token, const void *context),
       const void *context)
{
	for (size_t i = 0; i < TOKEN_BUCKETS; i++) {
		struct token **at = &auth->tokens[i];

		while (*at) {
			struct token *token = *at;

			if (matches(token, context)) {
				*at = token->next;
				free(token);
			} else {
				at = &token->next;
			}
		}
	}
}

static bool
always(const struct token *token, const void *context)
{
	(void)token;
	(void)context;
	return true;
}

static bool
is_users(const struct token *token, const void *user)
{
	return strcmp(token->facts.user, user) == 0;
}

static bool
has_id(const struct token *token, const void *id)
{
	return token->facts.id == *(const int64_t *)id;
}

static bool
has_expired(const struct token *token, const void *now_s)
{
	return token->facts.expires_s <= *(const int64_t *)now_s;
}

void
token_forget_all(struct auth *auth)
{
	forget(auth, always, NULL);
}

void
token_forget_of(struct auth *auth, const char *user)
{
	forget(auth, is_users, user);
}

/* --- auth.db --- */

static void
read_row(sqlite3_stmt *stmt, struct auth_token *ret_token)
{
	*ret_token = (struct auth_token){
		.id = sqlite3_column_int64(stmt, 0),
		.granted = sqlite3_column_int(stmt, 4),
		.rights = (unsigned int)sqlite3_column_int64(stmt, 5),
		.created_s = sqlite3_column_int64(stmt, 6),
		.expires_s = sqlite3_column_int64(stmt, 7),
		.used_s = sqlite3_column_int64(stmt, 8),
	};
	authdb_copy_text(stmt, 1, ret_token->user, sizeof(ret_token->user));
	authdb_copy_text(stmt, 2, ret_token->hint, sizeof(ret_token->hint));
	authdb_copy_text(stmt, 3, ret_token->label, sizeof(ret_token->label));
}

static int
keep(struct auth *auth, const unsigned char hash[SECRET_HASH_SIZE], const struct auth_token *facts)
{
	struct token *token = calloc(1, sizeof(*token));
	struct token **bucket = bucket_of(auth, hash);

	if (!token)
		return -ENOMEM;
	memcpy(token->hash, hash, SECRET_HASH_SIZE);
	token->facts = *facts;
	atomic_init(&token->used_s, facts->used_s);
	token->next = *bucket;
	*bucket = token;
	return 0;
}

static int
load_row(struct auth *auth, sqlite3_stmt *stmt)
{
	struct auth_token facts;
	const void *hash = sqlite3_column_blob(stmt, 9);

	if (!hash || sqlite3_column_bytes(stmt, 9) != SECRET_HASH_SIZE)
		return -EBADMSG;
	read_row(stmt, &facts);
	return keep(auth, hash, &facts);
}

int
token_load(struct auth *auth, struct pxs_error *err)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	int r = authdb_run(auth->db, "DELETE FROM token WHERE expires_s <= ?1", "i",
			   (int64_t)time(NULL));

	if (r >= 0)
		r = authdb_prepare(auth->db, &stmt, "SELECT " COLUMNS ", hash FROM token", "");
	while (r == 0 && (r = authdb_step(stmt)) == 1)
		r = load_row(auth, stmt);
	if (r < 0)
		return pxs_error_set(err, r, -1, "cannot read the tokens in auth.db: %s",
				     sqlite3_errmsg(auth->db));
	return 0;
}

int
token_note_used(struct auth *auth)
{
	int r = authdb_run(auth->db, "BEGIN IMMEDIATE", "");

	for (size_t i = 0; i < TOKEN_BUCKETS && r >= 0; i++)
		for (struct token *token = auth->tokens[i]; token && r >= 0; token = token->next) {
			int64_t used_s = atomic_load(&token->used_s);

			if (used_s != token->facts.used_s)
				r = authdb_run(auth->db,
					       "UPDATE token SET used_s = ?2 WHERE id = ?1", "ii",
					       token->facts.id, used_s);
			token->facts.used_s = used_s;
		}
	(void)authdb_run(auth->db, r < 0 ? "ROLLBACK" : "COMMIT", "");
	return r < 0 ? r : 0;
}

/* Room for one more of USER: those beyond the limit go, and all that have expired. */
static int
make_room(struct auth *auth, const char *user, int64_t now_s)
{
	int r = authdb_run(auth->db, "DELETE FROM token WHERE expires_s <= ?1", "i", now_s);

	if (r >= 0)
		r = authdb_run(auth->db,
			       "DELETE FROM token WHERE user = ?1 AND NOT granted AND id NOT IN ("
			       "SELECT id FROM token WHERE user = ?1 ORDER BY id DESC LIMIT ?2)",
			       "ti", user, (int64_t)AUTH_TOKENS_PER_USER_MAX - 1);
	return r;
}

static int
insert(struct auth *auth, const unsigned char hash[SECRET_HASH_SIZE], struct auth_token *facts)
{
	int r = authdb_run(auth->db, "BEGIN IMMEDIATE", "");

	if (r >= 0)
		r = make_room(auth, facts->user, facts->created_s);
	if (r >= 0)
		r = authdb_run(
			auth->db,
			"INSERT INTO token (hash, user, hint, label, granted, rights, "
			"created_s, expires_s, used_s) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, "
			"0)",
			"htttiiii", hash, facts->user, facts->hint, facts->label,
			(int64_t)facts->granted, (int64_t)facts->rights, facts->created_s,
			facts->expires_s);
	facts->id = sqlite3_last_insert_rowid(auth->db);
	if (r >= 0)
		r = authdb_run(auth->db, "COMMIT", "");
	if (r < 0)
		(void)authdb_run(auth->db, "ROLLBACK", "");
	return r < 0 ? r : 0;
}

struct oldest {
	const char *user;
	int64_t below_id;
};

/* In memory what make_room() does on disk. */
static bool
is_below(const struct token *token, const void *context)
{
	const struct oldest *oldest = context;

	return !token->facts.granted && token->facts.id < oldest->below_id &&
	       strcmp(token->facts.user, oldest->user) == 0;
}

static int
oldest_kept(struct auth *auth, const char *user, int64_t *ret_id)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	int r = authdb_prepare(
		auth->db, &stmt,
		"SELECT ifnull(min(id), 0) FROM token WHERE user = ?1 AND NOT granted", "t", user);

	if (r == 0)
		r = authdb_step(stmt);
	if (r == 1)
		*ret_id = sqlite3_column_int64(stmt, 0);
	return r < 0 ? r : 0;
}

static int
store(struct auth *auth, const unsigned char hash[SECRET_HASH_SIZE], struct auth_token *facts)
{
	struct oldest oldest = { .user = facts->user };
	int r;

	(void)pthread_mutex_lock(&auth->db_lock);
	r = insert(auth, hash, facts);
	if (r == 0)
		r = oldest_kept(auth, facts->user, &oldest.below_id);
	if (r == 0) {
		(void)pthread_rwlock_wrlock(&auth->lock);
		forget(auth, has_expired, &facts->created_s);
		forget(auth, is_below, &oldest);
		r = keep(auth, hash, facts);
		(void)pthread_rwlock_unlock(&auth->lock);
	}
	(void)pthread_mutex_unlock(&auth->db_lock);
	return r;
}

/* --- The face --- */

static int64_t
life_of(struct auth *auth, int64_t life_s)
{
	int64_t default_s;

	(void)pthread_rwlock_rdlock(&auth->lock);
	default_s = auth->token_life_s;
	(void)pthread_rwlock_unlock(&auth->lock);
	return life_s ? life_s : default_s;
}

static int
check_wish(struct auth *auth, const struct auth_token *facts, int64_t life_s, struct pxs_error *err)
{
	struct auth_principal who;
	int r = auth_principal_of(auth, facts->user, &who);

	if (r == -ENOENT)
		return pxs_error_set(err, -EINVAL, -1,
				     "there is no user %s, neither of this machine nor of pxs's "
				     "own",
				     facts->user);
	if (r == 0 && (life_s < 0 || life_s > AUTH_TOKEN_LIFE_MAX_S))
		return pxs_error_set(err, -EINVAL, -1, "a token lives 1 to %" PRId64 " seconds",
				     AUTH_TOKEN_LIFE_MAX_S);
	return r;
}

int
auth_token_create(struct auth *auth, struct auth_token *facts, int64_t life_s,
		  char text[AUTH_TOKEN_SIZE], struct pxs_error *err)
{
	unsigned char hash[SECRET_HASH_SIZE];
	int r = check_wish(auth, facts, life_s, err);

	if (r == 0)
		r = secret_token_new(text);
	if (r == 0)
		r = secret_hash(text, hash);
	if (r < 0)
		return r;
	(void)snprintf(facts->hint, sizeof(facts->hint), "%s", text);
	facts->created_s = time(NULL);
	facts->expires_s = facts->created_s + life_of(auth, life_s);
	facts->used_s = 0;
	return store(auth, hash, facts);
}

static struct person **
slot_of(struct auth *auth, const char *name)
{
	return &auth->persons[XXH3_64bits(name, strlen(name)) % PERSONS];
}

/* Under lock. */
static bool
recall(struct auth *auth, const char *name, struct auth_principal *ret_principal)
{
	const struct person *person = *slot_of(auth, name);

	if (!person || !person->known_ns || strcmp(person->principal.user, name) != 0 ||
	    pxs_clock_steady_ns() - person->known_ns > PERSON_FRESH_S * PXS_NS_PER_S)
		return false;
	*ret_principal = person->principal;
	return true;
}

static int
look_up(struct auth *auth, const char *name, struct auth_principal *ret_principal)
{
	struct person **slot = slot_of(auth, name);
	int64_t now_ns = pxs_clock_steady_ns();
	int r = auth_principal_of(auth, name, ret_principal);

	if (r < 0)
		return r;
	(void)pthread_rwlock_wrlock(&auth->lock);
	if (!*slot)
		*slot = calloc(1, sizeof(**slot));
	if (*slot)
		**slot = (struct person){ .principal = *ret_principal, .known_ns = now_ns };
	(void)pthread_rwlock_unlock(&auth->lock);
	return 0;
}

/* Under lock. */
static bool
find_valid(struct auth *auth, const unsigned char hash[SECRET_HASH_SIZE],
	   struct auth_token *ret_token)
{
	struct token *token = find(auth, hash);
	int64_t now_s = time(NULL);

	if (!token || token->facts.expires_s <= now_s)
		return false;
	atomic_store(&token->used_s, now_s);
	*ret_token = token->facts;
	ret_token->used_s = now_s;
	return true;
}

int
auth_token_check(struct auth *auth, const char *text, struct auth_principal *ret_principal,
		 struct auth_token *ret_token)
{
	unsigned char hash[SECRET_HASH_SIZE];
	struct auth_token facts;
	bool valid;
	bool recalled;

	if (!secret_token_is_formed(text) || secret_hash(text, hash) < 0)
		return -EACCES;
	(void)pthread_rwlock_rdlock(&auth->lock);
	valid = find_valid(auth, hash, &facts);
	recalled = valid && recall(auth, facts.user, ret_principal);
	(void)pthread_rwlock_unlock(&auth->lock);
	if (!valid || (!recalled && look_up(auth, facts.user, ret_principal) < 0))
		return -EACCES; /* also where the user is not there any more */
	ret_principal->rights = facts.granted ? facts.rights : ret_principal->rights & facts.rights;
	if (ret_token)
		*ret_token = facts;
	return 0;
}

int
auth_token_revoke_id(struct auth *auth, int64_t id)
{
	int r;

	(void)pthread_mutex_lock(&auth->db_lock);
	r = authdb_run(auth->db, "DELETE FROM token WHERE id = ?1", "i", id);
	if (r > 0) {
		(void)pthread_rwlock_wrlock(&auth->lock);
		forget(auth, has_id, &id);
		(void)pthread_rwlock_unlock(&auth->lock);
	}
	(void)pthread_mutex_unlock(&auth->db_lock);
	if (r == 0)
		return -ENOENT;
	return r < 0 ? r : 0;
}

int
auth_token_revoke(struct auth *auth, const char *text)
{
	unsigned char hash[SECRET_HASH_SIZE];
	const struct token *token;
	int64_t id = 0;
	int r = secret_token_is_formed(text) ? secret_hash(text, hash) : -ENOENT;

	if (r < 0)
		return r;
	(void)pthread_rwlock_rdlock(&auth->lock);
	token = find(auth, hash);
	if (token)
		id = token->facts.id;
	(void)pthread_rwlock_unlock(&auth->lock);
	return id ? auth_token_revoke_id(auth, id) : -ENOENT;
}

int
auth_token_list(struct auth *auth, int (*each)(void *context, const struct auth_token *token),
		void *context)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	struct auth_token token;
	int r;

	(void)pthread_mutex_lock(&auth->db_lock);
	(void)pthread_rwlock_wrlock(&auth->lock);
	r = token_note_used(auth);
	(void)pthread_rwlock_unlock(&auth->lock);
	if (r == 0)
		r = authdb_prepare(auth->db, &stmt,
				   "SELECT " COLUMNS
				   " FROM token WHERE expires_s > ?1 ORDER BY id DESC",
				   "i", (int64_t)time(NULL));
	while (r == 0 && (r = authdb_step(stmt)) == 1) {
		read_row(stmt, &token);
		r = each(context, &token);
	}
	(void)pthread_mutex_unlock(&auth->db_lock);
	return r;
}
