/* Recent queries: for each user the names that he opened lately, newest first, each ended by a NUL,
 * in state.db's meta under "recent.UID". Opening a folder must not wait for the disk, so those of
 * the users who were active last are held here, and written a little later. */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/macros.h"
#include "index/db.h"
#include "index/index.h"
#include "index/sqlite_errno.h"
#include "index/state.h"

#define KEY_SIZE 32

/* Users whose names are held. */
#define HELD 32

struct held {
	bool used;
	bool dirty; /* not written yet */
	uint32_t uid;
	struct pxs_buf names;
};

struct recents {
	struct held held[HELD];
	size_t next; /* who makes room for another user */
};

/* The keys of all users: '/' follows '.'. */
#define OF_USERS "key > 'recent.' AND key < 'recent/'"

static void
print_key(uint32_t uid, char key[KEY_SIZE])
{
	(void)snprintf(key, KEY_SIZE, "recent.%" PRIu32, uid);
}

/* --- Statements, with the state locked --- */

static int
put(sqlite3 *db, const char *key, const struct pxs_buf *names)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	int r = db_prepare_with(db, DB_META_SET, key, &stmt);

	if (r == 0)
		r = sqlite_errno(
			sqlite3_bind_blob(stmt, 2, names->data, (int)names->len, SQLITE_STATIC));
	return r < 0 ? r : db_run(stmt);
}

/* Where more users than INDEX_RECENT_USERS have names, one who is not KEY loses his. */
static int
limit_users(sqlite3 *db, const char *key)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	int r = db_prepare_with(db,
				"DELETE FROM meta WHERE key = "
				"(SELECT key FROM meta WHERE " OF_USERS " AND key <> ?1 "
				"LIMIT 1 OFFSET ?2)",
				key, &stmt);

	if (r == 0)
		r = sqlite_errno(sqlite3_bind_int(stmt, 2, INDEX_RECENT_USERS - 1));
	return r < 0 ? r : db_run(stmt);
}

/* --- Lists of names --- */

/* NAME's place among NAMES, from 0; -1: it is not there. */
static int
place_of(const struct pxs_buf *names, const char *name)
{
	int place = 0;

	for (size_t at = 0; at < names->len; at += strlen(names->data + at) + 1, place++)
		if (strcmp(names->data + at, name) == 0)
			return place;
	return -1;
}

/* NAME, then the others of NAMES, INDEX_RECENT_MAX in all. */
static int
move_to_front(const struct pxs_buf *names, const char *name, struct pxs_buf *moved)
{
	int n = 1;

	pxs_buf_add(moved, name, strlen(name) + 1);
	for (size_t at = 0; at < names->len && n < INDEX_RECENT_MAX;
	     at += strlen(names->data + at) + 1) {
		const char *other = names->data + at;

		if (strcmp(other, name) == 0)
			continue;
		pxs_buf_add(moved, other, strlen(other) + 1);
		n++;
	}
	return moved->error;
}

/* --- What is held --- */

struct recents *
recents_new(void)
{
	return calloc(1, sizeof(struct recents));
}

void
recents_free(struct recents *recents)
{
	for (size_t i = 0; recents && i < HELD; i++)
		pxs_buf_done(&recents->held[i].names);
	free(recents);
}

static int
write_held(struct held *held, sqlite3 *db)
{
	char key[KEY_SIZE];
	int r;

	if (!held->dirty)
		return 0;
	print_key(held->uid, key);
	r = put(db, key, &held->names);
	if (r == 0)
		r = limit_users(db, key);
	if (r == 0)
		held->dirty = false;
	return r;
}

int
recents_flush(struct recents *recents, sqlite3 *db)
{
	int r = 0;

	for (size_t i = 0; i < HELD && r == 0; i++)
		r = write_held(&recents->held[i], db);
	return r;
}

/* UID's names, read where they are not held yet. */
static int
hold(struct recents *recents, sqlite3 *db, uint32_t uid, struct held **ret_held)
{
	struct held *held;
	char key[KEY_SIZE];
	int r;

	for (size_t i = 0; i < HELD; i++)
		if (recents->held[i].used && recents->held[i].uid == uid) {
			*ret_held = &recents->held[i];
			return 0;
		}
	held = &recents->held[recents->next];
	r = write_held(held, db);
	if (r < 0)
		return r;
	recents->next = (recents->next + 1) % HELD;
	held->used = false;
	pxs_buf_clear(&held->names);
	print_key(uid, key);
	r = db_meta_read(db, key, &held->names);
	if (r < 0 && r != -ENOENT)
		return r;
	held->used = true;
	held->uid = uid;
	*ret_held = held;
	return 0;
}

/* A name that is among the newest already stays where it is, so that going to and fro between a few
 * folders writes nothing. */
static int
note(struct held *held, const char *name)
{
	CLEANUP(pxs_buf) struct pxs_buf moved = PXS_BUF_INIT;
	int place = place_of(&held->names, name);
	struct pxs_buf old;
	int r;

	if (place >= 0 && place < INDEX_RECENT_MAX / 2)
		return 0;
	r = move_to_front(&held->names, name, &moved);
	if (r < 0)
		return r;
	old = held->names;
	held->names = moved;
	moved = old;
	held->dirty = true;
	return 0;
}

int
index_recent_note(struct index *index, uint32_t uid, const char *name)
{
	struct state *state = index_state(index);
	sqlite3 *db = state_lock(state);
	struct held *held;
	int r = hold(state_recents(state), db, uid, &held);

	if (r == 0)
		r = note(held, name);
	state_unlock(state);
	return r;
}

int
index_recent_list(struct index *index, uint32_t uid, struct pxs_buf *names)
{
	struct state *state = index_state(index);
	sqlite3 *db = state_lock(state);
	struct held *held;
	int r = hold(state_recents(state), db, uid, &held);

	if (r == 0 && held->names.len)
		pxs_buf_add(names, held->names.data, held->names.len);
	state_unlock(state);
	return r < 0 ? r : names->error;
}
