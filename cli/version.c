/* pxs version. */
#include "base/buf.h"
#include "base/error.h"
#include "cli/cli.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"

static int
run(int argc, char **argv, const struct cli_program *program)
{
	struct options options = { 0 };
	struct pxs_error err = { 0 };
	CLEANUP(pxs_buf) struct pxs_buf out = PXS_BUF_INIT;
	int r;

	(void)program;
	options_parse(&CLI_VERSION, argc, argv, options_none, NULL, &options);
	pxs_buf_addf(&out, options.json ? "{\"name\":\"pxs\",\"version\":\"%s\"}\n" : "pxs %s\n",
		     PXS_VERSION);
	r = output_write(&out, &err);
	return r < 0 ? message_failure(argv[0], r, &err) : CLI_OK;
}

const struct cli_verb CLI_VERSION = {
	.name = "version",
	.arguments = "",
	.summary = "Write the version of pxs",
	.shared = CLI_SHARED_JSON,
	.run = run,
};
