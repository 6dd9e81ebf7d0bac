#include "index/ingest/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <xxhash.h>

#include "base/cleanup.h"
#include "index/ingest/beneath.h"
#include "index/ingest/mounts.h"

/* For getdents64: some 4,000 names at a time, so that few calls read a large folder. */
#define BUFFER_BYTES (128 * 1024)

struct worker {
	struct walk *walk;
	unsigned int number;
	pthread_t thread;
	char *path; /* of an entry, for messages and children */
	size_t path_size;
	char *buffer;
};

struct walk {
	struct walk_options options;
	const struct walk_ops *ops;
	void *context;

	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct walk_folder *stack; /* below: under mutex */
	unsigned int busy;	   /* workers that are reading a folder */
	unsigned int running;	   /* workers that have not ended */
	int result;

	unsigned int started; /* of the workers */
	struct worker workers[WALK_THREADS];
};

/* --- The stack --- */

static bool
stopped(const struct walk *walk)
{
	return atomic_load_explicit(walk->options.stop, memory_order_relaxed);
}

static void
set_result(struct walk *walk, int r)
{
	(void)pthread_mutex_lock(&walk->mutex);
	if (walk->result >= 0)
		walk->result = r;
	(void)pthread_cond_broadcast(&walk->changed);
	(void)pthread_mutex_unlock(&walk->mutex);
}

static void
push(struct walk *walk, struct walk_folder *folder)
{
	(void)pthread_mutex_lock(&walk->mutex);
	folder->next = walk->stack;
	walk->stack = folder;
	(void)pthread_cond_signal(&walk->changed);
	(void)pthread_mutex_unlock(&walk->mutex);
}

/* The next folder to read, or NULL when there is and will be none. Ends what was taken before. */
static struct walk_folder *
take(struct walk *walk)
{
	struct walk_folder *folder = NULL;

	(void)pthread_mutex_lock(&walk->mutex);
	while (!walk->stack && walk->busy > 0 && walk->result >= 0)
		(void)pthread_cond_wait(&walk->changed, &walk->mutex);
	if (walk->result >= 0 && walk->stack) {
		folder = walk->stack;
		walk->stack = folder->next;
		walk->busy++;
	}
	(void)pthread_mutex_unlock(&walk->mutex);
	return folder;
}

static void
done(struct walk *walk)
{
	(void)pthread_mutex_lock(&walk->mutex);
	walk->busy--;
	if (walk->busy == 0)
		(void)pthread_cond_broadcast(&walk->changed);
	(void)pthread_mutex_unlock(&walk->mutex);
}

/* --- Entries --- */

static const char *
relative(const struct walk *walk, const char *path)
{
	size_t root = strcmp(walk->options.root, "/") != 0 ? strlen(walk->options.root) : 0;

	return path[root] == '/' ? path + root + 1 : path + root;
}

/* The absolute path of NAME in FOLDER; the worker's, until the next call. NULL: out of memory. */
static const char *
join(struct worker *worker, const struct walk_folder *folder, const char *name)
{
	size_t name_size = strlen(name) + 1;
	size_t need = folder->path_len + 1 + name_size;
	char *grown;

	if (need > worker->path_size) {
		grown = realloc(worker->path, need * 2);
		if (!grown)
			return NULL;
		worker->path = grown;
		worker->path_size = need * 2;
	}
	memcpy(worker->path, folder->path, folder->path_len);
	worker->path[folder->path_len] = '/';
	memcpy(worker->path + folder->path_len + 1, name, name_size);
	return worker->path;
}

static int
unread(struct worker *worker, const char *path, const char *what, int error)
{
	const struct walk *walk = worker->walk;

	if (!*path)
		path = "/";
	/* What went away while we were looking is no failure; the next scan will see where to. */
	if (error == ENOENT || error == ENOTDIR || error == ELOOP || error == ESTALE)
		error = 0;
	if (!walk->ops->unread)
		return 0;
	return walk->ops->unread(walk->context, worker->number, path, what, error);
}

static int
unread_entry(struct worker *worker, const struct walk_entry *entry, const char *what, int error)
{
	const char *path = join(worker, entry->folder, entry->name);

	return path ? unread(worker, path, what, error) : -ENOMEM;
}

static uint64_t
device_of(const struct statx *stat)
{
	return makedev(stat->stx_dev_major, stat->stx_dev_minor);
}

/* The volume of a folder PATH with STAT in a folder of the volume PARENT. A btrfs subvolume is no
 * mount, but has a device, and inode numbers, of its own. */
static uint64_t
volume_of(const struct walk *walk, uint64_t parent, bool same_file_system, const char *path)
{
	const char *below = relative(walk, path);

	return same_file_system ? parent : XXH3_64bits_withSeed(below, strlen(below), parent);
}

static int
push_folder(struct worker *worker, const struct walk_entry *entry, const struct statx *stat)
{
	const struct walk_folder *parent = entry->folder;
	const char *path;
	struct walk_folder *folder = NULL;
	size_t path_len;
	bool same;

	if (parent->shallow)
		return 0;
	path = join(worker, parent, entry->name);
	if (!path)
		return -ENOMEM;
	path_len = strlen(path);
	folder = malloc(sizeof(*folder) + path_len + 1);
	if (!folder)
		return -ENOMEM;
	folder->mnt_id = stat->stx_mnt_id;
	folder->device = device_of(stat);
	same = folder->mnt_id == parent->mnt_id && folder->device == parent->device;
	folder->volume = volume_of(worker->walk, parent->volume, same, path);
	folder->only = NULL;
	folder->shallow = false;
	folder->path_len = path_len;
	memcpy(folder->path, path, path_len + 1);
	push(worker->walk, folder);
	return 0;
}

/* --- One entry --- */

#define WANTED (STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID)

/* statx(2) without following symlinks, mounting anything or, with AT_STATX_DONT_SYNC, waiting for a
 * file system in user space. 0 or -errno. */
static int
look(const struct walk_entry *entry, int flags, unsigned int mask, struct statx *ret_stat)
{
	int r = statx(entry->fd, entry->name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | flags, mask,
		      ret_stat);

	return r < 0 ? -errno : 0;
}

static bool
barred(const struct walk_folder *folder, const struct statx *stat)
{
	return stat->stx_mnt_id != folder->mnt_id && mounts_barred(stat->stx_mnt_id);
}

static bool
skipped(const struct walk *walk, const struct statx *stat)
{
	return walk->options.skip_inode != 0 && stat->stx_ino == walk->options.skip_inode &&
	       device_of(stat) == walk->options.skip_device;
}

static int
tell(struct worker *worker, const struct walk_entry *entry)
{
	return worker->walk->ops->entry(worker->walk->context, worker->number, entry);
}

/* ENTRY is a folder, or the file system does not say what it is. */
static int
visit_folder(struct worker *worker, struct walk_entry *entry)
{
	struct statx stat;
	int r;

	r = look(entry, AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO | STATX_MNT_ID, &stat);
	if (r < 0)
		return unread_entry(worker, entry, "look at", -r);
	if (barred(entry->folder, &stat))
		return unread_entry(worker, entry, "enter", 0);
	if (skipped(worker->walk, &stat))
		return 0;

	r = look(entry, 0, WANTED, &stat);
	if (r < 0)
		return unread_entry(worker, entry, "look at", -r);
	if (!worker->walk->options.names_only)
		entry->stat = &stat;
	r = tell(worker, entry);
	if (r >= 0 && S_ISDIR(stat.stx_mode))
		r = push_folder(worker, entry, &stat);
	return r;
}

static int
visit_file(struct worker *worker, struct walk_entry *entry)
{
	struct statx stat;
	int r;

	if (worker->walk->options.names_only)
		return tell(worker, entry);

	r = look(entry, 0, WANTED, &stat);
	if (r < 0)
		return unread_entry(worker, entry, "look at", -r);
	if (barred(entry->folder, &stat))
		return unread_entry(worker, entry, "enter", 0);
	entry->stat = &stat;
	r = tell(worker, entry);
	/* A folder took its place between getdents and statx. */
	if (r >= 0 && S_ISDIR(stat.stx_mode))
		r = push_folder(worker, entry, &stat);
	return r;
}

static int
visit(struct worker *worker, const struct walk_folder *folder, int fd, const char *name,
      unsigned char type)
{
	struct walk_entry entry = {
		.folder = folder,
		.fd = fd,
		.name = name,
		.name_len = strlen(name),
	};

	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return 0;
	if (type == DT_DIR || type == DT_UNKNOWN)
		return visit_folder(worker, &entry);
	return visit_file(worker, &entry);
}

/* --- One folder --- */

static int
visit_buffer(struct worker *worker, const struct walk_folder *folder, int fd, size_t len)
{
	int r = 0;

	for (size_t at = 0; at < len && r >= 0;) {
		const struct dirent64 *dirent = (const void *)(worker->buffer + at);

		if (stopped(worker->walk))
			return -ECANCELED;
		r = visit(worker, folder, fd, dirent->d_name, dirent->d_type);
		at += dirent->d_reclen;
	}
	return r;
}

/* What is not there is nothing that could not be read. */
static bool
is_there(int fd, const char *name)
{
	struct statx stat;

	return statx(fd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC,
		     STATX_TYPE, &stat) == 0 ||
	       errno != ENOENT;
}

static int
read_folder(struct worker *worker, const struct walk_folder *folder)
{
	struct walk *walk = worker->walk;
	CLEANUP(close) int fd = -1;
	ssize_t len;
	int r;

	r = beneath_open(walk->options.root_fd, relative(walk, folder->path),
			 O_RDONLY | O_DIRECTORY | O_NONBLOCK, &fd);
	if (r < 0)
		return unread(worker, folder->path, "open", -r);
	if (walk->ops->folder) {
		r = walk->ops->folder(walk->context, worker->number, folder);
		if (r < 0)
			return r;
	}

	if (folder->only)
		return is_there(fd, folder->only)
			       ? visit(worker, folder, fd, folder->only, DT_UNKNOWN)
			       : 0;
	while ((len = getdents64(fd, worker->buffer, BUFFER_BYTES)) > 0) {
		r = visit_buffer(worker, folder, fd, (size_t)len);
		if (r < 0)
			return r;
	}
	return len < 0 ? unread(worker, folder->path, "list", errno) : 0;
}

static void
end_worker(struct walk *walk)
{
	bool last;

	(void)pthread_mutex_lock(&walk->mutex);
	last = --walk->running == 0;
	(void)pthread_mutex_unlock(&walk->mutex);
	if (last && walk->ops->end)
		walk->ops->end(walk->context);
}

static void *
work(void *argument)
{
	struct worker *worker = argument;
	struct walk *walk = worker->walk;
	struct walk_folder *folder;

	while ((folder = take(walk))) {
		int r = stopped(walk) ? -ECANCELED : read_folder(worker, folder);

		free(folder);
		if (r < 0)
			set_result(walk, r);
		done(walk);
	}
	end_worker(walk);
	return NULL;
}

/* --- The beginning --- */

/* FOLDER has come one name further down: on which file system is it? */
static int
step(const struct walk *walk, struct walk_folder *folder, bool is_root)
{
	CLEANUP(close) int fd = -1;
	struct statx stat;
	bool same;
	int r;

	r = beneath_open(walk->options.root_fd, relative(walk, folder->path), O_PATH | O_DIRECTORY,
			 &fd);
	if (r < 0)
		return r;
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, WANTED, &stat) < 0)
		return -errno;

	same = folder->mnt_id == stat.stx_mnt_id && folder->device == device_of(&stat);
	folder->volume = is_root ? 0 : volume_of(walk, folder->volume, same, folder->path);
	folder->mnt_id = stat.stx_mnt_id;
	folder->device = device_of(&stat);
	return 0;
}

/* From the root down to the folder that holds the start; every name counts, as each may be where a
 * file system begins. */
static int
descend(const struct walk *walk, const char *start, struct walk_folder *folder)
{
	const char *rest = start;
	const char *slash;
	int r = step(walk, folder, true);

	while (r >= 0 && (slash = strchr(rest, '/'))) {
		size_t len = (size_t)(slash - rest);

		folder->path[folder->path_len++] = '/';
		memcpy(folder->path + folder->path_len, rest, len);
		folder->path_len += len;
		folder->path[folder->path_len] = '\0';
		r = step(walk, folder, false);
		rest = slash + 1;
	}
	folder->only = *rest ? rest : NULL;
	return r;
}

/* START cannot be reached, as R says. */
static int
unreached(const struct walk *walk, const struct walk_folder *folder, int r)
{
	if (r == -ENOMEM || !walk->ops->unread)
		return r == -ENOMEM ? r : 0;
	if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP)
		return 0;
	return walk->ops->unread(walk->context, 0, *folder->path ? folder->path : "/", "open", -r);
}

static int
push_start(struct walk *walk, const struct walk_start *start)
{
	const char *root = strcmp(walk->options.root, "/") != 0 ? walk->options.root : "";
	CLEANUP(free) struct walk_folder *folder = NULL;
	size_t root_len = strlen(root);
	int r;

	folder = calloc(1, sizeof(*folder) + root_len + strlen(start->path) + 2);
	if (!folder)
		return -ENOMEM;
	memcpy(folder->path, root, root_len);
	folder->path_len = root_len;
	folder->shallow = start->shallow;
	r = descend(walk, start->path, folder);
	if (r < 0)
		return unreached(walk, folder, r);
	push(walk, STEAL(folder));
	return 0;
}

static int
push_starts(struct walk *walk)
{
	int r = 0;

	for (size_t i = 0; i < walk->options.n_starts && r >= 0; i++)
		r = push_start(walk, &walk->options.starts[i]);
	return r;
}

static void
free_walk(struct walk *walk)
{
	struct walk_folder *folder;

	while ((folder = walk->stack)) {
		walk->stack = folder->next;
		free(folder);
	}
	for (unsigned int i = 0; i < WALK_THREADS; i++) {
		free(walk->workers[i].path);
		free(walk->workers[i].buffer);
	}
	(void)pthread_cond_destroy(&walk->changed);
	(void)pthread_mutex_destroy(&walk->mutex);
	free(walk);
}

static int
start_workers(struct walk *walk)
{
	int error = 0;

	for (unsigned int i = 0; i < WALK_THREADS; i++) {
		struct worker *worker = &walk->workers[i];

		worker->walk = walk;
		worker->number = i;
		worker->buffer = malloc(BUFFER_BYTES);
		if (!worker->buffer)
			return -ENOMEM;
	}

	/* Nobody gets on before all have started, so that none takes itself for the last to end.
	 * One is enough where the system refuses a second. */
	(void)pthread_mutex_lock(&walk->mutex);
	while (walk->running < WALK_THREADS && !error) {
		struct worker *worker = &walk->workers[walk->running];

		error = pthread_create(&worker->thread, NULL, work, worker);
		if (!error)
			walk->running++;
	}
	walk->started = walk->running;
	(void)pthread_mutex_unlock(&walk->mutex);
	return walk->started > 0 ? 0 : -error;
}

int
walk_start(const struct walk_options *options, const struct walk_ops *ops, void *context,
	   struct walk **ret_walk)
{
	struct walk *walk = calloc(1, sizeof(*walk));
	int r;

	if (!walk)
		return -ENOMEM;
	walk->options = *options;
	walk->ops = ops;
	walk->context = context;
	(void)pthread_mutex_init(&walk->mutex, NULL);
	(void)pthread_cond_init(&walk->changed, NULL);

	r = push_starts(walk);
	if (r >= 0)
		r = start_workers(walk);
	if (r < 0) {
		free_walk(walk);
		return r;
	}
	*ret_walk = walk;
	return 0;
}

int
walk_join(struct walk *walk)
{
	int r;

	for (unsigned int i = 0; i < walk->started; i++)
		(void)pthread_join(walk->workers[i].thread, NULL);
	r = walk->result;
	free_walk(walk);
	return r;
}
