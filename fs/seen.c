#include "fs/seen.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "base/clock.h"
#include "base/macros.h"
#include "fs/fuse.h"

/* Places of one hash; the note that was not renewed for the longest time makes room. */
#define WAYS 4

struct note {
	uint64_t key; /* hash of whom or what it is about: 64 bits, as good as that itself */
	int64_t id;
	uint64_t seq;
	int64_t time_ns; /* steady; 0: no note */
};

struct table {
	pthread_mutex_t lock;
	size_t n; /* notes; a power of two */
	struct note *notes;
};

struct fs_seen {
	struct table versions;
	struct table names;
};

/* --- Tables --- */

static int
table_init(struct table *table, size_t n)
{
	(void)pthread_mutex_init(&table->lock, NULL);
	table->n = n;
	table->notes = calloc(n, sizeof(*table->notes));
	return table->notes ? 0 : -ENOMEM;
}

static void
table_done(struct table *table)
{
	(void)pthread_mutex_destroy(&table->lock);
	free(table->notes);
}

/* The note with this key, else the one that makes room for it. */
static struct note *
place_of(struct table *table, uint64_t key)
{
	struct note *set = &table->notes[key & (table->n - 1) & ~(uint64_t)(WAYS - 1)];
	struct note *oldest = set;

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].time_ns && set[i].key == key)
			return &set[i];
		if (set[i].time_ns < oldest->time_ns)
			oldest = &set[i];
	}
	return oldest;
}

static void
table_put(struct table *table, uint64_t key, int64_t id, uint64_t seq)
{
	const struct note note = { key, id, seq, pxs_clock_steady_ns() };

	(void)pthread_mutex_lock(&table->lock);
	*place_of(table, key) = note;
	(void)pthread_mutex_unlock(&table->lock);
}

/* False: there is none, or none since SINCE_NS. */
static bool
table_get(struct table *table, uint64_t key, int64_t since_ns, struct note *ret_note)
{
	struct note note;

	(void)pthread_mutex_lock(&table->lock);
	note = *place_of(table, key);
	(void)pthread_mutex_unlock(&table->lock);
	if (!note.time_ns || note.key != key || note.time_ns < since_ns)
		return false;
	*ret_note = note;
	return true;
}

int
fs_seen_new(struct fs_seen **ret_seen)
{
	struct fs_seen *seen = calloc(1, sizeof(*seen));
	int r;

	if (!seen)
		return -ENOMEM;
	r = table_init(&seen->versions, FS_SEEN_VERSIONS);
	if (table_init(&seen->names, FS_SEEN_NAMES) < 0)
		r = -ENOMEM;
	if (r < 0)
		fs_seen_free(seen);
	else
		*ret_seen = seen;
	return r;
}

void
fs_seen_free(struct fs_seen *seen)
{
	if (!seen)
		return;
	table_done(&seen->versions);
	table_done(&seen->names);
	free(seen);
}

/* --- Versions --- */

static uint64_t
key_of_process(const struct fuse_ctx *who, int64_t id)
{
	const uint64_t key[] = { 'p', (uint64_t)who->pid, who->uid, (uint64_t)id };

	return XXH3_64bits(key, sizeof(key));
}

static uint64_t
key_of_user(const struct fuse_ctx *who, int64_t id)
{
	const uint64_t key[] = { 'u', who->uid, (uint64_t)id };

	return XXH3_64bits(key, sizeof(key));
}

void
fs_seen_note(struct fs_seen *seen, const struct fuse_ctx *who, int64_t id, uint64_t seq)
{
	table_put(&seen->versions, key_of_process(who, id), id, seq);
	table_put(&seen->versions, key_of_user(who, id), id, seq);
}

bool
fs_seen_fits(struct fs_seen *seen, const struct fuse_ctx *who, int64_t id, uint64_t seq,
	     bool *ret_blind)
{
	int64_t since_ns = pxs_clock_steady_ns() - FS_SEEN_S * PXS_NS_PER_S;
	struct note note = { 0 };

	*ret_blind = !table_get(&seen->versions, key_of_process(who, id), 0, &note) &&
		     !table_get(&seen->versions, key_of_user(who, id), since_ns, &note);
	return *ret_blind || note.seq == seq;
}

/* --- Names --- */

static uint64_t
key_of_name(uint64_t parent, const char *name)
{
	return XXH3_64bits_withSeed(name, strlen(name), parent);
}

void
fs_seen_note_name(struct fs_seen *seen, uint64_t parent, const char *name, int64_t id, uint64_t seq)
{
	table_put(&seen->names, key_of_name(parent, name), id, seq);
}

bool
fs_seen_name_fits(struct fs_seen *seen, uint64_t parent, const char *name, int64_t id, uint64_t seq)
{
	struct note note;

	return table_get(&seen->names, key_of_name(parent, name), 0, &note) && note.id == id &&
	       (seq == 0 || note.seq == seq);
}
