/* verb.h - finding a verb by the name that somebody typed. */
#ifndef PXS_CLI_VERB_H
#define PXS_CLI_VERB_H

struct cli_program;
struct cli_verb;
struct pxs_buf;

/* NULL if there is none. */
const struct cli_verb *verb_find(const struct cli_program *program, const char *name);

/* The one that a misspelt NAME may mean; NULL if none is near. */
const struct cli_verb *verb_nearest(const struct cli_program *program, const char *name);

/* What the exit codes of cli.h mean, for people: three lines. */
extern const char VERB_EXIT_STATUS[];

/* Adds the usage line and the table of verbs. */
void verb_print_help(const struct cli_program *program, struct pxs_buf *buf);

#endif
