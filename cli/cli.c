#include "cli/cli.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "cli/fstab.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/verb.h"

#define SPEAKER_SIZE 32

static int
run_verb(const struct cli_verb *verb, int argc, char **argv, const struct cli_program *program)
{
	char speaker[SPEAKER_SIZE];

	(void)snprintf(speaker, sizeof(speaker), "pxs %s", verb->name);
	argv[0] = speaker;
	return verb->run(argc, argv, program);
}

static int
unknown_verb(const struct cli_program *program, const char *name)
{
	const struct cli_verb *nearest = verb_nearest(program, name);

	if (nearest)
		message("pxs", "there is no verb \"%s\"; did you mean \"%s\"?", name,
			nearest->name);
	else
		message("pxs", "there is no verb \"%s\"; `pxs --help` lists them", name);
	return CLI_USAGE;
}

static int
write_help(const struct cli_program *program)
{
	CLEANUP(pxs_buf) struct pxs_buf out = PXS_BUF_INIT;
	struct pxs_error err = { 0 };
	int r;

	verb_print_help(program, &out);
	r = output_write(&out, &err);
	return r < 0 ? message_failure("pxs", r, &err) : CLI_OK;
}

/* pxs help [VERB] */
static int
run_help(int argc, char **argv, const struct cli_program *program)
{
	char help[] = "--help";
	char *verb_argv[] = { NULL, help, NULL };
	const struct cli_verb *verb;

	if (argc < 2 || argv[1][0] == '-')
		return write_help(program);
	verb = verb_find(program, argv[1]);
	if (!verb)
		return unknown_verb(program, argv[1]);
	return verb == &CLI_HELP ? write_help(program) : run_verb(verb, 2, verb_argv, program);
}

const struct cli_verb CLI_HELP = {
	.name = "help",
	.arguments = "[VERB]",
	.summary = "Show this, or what a verb does",
	.run = run_help,
};

static const struct {
	const char *option;
	const struct cli_verb *verb;
} AS_OPTIONS[] = {
	{ "--help", &CLI_HELP },       { "-h", &CLI_HELP },    { "-?", &CLI_HELP },
	{ "--version", &CLI_VERSION }, { "-V", &CLI_VERSION },
};

static const struct cli_verb *
choose(const struct cli_program *program, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(AS_OPTIONS); i++)
		if (strcmp(AS_OPTIONS[i].option, name) == 0)
			return AS_OPTIONS[i].verb;
	return verb_find(program, name);
}

int
cli_main(int argc, char **argv, const struct cli_program *program)
{
	CLEANUP(pxs_buf) struct pxs_buf usage = PXS_BUF_INIT;
	const struct cli_verb *verb;

	/* Output that nobody reads any more is seen as -EPIPE, so that everything is put away
	 * first. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (argc < 2) {
		verb_print_help(program, &usage);
		(void)fputs(pxs_buf_text(&usage), stderr);
		return CLI_USAGE;
	}
	verb = choose(program, argv[1]);
	if (!verb && fstab_is_mount(argc, argv))
		return fstab_mount(argc, argv, program);
	return verb ? run_verb(verb, argc - 1, argv + 1, program) : unknown_verb(program, argv[1]);
}
