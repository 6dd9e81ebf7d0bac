/* state.h - state.db: what is neither a document nor derived from one: the numbers of the mount's
 * names, saved searches, recent queries, sources and their failures. */
#ifndef PXS_INDEX_STATE_H
#define PXS_INDEX_STATE_H

#include <pthread.h>
#include <sqlite3.h>

#include "base/cleanup.h"

struct pxs_error;
struct nodes;
struct recents;
struct state;

int state_open(const char *path, struct state **ret_state, struct pxs_error *err);
void state_close(struct state *state);
DEFINE_CLEANUP(state, struct state *, state_close)

/* The database, for its user alone until it is given back. */
sqlite3 *state_lock(struct state *state);
void state_unlock(struct state *state);
struct nodes *state_nodes(struct state *state);

/* node.c; with the state locked where DB is passed. */
int nodes_new(sqlite3 *db, struct nodes **ret_nodes);
void nodes_free(struct nodes *nodes);
/* Write down the numbers given since the last time. */
int nodes_flush(struct nodes *nodes, sqlite3 *db);
/* Whether there are any. */
int nodes_pending(const struct nodes *nodes);

/* recent.c; all but the first with the state locked. */
struct recents *recents_new(void);
void recents_free(struct recents *recents);
/* Write down the names noted since the last time. */
int recents_flush(struct recents *recents, sqlite3 *db);
struct recents *state_recents(struct state *state);

struct index;
struct state *index_state(struct index *index);

#endif
