/* options.h - the command line of one verb: the options it shares with others, and its own. */
#ifndef PXS_CLI_OPTIONS_H
#define PXS_CLI_OPTIONS_H

#include <stdbool.h>

#include <argp.h>

struct cli_verb;
struct pxs_buf;

/* A verb's own struct begins with this one. All texts are lent by argv. */
struct options {
	const char *index;
	const char *socket;
	const char *server;	/* URL of a daemon elsewhere; NULL: the socket's */
	const char *token_file; /* NULL: $PXS_TOKEN_FILE */
	const char *cacert;	/* NULL: the system's */
	bool json;
	bool color; /* standard output may be coloured */
	const char *where;
	const char *path;
	const char *sort;
};

/* Own options without a letter have keys from here on. */
#define OPTIONS_KEY_FIRST 0x200

/* Parse ARGV by VERB's table; its own options and arguments go to PARSE, whose state->input is
 * OPTIONS. DOC is the text of --help behind the summary, or NULL. Ends the process on --help and on
 * bad usage, as argp does. */
void options_parse(const struct cli_verb *verb, int argc, char **argv, argp_parser_t parse,
		   const char *doc, struct options *options);

/* The PARSE of a verb that takes neither options of its own nor arguments, and the rest of that of
 * one that takes no arguments. */
error_t options_none(int key, char *arg, struct argp_state *state);

/* Calls EACH with every option that VERB takes: its own, --help, those it shares. */
void options_each(const struct cli_verb *verb, struct pxs_buf *out,
		  void (*each)(struct pxs_buf *out, const struct cli_verb *verb,
			       const struct argp_option *option));

/* Whether OPTION has a short form, its key. */
bool options_has_letter(const struct argp_option *option);

/* Joins one more argument of a query string to QUERY. */
void options_add_word(struct pxs_buf *query, const char *word);

#endif
