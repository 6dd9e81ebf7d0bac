/* wanted.h - what pxs daemon is to do: its options, which are the keys of its configuration as
 * well. */
#ifndef PXS_WANTED_H
#define PXS_WANTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <argp.h>

#include "auth/auth.h"
#include "base/buf.h"
#include "cli/options.h"
#include "index/index.h"
#include "rest/rest.h"

struct cli_verb;
struct pxs_error;

#define SOURCES_MAX 64
#define MOUNTS_MAX 16
#define PATH_RULES_MAX 64
#define RULES_MAX 256
/* Options on one command line. */
#define GIVEN_MAX 128

struct wanted_mount {
	char *mountpoint;
	char *options;
};

/* An option as it stands on the command line. */
struct given {
	int key;
	const char *value; /* lent by argv; NULL: it takes none */
};

struct wanted {
	struct options shared; /* first: options_parse() hands it on */
	struct given given[GIVEN_MAX];
	size_t n_given;
	const char *config_option; /* lent by argv */
	bool reading_config;

	/* All below is filled in from the configuration, then from the command line. */
	char *config_path;	     /* NULL: there is none */
	struct pxs_buf config_lines; /* "KEY = VALUE", as they stand in it, each with a line end */
	char *index;
	char *socket;
	char *sources[SOURCES_MAX];
	size_t n_sources;
	int64_t rescan_s; /* 0: never */
	struct index_path_rule path_rules[PATH_RULES_MAX];
	size_t n_path_rules;
	struct wanted_mount mounts[MOUNTS_MAX];
	size_t n_mounts;
	bool no_watch;
	bool is_public;
	bool foreground;
	bool verbose;
	char *search_address;
	char *auth_address;
	enum rest_tls search_tls;
	bool plain_logins;
	char *certificate;
	char *certificate_key;
	bool rfc6750;
	bool upstream_insecure;
	char *pam_service; /* NULL: nobody said; "": none */
	bool root_may_log_in;
	char *upstream; /* NULL: there is none */
	char *upstream_auth;
	char *upstream_user;
	char *upstream_password_file;
	char *upstream_cacert;
	char *upstream_fingerprint;
	char *robots;
	int64_t token_life_s; /* 0: nobody said */
	struct auth_rule rules[RULES_MAX];
	size_t n_rules;
};

/* Reads the command line, then the configuration, then applies both; ends the process where the
 * command line is wrong. -errno with ERR where the configuration is. */
int wanted_parse(const struct cli_verb *verb, int argc, char **argv, const char *doc,
		 struct wanted *ret_wanted, struct pxs_error *err);
/* What can change while the daemon runs (rights, robots, token_life_s), with the configuration as
 * it is now. */
int wanted_again(const struct wanted *before, struct wanted *ret_wanted, struct pxs_error *err);
/* Adds the keys that NOW's configuration has otherwise than BEFORE's and that count from the next
 * start, "mount, source"; "": there are none. */
void wanted_print_stale(const struct wanted *before, const struct wanted *now, struct pxs_buf *buf);
void wanted_done(struct wanted *wanted);
static inline void
wanted_cleanup(struct wanted *wanted)
{
	wanted_done(wanted);
}

extern const struct argp_option WANTED_OPTIONS[];

#endif
