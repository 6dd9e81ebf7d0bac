/* Users, robots, rights and tokens, through auth.h. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "auth/auth.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"

/* Each test opens its own, in a folder of its own. */
struct fixture {
	char dir[64];
	char robots[96];
	struct auth *auth;
};

static struct fixture fixture;

static const struct auth_rule RULES[] = {
	{ (char *)"*", AUTH_READ },
	{ (char *)"daemon", AUTH_UPDATE },
	{ (char *)"@daemon", AUTH_DELETE },
	{ (char *)"robby", AUTH_UPDATE | AUTH_BYPASS },
};

static void
open_auth(const struct auth_rule *rules, size_t n)
{
	struct auth_options options = { .dir = fixture.dir, .rules = rules, .n_rules = n };
	struct pxs_error err = { 0 };

	if (access(fixture.robots, F_OK) == 0)
		options.robots_path = fixture.robots;
	if (auth_open(&options, &fixture.auth, &err) < 0)
		fail_msg("%s", err.text);
}

static void
reopen(void)
{
	auth_close(fixture.auth);
	open_auth(RULES, ARRAY_SIZE(RULES));
}

static void
write_robots(const char *text, mode_t mode)
{
	CLEANUP(fclose) FILE *file = fopen(fixture.robots, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fchmod(fileno(file), mode), 0);
}

static int
setup(void **state)
{
	(void)state;
	(void)strcpy(fixture.dir, "/tmp/pxs-test-users-XXXXXX");
	if (!mkdtemp(fixture.dir))
		return -1;
	(void)snprintf(fixture.robots, sizeof(fixture.robots), "%s/robots", fixture.dir);
	open_auth(RULES, ARRAY_SIZE(RULES));
	return 0;
}

static int
teardown(void **state)
{
	char command[96];

	(void)state;
	auth_close(fixture.auth);
	(void)snprintf(command, sizeof(command), "rm -rf %s", fixture.dir);
	return system(command); // NOLINT(cert-env33-c)
}

static void
new_token(const char *user, char text[AUTH_TOKEN_SIZE], struct auth_token *token)
{
	struct pxs_error err = { 0 };

	*token = (struct auth_token){ .rights = AUTH_EVERYTHING };
	(void)snprintf(token->user, sizeof(token->user), "%s", user);
	if (auth_token_create(fixture.auth, token, 0, text, &err) < 0)
		fail_msg("%s", err.text);
}

static void
granted_token(const char *user, unsigned int rights, int64_t life_s, char text[AUTH_TOKEN_SIZE],
	      struct auth_token *token)
{
	*token = (struct auth_token){ .granted = true, .rights = rights, .label = "nightly" };
	(void)snprintf(token->user, sizeof(token->user), "%s", user);
	assert_int_equal(auth_token_create(fixture.auth, token, life_s, text, NULL), 0);
}

static int
check(const char *text, struct auth_principal *who)
{
	return auth_token_check(fixture.auth, text, who, NULL);
}

/* --- Rights --- */

static void
rights_are_read_and_written(void **state)
{
	static const struct {
		const char *text;
		int result;
		unsigned int rights;
		const char *printed;
		long at;
	} ROWS[] = {
		{ "", 0, 0, "", 0 },
		{ "read", 0, AUTH_READ, "read", 0 },
		{ " read,\tdelete_search_metadata ", 0, AUTH_READ | AUTH_DELETE,
		  "read delete_search_metadata", 0 },
		{ "update_search_metadata update_search_metadata", 0, AUTH_UPDATE,
		  "update_search_metadata", 0 },
		{ "all", 0, AUTH_READ | AUTH_UPDATE | AUTH_DELETE | AUTH_BYPASS,
		  "read update_search_metadata delete_search_metadata "
		  "bypass_file_access_security",
		  0 },
		{ "operate", 0, AUTH_OPERATE, "operate", 0 },
		{ "read,write", -EINVAL, 0, NULL, 5 },
		{ "READ", -EINVAL, 0, NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		CLEANUP(pxs_buf) struct pxs_buf printed = PXS_BUF_INIT;
		struct pxs_error err = { 0 };
		unsigned int rights = 0;

		assert_int_equal(auth_rights_parse(ROWS[i].text, &rights, &err), ROWS[i].result);
		if (ROWS[i].result < 0) {
			assert_int_equal(err.at, ROWS[i].at);
			continue;
		}
		assert_int_equal(rights, ROWS[i].rights);
		auth_rights_print(rights, " ", &printed);
		assert_string_equal(pxs_buf_text(&printed), ROWS[i].printed);
	}
}

static void
rules_give_rights_to_users_and_groups(void **state)
{
	struct auth_principal who;

	(void)state;
	assert_int_equal(auth_principal_of(fixture.auth, "daemon", &who), 0);
	assert_int_equal(who.rights, AUTH_READ | AUTH_UPDATE | AUTH_DELETE);
	assert_int_equal(auth_principal_of(fixture.auth, "nobody", &who), 0);
	assert_int_equal(who.rights, AUTH_READ);
	assert_int_equal(who.caller.uid, 65534);
	assert_int_equal(auth_principal_of(fixture.auth, "no-such-user", &who), -ENOENT);
}

static void
a_rule_for_a_missing_group_is_refused(void **state)
{
	const struct auth_rule rule = { (char *)"@no-such-group", AUTH_READ };
	struct auth_options options = { .dir = fixture.dir, .rules = &rule, .n_rules = 1 };
	struct pxs_error err = { 0 };
	struct auth_principal who;

	(void)state;
	assert_int_equal(auth_configure(fixture.auth, &options, &err), -EINVAL);
	assert_non_null(strstr(err.text, "no-such-group"));
	assert_int_equal(auth_principal_of(fixture.auth, "daemon", &who), 0);
	assert_int_equal(who.rights, AUTH_READ | AUTH_UPDATE | AUTH_DELETE);
}

static void
without_a_rule_for_all_everybody_reads(void **state)
{
	struct auth_options options = { .dir = fixture.dir };
	const struct auth_rule none = { (char *)"*", 0 };
	struct auth_principal who;

	(void)state;
	assert_int_equal(auth_configure(fixture.auth, &options, NULL), 0);
	assert_int_equal(auth_principal_of(fixture.auth, "nobody", &who), 0);
	assert_int_equal(who.rights, AUTH_READ);
	options.rules = &none;
	options.n_rules = 1;
	assert_int_equal(auth_configure(fixture.auth, &options, NULL), 0);
	assert_int_equal(auth_principal_of(fixture.auth, "nobody", &who), 0);
	assert_int_equal(who.rights, 0);
}

/* --- Users --- */

static void
names_and_passwords_have_a_form(void **state)
{
	char longest[AUTH_USER_MAX + 2];
	char password[AUTH_PASSWORD_MAX + 2];
	const struct {
		const char *name;
		const char *password;
		int result;
	} rows[] = {
		{ "ann", "secret", 0 },	      { "ann", "other", -EEXIST },
		{ "", "secret", -EINVAL },    { "-ann", "secret", -EINVAL },
		{ "a b", "secret", -EINVAL }, { "a/b", "secret", -EINVAL },
		{ "a.b_c-9", "secret", 0 },   { longest, "secret", -EINVAL },
		{ longest + 1, "secret", 0 }, { "bob", "", -EINVAL },
		{ "bob", password, -EINVAL }, { "bob", password + 1, 0 },
	};

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	memset(password, 'x', sizeof(password) - 1);
	password[sizeof(password) - 1] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (auth_user_add(fixture.auth, rows[i].name, rows[i].password, AUTH_READ, NULL) !=
		    rows[i].result)
			fail_msg("%s %s", rows[i].name, rows[i].password);
}

static int
add_name(void *context, const struct auth_user *user)
{
	pxs_buf_addf(context, "%s:%u ", user->name, user->rights);
	return 0;
}

static void
users_are_kept(void **state)
{
	CLEANUP(pxs_buf) struct pxs_buf names = PXS_BUF_INIT;
	const unsigned int rights = AUTH_EVERYTHING;

	(void)state;
	assert_int_equal(auth_user_add(fixture.auth, "zoe", "z secret", AUTH_READ, NULL), 0);
	assert_int_equal(auth_user_add(fixture.auth, "ann", "a secret", 0, NULL), 0);
	assert_int_equal(auth_user_add(fixture.auth, "gone", "x", 0, NULL), 0);
	assert_int_equal(auth_user_change(fixture.auth, "ann", NULL, &rights, NULL), 0);
	assert_int_equal(auth_user_remove(fixture.auth, "gone", NULL), 0);
	assert_int_equal(auth_user_remove(fixture.auth, "gone", NULL), -ENOENT);
	assert_int_equal(auth_user_change(fixture.auth, "gone", "y", NULL, NULL), -ENOENT);
	reopen();
	assert_int_equal(auth_user_list(fixture.auth, add_name, &names), 0);
	assert_string_equal(pxs_buf_text(&names), "ann:31 zoe:1 ");
	assert_int_equal(auth_password_check(fixture.auth, "ann", "a secret"), 0);
	assert_int_equal(auth_password_check(fixture.auth, "ann", "z secret"), -EACCES);
	assert_int_equal(auth_password_check(fixture.auth, "ann", ""), -EACCES);
	assert_int_equal(auth_password_check(fixture.auth, "gone", "x"), -ENOENT);
	assert_int_equal(auth_user_change(fixture.auth, "ann", "new", NULL, NULL), 0);
	assert_int_equal(auth_password_check(fixture.auth, "ann", "a secret"), -EACCES);
	assert_int_equal(auth_password_check(fixture.auth, "ann", "new"), 0);
}

/* --- Robots --- */

static void
robots_stand_in_a_closed_file(void **state)
{
	static const struct {
		const char *text;
		mode_t mode;
		int result;
		const char *sentence;
	} ROWS[] = {
		{ "# robots\n\nrobby:tobor\n", 0640, 0, "" },
		{ "robby:tobor\n", 0644, -EINVAL, "chmod 0640" },
		{ "robby:tobor\n", 0601, -EINVAL, "chmod 0640" },
		{ "robby:tobor\nrobby\n", 0600, -EINVAL, "line 2" },
		{ ":tobor\n", 0600, -EINVAL, "line 1" },
		{ "robby:\n", 0600, -EINVAL, "line 1" },
		{ "robby:to:bor", 0600, 0, "" },
	};
	struct auth_options options = { .dir = fixture.dir, .robots_path = fixture.robots };

	(void)state;
	assert_int_equal(auth_configure(fixture.auth, &options, NULL), -ENOENT);
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		struct pxs_error err = { 0 };

		write_robots(ROWS[i].text, ROWS[i].mode);
		assert_int_equal(auth_configure(fixture.auth, &options, &err), ROWS[i].result);
		if (!strstr(err.text, ROWS[i].sentence))
			fail_msg("%s", err.text);
	}
	assert_int_equal(auth_password_check(fixture.auth, "robby", "to:bor"), 0);
	assert_int_equal(auth_password_check(fixture.auth, "robby", "tobor"), -EACCES);
}

static void
a_robot_has_the_rights_of_its_rule(void **state)
{
	struct auth_principal who;

	(void)state;
	write_robots("robby:tobor\n", 0600);
	assert_int_equal(auth_principal_of(fixture.auth, "robby", &who), -ENOENT);
	reopen();
	assert_int_equal(auth_principal_of(fixture.auth, "robby", &who), 0);
	assert_int_equal(who.rights, AUTH_READ | AUTH_UPDATE | AUTH_BYPASS);
}

/* --- Tokens --- */

static void
a_token_tells_its_user(void **state)
{
	char text[AUTH_TOKEN_SIZE];
	struct auth_token token;
	struct auth_principal who;

	(void)state;
	assert_int_equal(auth_user_add(fixture.auth, "ann", "x", AUTH_READ | AUTH_UPDATE, NULL), 0);
	new_token("ann", text, &token);
	assert_int_equal(strlen(text), AUTH_TOKEN_LEN);
	assert_memory_equal(text, "pxs_", 4);
	assert_int_equal(token.expires_s - token.created_s, 86400);
	assert_int_equal(check(text, &who), 0);
	assert_string_equal(who.user, "ann");
	assert_int_equal(who.means, AUTH_BY_TOKEN);
	assert_int_equal(who.rights, AUTH_READ | AUTH_UPDATE);
	assert_int_equal(who.caller.uid, 65534);
	reopen();
	assert_int_equal(check(text, &who), 0);
	assert_string_equal(who.user, "ann");
}

static void
what_differs_by_a_letter_is_no_token(void **state)
{
	char text[AUTH_TOKEN_SIZE];
	char longer[AUTH_TOKEN_SIZE + 1];
	struct auth_token token;
	struct auth_principal who;

	(void)state;
	new_token("daemon", text, &token);
	for (size_t i = 0; i < AUTH_TOKEN_LEN; i++) {
		char before = text[i];

		text[i] = before == 'A' ? 'B' : 'A';
		assert_int_equal(check(text, &who), -EACCES);
		text[i] = '\0';
		assert_int_equal(check(text, &who), -EACCES);
		text[i] = before;
	}
	(void)snprintf(longer, sizeof(longer), "%sA", text);
	assert_int_equal(check(longer, &who), -EACCES);
	assert_int_equal(check(text, &who), 0);
}

static void
a_granted_token_has_its_own_rights(void **state)
{
	char text[AUTH_TOKEN_SIZE];
	struct auth_token token;
	struct auth_principal who;

	(void)state;
	granted_token("nobody", AUTH_DELETE, 60, text, &token);
	assert_int_equal(check(text, &who), 0);
	assert_int_equal(who.rights, AUTH_DELETE);
	assert_int_equal(token.expires_s - token.created_s, 60);
	assert_string_equal(token.label, "nightly");
	reopen();
	assert_int_equal(check(text, &who), 0);
	assert_int_equal(who.rights, AUTH_DELETE);
}

static void
a_token_may_have_fewer_rights_than_its_user(void **state)
{
	struct auth_token token = { .rights = AUTH_UPDATE | AUTH_BYPASS, .user = "ann" };
	char text[AUTH_TOKEN_SIZE];
	struct auth_principal who;

	(void)state;
	assert_int_equal(auth_user_add(fixture.auth, "ann", "x", AUTH_READ | AUTH_UPDATE, NULL), 0);
	assert_int_equal(auth_token_create(fixture.auth, &token, 0, text, NULL), 0);
	assert_int_equal(check(text, &who), 0);
	assert_int_equal(who.rights, AUTH_UPDATE);
}

static void
changed_rights_count_at_once(void **state)
{
	const unsigned int none = 0;
	char text[AUTH_TOKEN_SIZE];
	struct auth_token token;
	struct auth_principal who;

	(void)state;
	assert_int_equal(auth_user_add(fixture.auth, "ann", "x", AUTH_READ, NULL), 0);
	new_token("ann", text, &token);
	assert_int_equal(check(text, &who), 0);
	assert_int_equal(auth_user_change(fixture.auth, "ann", NULL, &none, NULL), 0);
	assert_int_equal(check(text, &who), 0);
	assert_int_equal(who.rights, 0);
}

static void
tokens_end(void **state)
{
	char text[4][AUTH_TOKEN_SIZE];
	struct auth_token token[4];
	struct auth_principal who;

	(void)state;
	assert_int_equal(auth_user_add(fixture.auth, "ann", "x", AUTH_READ, NULL), 0);
	granted_token("daemon", AUTH_READ, 1, text[0], &token[0]);
	for (int i = 1; i < 4; i++)
		new_token(i == 3 ? "ann" : "daemon", text[i], &token[i]);
	assert_int_equal(auth_token_revoke(fixture.auth, text[1]), 0);
	assert_int_equal(auth_token_revoke(fixture.auth, text[1]), -ENOENT);
	assert_int_equal(auth_token_revoke(fixture.auth, "pxs_"), -ENOENT);
	assert_int_equal(check(text[1], &who), -EACCES);
	assert_int_equal(auth_token_revoke_id(fixture.auth, token[2].id), 0);
	assert_int_equal(check(text[2], &who), -EACCES);
	assert_int_equal(auth_user_change(fixture.auth, "ann", "new", NULL, NULL), 0);
	assert_int_equal(check(text[3], &who), -EACCES);
	new_token("ann", text[3], &token[3]);
	assert_int_equal(auth_user_remove(fixture.auth, "ann", NULL), 0);
	assert_int_equal(check(text[3], &who), -EACCES);
	while (check(text[0], &who) == 0) /* for a second */
		(void)usleep(50000);
	assert_true(time(NULL) >= token[0].expires_s);
	reopen();
	for (int i = 0; i < 4; i++)
		assert_int_equal(check(text[i], &who), -EACCES);
}

static int
count(void *context, const struct auth_token *token)
{
	int *n = context;

	assert_string_equal(token->user, "daemon");
	assert_int_equal(strlen(token->hint), AUTH_TOKEN_HINT_LEN);
	(*n)++;
	return 0;
}

static void
the_oldest_token_makes_room(void **state)
{
	char first[AUTH_TOKEN_SIZE];
	char granted[AUTH_TOKEN_SIZE];
	char text[AUTH_TOKEN_SIZE];
	struct auth_token token;
	struct auth_principal who;
	int n = 0;

	(void)state;
	granted_token("daemon", AUTH_READ, 0, granted, &token);
	new_token("daemon", first, &token);
	for (int i = 0; i < AUTH_TOKENS_PER_USER_MAX; i++)
		new_token("daemon", text, &token);
	assert_int_equal(check(first, &who), -EACCES);
	assert_int_equal(check(text, &who), 0);
	assert_int_equal(check(granted, &who), 0);
	assert_int_equal(auth_token_list(fixture.auth, count, &n), 0);
	assert_in_range(n, AUTH_TOKENS_PER_USER_MAX - 1, AUTH_TOKENS_PER_USER_MAX + 1);
}

static int
find_used(void *context, const struct auth_token *token)
{
	*(int64_t *)context = token->used_s;
	return 0;
}

static void
a_list_tells_when_a_token_was_used(void **state)
{
	char text[AUTH_TOKEN_SIZE];
	struct auth_token token;
	struct auth_principal who;
	int64_t used_s = -1;

	(void)state;
	new_token("daemon", text, &token);
	assert_int_equal(auth_token_list(fixture.auth, find_used, &used_s), 0);
	assert_int_equal(used_s, 0);
	assert_int_equal(check(text, &who), 0);
	reopen();
	assert_int_equal(auth_token_list(fixture.auth, find_used, &used_s), 0);
	assert_true(used_s >= token.created_s);
}

/* --- The file --- */

static bool
file_has(const char *name, const char *secret)
{
	CLEANUP(fclose) FILE *file = NULL;
	char path[128];
	char bytes[65536];
	size_t n;

	(void)snprintf(path, sizeof(path), "%s/%s", fixture.dir, name);
	file = fopen(path, "r");
	if (!file)
		return false;
	n = fread(bytes, 1, sizeof(bytes), file);
	return memmem(bytes, n, secret, strlen(secret));
}

static void
neither_password_nor_token_is_in_the_file(void **state)
{
	static const char *const NAMES[] = { "auth.db", "auth.db-wal" };
	char text[AUTH_TOKEN_SIZE];
	struct auth_token token;
	struct stat st;
	char path[96];

	(void)state;
	assert_int_equal(auth_user_add(fixture.auth, "ann", "correct horse", AUTH_READ, NULL), 0);
	new_token("ann", text, &token);
	assert_true(file_has("auth.db", "ann") || file_has("auth.db-wal", "ann"));
	for (size_t i = 0; i < ARRAY_SIZE(NAMES); i++) {
		assert_false(file_has(NAMES[i], "correct horse"));
		assert_false(file_has(NAMES[i], text));
		(void)snprintf(path, sizeof(path), "%s/%s", fixture.dir, NAMES[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
}

static void
another_file_is_not_taken(void **state)
{
	struct auth_options options = { .dir = fixture.dir };
	struct pxs_error err = { 0 };
	struct auth *other = NULL;
	char path[96];
	CLEANUP(fclose) FILE *file = NULL;

	(void)state;
	auth_close(fixture.auth);
	fixture.auth = NULL;
	(void)snprintf(path, sizeof(path), "%s/auth.db", fixture.dir);
	file = fopen(path, "w");
	assert_non_null(file);
	for (int i = 0; i < 1000; i++)
		(void)fputs("not a database ", file);
	assert_int_equal(fflush(file), 0);
	assert_int_equal(auth_open(&options, &other, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "auth.db"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest TESTS[] = {
		TEST(rights_are_read_and_written),
		TEST(rules_give_rights_to_users_and_groups),
		TEST(a_rule_for_a_missing_group_is_refused),
		TEST(without_a_rule_for_all_everybody_reads),
		TEST(names_and_passwords_have_a_form),
		TEST(users_are_kept),
		TEST(robots_stand_in_a_closed_file),
		TEST(a_robot_has_the_rights_of_its_rule),
		TEST(a_token_tells_its_user),
		TEST(what_differs_by_a_letter_is_no_token),
		TEST(a_granted_token_has_its_own_rights),
		TEST(a_token_may_have_fewer_rights_than_its_user),
		TEST(changed_rights_count_at_once),
		TEST(tokens_end),
		TEST(the_oldest_token_makes_room),
		TEST(a_list_tells_when_a_token_was_used),
		TEST(neither_password_nor_token_is_in_the_file),
		TEST(another_file_is_not_taken),
	};

	return cmocka_run_group_tests_name("users", TESTS, NULL, NULL);
}
