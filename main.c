/* pxs: the table of verbs, and the engine that verbs start for themselves where no daemon runs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auth/auth.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/log.h"
#include "base/macros.h"
#include "cli/cli.h"
#include "cli/place.h"
#include "daemon.h"
#include "examine.h"
#include "index/index.h"
#include "index/ingest/ingest.h"
#include "rest/rest.h"

/* Longer folders would make the socket's path too long (unix(7)). */
#define PRIVATE_FOLDER_MAX 80

static const struct cli_verb *const VERBS[] = {
	&DAEMON_VERB, &CLI_MOUNT, &CLI_UMOUNT, &CLI_INGEST,   &CLI_FIND,       &CLI_EXPLAIN,
	&CLI_GET,     &CLI_SET,	  &CLI_RM,     &CLI_UNDELETE, &CLI_FACETS,     &CLI_SAVED,
	&CLI_STATUS,  &CLI_SYNC,  &CLI_SCHEMA, &CLI_CHECK,    &CLI_REPAIR,     &CLI_DOCTOR,
	&CLI_USER,    &CLI_TOKEN, &CLI_CERT,   &CLI_VERSION,  &CLI_COMPLETION, &CLI_MANUAL,
	&CLI_HELP,    NULL,
};

/* An engine of a verb's own, behind a socket that only this user can reach. */
struct local {
	struct index *index;
	struct ingest *ingest;
	struct auth *auth;
	struct rest *rest;
	char *folder; /* of the socket; removed at the end */
};

static void
local_stop(void *engine)
{
	struct local *local = engine;

	if (!local)
		return;
	rest_close(local->rest);
	auth_close(local->auth);
	ingest_close(local->ingest);
	index_close(local->index);
	if (local->folder)
		(void)rmdir(local->folder);
	free(local->folder);
	free(local);
}

static inline void
local_cleanup(struct local **local)
{
	local_stop(*local);
}

static int
make_folder_in(const char *parent, char **ret_folder)
{
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;

	pxs_buf_addf(&path, "%s/pxs-XXXXXX", parent);
	if (path.error)
		return path.error;
	if (path.len > PRIVATE_FOLDER_MAX)
		return -ENAMETOOLONG;
	if (!mkdtemp(path.data))
		return -errno;
	*ret_folder = pxs_buf_steal(&path);
	return 0;
}

/* Mode 0700, in the first place that will have it. */
static int
make_private_folder(char **ret_folder, struct pxs_error *err)
{
	const char *places[] = { getenv("XDG_RUNTIME_DIR"), getenv("TMPDIR"), "/tmp" };
	int r = -ENOENT;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (!places[i] || places[i][0] != '/')
			continue;
		r = make_folder_in(places[i], ret_folder);
		if (r == 0)
			return 0;
	}
	return pxs_error_set(err, r, -1, "cannot make a temporary folder in /tmp: %s",
			     strerror(-r));
}

static int
local_serve(struct local *local, char **ret_socket, struct pxs_error *err)
{
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	struct rest_options options = { .index = local->index,
					.ingest = local->ingest,
					.auth = local->auth };
	int r = make_private_folder(&local->folder, err);

	if (r < 0)
		return r;
	pxs_buf_addf(&path, "%s/sock", local->folder);
	if (path.error)
		return path.error;
	options.socket_path = pxs_buf_text(&path);
	r = rest_open(&options, &local->rest, err);
	if (r < 0)
		return r;
	*ret_socket = pxs_buf_steal(&path);
	return *ret_socket ? 0 : -ENOMEM;
}

static int
local_start(const char *index_dir, int create, char **ret_socket, void **ret_engine,
	    struct pxs_error *err)
{
	CLEANUP(local) struct local *local = calloc(1, sizeof(*local));
	int r = local ? 0 : -ENOMEM;

	pxs_log_set_level(PXS_LOG_WARNING); /* the verb itself tells how things go */
	if (r == 0 && create)
		r = place_make_parents(index_dir);
	if (r == 0)
		r = index_open(index_dir, create ? INDEX_CREATE : 0, &local->index, err);
	if (r == 0)
		r = ingest_open(local->index, &local->ingest, err);
	if (r == 0)
		r = auth_open(&(struct auth_options){ .dir = index_dir }, &local->auth, err);
	if (r == 0)
		r = local_serve(local, ret_socket, err);
	if (r < 0)
		return r;
	*ret_engine = STEAL(local);
	return 0;
}

int
main(int argc, char **argv)
{
	static const struct cli_local LOCAL = { .start = local_start, .stop = local_stop };
	static const struct cli_program PROGRAM = { .verbs = VERBS,
						    .local = &LOCAL,
						    .examine = &EXAMINE };

	return cli_main(argc, argv, &PROGRAM);
}
