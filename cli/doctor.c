/* pxs doctor: what is wrong with this installation, and what to do about it. */
#include "cli/doctor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/macros.h"
#include "cli/answer.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/config.h"
#include "cli/message.h"
#include "cli/mountinfo.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/place.h"

#define USUAL_CONFIG "/etc/pxs/pxs.conf"

enum { KEY_CONFIG = OPTIONS_KEY_FIRST, KEY_VERBOSE };

struct request {
	struct options shared; /* first: options_parse() hands it on */
	const char *config;
	bool verbose;
};

static const struct doctor_check *const TABLES[] = {
	DOCTOR_MACHINE, DOCTOR_PROGRAM, DOCTOR_CONFIG, DOCTOR_INDEX,  DOCTOR_DAEMON,
	DOCTOR_SOURCES, DOCTOR_MOUNT,	DOCTOR_DOORS,  DOCTOR_EXPORT,
};

static const struct argp_option OPTIONS[] = {
	{ "config", KEY_CONFIG, "FILE", 0,
	  "The daemon's configuration (default: " USUAL_CONFIG ", if it is there)", 0 },
	{ "verbose", KEY_VERBOSE, NULL, 0, "List what is well, too", 0 },
	{ 0 },
};

static const char DOC[] =
	"Each fault and each doubt comes with what to do about it. Nothing is changed, and nothing "
	"that hangs is waited for longer than 10 seconds. As root it sees more.\n\n"
	"Exit status: 0 no fault, 4 a fault; doubts alone are none.";

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct request *request = state->input;

	switch (key) {
	case KEY_CONFIG:
		request->config = arg;
		return 0;
	case KEY_VERBOSE:
		request->verbose = true;
		return 0;
	default:
		return options_none(key, arg, state);
	}
}

/* --- The configuration --- */

const char *
doctor_setting(const struct doctor *doctor, const char *key)
{
	const json_t *values = json_object_get(doctor->settings, key);
	size_t n = json_array_size(values);

	return n ? json_string_value(json_array_get(values, n - 1)) : NULL;
}

static int
keep_setting(void *context, const char *section, const char *key, const char *value,
	     struct pxs_error *err)
{
	struct doctor *doctor = context;
	json_t *values = json_object_get(doctor->settings, key);

	(void)err;
	if (*section)
		return 0;
	if (!values) {
		values = json_array();
		(void)json_object_set_new(doctor->settings, key, values);
	}
	(void)json_array_append_new(values, json_string(value));
	return 0;
}

static int
gather_config(struct doctor *doctor, const struct request *request)
{
	const char *path = request->config;

	doctor->settings = json_object();
	if (!path && access(USUAL_CONFIG, F_OK) == 0)
		path = USUAL_CONFIG;
	if (!path)
		return 0;
	/* What is wrong in it is for a check to tell. */
	(void)config_read(path, keep_setting, doctor, NULL);
	return place_absolute(path, &doctor->config);
}

/* --- The index, the daemon, the mounts --- */

static int
gather_daemon(struct doctor *doctor, const struct options *options)
{
	CLEANUP(pxs_buf) struct pxs_buf index = PXS_BUF_INIT;
	int r;

	doctor->refusal = client_open(options, CLIENT_DAEMON | CLIENT_IMPATIENT, doctor->program,
				      &doctor->client, &doctor->why);
	if (doctor->refusal == 0)
		doctor->refusal = client_get(doctor->client, "/status", &doctor->status,
					     &doctor->why);
	if (doctor->refusal < 0) {
		client_close(STEAL(doctor->client));
		return 0;
	}
	r = answer_path(doctor->status, "index", &index);
	if (r < 0)
		return r;
	free(doctor->index);
	doctor->index = pxs_buf_steal(&index);
	return doctor->index ? 0 : -ENOMEM;
}

static int
keep_mount(struct doctor *doctor, const struct mountinfo *info)
{
	struct doctor_mount *mounts;

	for (size_t i = 0; i < doctor->n_mounts; i++)
		if (strcmp(doctor->mounts[i].mountpoint, info->mountpoint) == 0)
			doctor->mounts[i].is_covered = true;
	if (!info->is_ours)
		return 0;
	mounts = reallocarray(doctor->mounts, doctor->n_mounts + 1, sizeof(*mounts));
	if (!mounts)
		return -ENOMEM;
	doctor->mounts = mounts;
	mounts[doctor->n_mounts] = (struct doctor_mount){ .mountpoint = strdup(info->mountpoint),
							  .options = strdup(info->options) };
	doctor->n_mounts++;
	return mounts[doctor->n_mounts - 1].mountpoint && mounts[doctor->n_mounts - 1].options
		       ? 0
		       : -ENOMEM;
}

static int
gather_mounts(struct doctor *doctor)
{
	CLEANUP(fclose) FILE *file = fopen("/proc/self/mountinfo", "re");
	CLEANUP(free) char *line = NULL;
	struct mountinfo info;
	size_t size = 0;
	int r = 0;

	while (file && r == 0 && getline(&line, &size, file) > 0)
		if (mountinfo_split(line, &info))
			r = keep_mount(doctor, &info);
	for (size_t i = 0; i < doctor->n_mounts && r == 0; i++)
		doctor_look(doctor->mounts[i].mountpoint, &doctor->mounts[i].look);
	return r;
}

static int
gather(struct doctor *doctor, const struct request *request)
{
	struct options options = request->shared;
	const char *index = options.index;
	bool is_named;
	int r;

	doctor->findings = json_array();
	r = gather_config(doctor, request);
	/* A daemon is asked whatever index it serves, unless somebody named one: it may not be
	 * what the configuration says. */
	if (!index && !getenv("PXS_INDEX"))
		index = doctor_setting(doctor, "index");
	if (!options.socket && !getenv("PXS_SOCKET"))
		options.socket = doctor_setting(doctor, "socket");
	(void)unsetenv("PXS_SERVER"); /* it is this machine that is looked at */
	if (r == 0)
		r = place_index(index, &doctor->index, &is_named);
	if (r == 0)
		r = gather_daemon(doctor, &options);
	if (r == 0)
		doctor_look(doctor->index, &doctor->index_look);
	return r < 0 ? r : gather_mounts(doctor);
}

static void
doctor_done(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->n_mounts; i++) {
		free(doctor->mounts[i].mountpoint);
		free(doctor->mounts[i].options);
	}
	free(doctor->mounts);
	client_close(doctor->client);
	json_decref(doctor->settings);
	json_decref(doctor->status);
	json_decref(doctor->findings);
	free(doctor->config);
	free(doctor->index);
}

static inline void
doctor_cleanup(struct doctor *doctor)
{
	doctor_done(doctor);
}

/* --- The verb --- */

static int
run(int argc, char **argv, const struct cli_program *program)
{
	CLEANUP(doctor) struct doctor doctor = { .program = program };
	CLEANUP(pxs_buf) struct pxs_buf out = PXS_BUF_INIT;
	struct request request = { 0 };
	struct pxs_error err = { 0 };
	int r;

	options_parse(&CLI_DOCTOR, argc, argv, parse, DOC, &request.shared);
	r = gather(&doctor, &request);
	if (r < 0)
		return message_failure(argv[0], r, &err);
	for (size_t i = 0; i < ARRAY_SIZE(TABLES); i++)
		for (const struct doctor_check *check = TABLES[i]; check->name; check++)
			doctor_run(&doctor, check);
	if (request.shared.json)
		doctor_print_json(&doctor, &out);
	else
		doctor_print(&doctor, request.verbose, &out);
	r = output_write(&out, &err);
	if (r < 0)
		return message_failure(argv[0], r, &err);
	return doctor_count(&doctor, DOCTOR_FAULT) ? CLI_DAMAGED : CLI_OK;
}

const struct cli_verb CLI_DOCTOR = {
	.name = "doctor",
	.arguments = "",
	.summary = "Tell what is wrong with this installation, and what to do about it",
	.options = OPTIONS,
	.shared = CLI_SHARED_JSON | CLI_SHARED_PLACE,
	.run = run,
};
