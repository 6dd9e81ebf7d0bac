/* pxs mount and umount: the catalogue as a folder. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "cli/answer.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/message.h"
#include "cli/mountinfo.h"
#include "cli/options.h"
#include "cli/place.h"

#define ARGUMENTS_MAX 12

struct mount_verb {
	struct options shared; /* first: options_parse() hands it on */
	const char *mountpoint;
	struct pxs_buf joined; /* of several -o */
};

static const struct argp_option MOUNT_OPTIONS[] = {
	{ NULL, 'o', "OPT[,OPT]", 0,
	  "Mount options: allow_other lets other users in, delete lets rm delete documents, "
	  "visibility=unix shows each user what he could stat",
	  0 },
	{ 0 },
};

static const char MOUNT_DOC[] =
	"The running daemon mounts it. When none runs, one is started: as `pxs daemon "
	"--mount MOUNTPOINT`.";

static const char UMOUNT_DOC[] =
	"The daemon that mounted it goes on without the mount. When none answers, what a "
	"dead one left is unmounted.";

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct mount_verb *verb = state->input;

	switch (key) {
	case 'o':
		pxs_buf_addf(&verb->joined, "%s%s", verb->joined.len ? "," : "", arg);
		return 0;
	case ARGP_KEY_ARG:
		if (verb->mountpoint)
			argp_error(state, "one mountpoint only");
		verb->mountpoint = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "the mountpoint is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int
ask_to_mount(const struct mount_verb *verb, struct client *client, const char *mountpoint,
	     struct pxs_error *err)
{
	CLEANUP(json_decref) json_t *sent = json_object();
	CLEANUP(pxs_buf) struct pxs_buf answer = PXS_BUF_INIT;
	int r = sent ? answer_set_path(sent, "mountpoint", mountpoint) : -ENOMEM;

	if (r == 0 &&
	    json_object_set_new(sent, "options", json_string(pxs_buf_text(&verb->joined))))
		r = -EINVAL;
	return r < 0 ? r : client_ask(client, "POST", "/mounts", sent, NULL, &answer, err);
}

/* This process becomes the daemon. Comes back only on failure. */
static int
become_daemon(const struct mount_verb *verb, const char *mountpoint, struct pxs_error *err)
{
	const char *arguments[ARGUMENTS_MAX] = { "pxs", "daemon", "--mount", mountpoint };
	int n = 4;

	if (verb->joined.len) {
		arguments[n++] = "-o";
		arguments[n++] = pxs_buf_text(&verb->joined);
	}
	if (verb->shared.index) {
		arguments[n++] = "--index";
		arguments[n++] = verb->shared.index;
	}
	if (verb->shared.socket) {
		arguments[n++] = "--socket";
		arguments[n++] = verb->shared.socket;
	}
	(void)execv("/proc/self/exe", (char **)arguments);
	return pxs_error_set(err, -errno, -1, "cannot start a daemon: %m");
}

static int
run_mount(int argc, char **argv, const struct cli_program *program)
{
	struct mount_verb verb = { 0 };
	struct pxs_error err = { 0 };
	CLEANUP(client) struct client *client = NULL;
	CLEANUP(free) char *mountpoint = NULL;
	int r;

	options_parse(&CLI_MOUNT, argc, argv, parse, MOUNT_DOC, &verb.shared);
	r = place_absolute(verb.mountpoint, &mountpoint);
	if (r == 0)
		r = client_open(&verb.shared, CLIENT_DAEMON, program, &client, &err);
	if (r == 0) {
		r = ask_to_mount(&verb, client, mountpoint, &err);
	} else if (r == -ECONNREFUSED) {
		err = (struct pxs_error){ 0 };
		r = become_daemon(&verb, mountpoint, &err);
	}
	pxs_buf_done(&verb.joined);
	return r < 0 ? message_failure(argv[0], r, &err) : CLI_OK;
}

/* --- umount --- */

static int
ask_to_unmount(struct client *client, const char *mountpoint, struct pxs_error *err)
{
	CLEANUP(pxs_buf) struct pxs_buf href = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf answer = PXS_BUF_INIT;

	pxs_buf_add_str(&href, "/mounts");
	client_add_param(&href, "mountpoint", mountpoint);
	return client_ask(client, "DELETE", pxs_buf_text(&href), NULL, NULL, &answer, err);
}

/* The set-uid helper of libfuse, for those who are not root. */
static int
run_fusermount(const char *mountpoint, struct pxs_error *err)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		(void)execlp("fusermount3", "fusermount3", "-u", "--", mountpoint, (char *)NULL);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return pxs_error_set(err, -EBUSY, -1, "fusermount3 could not unmount %s", mountpoint);
}

/* Without the daemon. */
static int
unmount_left_over(const char *mountpoint, struct pxs_error *err)
{
	int r = mountinfo_is_ours(mountpoint);

	if (r < 0)
		return pxs_error_set(err, r, -1, "cannot read what is mounted: %s", strerror(-r));
	if (r == 0)
		return pxs_error_set(err, -ENOENT, -1, "no mount of pxs at %s", mountpoint);
	if (umount2(mountpoint, UMOUNT_NOFOLLOW) == 0)
		return 0;
	if (errno == EPERM)
		return run_fusermount(mountpoint, err);
	return pxs_error_set(err, -errno, -1, "cannot unmount %s: %m", mountpoint);
}

static int
run_umount(int argc, char **argv, const struct cli_program *program)
{
	struct mount_verb verb = { 0 };
	struct pxs_error err = { 0 };
	struct pxs_error daemon_err = { 0 };
	CLEANUP(client) struct client *client = NULL;
	CLEANUP(free) char *mountpoint = NULL;
	int r;

	options_parse(&CLI_UMOUNT, argc, argv, parse, UMOUNT_DOC, &verb.shared);
	r = place_absolute(verb.mountpoint, &mountpoint);
	if (r < 0)
		return message_failure(argv[0], r, &err);
	r = client_open(&verb.shared, CLIENT_DAEMON, program, &client, &daemon_err);
	if (r == 0)
		r = ask_to_unmount(client, mountpoint, &daemon_err);
	if (r == -ENOENT || r == -ECONNREFUSED || r == -EACCES)
		r = unmount_left_over(mountpoint, &err);
	else
		err = daemon_err;
	return r < 0 ? message_failure(argv[0], r, &err) : CLI_OK;
}

const struct cli_verb CLI_MOUNT = {
	.name = "mount",
	.arguments = "MOUNTPOINT",
	.summary = "Show the catalogue as a folder",
	.options = MOUNT_OPTIONS,
	.shared = CLI_SHARED_PLACE,
	.run = run_mount,
};

const struct cli_verb CLI_UMOUNT = {
	.name = "umount",
	.arguments = "MOUNTPOINT",
	.summary = "End a mount of the catalogue",
	.shared = CLI_SHARED_PLACE,
	.run = run_umount,
};
