#include "examine.h"

#include <string.h>

#include "base/error.h"
#include "cli/cli.h"
#include "daemon.h"
#include "index/index.h"
#include "wanted.h"

/* As the daemon reads it again after a SIGHUP. */
static int
examine_config(const char *path, struct pxs_error *err)
{
	struct wanted before = { .config_path = strdup(path) };
	CLEANUP(wanted) struct wanted wanted = { 0 };
	int r = before.config_path ? wanted_again(&before, &wanted, err) : -ENOMEM;

	wanted_done(&before);
	return r;
}

const struct cli_examine EXAMINE = {
	.config = examine_config,
	.program = index_engine_examine,
	.record = index_examine,
	.owner = index_owner,
	.helper = daemon_find_helper,
};
