/* pxs manual: pxs(1) from the table of verbs, as man(7) reads it. */
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "cli/cli.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/verb.h"

static const char DOC[] = "For example: pxs manual | man -l -";

static const char HEAD[] = ".TH PXS 1 \"\" \"pxs " PXS_VERSION "\" \"User Commands\"\n"
			   ".SH NAME\n"
			   "pxs \\- a file catalogue that any program can use as a directory\n"
			   ".SH SYNOPSIS\n"
			   ".B pxs\n.I VERB\n[\\fIOPTION\\fR...] [\\fIARGUMENT\\fR...]\n"
			   ".SH DESCRIPTION\n"
			   "A daemon indexes the metadata of files and shows every search, and "
			   "guided ways to narrow it down, as folders. The verbs are its command "
			   "line: they ask the daemon at its socket, or where none runs, open the "
			   "index themselves.\n"
			   ".SH VERBS\n";

static const char TAIL[] = ".SH SEE ALSO\n"
			   "The pages in docs/ of the sources: query.md for queries, mount.md for "
			   "what is in the mount, rest.md for the API.\n";

/* TEXT as it stands: no escape, no request, no hyphen for a minus. */
static void
add_text(struct pxs_buf *out, const char *text)
{
	if (*text == '.' || *text == '\'')
		pxs_buf_add_str(out, "\\&");
	for (; *text; text++)
		if (*text == '\\')
			pxs_buf_add_str(out, "\\e");
		else if (*text == '-')
			pxs_buf_add_str(out, "\\-");
		else
			pxs_buf_add_char(out, *text);
}

static void
print_option(struct pxs_buf *out, const struct cli_verb *verb, const struct argp_option *option)
{
	(void)verb;
	pxs_buf_add_str(out, ".TP\n\\fB");
	if (options_has_letter(option))
		pxs_buf_addf(out, "\\-%c%s", option->key, option->name ? "\\fR, \\fB" : "");
	if (option->name) {
		pxs_buf_add_str(out, "\\-\\-");
		add_text(out, option->name);
	}
	if (option->arg) {
		pxs_buf_add_str(out, "\\fR=\\fI");
		add_text(out, option->arg);
	}
	pxs_buf_add_str(out, "\\fR\n");
	add_text(out, option->doc ? option->doc : "");
	pxs_buf_add_char(out, '\n');
}

static void
print_verb(struct pxs_buf *out, const struct cli_verb *verb)
{
	pxs_buf_addf(out, ".SS \"pxs %s", verb->name);
	if (*verb->arguments) {
		pxs_buf_add_char(out, ' ');
		add_text(out, verb->arguments);
	}
	pxs_buf_add_str(out, "\"\n");
	add_text(out, verb->summary);
	pxs_buf_add_str(out, ".\n");
	options_each(verb, out, print_option);
}

static int
run(int argc, char **argv, const struct cli_program *program)
{
	CLEANUP(pxs_buf) struct pxs_buf out = PXS_BUF_INIT;
	struct options options = { 0 };
	struct pxs_error err = { 0 };
	int r;

	options_parse(&CLI_MANUAL, argc, argv, options_none, DOC, &options);
	pxs_buf_add_str(&out, HEAD);
	for (int i = 0; program->verbs[i]; i++)
		print_verb(&out, program->verbs[i]);
	pxs_buf_addf(&out, ".SH EXIT STATUS\n%s%s", VERB_EXIT_STATUS, TAIL);
	r = output_write(&out, &err);
	return r < 0 ? message_failure(argv[0], r, &err) : CLI_OK;
}

const struct cli_verb CLI_MANUAL = {
	.name = "manual",
	.arguments = "",
	.summary = "Print the manual page pxs(1)",
	.run = run,
};
