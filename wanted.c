/* One table names the options of the daemon and the keys of its configuration; a key is the
 * option's long name. The command line counts after the configuration: it replaces what is one
 * value and adds to what is a list. */
#include "wanted.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/macros.h"
#include "cli/cli.h"
#include "cli/config.h"
#include "cli/duration.h"
#include "cli/nearest.h"
#include "cli/place.h"

enum {
	KEY_CONFIG = OPTIONS_KEY_FIRST,
	KEY_SOURCE,
	KEY_NO_WATCH,
	KEY_RESCAN,
	KEY_PATH_MAP,
	KEY_MOUNT,
	KEY_PUBLIC,
	KEY_FOREGROUND,
	KEY_REST,
	KEY_REST_TLS,
	KEY_AUTH,
	KEY_AUTH_PLAIN,
	KEY_CERTIFICATE,
	KEY_CERTIFICATE_KEY,
	KEY_AUTH_ERRORS,
	KEY_PAM,
	KEY_PAM_ROOT,
	KEY_ROBOTS,
	KEY_TOKEN_LIFE,
	KEY_UPSTREAM,
	KEY_AUTH_URL,
	KEY_USER,
	KEY_PASSWORD_FILE,
	KEY_CACERT,
	KEY_FINGERPRINT,
	KEY_INSECURE,
	KEY_INDEX, /* these two only in the configuration: options_parse() has them */
	KEY_SOCKET,
};

const struct argp_option WANTED_OPTIONS[] = {
	{ "config", KEY_CONFIG, "FILE", 0,
	  "Read settings from FILE; what the command line says counts more", 0 },
	{ "source", KEY_SOURCE, "DIR", 0,
	  "Read this tree into the catalogue, or read it again (may be given several times)", 0 },
	{ "no-watch", KEY_NO_WATCH, NULL, 0,
	  "Do not follow changes in the sources as they happen, nor scan them at the start", 0 },
	{ "rescan", KEY_RESCAN, "TIME", 0,
	  "Scan the sources again this often, as 6h or 1d (default: never): for what other "
	  "machines "
	  "write to shared file systems, which the kernel does not tell",
	  0 },
	{ "path-map", KEY_PATH_MAP, "FROM=TO", 0,
	  "What lies below FROM where it was indexed lies below TO here (may be given several "
	  "times)",
	  0 },
	{ "mount", KEY_MOUNT, "DIR", 0,
	  "Show the catalogue in this folder (may be given several times)", 0 },
	{ "mount-options", 'o', "OPT[,OPT]", 0,
	  "Options of the mount before it: allow_other lets other users in, delete lets rm "
	  "delete documents, visibility=unix shows each user what he could stat",
	  0 },
	{ "public", KEY_PUBLIC, NULL, 0,
	  "Every user of this machine may search, and enter the mounts", 0 },
	{ "rest", KEY_REST, "HOST:PORT", 0,
	  "Serve the REST API there, to whoever has a token; plain HTTP on a loopback address, TLS "
	  "elsewhere; port 0 is a free one",
	  0 },
	{ "rest-tls", KEY_REST_TLS, "WHEN", 0,
	  "auto (the default), always, or never: behind a proxy that has TLS", 0 },
	{ "auth", KEY_AUTH, "HOST:PORT", 0,
	  "Give tokens for passwords there, always with TLS: POST /oauth2/token", 0 },
	{ "auth-plain", KEY_AUTH_PLAIN, NULL, 0,
	  "For tests: passwords over plain HTTP, on loopback addresses only", 0 },
	{ "certificate", KEY_CERTIFICATE, "FILE", 0,
	  "Certificate (PEM, with its chain) instead of one of pxs's own making", 0 },
	{ "certificate-key", KEY_CERTIFICATE_KEY, "FILE", 0, "Its key (PEM)", 0 },
	{ "auth-errors", KEY_AUTH_ERRORS, "HOW", 0,
	  "Without a valid token: 403 (the default, as PixStor) or rfc6750 (401)", 0 },
	{ "pam", KEY_PAM, "SERVICE", 0,
	  "Users of this machine log in by this file in /etc/pam.d, or `none` (default: pxs, if it "
	  "is there)",
	  0 },
	{ "pam-root", KEY_PAM_ROOT, NULL, 0, "Root may log in, too", 0 },
	{ "robots", KEY_ROBOTS, "FILE", 0,
	  "Users for scripts: lines of NAME:PASSWORD, in a file that only its owner and group read",
	  0 },
	{ "token-life", KEY_TOKEN_LIFE, "TIME", 0,
	  "How long a token is valid that a log-in gives, as 90s, 15m, 24h (the default), 7d", 0 },
	{ "upstream", KEY_UPSTREAM, "URL", 0,
	  "Follow the REST core there: keep its documents here, and true to it", 0 },
	{ "auth-url", KEY_AUTH_URL, "URL", 0,
	  "Where the upstream's tokens are given (default: at its own URL)", 0 },
	{ "user", KEY_USER, "NAME", 0, "Who we are at the upstream", 0 },
	{ "password-file", KEY_PASSWORD_FILE, "FILE", 0,
	  "His password: the first line of FILE, read at each log-in", 0 },
	{ "cacert", KEY_CACERT, "FILE", 0, "Trust the upstream's certificate by this one (PEM)",
	  0 },
	{ "fingerprint", KEY_FINGERPRINT, "PIN", 0,
	  "Trust the upstream by its key alone: sha256//..., as `pxs cert show` prints it there",
	  0 },
	{ "insecure", KEY_INSECURE, NULL, 0, "Trust whoever answers at the upstream's URL", 0 },
	{ "foreground", KEY_FOREGROUND, NULL, 0, "Stay in the foreground, log to standard error",
	  0 },
	{ "verbose", 'v', NULL, 0, "Log more", 0 },
	{ 0 },
};

/* What options_parse() knows by itself, as keys. */
static const struct argp_option PLACES[] = {
	{ "index", KEY_INDEX, "DIR", 0, NULL, 0 },
	{ "socket", KEY_SOCKET, "PATH", 0, NULL, 0 },
	{ 0 },
};

/* --- Values --- */

static int
set_text(char **text, const char *value)
{
	free(*text);
	*text = strdup(value);
	return *text ? 0 : -ENOMEM;
}

/* A configuration is read again long after the daemon left the folder where it was started. */
static int
check_absolute(const struct wanted *wanted, const char *value, struct pxs_error *err)
{
	if (!wanted->reading_config || value[0] == '/')
		return 0;
	return pxs_error_set(err, -EINVAL, -1, "it must be an absolute path, not '%s'", value);
}

static int
set_path(const struct wanted *wanted, char **path, const char *value, struct pxs_error *err)
{
	char *whole = NULL;
	int r = check_absolute(wanted, value, err);

	if (r == 0)
		r = place_absolute(value, &whole);
	if (r < 0)
		return pxs_error_set(err, r, -1, "%s: %s", value, strerror(-r));
	free(*path);
	*path = whole;
	return 0;
}

/* VALUE NULL: the option alone means yes. */
static int
set_flag(bool *flag, const char *value, struct pxs_error *err)
{
	if (value && strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
		return pxs_error_set(err, -EINVAL, -1, "it is yes or no, not '%s'", value);
	*flag = !value || strcmp(value, "yes") == 0;
	return 0;
}

/* The number of VALUE among NAMES, which NULL ends. */
static int
set_choice(int *choice, const char *value, const char *const *names, const char *all,
	   struct pxs_error *err)
{
	for (int i = 0; names[i]; i++)
		if (strcmp(value, names[i]) == 0) {
			*choice = i;
			return 0;
		}
	return pxs_error_set(err, -EINVAL, -1, "it is %s, not '%s'", all, value);
}

static int
add_source(struct wanted *wanted, const char *path, struct pxs_error *err)
{
	int r = check_absolute(wanted, path, err);
	char *whole = r == 0 ? realpath(path, NULL) : NULL;

	if (r < 0)
		return r;
	if (!whole)
		return pxs_error_set(err, -errno, -1, "%s: %m", path);
	if (wanted->n_sources == SOURCES_MAX) {
		free(whole);
		return pxs_error_set(err, -EINVAL, -1, "more than %d sources", SOURCES_MAX);
	}
	wanted->sources[wanted->n_sources++] = whole;
	return 0;
}

/* An absolute path, but for the slashes at its end. "/" is "", which all begin with. */
static char *
without_slash(const char *path, size_t len)
{
	while (len > 0 && path[len - 1] == '/')
		len--;
	return strndup(path, len);
}

static int
add_path_rule(struct wanted *wanted, const char *text, struct pxs_error *err)
{
	const char *equals = strchr(text, '=');
	struct index_path_rule rule = { 0 };

	if (!equals || text[0] != '/' || equals[1] != '/')
		return pxs_error_set(err, -EINVAL, -1,
				     "path-map is FROM=TO, two absolute paths, not '%.200s'", text);
	if (wanted->n_path_rules == PATH_RULES_MAX)
		return pxs_error_set(err, -EINVAL, -1, "more than %d path maps", PATH_RULES_MAX);
	rule.from = without_slash(text, (size_t)(equals - text));
	rule.to = without_slash(equals + 1, strlen(equals + 1));
	wanted->path_rules[wanted->n_path_rules++] = rule;
	return rule.from && rule.to ? 0 : -ENOMEM;
}

static int
add_mount(struct wanted *wanted, const char *path, struct pxs_error *err)
{
	struct wanted_mount mount = { 0 };
	int r;

	if (wanted->n_mounts == MOUNTS_MAX)
		return pxs_error_set(err, -EINVAL, -1, "more than %d mounts", MOUNTS_MAX);
	r = set_path(wanted, &mount.mountpoint, path, err);
	if (r == 0)
		r = set_text(&mount.options, "");
	if (r < 0) {
		free(mount.mountpoint);
		return r;
	}
	wanted->mounts[wanted->n_mounts++] = mount;
	return 0;
}

static int
set_mount_options(struct wanted *wanted, const char *value, struct pxs_error *err)
{
	if (!wanted->n_mounts)
		return pxs_error_set(err, -EINVAL, -1, "it belongs behind a mount");
	return set_text(&wanted->mounts[wanted->n_mounts - 1].options, value);
}

static int
set_tls(struct wanted *wanted, const char *value, struct pxs_error *err)
{
	static const char *const NAMES[] = { "auto", "always", "never", NULL };
	int choice = 0;
	int r = set_choice(&choice, value, NAMES, "auto, always or never", err);

	wanted->search_tls = (enum rest_tls)choice;
	return r;
}

static int
set_auth_errors(struct wanted *wanted, const char *value, struct pxs_error *err)
{
	static const char *const NAMES[] = { "403", "rfc6750", NULL };
	int choice = 0;
	int r = set_choice(&choice, value, NAMES, "403 or rfc6750", err);

	wanted->rfc6750 = choice == 1;
	return r;
}

static int
set(struct wanted *wanted, int key, const char *value, struct pxs_error *err)
{
	switch (key) {
	case KEY_INDEX:
		return set_path(wanted, &wanted->index, value, err);
	case KEY_SOCKET:
		return set_path(wanted, &wanted->socket, value, err);
	case KEY_SOURCE:
		return add_source(wanted, value, err);
	case KEY_NO_WATCH:
		return set_flag(&wanted->no_watch, value, err);
	case KEY_RESCAN:
		return duration_parse(value, &wanted->rescan_s, err);
	case KEY_PATH_MAP:
		return add_path_rule(wanted, value, err);
	case KEY_MOUNT:
		return add_mount(wanted, value, err);
	case 'o':
		return set_mount_options(wanted, value, err);
	case KEY_PUBLIC:
		return set_flag(&wanted->is_public, value, err);
	case KEY_FOREGROUND:
		return set_flag(&wanted->foreground, value, err);
	case 'v':
		return set_flag(&wanted->verbose, value, err);
	case KEY_REST:
		return set_text(&wanted->search_address, value);
	case KEY_REST_TLS:
		return set_tls(wanted, value, err);
	case KEY_AUTH:
		return set_text(&wanted->auth_address, value);
	case KEY_AUTH_PLAIN:
		return set_flag(&wanted->plain_logins, value, err);
	case KEY_CERTIFICATE:
		return set_path(wanted, &wanted->certificate, value, err);
	case KEY_CERTIFICATE_KEY:
		return set_path(wanted, &wanted->certificate_key, value, err);
	case KEY_AUTH_ERRORS:
		return set_auth_errors(wanted, value, err);
	case KEY_PAM:
		return set_text(&wanted->pam_service, strcmp(value, "none") == 0 ? "" : value);
	case KEY_PAM_ROOT:
		return set_flag(&wanted->root_may_log_in, value, err);
	case KEY_ROBOTS:
		return set_path(wanted, &wanted->robots, value, err);
	case KEY_TOKEN_LIFE:
		return duration_parse(value, &wanted->token_life_s, err);
	case KEY_UPSTREAM:
		return set_text(&wanted->upstream, value);
	case KEY_AUTH_URL:
		return set_text(&wanted->upstream_auth, value);
	case KEY_USER:
		return set_text(&wanted->upstream_user, value);
	case KEY_PASSWORD_FILE:
		return set_path(wanted, &wanted->upstream_password_file, value, err);
	case KEY_CACERT:
		return set_path(wanted, &wanted->upstream_cacert, value, err);
	case KEY_FINGERPRINT:
		return set_text(&wanted->upstream_fingerprint, value);
	case KEY_INSECURE:
		return set_flag(&wanted->upstream_insecure, value, err);
	default:
		return pxs_error_set(err, -EINVAL, -1, "a configuration names no other");
	}
}

/* --- The configuration --- */

static const struct argp_option *
find(const struct argp_option *options, const char *name)
{
	for (; options->name || options->key; options++)
		if (options->name && strcmp(options->name, name) == 0)
			return options;
	return NULL;
}

static const char *
nearest(const char *name)
{
	const struct argp_option *const TABLES[] = { WANTED_OPTIONS, PLACES };
	const char *guess = NULL;
	size_t least = NEAREST_MAX + 1;

	for (size_t t = 0; t < ARRAY_SIZE(TABLES); t++)
		for (const struct argp_option *o = TABLES[t]; o->name || o->key; o++)
			if (o->name && nearest_is(name, o->name, &least))
				guess = o->name;
	return guess;
}

static int
set_key(struct wanted *wanted, const char *name, const char *value, struct pxs_error *err)
{
	const struct argp_option *option = find(WANTED_OPTIONS, name);
	struct pxs_error why = { 0 };
	const char *guess;
	int r;

	if (!option)
		option = find(PLACES, name);
	guess = option ? NULL : nearest(name);
	if (!option)
		return pxs_error_set(err, -EINVAL, -1, "unknown key '%s'%s%s%s", name,
				     guess ? "; did you mean '" : "", guess ? guess : "",
				     guess ? "'?" : "");
	if (!*value)
		return pxs_error_set(err, -EINVAL, -1, "the key '%s' has no value", name);
	r = set(wanted, option->key, value, &why);
	if (r < 0)
		return pxs_error_set(err, r, -1, "%s: %s", name, pxs_error_text(&why, r));
	return 0;
}

/* [rights]: a user, "@" and a group, or "*" for all = rights. */
static int
add_rule(struct wanted *wanted, const char *name, const char *value, struct pxs_error *err)
{
	struct auth_rule *rule = &wanted->rules[wanted->n_rules];
	int r = auth_rights_parse(value, &rule->rights, err);

	if (r == 0 && wanted->n_rules == RULES_MAX)
		return pxs_error_set(err, -EINVAL, -1, "more than %d rights", RULES_MAX);
	if (r < 0)
		return r;
	rule->name = strdup(name);
	if (!rule->name)
		return -ENOMEM;
	wanted->n_rules++;
	return 0;
}

static int
on_line(void *context, const char *section, const char *key, const char *value,
	struct pxs_error *err)
{
	struct wanted *wanted = context;

	if (!*section) {
		pxs_buf_addf(&wanted->config_lines, "%s = %s\n", key, value);
		return set_key(wanted, key, value, err);
	}
	if (strcmp(section, "rights") == 0)
		return add_rule(context, key, value, err);
	return pxs_error_set(err, -EINVAL, -1, "unknown section [%s]; there is [rights]", section);
}

/* --- The command line --- */

static const char *
option_name(int key)
{
	for (const struct argp_option *o = WANTED_OPTIONS; o->name; o++)
		if (o->key == key)
			return o->name;
	return "";
}

static int
apply_given(struct wanted *wanted, struct pxs_error *err)
{
	for (size_t i = 0; i < wanted->n_given; i++) {
		const struct given *given = &wanted->given[i];
		struct pxs_error why = { 0 };
		int r = set(wanted, given->key, given->value, &why);

		if (r < 0)
			return pxs_error_set(err, r, -1, "--%s: %s", option_name(given->key),
					     pxs_error_text(&why, r));
	}
	return 0;
}

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct wanted *wanted = state->input;

	if (key == KEY_CONFIG) {
		wanted->config_option = arg;
		return 0;
	}
	if (key == ARGP_KEY_ARG) {
		argp_error(state, "it takes no arguments; a tree is given as --source %s", arg);
		return 0;
	}
	for (const struct argp_option *o = WANTED_OPTIONS; o->name; o++) {
		if (o->key != key)
			continue;
		if (wanted->n_given == GIVEN_MAX)
			argp_error(state, "more than %d options", GIVEN_MAX);
		else
			wanted->given[wanted->n_given++] = (struct given){ key, arg };
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static int
read_config(struct wanted *wanted, struct pxs_error *err)
{
	int r;

	if (!wanted->config_path)
		return 0;
	wanted->reading_config = true;
	r = config_read(wanted->config_path, on_line, wanted, err);
	wanted->reading_config = false;
	return r;
}

int
wanted_parse(const struct cli_verb *verb, int argc, char **argv, const char *doc,
	     struct wanted *ret_wanted, struct pxs_error *err)
{
	int r;

	options_parse(verb, argc, argv, parse, doc, &ret_wanted->shared);
	if (ret_wanted->config_option) {
		r = set_path(ret_wanted, &ret_wanted->config_path, ret_wanted->config_option, err);
		if (r < 0)
			return r;
	}
	r = read_config(ret_wanted, err);
	if (r == 0 && apply_given(ret_wanted, err) < 0)
		r = -EINVAL; /* bad usage, whatever it is */
	return r;
}

static bool
is_given(const struct wanted *wanted, int key)
{
	for (size_t i = 0; i < wanted->n_given; i++)
		if (wanted->given[i].key == key)
			return true;
	return false;
}

int
wanted_again(const struct wanted *before, struct wanted *ret_wanted, struct pxs_error *err)
{
	int r = 0;

	*ret_wanted = (struct wanted){ 0 };
	if (before->config_path)
		r = set_text(&ret_wanted->config_path, before->config_path);
	if (r == 0)
		r = read_config(ret_wanted, err);
	if (r == 0 && is_given(before, KEY_ROBOTS))
		r = set_text(&ret_wanted->robots, before->robots);
	if (r == 0 && is_given(before, KEY_TOKEN_LIFE))
		ret_wanted->token_life_s = before->token_life_s;
	return r;
}

/* The lines of KEY alone, of all in LINES. */
static void
pick_lines(const struct pxs_buf *lines, const char *key, struct pxs_buf *picked)
{
	size_t len = strlen(key);

	for (const char *line = pxs_buf_text(lines); *line; line = strchr(line, '\n') + 1)
		if (strncmp(line, key, len) == 0 && strncmp(line + len, " = ", 3) == 0)
			pxs_buf_add(picked, line, strcspn(line, "\n") + 1);
}

static bool
is_same(const struct wanted *before, const struct wanted *now, const char *key)
{
	CLEANUP(pxs_buf) struct pxs_buf old = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf new = PXS_BUF_INIT;

	pick_lines(&before->config_lines, key, &old);
	pick_lines(&now->config_lines, key, &new);
	return strcmp(pxs_buf_text(&old), pxs_buf_text(&new)) == 0;
}

void
wanted_print_stale(const struct wanted *before, const struct wanted *now, struct pxs_buf *buf)
{
	const struct argp_option *const TABLES[] = { WANTED_OPTIONS, PLACES };
	size_t start = buf->len;

	for (size_t t = 0; t < ARRAY_SIZE(TABLES); t++)
		for (const struct argp_option *o = TABLES[t]; o->name || o->key; o++)
			if (o->name && o->key != KEY_ROBOTS && o->key != KEY_TOKEN_LIFE &&
			    !is_same(before, now, o->name))
				pxs_buf_addf(buf, "%s%s", buf->len > start ? ", " : "", o->name);
}

void
wanted_done(struct wanted *wanted)
{
	pxs_buf_done(&wanted->config_lines);
	for (size_t i = 0; i < wanted->n_sources; i++)
		free(wanted->sources[i]);
	for (size_t i = 0; i < wanted->n_path_rules; i++) {
		free((char *)wanted->path_rules[i].from);
		free((char *)wanted->path_rules[i].to);
	}
	for (size_t i = 0; i < wanted->n_mounts; i++) {
		free(wanted->mounts[i].mountpoint);
		free(wanted->mounts[i].options);
	}
	for (size_t i = 0; i < wanted->n_rules; i++)
		free(wanted->rules[i].name);
	free(wanted->config_path);
	free(wanted->index);
	free(wanted->socket);
	free(wanted->search_address);
	free(wanted->auth_address);
	free(wanted->certificate);
	free(wanted->certificate_key);
	free(wanted->pam_service);
	free(wanted->upstream);
	free(wanted->upstream_auth);
	free(wanted->upstream_user);
	free(wanted->upstream_password_file);
	free(wanted->upstream_cacert);
	free(wanted->upstream_fingerprint);
	free(wanted->robots);
}
