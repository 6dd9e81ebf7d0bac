#include "cli/verb.h"

#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/nearest.h"
#include "cli/output.h"

#define SUMMARY_COLUMN 12

const struct cli_verb *
verb_find(const struct cli_program *program, const char *name)
{
	for (int i = 0; program->verbs[i]; i++)
		if (strcmp(program->verbs[i]->name, name) == 0)
			return program->verbs[i];
	return NULL;
}

const struct cli_verb *
verb_nearest(const struct cli_program *program, const char *name)
{
	const struct cli_verb *nearest = NULL;
	size_t least = NEAREST_MAX + 1;

	for (int i = 0; program->verbs[i]; i++)
		if (nearest_is(name, program->verbs[i]->name, &least))
			nearest = program->verbs[i];
	return nearest;
}

const char VERB_EXIT_STATUS[] =
	"0 ok or found, 1 nothing found or failed, 2 bad usage or bad query,\n"
	"3 some entries failed, 4 index damaged, 10 no index, 11 busy, 12 not admitted,\n"
	"13 no daemon, 130 interrupted.\n";

void
verb_print_help(const struct cli_program *program, struct pxs_buf *buf)
{
	pxs_buf_add_str(buf, "Usage: pxs VERB [OPTION...] [ARGUMENT...]\n"
			     "A file catalogue that any program can use as a directory.\n\n");
	for (int i = 0; program->verbs[i]; i++) {
		pxs_buf_add_str(buf, "  ");
		output_add_padded(buf, program->verbs[i]->name, SUMMARY_COLUMN);
		pxs_buf_addf(buf, "%s\n", program->verbs[i]->summary);
	}
	pxs_buf_add_str(buf,
			"\n`pxs VERB --help` tells more.\n"
			"First steps: `pxs ingest DIR`, `pxs find WORD`, `pxs mount MOUNTPOINT`.\n"
			"\nExit status: ");
	pxs_buf_add_str(buf, VERB_EXIT_STATUS);
}
