/* pxs daemon: opens the index, then the doors, says that it is ready, and waits for a signal.
 *
 * What is open depends on what was opened before it, so it is closed the other way round: the
 * mounts use the REST side's status text, that uses ingest, that uses the index. */
#include "daemon.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "auth/auth.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/macros.h"
#include "cli/background.h"
#include "cli/cli.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/place.h"
#include "fs/fs.h"
#include "index/index.h"
#include "index/ingest/ingest.h"
#include "index/sync/sync.h"
#include "rest/rest.h"
#include "wanted.h"
#include "watchdog.h"

#define LOG_NAME "pxs.log"
#define PAM_SERVICE "pxs"

/* What is open. */
struct daemon {
	bool is_public;
	struct index *index;
	struct ingest *ingest;
	struct sync *sync; /* NULL: no upstream */
	struct auth *auth;
	struct rest *rest;
	struct rest_control control;
	char *log_path; /* NULL: standard error */
	char *announce_helper;

	pthread_mutex_t lock; /* of all below */
	struct fs *mounts[MOUNTS_MAX];
	size_t n_mounts;
	bool closing;
};

/* --- Mounts. fs_mount() and fs_unmount() are never called under the lock: a thread that serves a
 * mount may wait for it, to list the mounts in a status. --- */

/* Takes the mount at MOUNTPOINT, or any (NULL), or any that is unmounted (DEAD) out of the list. */
static struct fs *
take_mount(struct daemon *daemon, const char *mountpoint, bool dead)
{
	struct fs *taken = NULL;

	(void)pthread_mutex_lock(&daemon->lock);
	for (size_t i = 0; i < daemon->n_mounts && !taken; i++) {
		struct fs *fs = daemon->mounts[i];

		if (mountpoint && strcmp(fs_mountpoint(fs), mountpoint) != 0)
			continue;
		if (dead && fs_is_alive(fs))
			continue;
		taken = fs;
		daemon->mounts[i] = daemon->mounts[--daemon->n_mounts];
	}
	(void)pthread_mutex_unlock(&daemon->lock);
	return taken;
}

static void
forget_dead_mounts(struct daemon *daemon)
{
	struct fs *fs;

	while ((fs = take_mount(daemon, NULL, true)))
		fs_unmount(fs);
}

static int
keep_mount(struct daemon *daemon, struct fs *fs, struct pxs_error *err)
{
	int r = 0;

	(void)pthread_mutex_lock(&daemon->lock);
	if (daemon->closing)
		r = pxs_error_set(err, -ESHUTDOWN, -1, "the daemon is ending");
	else if (daemon->n_mounts == MOUNTS_MAX)
		r = pxs_error_set(err, -EINVAL, -1, "more than %d mounts", MOUNTS_MAX);
	else
		daemon->mounts[daemon->n_mounts++] = fs;
	(void)pthread_mutex_unlock(&daemon->lock);
	return r;
}

static void
status_text(void *context, struct pxs_buf *buf)
{
	struct daemon *daemon = context;

	rest_status_text(daemon->rest, buf);
}

static int
mount_at(void *context, const char *mountpoint, const char *text, struct pxs_error *err)
{
	struct daemon *daemon = context;
	CLEANUP(fs) struct fs *fs = NULL;
	struct fs_options options = { 0 };
	int r = fs_options_parse(text, &options, err);

	if (r < 0)
		return r;
	options.mountpoint = mountpoint;
	options.allow_other = options.allow_other || daemon->is_public;
	options.announce_helper = daemon->announce_helper;
	options.sync = daemon->sync;
	options.auth = daemon->auth;
	options.status = status_text;
	options.context = daemon;
	forget_dead_mounts(daemon);
	r = fs_mount(daemon->index, &options, &fs, err);
	if (r < 0)
		return r;
	r = keep_mount(daemon, fs, err);
	if (r < 0)
		return r;
	pxs_log(PXS_LOG_INFO, "mounted at %s", mountpoint);
	(void)STEAL(fs);
	return 0;
}

static int
unmount_at(void *context, const char *mountpoint, struct pxs_error *err)
{
	struct daemon *daemon = context;
	struct fs *fs;

	forget_dead_mounts(daemon);
	fs = take_mount(daemon, mountpoint, false);
	if (!fs)
		return pxs_error_set(err, -ENOENT, -1, "nothing of ours is mounted at %s",
				     mountpoint);
	fs_unmount(fs);
	pxs_log(PXS_LOG_INFO, "unmounted %s", mountpoint);
	return 0;
}

static void
list_mounts(void *context, struct pxs_buf *buf)
{
	struct daemon *daemon = context;

	(void)pthread_mutex_lock(&daemon->lock);
	for (size_t i = 0; i < daemon->n_mounts; i++) {
		const char *mountpoint = fs_mountpoint(daemon->mounts[i]);

		if (fs_is_alive(daemon->mounts[i]))
			pxs_buf_add(buf, mountpoint, strlen(mountpoint) + 1);
	}
	(void)pthread_mutex_unlock(&daemon->lock);
}

/* --- Open and close --- */

static void
daemon_init(struct daemon *daemon, const struct wanted *wanted)
{
	*daemon = (struct daemon){
		.is_public = wanted->is_public,
		.control = { .context = daemon,
			     .mount = mount_at,
			     .unmount = unmount_at,
			     .mounts = list_mounts },
	};
	(void)pthread_mutex_init(&daemon->lock, NULL);
}

/* In the background messages go to a file in the index's folder, as soon as that exists. */
static int
open_log(struct daemon *daemon, struct pxs_error *err)
{
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	int r;

	pxs_buf_addf(&path, "%s/" LOG_NAME, index_dir(daemon->index));
	daemon->log_path = pxs_buf_steal(&path);
	r = daemon->log_path ? background_log_to(daemon->log_path) : -ENOMEM;
	if (r < 0)
		return pxs_error_set(err, r, -1, "cannot write the log %s: %s", daemon->log_path,
				     strerror(-r));
	return 0;
}

static int
open_index(struct daemon *daemon, const struct wanted *wanted, struct pxs_error *err)
{
	int r = place_make_parents(wanted->index);

	if (r < 0)
		return pxs_error_set(err, r, -1, "cannot make the folders above %s: %s",
				     wanted->index, strerror(-r));
	r = index_open(wanted->index, INDEX_CREATE, &daemon->index, err);
	if (r == 0)
		r = index_map_paths(daemon->index, wanted->path_rules, wanted->n_path_rules);
	if (r == 0 && !wanted->foreground)
		r = open_log(daemon, err);
	if (r == 0)
		r = ingest_open(daemon->index, &daemon->ingest, err);
	return r;
}

/* Without a word about PAM this machine's users log in where its administrator has set that up. */
static const char *
pam_service(const struct wanted *wanted)
{
	if (!wanted->auth_address && !wanted->search_address)
		return NULL; /* nobody can send a password */
	if (!wanted->pam_service)
		return access("/etc/pam.d/" PAM_SERVICE, F_OK) == 0 ? PAM_SERVICE : NULL;
	return *wanted->pam_service ? wanted->pam_service : NULL;
}

static void
auth_options_of(const struct wanted *wanted, struct auth_options *ret_options)
{
	*ret_options = (struct auth_options){
		.rules = wanted->rules,
		.n_rules = wanted->n_rules,
		.robots_path = wanted->robots,
		.token_life_s = wanted->token_life_s,
	};
}

int
daemon_find_helper(const char *built, char **ret_path)
{
	CLEANUP(free) char *self = realpath("/proc/self/exe", NULL);
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;

	if (self) {
		pxs_buf_add(&path, self, (size_t)(strrchr(self, '/') - self));
		pxs_buf_addf(&path, "/%s", built);
	}
	if (!self || access(pxs_buf_text(&path), X_OK) < 0) {
		pxs_buf_clear(&path);
		pxs_buf_addf(&path, PXS_LIBEXEC "%s", strrchr(built, '/'));
	}
	*ret_path = pxs_buf_steal(&path);
	return *ret_path ? 0 : -ENOMEM;
}

static int
open_auth(struct daemon *daemon, const struct wanted *wanted, struct pxs_error *err)
{
	CLEANUP(free) char *helper = NULL;
	struct auth_options options;
	int r = daemon_find_helper("auth/pxs-auth", &helper);

	if (r < 0)
		return r;
	auth_options_of(wanted, &options);
	options.dir = index_dir(daemon->index);
	options.pam_service = pam_service(wanted);
	options.pam_helper = helper;
	options.root_may_log_in = wanted->root_may_log_in;
	return auth_open(&options, &daemon->auth, err);
}

static int
open_sync(struct daemon *daemon, const struct wanted *wanted, struct pxs_error *err)
{
	const struct sync_options options = {
		.url = wanted->upstream,
		.auth_url = wanted->upstream_auth,
		.user = wanted->upstream_user,
		.password_file = wanted->upstream_password_file,
		.cacert = wanted->upstream_cacert,
		.fingerprint = wanted->upstream_fingerprint,
		.insecure = wanted->upstream_insecure,
	};

	if (wanted->upstream)
		return sync_open(daemon->index, &options, &daemon->sync, err);
	if (options.auth_url || options.user || options.password_file || options.cacert ||
	    options.fingerprint || options.insecure)
		return pxs_error_set(err, -EINVAL, -1,
				     "auth-url, user, password-file, cacert, fingerprint and "
				     "insecure are of an upstream; name it with --upstream URL");
	return 0;
}

static int
open_rest(struct daemon *daemon, const struct wanted *wanted, struct pxs_error *err)
{
	struct rest_options options = {
		.socket_path = wanted->socket,
		.index = daemon->index,
		.ingest = daemon->ingest,
		.sync = daemon->sync,
		.control = &daemon->control,
		.public_readers = wanted->is_public,
		.auth = daemon->auth,
		.search_address = wanted->search_address,
		.auth_address = wanted->auth_address,
		.search_tls = wanted->search_tls,
		.plain_logins = wanted->plain_logins,
		.certificate_path = wanted->certificate,
		.certificate_key_path = wanted->certificate_key,
		.rfc6750 = wanted->rfc6750,
	};
	int r = place_make_parents(wanted->socket);

	if (r < 0)
		return pxs_error_set(err, r, -1, "cannot make the folders above %s: %s",
				     wanted->socket, strerror(-r));
	return rest_open(&options, &daemon->rest, err);
}

static int
submit_sources(struct daemon *daemon, const struct wanted *wanted, struct pxs_error *err)
{
	for (size_t i = 0; i < wanted->n_sources; i++) {
		struct ingest_request request = { .path = wanted->sources[i] };
		uint64_t job;
		int r = ingest_submit(daemon->ingest, &request, &job, err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Before sources are scanned, so that nothing is missed between a scan and the watch. */
static int
watch_sources(struct daemon *daemon, const struct wanted *wanted, struct pxs_error *err)
{
	int r;

	if (wanted->no_watch && wanted->rescan_s)
		return pxs_error_set(err, -EINVAL, -1,
				     "rescan is of a daemon that watches; leave no-watch away");
	if (wanted->no_watch)
		return 0;
	r = ingest_watch(daemon->ingest, wanted->rescan_s * PXS_NS_PER_S);
	return r < 0 ? pxs_error_set(err, r, -1, "cannot watch the sources: %s", strerror(-r)) : 0;
}

static int
daemon_open(struct daemon *daemon, const struct wanted *wanted, struct pxs_error *err)
{
	int r = open_index(daemon, wanted, err);

	if (r == 0)
		r = daemon_find_helper("fs/pxs-announce", &daemon->announce_helper);
	if (r == 0)
		r = open_auth(daemon, wanted, err);
	if (r == 0)
		r = open_sync(daemon, wanted, err);
	if (r == 0)
		r = open_rest(daemon, wanted, err);
	for (size_t i = 0; i < wanted->n_mounts && r == 0; i++)
		r = mount_at(daemon, wanted->mounts[i].mountpoint, wanted->mounts[i].options, err);
	if (r == 0)
		r = watch_sources(daemon, wanted, err);
	return r < 0 ? r : submit_sources(daemon, wanted, err);
}

static void
daemon_close(struct daemon *daemon)
{
	struct fs *fs;

	(void)pthread_mutex_lock(&daemon->lock);
	daemon->closing = true;
	(void)pthread_mutex_unlock(&daemon->lock);
	while ((fs = take_mount(daemon, NULL, false)))
		fs_unmount(fs);
	rest_close(daemon->rest);
	auth_close(daemon->auth);
	sync_close(daemon->sync);
	ingest_close(daemon->ingest);
	index_close(daemon->index);
	free(daemon->announce_helper);
	free(daemon->log_path);
	(void)pthread_mutex_destroy(&daemon->lock);
}

/* --- The process --- */

/* Every connection, open file of the mount and database needs a descriptor. */
static void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* Blocked in all threads, so that only sigwait() below sees them; a second SIGTERM while we close
 * stays pending and harms nothing. */
static void
block_signals(sigset_t *ret_set)
{
	static const int SIGNALS[] = { SIGTERM, SIGINT, SIGHUP };

	(void)sigemptyset(ret_set);
	for (size_t i = 0; i < ARRAY_SIZE(SIGNALS); i++)
		(void)sigaddset(ret_set, SIGNALS[i]);
	(void)pthread_sigmask(SIG_BLOCK, ret_set, NULL);
}

/* What fails stays as it was. */
static void
reload(struct daemon *daemon, const struct wanted *wanted)
{
	CLEANUP(wanted) struct wanted again = { 0 };
	CLEANUP(pxs_buf) struct pxs_buf stale = PXS_BUF_INIT;
	struct pxs_error err = { 0 };
	struct auth_options options;
	int r;

	if (daemon->log_path && background_log_to(daemon->log_path) < 0)
		pxs_log(PXS_LOG_ERROR, "cannot open the log %s anew: %m", daemon->log_path);
	r = wanted_again(wanted, &again, &err);
	if (r == 0) {
		auth_options_of(&again, &options);
		r = auth_configure(daemon->auth, &options, &err);
	}
	if (r == 0)
		r = rest_reload(daemon->rest, &err);
	if (r < 0)
		pxs_log(PXS_LOG_ERROR, "cannot take over what changed: %s",
			pxs_error_text(&err, r));
	else
		pxs_log(PXS_LOG_INFO, "took over rights, robots and certificate after HUP");
	wanted_print_stale(wanted, &again, &stale);
	if (r == 0 && stale.len)
		pxs_log(PXS_LOG_WARNING,
			"what the configuration has for %s counts from the next "
			"start",
			stale.data);
}

/* systemd wants to know since when, by the steady clock. */
static void
notify_reloading(void)
{
	char state[64];

	(void)snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%lld",
		       (long long)(pxs_clock_steady_ns() / 1000));
	background_notify(state);
}

static void
wait_for_end(struct daemon *daemon, const struct wanted *wanted, const sigset_t *signals)
{
	int signal = 0;

	while (sigwait(signals, &signal) == 0 && signal == SIGHUP) {
		notify_reloading();
		reload(daemon, wanted);
		background_notify("READY=1");
	}
	pxs_log(PXS_LOG_INFO, "ends after %s", sigabbrev_np(signal));
}

/* Tokens and passwords pass through our memory, so none of it may stand in a core file. (Not being
 * dumpable would do as well, but closes /proc/PID to our own user.) */
static void
keep_memory_out_of_core_files(void)
{
	CLEANUP(fclose) FILE *file = fopen("/proc/self/coredump_filter", "we");

	if (!file || fputs("0", file) < 0 || fflush(file) != 0)
		pxs_log(PXS_LOG_WARNING, "a core file of this process could hold passwords: %m");
}

static void
announce_doors(const struct daemon *daemon)
{
	const char *what;
	bool more = true;

	for (unsigned int i = 0; more; i++) {
		CLEANUP(pxs_buf) struct pxs_buf url = PXS_BUF_INIT;

		more = rest_door(daemon->rest, i, &url, &what);
		if (more)
			pxs_log(PXS_LOG_INFO, "serves %s at %s", what, pxs_buf_text(&url));
	}
}

static void
announce(struct background *background, const struct wanted *wanted)
{
	char state[64];

	pxs_log(PXS_LOG_INFO, "pxs %s serves %s at %s", PXS_VERSION, wanted->index, wanted->socket);
	(void)background_ready(background);
	(void)snprintf(state, sizeof(state), "MAINPID=%ld\nREADY=1", (long)getpid());
	background_notify(state);
}

/* Open everything, serve until a signal comes, close everything: the exit code. */
static int
serve(const char *speaker, const struct wanted *wanted, struct background *background,
      const sigset_t *signals)
{
	struct pxs_error err = { 0 };
	struct watchdog *watchdog = NULL;
	struct daemon daemon;
	int code = CLI_OK;
	int r;

	daemon_init(&daemon, wanted);
	keep_memory_out_of_core_files();
	r = daemon_open(&daemon, wanted, &err);
	if (r == 0) {
		announce_doors(&daemon);
		announce(background, wanted);
		if (watchdog_start(wanted->socket, &watchdog) < 0)
			pxs_log(PXS_LOG_WARNING, "cannot watch for systemd: out of resources");
		wait_for_end(&daemon, wanted, signals);
		background_notify("STOPPING=1");
		watchdog_stop(watchdog);
	}
	daemon_close(&daemon);
	if (r < 0)
		code = background_failed(background, speaker, r, &err);
	return code;
}

/* --- The command line --- */

static const char DOC[] =
	"It returns once everything is open, and goes on in the background; there it logs "
	"to pxs.log in the folder of the index. Trees that are in the catalogue already are read "
	"again only where --source names them. SIGTERM ends it: `kill PID`, which `pxs status` "
	"shows. After SIGHUP it opens the log anew, and reads the certificate, the robots and the "
	"rights again.\n\n"
	"Without --public only root and the user of the daemon are admitted at the socket.\n\n"
	"The keys of a configuration are the long options, as `rest = localhost:5000` or `public = "
	"yes`, with index and socket; paths are absolute. Its section [rights] says who may do "
	"what, "
	"as `alice = read, update_search_metadata`, `@staff = all` for a group, and `* = read`, "
	"which holds unless there is another line for all.\n\n"
	"Exit status: 0 ready, 1 failed, 2 bad usage, 4 index damaged, 11 index or socket "
	"in use.";

/* What the configuration names comes after the command line and before the environment. */
static int
find_places(struct wanted *wanted, struct pxs_error *err)
{
	const char *named_index = wanted->shared.index ? wanted->shared.index : wanted->index;
	const char *named_socket = wanted->shared.socket ? wanted->shared.socket : wanted->socket;
	CLEANUP(free) char *index = NULL;
	CLEANUP(free) char *socket = NULL;
	bool named = false;
	int r = place_index(named_index, &index, &named);

	if (r < 0)
		return pxs_error_set(err, r, -1,
				     "cannot tell where the index belongs: %s; use --index",
				     strerror(-r));
	r = place_daemon_socket(named_socket, &socket);
	if (r < 0)
		return pxs_error_set(
			err, r, -1,
			"cannot tell where the socket belongs, as XDG_RUNTIME_DIR is not "
			"set; use --socket");
	free(wanted->index);
	free(wanted->socket);
	wanted->index = STEAL(index);
	wanted->socket = STEAL(socket);
	return 0;
}

static int
run(int argc, char **argv, const struct cli_program *program)
{
	CLEANUP(wanted) struct wanted wanted = { 0 };
	CLEANUP(background) struct background *background = NULL;
	struct pxs_error err = { 0 };
	sigset_t signals;
	int r;

	(void)program;
	r = wanted_parse(&DAEMON_VERB, argc, argv, DOC, &wanted, &err);
	if (r == 0)
		r = find_places(&wanted, &err);
	if (r == 0 && !wanted.foreground)
		r = background_start(argv[0], &background);
	if (r == 0 && chdir("/") < 0)
		r = -errno;
	if (r < 0)
		return message_failure(argv[0], r, &err);

	pxs_log_set_level(wanted.verbose ? PXS_LOG_DEBUG : PXS_LOG_INFO);
	raise_descriptor_limit();
	block_signals(&signals);
	return serve(argv[0], &wanted, background, &signals);
}

const struct cli_verb DAEMON_VERB = {
	.name = "daemon",
	.arguments = "",
	.summary = "Serve the catalogue: to the other verbs, as mounts",
	.options = WANTED_OPTIONS,
	.shared = CLI_SHARED_PLACE,
	.run = run,
};
