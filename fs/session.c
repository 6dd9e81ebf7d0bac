/* How a session ends.
 *
 * From outside (umount, fusermount3 -u): the kernel closes the connection, a thread of libfuse's
 * loop reads ENODEV, and the loop returns. From inside there is no such event: with somebody's file
 * still open, a lazy unmount leaves the connection alive and all threads waiting for requests. So
 * the session is marked as ended and its loop, which waits for a semaphore, is woken by a signal;
 * it ends the threads, and then the connection is closed. */
#include "fs/session.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "fs/fuse.h"
#include "fs/mount.h"
#include "fs/ops.h"

/* Of these FS_SEARCHES_MAX search; the others answer what is at hand, wait for their turn, and hear
 * when somebody is interrupted: as long as one of them reads requests, searches can be stopped. */
#define THREADS_MAX 64
#define THREADS_IDLE_MAX 10
#define GREETING_S 10 /* the kernel greets at once, if ever */

/* Requests that the kernel keeps in flight unasked (read-ahead), and when it slows down. */
#define BACKGROUND_MAX 64
#define BACKGROUND_CONGESTED 48

/* Ignored unless somebody asks for it, so nobody but us sends it to our thread. */
#define SIGNAL_WAKE SIGURG
#define WAKE_AGAIN_NS (50 * PXS_NS_PER_MS)

struct fs_session {
	struct fs *fs;
	struct fuse_session *fuse;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool greeted;
	bool ended;

	/* Held by who tells the kernel something unasked, since the connection must not close under
	 * him: its descriptor could be another file's by then. What he says never waits. */
	pthread_mutex_t telling;
	bool closed;
};

/* --- Greeting --- */

void
fs_session_init(void *userdata, struct fuse_conn_info *conn)
{
	static const unsigned int WANTED = FUSE_CAP_EXPORT_SUPPORT | FUSE_CAP_READDIRPLUS |
					   FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_AUTO_INVAL_DATA |
					   FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE |
					   FUSE_CAP_ASYNC_DIO;
	struct fs_session *session = ((struct fs *)userdata)->session;

	conn->want |= conn->capable & WANTED;
	/* Attributes are at hand, so every listing brings them along. */
	conn->want &= ~(unsigned int)FUSE_CAP_READDIRPLUS_AUTO;
	conn->max_background = BACKGROUND_MAX;
	conn->congestion_threshold = BACKGROUND_CONGESTED;

	(void)pthread_mutex_lock(&session->lock);
	session->greeted = true;
	(void)pthread_cond_broadcast(&session->changed);
	(void)pthread_mutex_unlock(&session->lock);
}

/* False: there was none in time, or the loop ended before. */
static bool
wait_for_greeting(struct fs_session *session)
{
	struct timespec until;
	bool greeted;
	int r = 0;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += GREETING_S;
	(void)pthread_mutex_lock(&session->lock);
	while (!session->greeted && !session->ended && r == 0)
		r = pthread_cond_timedwait(&session->changed, &session->lock, &until);
	greeted = session->greeted;
	(void)pthread_mutex_unlock(&session->lock);
	return greeted;
}

/* --- The loop --- */

static void *
run(void *context)
{
	struct fs_session *session = context;
	struct fuse_loop_config *config = fuse_loop_cfg_create();
	int r = -ENOMEM;

	if (config) {
		fuse_loop_cfg_set_max_threads(config, THREADS_MAX);
		fuse_loop_cfg_set_idle_threads(config, THREADS_IDLE_MAX);
		r = fuse_session_loop_mt(session->fuse, config);
		fuse_loop_cfg_destroy(config);
	}
	if (r < 0)
		pxs_log(PXS_LOG_ERROR, "mount: %s: serving ended: %s",
			session->fs->options.mountpoint, strerror(-r));

	/* Nobody reads requests any more: closing the connection answers those that wait. */
	(void)pthread_mutex_lock(&session->telling);
	session->closed = true;
	fuse_session_unmount(session->fuse);
	(void)pthread_mutex_unlock(&session->telling);
	(void)pthread_mutex_lock(&session->lock);
	session->ended = true;
	(void)pthread_cond_broadcast(&session->changed);
	(void)pthread_mutex_unlock(&session->lock);
	return NULL;
}

static void
do_nothing(int signal)
{
	(void)signal;
}

/* Other signals are for the threads of whoever mounts. */
static int
start(struct fs_session *session)
{
	const struct sigaction wake = { .sa_handler = do_nothing }; /* without SA_RESTART */
	sigset_t blocked;
	sigset_t before;
	int r;

	if (sigaction(SIGNAL_WAKE, &wake, NULL) < 0)
		return -errno;
	(void)sigfillset(&blocked);
	(void)sigdelset(&blocked, SIGNAL_WAKE);
	(void)pthread_sigmask(SIG_SETMASK, &blocked, &before);
	r = -pthread_create(&session->thread, NULL, run, session);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}

/* --- Opening --- */

/* libfuse only logs why it failed. While a mount is made its words go into our sentence. */
static _Thread_local bool is_mounting;
static _Thread_local char last_message[200];

__attribute__((format(printf, 2, 0))) static void
keep_message(enum fuse_log_level level, const char *fmt, va_list args)
{
	(void)vsnprintf(last_message, sizeof(last_message), fmt, args);
	last_message[strcspn(last_message, "\n")] = '\0';
	if (!is_mounting)
		pxs_log(level <= FUSE_LOG_ERR ? PXS_LOG_WARNING : PXS_LOG_DEBUG, "libfuse: %s",
			last_message);
}

static int
make_fuse(struct fs *fs, struct fuse_session **ret_fuse, struct pxs_error *err)
{
	char options[] = "fsname=pxs,subtype=pxs,default_permissions,nosuid,nodev";
	char shared[] = "allow_other";
	char name[] = "pxs";
	char flag[] = "-o";
	char *argv[] = { name, flag, options, flag, shared, NULL };
	struct fuse_args args = FUSE_ARGS_INIT(fs->options.allow_other ? 5 : 3, argv);

	*ret_fuse = fuse_session_new(&args, &FS_OPS, sizeof(FS_OPS), fs);
	fuse_opt_free_args(&args);
	if (!*ret_fuse)
		return pxs_error_set(err, -ENOMEM, -1, "cannot start libfuse: %s", last_message);
	return 0;
}

static int
mount_and_start(struct fs_session *session, struct pxs_error *err)
{
	const char *mountpoint = session->fs->options.mountpoint;
	int r;

	if (fuse_session_mount(session->fuse, mountpoint) != 0)
		return pxs_error_set(err, -EACCES, -1, "cannot mount on %s: %s", mountpoint,
				     *last_message ? last_message : "fusermount3 refused");
	r = start(session);
	if (r == 0)
		return 0;
	fuse_session_unmount(session->fuse);
	return pxs_error_set(err, r, -1, "cannot start a thread: %s", strerror(-r));
}

static void
session_free(struct fs_session *session)
{
	if (session->fuse)
		fuse_session_destroy(session->fuse);
	(void)pthread_mutex_destroy(&session->telling);
	(void)pthread_cond_destroy(&session->changed);
	(void)pthread_mutex_destroy(&session->lock);
	free(session);
}

int
fs_session_open(struct fs *fs, struct fs_session **ret_session, struct pxs_error *err)
{
	struct fs_session *session = calloc(1, sizeof(*session));
	int r;

	if (!session)
		return -ENOMEM;
	session->fs = fs;
	(void)pthread_mutex_init(&session->lock, NULL);
	(void)pthread_mutex_init(&session->telling, NULL);
	(void)pthread_cond_init(&session->changed, NULL);
	fs->session = session; /* the greeting needs it */
	fuse_set_log_func(keep_message);

	is_mounting = true;
	r = make_fuse(fs, &session->fuse, err);
	if (r == 0)
		r = mount_and_start(session, err);
	is_mounting = false;
	if (r < 0) {
		session_free(session);
		return r;
	}
	if (!wait_for_greeting(session)) {
		fs_session_close(session);
		return pxs_error_set(err, -EIO, -1, "the kernel did not answer the mount on %s",
				     fs->options.mountpoint);
	}
	*ret_session = session;
	return 0;
}

bool
fs_session_is_alive(struct fs_session *session)
{
	bool ended;

	(void)pthread_mutex_lock(&session->lock);
	ended = session->ended;
	(void)pthread_mutex_unlock(&session->lock);
	return !ended;
}

void
fs_session_forget_attributes(struct fs_session *session, uint64_t node)
{
	(void)pthread_mutex_lock(&session->telling);
	if (!session->closed) /* -ENOENT: it does not know the node */
		(void)fuse_lowlevel_notify_inval_inode(session->fuse, node, -1, 0);
	(void)pthread_mutex_unlock(&session->telling);
}

/* --- Closing --- */

/* The mark may have been set just before the loop began to wait, so once may not be enough. */
static void
wake_until_ended(struct fs_session *session)
{
	struct timespec until;

	(void)pthread_mutex_lock(&session->lock);
	while (!session->ended) {
		(void)pthread_kill(session->thread, SIGNAL_WAKE);
		(void)clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += WAKE_AGAIN_NS;
		until.tv_sec += until.tv_nsec / PXS_NS_PER_S;
		until.tv_nsec %= PXS_NS_PER_S;
		(void)pthread_cond_timedwait(&session->changed, &session->lock, &until);
	}
	(void)pthread_mutex_unlock(&session->lock);
}

void
fs_session_close(struct fs_session *session)
{
	if (!session)
		return;
	atomic_store(&session->fs->stopping, true);
	fuse_session_exit(session->fuse);
	wake_until_ended(session);
	(void)pthread_join(session->thread, NULL);
	session_free(session);
}
