/* pxs manual: pxs(1) and pxs.conf(5) from the table of verbs, as man(7) reads it. */
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "cli/cli.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/verb.h"

static const char DOC[] =
	"PAGE is pxs, which is the default, or pxs.conf. For example: pxs manual | "
	"man -l -";

struct manual {
	struct options shared;
	const char *page; /* NULL: pxs */
};

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
			   ".BR pxs.conf (5),\n.BR pxs\\-query (7),\n.BR pxs\\-mount (8);\n"
			   "docs/ of the sources, where rest.md has the API.\n";

static const char CONF_HEAD[] =
	".TH PXS.CONF 5 \"\" \"pxs " PXS_VERSION "\" \"File Formats\"\n"
	".SH NAME\n"
	"pxs.conf \\- settings of the pxs daemon\n"
	".SH SYNOPSIS\n"
	".nf\n.B /etc/pxs/pxs.conf\n.B pxs daemon \\-\\-config FILE\n.fi\n"
	".SH DESCRIPTION\n"
	"Each line is KEY = VALUE. The keys are the long options of\n.BR \"pxs daemon\" ,\n"
	"which count more when they are given, too: they replace what is one value and add to what "
	"is a list. A line that begins with ; or # is a comment, and what stands behind a blank "
	"and ; is one. Paths are absolute. What needs no value as an option is yes or no here. An "
	"unknown key, or a value that does not fit, keeps the daemon from starting; the message "
	"names the line.\n"
	".SH KEYS\n";

static const char CONF_TAIL[] =
	".SH RIGHTS\n"
	"The lines of the section\n.B [rights]\nsay who may do what: a user, @ and a group, or * "
	"for all, = read, update_search_metadata, delete_search_metadata, "
	"bypass_file_access_security or all, with commas between them.\n"
	".SH RELOADING\n"
	"SIGHUP, as\n.B systemctl reload pxs\nsends it, has the daemon read the rights, the "
	"robots, "
	"the life of tokens and the certificate again. What else has changed is logged: it counts "
	"from the next start.\n"
	".SH EXAMPLES\n.nf\n"
	"index = /var/lib/pxs\n"
	"source = /srv/files\n"
	"mount = /srv/pxs\n"
	"mount\\-options = allow_other\n"
	"rest = localhost:5000\n"
	"auth = :5001\n"
	"[rights]\n"
	"* = read\n"
	"@archivists = all\n"
	".fi\n"
	".SH SEE ALSO\n.BR pxs (1),\n.BR pxs\\-mount (8)\n";

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

static void
print_program(struct pxs_buf *out, const struct cli_program *program)
{
	pxs_buf_add_str(out, HEAD);
	for (int i = 0; program->verbs[i]; i++)
		print_verb(out, program->verbs[i]);
	pxs_buf_addf(out, ".SH EXIT STATUS\n%s%s", VERB_EXIT_STATUS, TAIL);
}

/* An option of the daemon as a key. */
static void
print_key(struct pxs_buf *out, const struct cli_verb *verb, const struct argp_option *option)
{
	static const char *const NONE[] = { "config", "help" };

	(void)verb;
	for (size_t i = 0; i < ARRAY_SIZE(NONE); i++)
		if (!option->name || strcmp(option->name, NONE[i]) == 0)
			return;
	pxs_buf_add_str(out, ".TP\n\\fB");
	add_text(out, option->name);
	pxs_buf_add_str(out, "\\fR = \\fI");
	add_text(out, option->arg ? option->arg : "yes");
	pxs_buf_add_str(out, "\\fR\n");
	add_text(out, option->doc);
	pxs_buf_add_char(out, '\n');
}

static void
print_configuration(struct pxs_buf *out, const struct cli_program *program)
{
	const struct cli_verb *const *verb = program->verbs;

	while (strcmp((*verb)->name, "daemon") != 0)
		verb++;
	pxs_buf_add_str(out, CONF_HEAD);
	options_each(*verb, out, print_key);
	pxs_buf_add_str(out, CONF_TAIL);
}

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct manual *manual = state->input;

	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	if (manual->page || (strcmp(arg, "pxs") != 0 && strcmp(arg, "pxs.conf") != 0))
		argp_error(state, "there are the pages pxs and pxs.conf, one at a time");
	manual->page = arg;
	return 0;
}

static int
run(int argc, char **argv, const struct cli_program *program)
{
	CLEANUP(pxs_buf) struct pxs_buf out = PXS_BUF_INIT;
	struct manual manual = { 0 };
	struct pxs_error err = { 0 };
	int r;

	options_parse(&CLI_MANUAL, argc, argv, parse, DOC, &manual.shared);
	if (manual.page && strcmp(manual.page, "pxs.conf") == 0)
		print_configuration(&out, program);
	else
		print_program(&out, program);
	r = output_write(&out, &err);
	return r < 0 ? message_failure(argv[0], r, &err) : CLI_OK;
}

const struct cli_verb CLI_MANUAL = {
	.name = "manual",
	.arguments = "[PAGE]",
	.summary = "Print the manual page pxs(1) or pxs.conf(5)",
	.run = run,
};
