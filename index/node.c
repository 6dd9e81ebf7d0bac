/* Permanent numbers for the mount's names. A lookup must not write (research/fuse.md 1.5), so
 * numbers come from a block that was reserved on disk beforehand, and the names follow a second
 * later. After a crash a name may get another number, but no number ever means another name. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "base/buf.h"
#include "index/db.h"
#include "index/index.h"
#include "index/sqlite_errno.h"
#include "index/state.h"

#define BLOCK 4096     /* numbers reserved at once */
#define FIRST 1024     /* those below are for fixed nodes such as the root */
#define SLOTS_FIRST 64 /* of the table of names not yet written; a power of two */

/* A name that has a number but is not on disk yet. */
struct pending {
	uint64_t number;
	uint64_t parent;
	char *name;
};

struct nodes {
	uint64_t next;
	uint64_t reserved; /* numbers below are ours to give */
	struct pending *pending;
	size_t n_pending;
	size_t cap_pending;
	uint32_t *slots; /* place in pending + 1, by hash of (parent, name); 0: free */
	size_t n_slots;
	sqlite3_stmt *by_name;
	sqlite3_stmt *by_number;
	sqlite3_stmt *insert;
};

int
nodes_new(sqlite3 *db, struct nodes **ret_nodes)
{
	struct nodes *nodes = calloc(1, sizeof(*nodes));
	sqlite3_int64 next = FIRST;
	int r;

	if (!nodes)
		return -ENOMEM;
	nodes->n_slots = SLOTS_FIRST;
	nodes->slots = calloc(nodes->n_slots, sizeof(*nodes->slots));
	r = nodes->slots ? 0 : -ENOMEM;
	if (r == 0)
		r = db_meta_get(db, "next_node", FIRST, &next);
	if (r == 0)
		r = db_prepare(db, "SELECT number FROM node WHERE parent = ?1 AND name = ?2",
			       &nodes->by_name);
	if (r == 0)
		r = db_prepare(db, "SELECT parent, name FROM node WHERE number = ?1",
			       &nodes->by_number);
	if (r == 0)
		r = db_prepare(db, "INSERT INTO node (number, parent, name) VALUES (?1, ?2, ?3)",
			       &nodes->insert);
	if (r < 0) {
		nodes_free(nodes);
		return r;
	}
	nodes->next = nodes->reserved = (uint64_t)next;
	*ret_nodes = nodes;
	return 0;
}

static void
forget_pending(struct nodes *nodes)
{
	for (size_t i = 0; i < nodes->n_pending; i++)
		free(nodes->pending[i].name);
	nodes->n_pending = 0;
	memset(nodes->slots, 0, nodes->n_slots * sizeof(*nodes->slots));
}

void
nodes_free(struct nodes *nodes)
{
	if (!nodes)
		return;
	if (nodes->slots)
		forget_pending(nodes);
	(void)sqlite3_finalize(nodes->by_name);
	(void)sqlite3_finalize(nodes->by_number);
	(void)sqlite3_finalize(nodes->insert);
	free(nodes->pending);
	free(nodes->slots);
	free(nodes);
}

/* --- The table of names that are not on disk yet --- */

static size_t
slot_of(const struct nodes *nodes, uint64_t parent, const char *name)
{
	size_t mask = nodes->n_slots - 1;
	size_t slot = XXH3_64bits_withSeed(name, strlen(name), parent) & mask;
	const struct pending *pending;

	for (; nodes->slots[slot]; slot = (slot + 1) & mask) {
		pending = &nodes->pending[nodes->slots[slot] - 1];
		if (pending->parent == parent && strcmp(pending->name, name) == 0)
			break;
	}
	return slot;
}

static int
grow_pending(struct nodes *nodes)
{
	size_t n_slots = nodes->n_slots * 2;
	struct pending *pending = realloc(nodes->pending, n_slots / 2 * sizeof(*pending));
	uint32_t *slots;

	if (!pending)
		return -ENOMEM;
	nodes->pending = pending;
	nodes->cap_pending = n_slots / 2;
	slots = calloc(n_slots, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	free(nodes->slots);
	nodes->slots = slots;
	nodes->n_slots = n_slots;
	for (size_t i = 0; i < nodes->n_pending; i++)
		slots[slot_of(nodes, pending[i].parent, pending[i].name)] = (uint32_t)i + 1;
	return 0;
}

static int
add_pending(struct nodes *nodes, uint64_t number, uint64_t parent, const char *name)
{
	char *copy = strdup(name);

	if (!copy)
		return -ENOMEM;
	if (nodes->n_pending == nodes->cap_pending && grow_pending(nodes) < 0) {
		free(copy);
		return -ENOMEM;
	}
	nodes->slots[slot_of(nodes, parent, name)] = (uint32_t)nodes->n_pending + 1;
	nodes->pending[nodes->n_pending++] = (struct pending){ .number = number,
							       .parent = parent,
							       .name = copy };
	return 0;
}

int
nodes_pending(const struct nodes *nodes)
{
	return nodes->n_pending > 0;
}

static int
insert_all(struct nodes *nodes)
{
	const struct pending *pending;
	int r = 0;

	for (size_t i = 0; i < nodes->n_pending && r == 0; i++) {
		pending = &nodes->pending[i];
		r = sqlite_errno(
			sqlite3_bind_int64(nodes->insert, 1, (sqlite3_int64)pending->number));
		if (r == 0)
			r = sqlite_errno(sqlite3_bind_int64(nodes->insert, 2,
							    (sqlite3_int64)pending->parent));
		if (r == 0)
			r = sqlite_errno(sqlite3_bind_blob(nodes->insert, 3, pending->name,
							   (int)strlen(pending->name),
							   SQLITE_STATIC));
		if (r == 0)
			r = db_run(nodes->insert);
	}
	return r;
}

int
nodes_flush(struct nodes *nodes, sqlite3 *db)
{
	int r;

	r = db_exec(db, "BEGIN IMMEDIATE");
	if (r < 0)
		return r;
	r = insert_all(nodes);
	if (r == 0)
		r = db_exec(db, "COMMIT");
	if (r < 0) {
		(void)db_exec(db, "ROLLBACK");
		return r;
	}
	forget_pending(nodes);
	return 0;
}

/* --- Finding --- */

/* 1: found; 0: not there; or -errno. */
static int
find_on_disk(struct nodes *nodes, uint64_t parent, const char *name, uint64_t *ret_number)
{
	CLEANUP(stmt_run) sqlite3_stmt *stmt = nodes->by_name;
	int rc;
	int r;

	r = sqlite_errno(sqlite3_bind_int64(stmt, 1, (sqlite3_int64)parent));
	if (r == 0)
		r = sqlite_errno(
			sqlite3_bind_blob(stmt, 2, name, (int)strlen(name), SQLITE_STATIC));
	if (r < 0)
		return r;
	rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW)
		return sqlite_errno(rc);
	*ret_number = (uint64_t)sqlite3_column_int64(stmt, 0);
	return 1;
}

static int
new_number(struct nodes *nodes, sqlite3 *db, uint64_t *ret_number)
{
	int r;

	if (nodes->next == nodes->reserved) {
		r = db_meta_set(db, "next_node", (sqlite3_int64)nodes->reserved + BLOCK);
		if (r < 0)
			return r;
		nodes->reserved += BLOCK;
	}
	*ret_number = nodes->next++;
	return 0;
}

static int
find_or_make(struct nodes *nodes, sqlite3 *db, uint64_t parent, const char *name,
	     uint64_t *ret_number)
{
	uint32_t place = nodes->slots[slot_of(nodes, parent, name)];
	uint64_t number;
	int r;

	if (place) {
		*ret_number = nodes->pending[place - 1].number;
		return 0;
	}
	r = find_on_disk(nodes, parent, name, ret_number);
	if (r != 0)
		return r < 0 ? r : 0;
	r = new_number(nodes, db, &number);
	if (r == 0)
		r = add_pending(nodes, number, parent, name);
	if (r < 0)
		return r;
	*ret_number = number;
	return 0;
}

int
index_node_number(struct index *index, uint64_t parent, const char *name, uint64_t *ret_number)
{
	struct state *state = index_state(index);
	sqlite3 *db = state_lock(state);
	int r = find_or_make(state_nodes(state), db, parent, name, ret_number);

	state_unlock(state);
	return r;
}

static int
name_of(struct nodes *nodes, uint64_t number, uint64_t *ret_parent, struct pxs_buf *name)
{
	CLEANUP(stmt_run) sqlite3_stmt *stmt = nodes->by_number;
	int rc;
	int r;

	for (size_t i = 0; i < nodes->n_pending; i++)
		if (nodes->pending[i].number == number) {
			*ret_parent = nodes->pending[i].parent;
			pxs_buf_add_str(name, nodes->pending[i].name);
			return name->error;
		}
	r = sqlite_errno(sqlite3_bind_int64(stmt, 1, (sqlite3_int64)number));
	if (r < 0)
		return r;
	rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? -ENOENT : sqlite_errno(rc);
	*ret_parent = (uint64_t)sqlite3_column_int64(stmt, 0);
	pxs_buf_add(name, sqlite3_column_blob(stmt, 1), (size_t)sqlite3_column_bytes(stmt, 1));
	return name->error;
}

int
index_node_name(struct index *index, uint64_t number, uint64_t *ret_parent, struct pxs_buf *name)
{
	struct state *state = index_state(index);
	int r;

	(void)state_lock(state);
	r = name_of(state_nodes(state), number, ret_parent, name);
	state_unlock(state);
	return r;
}
