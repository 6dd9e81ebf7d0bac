/* pxs completion: what shells need to complete verbs and options, from the table of verbs. */
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "cli/cli.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"

/* U+2019, which quotes nothing in any shell. */
#define APOSTROPHE "\xe2\x80\x99"

struct completion {
	struct options shared; /* first: options_parse() hands it on */
	const char *shell;
};

static const char DOC[] = "Put it where your shell looks, for example:\n"
			  "  pxs completion bash > /etc/bash_completion.d/pxs\n"
			  "  pxs completion zsh > /usr/local/share/zsh/site-functions/_pxs\n"
			  "  pxs completion fish > ~/.config/fish/completions/pxs.fish";

/* TEXT in single quotes, which sh, zsh and fish all leave alone; CLOSERS are left out, as zsh would
 * take them for its own. */
static void
add_quoted(struct pxs_buf *out, const char *text, const char *closers)
{
	for (const char *c = text; *c; c++)
		if (*c == '\'')
			pxs_buf_add_str(out, APOSTROPHE);
		else if (!strchr(closers, *c))
			pxs_buf_add_char(out, *c);
}

/* --- bash --- */

static void
bash_option(struct pxs_buf *out, const struct cli_verb *verb, const struct argp_option *option)
{
	(void)verb;
	if (option->name)
		pxs_buf_addf(out, " --%s", option->name);
	if (options_has_letter(option))
		pxs_buf_addf(out, " -%c", option->key);
}

static void
print_bash(const struct cli_program *program, struct pxs_buf *out)
{
	pxs_buf_add_str(out, "# bash completion of pxs; made by `pxs completion bash`\n"
			     "_pxs()\n{\n"
			     "\tlocal cur=${COMP_WORDS[COMP_CWORD]} verbs options\n\tverbs='");
	for (int i = 0; program->verbs[i]; i++)
		pxs_buf_addf(out, "%s%s", i ? " " : "", program->verbs[i]->name);
	pxs_buf_add_str(out, "'\n\tif ((COMP_CWORD == 1)); then\n"
			     "\t\tCOMPREPLY=($(compgen -W \"$verbs --help\" -- \"$cur\"))\n"
			     "\t\treturn\n\tfi\n\tcase ${COMP_WORDS[1]} in\n");
	for (int i = 0; program->verbs[i]; i++) {
		pxs_buf_addf(out, "\t%s) options='", program->verbs[i]->name);
		options_each(program->verbs[i], out, bash_option);
		pxs_buf_add_str(out, "' ;;\n");
	}
	pxs_buf_add_str(out,
			"\thelp) options=$verbs ;;\n\tesac\n"
			"\t[[ $cur == -* ]] && COMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
			"\treturn 0\n}\ncomplete -o default -F _pxs pxs\n");
}

/* --- zsh --- */

static void
zsh_spec(struct pxs_buf *out, const char *name, const struct argp_option *option)
{
	pxs_buf_addf(out, " \\\n\t\t\t'%s[", name);
	add_quoted(out, option->doc ? option->doc : "", "[]");
	pxs_buf_add_char(out, ']');
	if (option->arg) {
		pxs_buf_add_char(out, ':');
		add_quoted(out, option->arg, "[]:");
		pxs_buf_add_str(out, ":_files");
	}
	pxs_buf_add_char(out, '\'');
}

static void
zsh_option(struct pxs_buf *out, const struct cli_verb *verb, const struct argp_option *option)
{
	CLEANUP(pxs_buf) struct pxs_buf name = PXS_BUF_INIT;
	char letter[3] = { '-', (char)option->key, '\0' };

	(void)verb;
	if (option->name) {
		pxs_buf_addf(&name, "--%s%s", option->name, option->arg ? "=" : "");
		zsh_spec(out, pxs_buf_text(&name), option);
	}
	if (options_has_letter(option) && option->key != '?')
		zsh_spec(out, letter, option);
}

static void
print_zsh(const struct cli_program *program, struct pxs_buf *out)
{
	pxs_buf_add_str(out, "#compdef pxs\n# zsh completion of pxs; made by `pxs completion zsh`\n"
			     "_pxs()\n{\n\tlocal -a verbs\n\tverbs=(\n");
	for (int i = 0; program->verbs[i]; i++) {
		pxs_buf_addf(out, "\t\t'%s:", program->verbs[i]->name);
		add_quoted(out, program->verbs[i]->summary, "");
		pxs_buf_add_str(out, "'\n");
	}
	pxs_buf_add_str(out, "\t)\n\tif ((CURRENT == 2)); then\n"
			     "\t\t_describe 'verb' verbs\n\t\treturn\n\tfi\n"
			     "\tlocal verb=$words[2]\n\tshift words\n\t((CURRENT--))\n"
			     "\tcase $verb in\n");
	for (int i = 0; program->verbs[i]; i++) {
		pxs_buf_addf(out, "\t%s)\n\t\t_arguments", program->verbs[i]->name);
		options_each(program->verbs[i], out, zsh_option);
		pxs_buf_add_str(out, " \\\n\t\t\t'*:argument:_files' ;;\n");
	}
	pxs_buf_add_str(out, "\tesac\n}\n_pxs \"$@\"\n");
}

/* --- fish --- */

static void
fish_option(struct pxs_buf *out, const struct cli_verb *verb, const struct argp_option *option)
{
	pxs_buf_addf(out, "complete -c pxs -n '__fish_seen_subcommand_from %s'", verb->name);
	if (option->name)
		pxs_buf_addf(out, " -l %s", option->name);
	if (options_has_letter(option) && option->key != '?')
		pxs_buf_addf(out, " -s %c", option->key);
	if (option->arg)
		pxs_buf_add_str(out, " -r");
	pxs_buf_add_str(out, " -d '");
	add_quoted(out, option->doc ? option->doc : "", "\\");
	pxs_buf_add_str(out, "'\n");
}

static void
print_fish(const struct cli_program *program, struct pxs_buf *out)
{
	pxs_buf_add_str(out, "# fish completion of pxs; made by `pxs completion fish`\n");
	for (int i = 0; program->verbs[i]; i++) {
		pxs_buf_addf(out, "complete -c pxs -n __fish_use_subcommand -f -a %s -d '",
			     program->verbs[i]->name);
		add_quoted(out, program->verbs[i]->summary, "\\");
		pxs_buf_add_str(out, "'\n");
	}
	for (int i = 0; program->verbs[i]; i++)
		options_each(program->verbs[i], out, fish_option);
}

static const struct {
	const char *shell;
	void (*print)(const struct cli_program *program, struct pxs_buf *out);
} SHELLS[] = {
	{ "bash", print_bash },
	{ "zsh", print_zsh },
	{ "fish", print_fish },
};

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct completion *completion = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (completion->shell)
			argp_error(state, "one shell only");
		completion->shell = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "name a shell: bash, zsh or fish");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int
run(int argc, char **argv, const struct cli_program *program)
{
	struct completion completion = { 0 };
	struct pxs_error err = { 0 };
	CLEANUP(pxs_buf) struct pxs_buf out = PXS_BUF_INIT;
	int r;

	options_parse(&CLI_COMPLETION, argc, argv, parse, DOC, &completion.shared);
	for (size_t i = 0; i < ARRAY_SIZE(SHELLS); i++)
		if (strcmp(SHELLS[i].shell, completion.shell) == 0)
			SHELLS[i].print(program, &out);
	if (!out.len) {
		message(argv[0], "no completion for %s; there is one for bash, zsh and fish",
			completion.shell);
		return CLI_USAGE;
	}
	r = output_write(&out, &err);
	return r < 0 ? message_failure(argv[0], r, &err) : CLI_OK;
}

const struct cli_verb CLI_COMPLETION = {
	.name = "completion",
	.arguments = "bash|zsh|fish",
	.summary = "Write a completion script for a shell",
	.run = run,
};
