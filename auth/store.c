/* Opening and closing what is known of users.
 *
 * auth.db is the record; tokens are also in memory, for they are asked for at every request. Users
 * are read where somebody logs in. Locks: db_lock before lock. */
#include "auth/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auth/authdb.h"
#include "auth/pam.h"
#include "auth/throttle.h"
#include "base/macros.h"

int
auth_configure(struct auth *auth, const struct auth_options *options, struct pxs_error *err)
{
	struct rule *rules = NULL;
	int r = rules_resolve(options, &rules, err);

	if (r == 0)
		r = robots_load(auth, options->robots_path, err);
	if (r < 0) {
		rules_free(rules, rules ? options->n_rules : 0);
		return r;
	}
	(void)pthread_rwlock_wrlock(&auth->lock);
	rules_free(auth->rules, auth->n_rules);
	auth->rules = rules;
	auth->n_rules = options->n_rules;
	auth->token_life_s = options->token_life_s ? options->token_life_s : AUTH_TOKEN_LIFE_S;
	(void)pthread_rwlock_unlock(&auth->lock);
	person_forget(auth, NULL);
	return 0;
}

int
auth_open(const struct auth_options *options, struct auth **ret_auth, struct pxs_error *err)
{
	CLEANUP(auth) struct auth *auth = calloc(1, sizeof(*auth));
	int r;

	if (!auth)
		return -ENOMEM;
	(void)pthread_mutex_init(&auth->db_lock, NULL);
	(void)pthread_rwlock_init(&auth->lock, NULL);
	auth->root_may_log_in = options->root_may_log_in;
	r = throttle_new(&auth->throttle);
	if (r == 0 && options->pam_service)
		r = pam_open(options->pam_helper, options->pam_service, PAM_DEADLINE_S, &auth->pam,
			     err);
	if (r == 0)
		r = auth_configure(auth, options, err);
	if (r == 0)
		r = authdb_open(options->dir, &auth->db, err);
	if (r == 0)
		r = token_load(auth, err);
	if (r < 0)
		return r;
	*ret_auth = STEAL(auth);
	return 0;
}

void
auth_close(struct auth *auth)
{
	if (!auth)
		return;
	if (auth->db)
		(void)token_note_used(auth);
	(void)sqlite3_close(auth->db);
	pam_close(auth->pam);
	throttle_free(auth->throttle);
	token_forget_all(auth);
	for (size_t i = 0; i < ARRAY_SIZE(auth->persons); i++)
		free(auth->persons[i]);
	rules_free(auth->rules, auth->n_rules);
	robots_free(auth->robots, auth->n_robots);
	(void)pthread_rwlock_destroy(&auth->lock);
	(void)pthread_mutex_destroy(&auth->db_lock);
	free(auth);
}
