#include "cli/verb.h"

#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "base/macros.h"
#include "cli/cli.h"
#include "cli/output.h"

#define NAME_MAX_BYTES 16
#define DISTANCE_MAX 2
#define SUMMARY_COLUMN 12

const struct cli_verb *
verb_find(const struct cli_program *program, const char *name)
{
	for (int i = 0; program->verbs[i]; i++)
		if (strcmp(program->verbs[i]->name, name) == 0)
			return program->verbs[i];
	return NULL;
}

/* d[i][j]: what turns the first i bytes of a into the first j of b. */
struct distances {
	size_t d[NAME_MAX_BYTES + 1][NAME_MAX_BYTES + 1];
};

static size_t
cheapest(const struct distances *t, const char *a, const char *b, size_t i, size_t j)
{
	size_t change = t->d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
	size_t shift = MIN(t->d[i - 1][j], t->d[i][j - 1]) + 1;
	size_t least = MIN(change, shift);

	if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
		least = MIN(least, t->d[i - 2][j - 2] + 1);
	return least;
}

/* Letters to insert, drop, change or swap with a neighbour. Both at most NAME_MAX_BYTES long. */
static size_t
distance(const char *a, const char *b)
{
	struct distances t;
	size_t a_len = strlen(a);
	size_t b_len = strlen(b);

	for (size_t i = 0; i <= a_len; i++)
		t.d[i][0] = i;
	for (size_t j = 0; j <= b_len; j++)
		t.d[0][j] = j;
	for (size_t i = 1; i <= a_len; i++)
		for (size_t j = 1; j <= b_len; j++)
			t.d[i][j] = cheapest(&t, a, b, i, j);
	return t.d[a_len][b_len];
}

const struct cli_verb *
verb_nearest(const struct cli_program *program, const char *name)
{
	const struct cli_verb *nearest = NULL;
	size_t least = DISTANCE_MAX + 1;

	if (strlen(name) > NAME_MAX_BYTES)
		return NULL;
	for (int i = 0; program->verbs[i]; i++) {
		size_t d = distance(name, program->verbs[i]->name);

		if (d < least && d < strlen(name)) {
			least = d;
			nearest = program->verbs[i];
		}
	}
	return nearest;
}

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
	pxs_buf_add_str(
		buf, "\n`pxs VERB --help` tells more.\n"
		     "First steps: `pxs ingest DIR`, `pxs find WORD`, `pxs mount MOUNTPOINT`.\n"
		     "\nExit status: 0 ok or found, 1 nothing found or failed, 2 bad usage or bad "
		     "query,\n3 some entries failed, 4 index damaged, 10 no index, 11 busy, 12 not "
		     "admitted,\n13 no daemon, 130 interrupted.\n");
}
