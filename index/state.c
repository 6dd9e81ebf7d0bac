#include "index/state.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "base/error.h"
#include "index/db.h"

#define MAGIC 0x70787373 /* "pxss" */
#define VERSION 1

/* Numbers of names are written this long after they were given. */
#define FLUSH_DELAY_S 1

static const char SCHEMA[] =
	"BEGIN IMMEDIATE;"
	"CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
	"CREATE TABLE node ("
	"  number INTEGER PRIMARY KEY, parent INTEGER NOT NULL, name BLOB NOT NULL,"
	"  UNIQUE (parent, name));"
	"CREATE TABLE saved ("
	"  name TEXT PRIMARY KEY, path TEXT NOT NULL, created INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE source ("
	"  id INTEGER PRIMARY KEY AUTOINCREMENT, path BLOB NOT NULL UNIQUE,"
	"  scanned INTEGER NOT NULL DEFAULT 0);"
	"CREATE TABLE failure ("
	"  path BLOB PRIMARY KEY, source INTEGER NOT NULL, reason TEXT NOT NULL,"
	"  time INTEGER NOT NULL) WITHOUT ROWID;"
	"PRAGMA user_version = 1;"
	"COMMIT;";

struct state {
	sqlite3 *db;
	pthread_mutex_t lock; /* everything below, and db */
	pthread_cond_t wake;
	pthread_t flusher;
	bool flusher_runs;
	bool closing;
	struct nodes *nodes;
	struct recents *recents;
};

/* A failure (a full disk) is tried again next time. */
static void
flush(struct state *state)
{
	if (nodes_pending(state->nodes))
		(void)nodes_flush(state->nodes, state->db);
	(void)recents_flush(state->recents, state->db);
}

/* Numbers given to names are written in batches by this thread, so that no lookup writes. */
static void *
flush_loop(void *context)
{
	struct state *state = context;
	struct timespec until;

	(void)pthread_mutex_lock(&state->lock);
	while (!state->closing) {
		(void)clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += FLUSH_DELAY_S;
		(void)pthread_cond_timedwait(&state->wake, &state->lock, &until);
		flush(state);
	}
	flush(state); /* what was closed before the first turn */
	(void)pthread_mutex_unlock(&state->lock);
	return NULL;
}

static int
start(struct state *state)
{
	int r = pthread_create(&state->flusher, NULL, flush_loop, state);

	state->flusher_runs = r == 0;
	return -r;
}

int
state_open(const char *path, struct state **ret_state, struct pxs_error *err)
{
	CLEANUP(state) struct state *state = calloc(1, sizeof(*state));
	int version;
	int r;

	if (!state)
		return -ENOMEM;
	(void)pthread_mutex_init(&state->lock, NULL);
	(void)pthread_cond_init(&state->wake, NULL);
	r = db_open(path, MAGIC, VERSION, &state->db, &version, err);
	if (r < 0)
		return r;
	if (version == 0)
		r = db_exec(state->db, SCHEMA);
	if (r == 0)
		r = nodes_new(state->db, &state->nodes);
	if (r == 0)
		r = (state->recents = recents_new()) ? 0 : -ENOMEM;
	if (r == 0)
		r = start(state);
	if (r < 0)
		return pxs_error_set(err, r, -1, "cannot read %s: %s", path,
				     sqlite3_errmsg(state->db));
	*ret_state = STEAL(state);
	return 0;
}

void
state_close(struct state *state)
{
	if (!state)
		return;
	if (state->flusher_runs) {
		(void)state_lock(state);
		state->closing = true;
		(void)pthread_cond_signal(&state->wake);
		state_unlock(state);
		(void)pthread_join(state->flusher, NULL);
	}
	nodes_free(state->nodes);
	recents_free(state->recents);
	(void)sqlite3_close(state->db);
	(void)pthread_cond_destroy(&state->wake);
	(void)pthread_mutex_destroy(&state->lock);
	free(state);
}

sqlite3 *
state_lock(struct state *state)
{
	(void)pthread_mutex_lock(&state->lock);
	return state->db;
}

void
state_unlock(struct state *state)
{
	(void)pthread_mutex_unlock(&state->lock);
}

struct recents *
state_recents(struct state *state)
{
	return state->recents;
}

struct nodes *
state_nodes(struct state *state)
{
	return state->nodes;
}
