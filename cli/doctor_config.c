/* The configuration: would a daemon take it, and does it keep its secrets. */
#include "cli/doctor.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/macros.h"
#include "cli/cli.h"

static bool
has_config(struct doctor *doctor)
{
	if (doctor->config && access(doctor->config, R_OK) == 0)
		return true;
	doctor_tell(doctor, DOCTOR_SKIPPED, "there is no configuration to read");
	return false;
}

static bool
says_yes(const struct doctor *doctor, const char *key)
{
	const char *value = doctor_setting(doctor, key);

	return value && strcmp(value, "yes") == 0;
}

static void
check_there(struct doctor *doctor)
{
	if (!doctor->config || access(doctor->config, R_OK) == 0)
		return;
	if (errno == EACCES) {
		doctor_tell(doctor, DOCTOR_DOUBT, "the configuration %s is closed to you",
			    doctor->config);
		doctor_advise(doctor, "sudo pxs doctor");
	} else {
		doctor_tell(doctor, DOCTOR_FAULT, "the configuration %s cannot be read: %s",
			    doctor->config, strerror(errno));
		doctor_advise(doctor, "name the right one with --config");
	}
}

struct trial {
	const struct cli_examine *examine;
	const char *path;
};

struct outcome {
	int r;
	struct pxs_error err;
};

static void
try_config(const void *context, void *result)
{
	const struct trial *trial = context;
	struct outcome *outcome = result;

	outcome->r = trial->examine->config(trial->path, &outcome->err);
}

/* Apart, as the daemon resolves the paths of sources, which may hang. */
static void
check_valid(struct doctor *doctor)
{
	struct trial trial = { doctor->program->examine, doctor->config };
	struct outcome outcome = { 0 };
	int r;

	if (!has_config(doctor))
		return;
	r = doctor_apart(try_config, &trial, &outcome, sizeof(outcome));
	if (r == 0 && outcome.r == 0)
		return;
	if (r < 0)
		doctor_tell(doctor, DOCTOR_FAULT, "a path in %s hangs: %s", doctor->config,
			    strerror(-r));
	else
		doctor_tell(doctor, DOCTOR_FAULT, "a daemon would not take it: %s",
			    pxs_error_text(&outcome.err, outcome.r));
	doctor_advise_path(doctor, "editor", doctor->config);
}

static void
check_mode(struct doctor *doctor)
{
	struct doctor_look look;

	if (!has_config(doctor))
		return;
	doctor_look(doctor->config, &look);
	if (look.error < 0 || !(look.stat.st_mode & (S_IWGRP | S_IWOTH)))
		return;
	doctor_tell(doctor, DOCTOR_FAULT, "others may write %s, and so give themselves rights",
		    doctor->config);
	doctor_advise_path(doctor, "chmod go-w", doctor->config);
}

/* The file that KEY names, which others (the bits OTHERS of its mode) may not read. */
static void
check_secret(struct doctor *doctor, const char *key, mode_t others, const char *command)
{
	const char *path = doctor_setting(doctor, key);
	struct doctor_look look;

	if (!path)
		return;
	doctor_look(path, &look);
	if (look.error == -EACCES)
		return;
	if (look.error < 0) {
		doctor_tell(doctor, DOCTOR_FAULT, "%s = %s: %s", key, path, strerror(-look.error));
		doctor_advise_path(doctor, "editor", doctor->config);
	} else if (look.stat.st_mode & others) {
		doctor_tell(doctor, DOCTOR_FAULT, "others may read %s, a secret (mode %04o)", path,
			    look.stat.st_mode & 07777);
		doctor_advise_path(doctor, command, path);
	}
}

static void
check_secrets(struct doctor *doctor)
{
	if (!has_config(doctor))
		return;
	check_secret(doctor, "robots", S_IRWXO | S_IWGRP, "chmod o=,g-w");
	check_secret(doctor, "password-file", S_IRWXO | S_IWGRP, "chmod o=,g-w");
}

static void
check_certificate(struct doctor *doctor)
{
	const char *certificate = doctor_setting(doctor, "certificate");

	if (!has_config(doctor))
		return;
	check_secret(doctor, "certificate", 0, "");
	check_secret(doctor, "certificate-key", S_IRWXO | S_IWGRP, "chmod o=,g-w");
	if (!certificate == !doctor_setting(doctor, "certificate-key"))
		return;
	doctor_tell(doctor, DOCTOR_FAULT, "certificate and certificate-key belong together");
	doctor_advise_path(doctor, "editor", doctor->config);
}

static bool
is_loopback(const char *address)
{
	static const char *const NAMES[] = { "localhost:", "127.", "[::1]:" };

	for (size_t i = 0; i < ARRAY_SIZE(NAMES); i++)
		if (strncmp(address, NAMES[i], strlen(NAMES[i])) == 0)
			return true;
	return false;
}

static void
check_insecure(struct doctor *doctor)
{
	const char *tls = doctor_setting(doctor, "rest-tls");
	const char *rest = doctor_setting(doctor, "rest");

	if (!has_config(doctor))
		return;
	if (says_yes(doctor, "auth-plain")) {
		doctor_tell(doctor, DOCTOR_DOUBT, "passwords go over plain HTTP (auth-plain)");
		doctor_advise(doctor, "take auth-plain out of the configuration: it is for tests");
	}
	if (says_yes(doctor, "insecure")) {
		doctor_tell(doctor, DOCTOR_DOUBT,
			    "whoever answers at the upstream's URL is trusted (insecure)");
		doctor_advise(doctor,
			      "fingerprint = sha256//..., as `pxs cert show` prints it there");
	}
	if (tls && strcmp(tls, "never") == 0 && rest && !is_loopback(rest)) {
		doctor_tell(doctor, DOCTOR_DOUBT, "tokens go over plain HTTP to %s (rest-tls)",
			    rest);
		doctor_advise(doctor, "rest-tls = auto, or rest = localhost:5000 behind a proxy");
	}
}

static void
check_served(struct doctor *doctor)
{
	const char *wanted = doctor_setting(doctor, "index");

	if (!has_config(doctor) || !wanted || !doctor_has_daemon(doctor) ||
	    strcmp(wanted, doctor->index) == 0)
		return;
	doctor_tell(doctor, DOCTOR_DOUBT, "the daemon serves %s, the configuration says %s",
		    doctor->index, wanted);
	doctor_advise(doctor, "start the daemon with --config %s", doctor->config);
}

static void
check_taken_over(struct doctor *doctor)
{
	struct doctor_look look;
	json_int_t uptime_s = json_integer_value(json_object_get(doctor->status, "uptime_s"));

	if (!has_config(doctor) || !doctor_has_daemon(doctor))
		return;
	doctor_look(doctor->config, &look);
	if (look.error < 0 || look.stat.st_mtime <= time(NULL) - uptime_s + 1)
		return;
	doctor_tell(doctor, DOCTOR_DOUBT, "%s was changed after the daemon started",
		    doctor->config);
	doctor_advise(doctor,
		      "systemctl restart pxs; for rights, robots and certificate: systemctl "
		      "reload pxs");
}

static void
check_apart(struct doctor *doctor)
{
	const json_t *mount;
	size_t i;

	json_array_foreach (json_object_get(doctor->settings, "mount"), i, mount) {
		const char *path = json_string_value(mount);
		const char *socket = doctor_setting(doctor, "socket");

		if (path && doctor_is_inside(doctor->index, path)) {
			doctor_tell(doctor, DOCTOR_FAULT, "the index would lie in the mount at %s",
				    path);
			doctor_advise(doctor, "give one of them another place");
		}
		if (path && socket && doctor_is_inside(socket, path)) {
			doctor_tell(doctor, DOCTOR_FAULT, "the socket would lie in the mount at %s",
				    path);
			doctor_advise(doctor, "give one of them another place");
		}
	}
}

const struct doctor_check DOCTOR_CONFIG[] = {
	{ "configuration", "config-there", "the configuration can be read", check_there },
	{ "configuration", "config-valid", "a daemon would take it", check_valid },
	{ "configuration", "config-mode", "only its owner may write it", check_mode },
	{ "configuration", "config-secrets", "passwords are closed to others", check_secrets },
	{ "configuration", "config-key", "certificate and key are there", check_certificate },
	{ "configuration", "config-insecure", "nothing secret goes in clear", check_insecure },
	{ "configuration", "config-served", "the daemon serves its index", check_served },
	{ "configuration", "config-taken-over", "the daemon has read it", check_taken_over },
	{ "configuration", "config-apart", "index and socket lie in no mount", check_apart },
	{ 0 },
};
