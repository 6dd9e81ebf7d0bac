#include "index/ingest/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/error.h"
#include "index/ingest/mounts.h"
#include "index/ingest/pathname.h"

#define EVENTS_BYTES (256 * 1024)

/* The kernel makes one of events that are alike while they wait, so let some come together. */
#define PAUSE_MS 20

#define COMING_AND_GOING (FAN_CREATE | FAN_DELETE | FAN_RENAME)
#define WANTED (COMING_AND_GOING | FAN_MODIFY | FAN_CLOSE_WRITE | FAN_ATTRIB | FAN_ONDIR)

/* One that is marked. It is kept open only while events are read, so that it can be unmounted. */
struct filesystem {
	__kernel_fsid_t fsid;
	char *place; /* a folder in it */
	int fd;	     /* of that folder; -1: not open */
	bool wanted;
	bool is_new; /* marked since it was last told which are */
};

struct watch {
	const struct watch_ops *ops;
	void *context;
	char *except;
	int fanotify_fd;
	int mounts_fd; /* has something when file systems were mounted or unmounted */
	int stop_fd;   /* can be read when it is time to end */
	pthread_t thread;
	bool started;
	char *events;

	pthread_mutex_t mutex; /* of all below */
	char **roots;
	size_t n_roots;
	struct filesystem *filesystems;
	size_t n_filesystems;
};

/* --- Which folder a handle means --- */

/* The folder of the last event, as many come from one. For one reading only: it may be renamed. */
struct memo {
	const struct file_handle *handle; /* in the events; NULL: none yet */
	__kernel_fsid_t fsid;
	char path[PATH_MAX]; /* "": it is gone, or cannot be told */
};

static bool
is_same_fsid(const __kernel_fsid_t *a, const __kernel_fsid_t *b)
{
	return a->val[0] == b->val[0] && a->val[1] == b->val[1];
}

static bool
is_same_handle(const struct file_handle *a, const struct file_handle *b)
{
	return a->handle_type == b->handle_type && a->handle_bytes == b->handle_bytes &&
	       memcmp(a->f_handle, b->f_handle, a->handle_bytes) == 0;
}

static struct filesystem *
find_filesystem(const struct watch *watch, const __kernel_fsid_t *fsid)
{
	for (size_t i = 0; i < watch->n_filesystems; i++)
		if (is_same_fsid(&watch->filesystems[i].fsid, fsid))
			return &watch->filesystems[i];
	return NULL;
}

/* Open PLACE and tell which file system it is in. -1 and errno. */
static int
open_place(const char *place, __kernel_fsid_t *ret_fsid)
{
	int fd = open(place, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct statfs stat;

	if (fd >= 0 && fstatfs(fd, &stat) == 0) {
		memcpy(ret_fsid, &stat.f_fsid, sizeof(*ret_fsid));
		return fd;
	}
	close_cleanup(&fd);
	return -1;
}

/* -1: it is no longer there. */
static int
fd_of(struct filesystem *filesystem)
{
	__kernel_fsid_t fsid;

	if (filesystem->fd >= 0)
		return filesystem->fd;
	filesystem->fd = open_place(filesystem->place, &fsid);
	if (filesystem->fd >= 0 && !is_same_fsid(&fsid, &filesystem->fsid)) {
		(void)close(filesystem->fd);
		filesystem->fd = -1;
	}
	return filesystem->fd;
}

static void
close_filesystems(struct watch *watch)
{
	for (size_t i = 0; i < watch->n_filesystems; i++) {
		close_cleanup(&watch->filesystems[i].fd);
		watch->filesystems[i].fd = -1;
	}
}

/* PATH becomes that of FD; "" if it has none any more. */
static void
read_path(int fd, char path[PATH_MAX])
{
	char link[64];
	struct stat stat;
	ssize_t len;

	*path = '\0';
	if (fstat(fd, &stat) < 0 || stat.st_nlink == 0)
		return;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, PATH_MAX - 1);
	path[len > 0 && *path == '/' ? len : 0] = '\0';
}

static const char *
path_of(struct watch *watch, const __kernel_fsid_t *fsid, struct file_handle *handle,
	struct memo *memo)
{
	struct filesystem *filesystem;
	CLEANUP(close) int fd = -1;

	if (memo->handle && is_same_fsid(&memo->fsid, fsid) && is_same_handle(memo->handle, handle))
		return memo->path;
	memo->handle = handle;
	memo->fsid = *fsid;
	*memo->path = '\0';
	filesystem = find_filesystem(watch, fsid);
	if (!filesystem || fd_of(filesystem) < 0)
		return memo->path;
	fd = open_by_handle_at(filesystem->fd, handle, O_PATH | O_CLOEXEC);
	if (fd >= 0)
		read_path(fd, memo->path);
	return memo->path;
}

/* --- Events --- */

static bool
is_within_roots(const struct watch *watch, const char *path)
{
	if (pathname_within(path, watch->except))
		return false;
	for (size_t i = 0; i < watch->n_roots; i++)
		if (pathname_within(path, watch->roots[i]))
			return true;
	return false;
}

static void
tell(struct watch *watch, const char *path, uint64_t mask)
{
	bool comes_or_goes = mask & COMING_AND_GOING;
	bool is_deep = comes_or_goes && (mask & FAN_ONDIR);

	if (is_within_roots(watch, path))
		watch->ops->changed(watch->context, path, is_deep,
				    (mask & FAN_MODIFY) && !(mask & ~(uint64_t)FAN_MODIFY));
}

/* What happened to NAME in FOLDER. */
static void
tell_of_name(struct watch *watch, const char *folder, const char *name, uint64_t mask)
{
	char path[PATH_MAX];
	int len;

	if (!strcmp(name, ".")) {
		tell(watch, folder, mask & ~(uint64_t)COMING_AND_GOING);
		return;
	}
	len = snprintf(path, sizeof(path), "%s/%s", strcmp(folder, "/") != 0 ? folder : "", name);
	if (len < 0 || (size_t)len >= sizeof(path))
		return;
	tell(watch, path, mask);
	if (mask & COMING_AND_GOING)
		tell(watch, folder, FAN_ATTRIB); /* its times changed, and its links */
}

static void
read_info(struct watch *watch, const struct fanotify_event_info_header *info, uint64_t mask,
	  struct memo *memo)
{
	struct fanotify_event_info_fid *fid = (void *)info;
	struct file_handle *handle = (void *)fid->handle;
	const char *folder;

	if (info->info_type != FAN_EVENT_INFO_TYPE_DFID_NAME &&
	    info->info_type != FAN_EVENT_INFO_TYPE_OLD_DFID_NAME &&
	    info->info_type != FAN_EVENT_INFO_TYPE_NEW_DFID_NAME)
		return;
	folder = path_of(watch, &fid->fsid, handle, memo);
	if (*folder)
		tell_of_name(watch, folder, (const char *)handle->f_handle + handle->handle_bytes,
			     mask);
}

/* AT is where EVENT was copied from. */
static void
read_event(struct watch *watch, const struct fanotify_event_metadata *event, const char *at,
	   struct memo *memo)
{
	const char *end = at + event->event_len;

	if (event->mask & FAN_Q_OVERFLOW)
		watch->ops->lost(watch->context);
	at += event->metadata_len;
	while (at < end) {
		const struct fanotify_event_info_header *info = (const void *)at;

		read_info(watch, info, event->mask, memo);
		at += info->len;
	}
}

static void
read_events(struct watch *watch)
{
	ssize_t left = read(watch->fanotify_fd, watch->events, EVENTS_BYTES);
	struct fanotify_event_metadata event;
	struct memo memo = { .handle = NULL };

	(void)pthread_mutex_lock(&watch->mutex);
	for (const char *at = watch->events; left > 0; at += event.event_len) {
		memcpy(&event, at, sizeof(event)); /* they are not aligned as their type asks */
		read_event(watch, &event, at, &memo);
		left -= event.event_len;
	}
	close_filesystems(watch);
	(void)pthread_mutex_unlock(&watch->mutex);
}

/* --- Marks --- */

static int
cannot(struct pxs_error *err, const char *place)
{
	int error = errno;

	return pxs_error_set(err, -error, -1, "cannot watch %s: %s", place,
			     error == EPERM ? "only root may" : strerrordesc_np(error));
}

static int
add_filesystem(struct watch *watch, const __kernel_fsid_t *fsid, const char *place)
{
	struct filesystem *grown = reallocarray(watch->filesystems, watch->n_filesystems + 1,
						sizeof(*grown));
	char *copy = strdup(place);

	if (grown)
		watch->filesystems = grown;
	if (!grown || !copy) {
		free(copy);
		return -ENOMEM;
	}
	grown[watch->n_filesystems++] = (struct filesystem){
		.fsid = *fsid, .place = copy, .fd = -1, .wanted = true, .is_new = true
	};
	return 0;
}

static int
mark(struct watch *watch, const char *place, struct pxs_error *err)
{
	struct filesystem *known;
	__kernel_fsid_t fsid;
	CLEANUP(close) int fd = open_place(place, &fsid);

	if (fd < 0)
		return cannot(err, place);
	known = find_filesystem(watch, &fsid);
	if (known) {
		known->wanted = true;
		return 0;
	}
	if (fanotify_mark(watch->fanotify_fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, WANTED, fd,
			  NULL) < 0)
		return cannot(err, place);
	return add_filesystem(watch, &fsid, place);
}

struct marking {
	struct watch *watch;
	struct pxs_error *err; /* keeps the first failure */
	int r;
};

static int
mark_each(void *context, const char *place)
{
	struct marking *marking = context;
	int r = mark(marking->watch, place, marking->err);

	if (marking->r == 0)
		marking->r = r;
	return 0;
}

static void
drop_unwanted(struct watch *watch)
{
	size_t kept = 0;

	for (size_t i = 0; i < watch->n_filesystems; i++) {
		struct filesystem *filesystem = &watch->filesystems[i];

		if (filesystem->wanted) {
			watch->filesystems[kept++] = *filesystem;
			continue;
		}
		if (fd_of(filesystem) >= 0)
			(void)fanotify_mark(watch->fanotify_fd,
					    FAN_MARK_REMOVE | FAN_MARK_FILESYSTEM, WANTED,
					    filesystem->fd, NULL);
		close_cleanup(&filesystem->fd);
		free(filesystem->place);
	}
	watch->n_filesystems = kept;
	close_filesystems(watch);
}

static void
free_roots(struct watch *watch)
{
	for (size_t i = 0; i < watch->n_roots; i++)
		free(watch->roots[i]);
	free(watch->roots);
	watch->roots = NULL;
	watch->n_roots = 0;
}

static int
set_roots(struct watch *watch, const char *const *roots, size_t n)
{
	free_roots(watch);
	watch->roots = calloc(n + 1, sizeof(*watch->roots));
	if (!watch->roots)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		watch->roots[i] = strdup(roots[i]);
		if (!watch->roots[i])
			return -ENOMEM;
		watch->n_roots++;
	}
	return 0;
}

static int
mark_all(struct watch *watch, struct pxs_error *err)
{
	struct marking marking = { .watch = watch, .err = err };

	for (size_t i = 0; i < watch->n_filesystems; i++)
		watch->filesystems[i].wanted = false;
	for (size_t i = 0; i < watch->n_roots; i++) {
		CLEANUP(fclose) FILE *mounts = fopen("/proc/self/mounts", "re");

		(void)mark_each(&marking, watch->roots[i]);
		if (mounts)
			(void)mounts_below(mounts, watch->roots[i], mark_each, &marking);
	}
	drop_unwanted(watch);
	return marking.r;
}

/* Whoever asks for roots reads them anyway. */
int
watch_follow(struct watch *watch, const char *const *roots, size_t n, struct pxs_error *err)
{
	int r;

	(void)pthread_mutex_lock(&watch->mutex);
	r = set_roots(watch, roots, n);
	if (r == 0)
		r = mark_all(watch, err);
	for (size_t i = 0; i < watch->n_filesystems; i++)
		watch->filesystems[i].is_new = false;
	(void)pthread_mutex_unlock(&watch->mutex);
	return r;
}

static bool
is_root(const struct watch *watch, const char *place)
{
	for (size_t i = 0; i < watch->n_roots; i++)
		if (strcmp(watch->roots[i], place) == 0)
			return true;
	return false;
}

/* A file system that came is to be looked at, the whole of a tree if it is one. */
static void
follow_mounts(struct watch *watch)
{
	(void)pthread_mutex_lock(&watch->mutex);
	(void)mark_all(watch, NULL);
	for (size_t i = 0; i < watch->n_filesystems; i++) {
		struct filesystem *filesystem = &watch->filesystems[i];

		if (filesystem->is_new && is_root(watch, filesystem->place))
			watch->ops->lost(watch->context);
		else if (filesystem->is_new)
			watch->ops->changed(watch->context, filesystem->place, true, false);
		filesystem->is_new = false;
	}
	(void)pthread_mutex_unlock(&watch->mutex);
}

/* --- The thread --- */

/* Waits until it is time to end, or for TIMEOUT_MS, or, unless that is all it waits for, an event.
 * False: it is time. */
static bool
wait_for(struct watch *watch, int timeout_ms, bool *ret_mounts)
{
	struct pollfd fds[] = {
		{ .fd = watch->stop_fd, .events = POLLIN },
		{ .fd = watch->fanotify_fd, .events = POLLIN },
		{ .fd = watch->mounts_fd, .events = POLLPRI },
	};

	(void)poll(fds, ret_mounts ? 3 : 1, timeout_ms);
	if (ret_mounts)
		*ret_mounts = fds[2].revents;
	return !fds[0].revents;
}

static void *
work(void *argument)
{
	struct watch *watch = argument;
	bool mounts;

	while (wait_for(watch, -1, &mounts)) {
		if (mounts)
			follow_mounts(watch);
		read_events(watch);
		if (!wait_for(watch, PAUSE_MS, NULL))
			break;
	}
	return NULL;
}

/* --- The whole --- */

static int
start(struct watch *watch, const char *except, struct pxs_error *err)
{
	int r;

	watch->except = strdup(except);
	watch->events = malloc(EVENTS_BYTES);
	if (!watch->except || !watch->events)
		return -ENOMEM;
	watch->fanotify_fd = fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_DFID_NAME | FAN_CLOEXEC |
						   FAN_NONBLOCK,
					   O_RDONLY | O_CLOEXEC);
	watch->stop_fd = eventfd(0, EFD_CLOEXEC);
	watch->mounts_fd = open("/proc/self/mounts", O_RDONLY | O_CLOEXEC);
	if (watch->fanotify_fd < 0 || watch->stop_fd < 0 || watch->mounts_fd < 0)
		return pxs_error_set(err, -errno, -1, "cannot watch for changes: %s",
				     errno == EPERM ? "only root may" : strerrordesc_np(errno));
	r = -pthread_create(&watch->thread, NULL, work, watch);
	if (r < 0)
		return pxs_error_set(err, r, -1, "cannot start a thread: %s", strerrordesc_np(-r));
	watch->started = true;
	return 0;
}

int
watch_new(const struct watch_ops *ops, void *context, const char *except, struct watch **ret_watch,
	  struct pxs_error *err)
{
	CLEANUP(watch) struct watch *watch = calloc(1, sizeof(*watch));
	int r;

	if (!watch)
		return -ENOMEM;
	watch->ops = ops;
	watch->context = context;
	watch->fanotify_fd = watch->mounts_fd = watch->stop_fd = -1;
	(void)pthread_mutex_init(&watch->mutex, NULL);
	r = start(watch, except, err);
	if (r < 0)
		return r;
	*ret_watch = STEAL(watch);
	return 0;
}

void
watch_free(struct watch *watch)
{
	const uint64_t one = 1;

	if (!watch)
		return;
	if (watch->started && write(watch->stop_fd, &one, sizeof(one)) == sizeof(one))
		(void)pthread_join(watch->thread, NULL);
	free_roots(watch);
	for (size_t i = 0; i < watch->n_filesystems; i++)
		free(watch->filesystems[i].place);
	free(watch->filesystems);
	close_cleanup(&watch->fanotify_fd);
	close_cleanup(&watch->mounts_fd);
	close_cleanup(&watch->stop_fd);
	(void)pthread_mutex_destroy(&watch->mutex);
	free(watch->events);
	free(watch->except);
	free(watch);
}
