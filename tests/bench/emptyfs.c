/* emptyfs.c - the peer for listings: a file system of one folder of N names, and nothing behind
 * them.
 *
 *     emptyfs N MOUNTPOINT
 *
 * Names are file-0000001.dat and so on; attributes are one constant; every readdir is a
 * readdirplus, as ours is. What it costs to list is what libfuse and the kernel cost: no server can
 * be faster. It stays in the foreground until it is unmounted. */
#define FUSE_USE_VERSION 314

#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define TIMEOUT_S 10.0
#define NAME_SIZE 32
#define FIRST_FILE 2 /* node id of the first name; FUSE_ROOT_ID is 1 */

static uint64_t n_files;

static void
name_of(uint64_t ino, char name[NAME_SIZE])
{
	(void)snprintf(name, NAME_SIZE, "file-%07llu.dat", (unsigned long long)(ino - FIRST_FILE));
}

static bool
attributes_of(uint64_t ino, struct stat *st)
{
	bool is_root = ino == FUSE_ROOT_ID;

	if (!is_root && (ino < FIRST_FILE || ino - FIRST_FILE >= n_files))
		return false;
	*st = (struct stat){
		.st_ino = ino,
		.st_mode = is_root ? S_IFDIR | 0755 : S_IFREG | 0444,
		.st_nlink = 1,
		.st_size = is_root ? 0 : 100,
		.st_mtim.tv_sec = 1700000000,
	};
	return true;
}

static struct fuse_entry_param
entry_of(uint64_t ino)
{
	struct fuse_entry_param entry = {
		.ino = ino,
		.attr_timeout = TIMEOUT_S,
		.entry_timeout = TIMEOUT_S,
	};

	(void)attributes_of(ino, &entry.attr);
	return entry;
}

static void
empty_init(void *userdata, struct fuse_conn_info *conn)
{
	(void)userdata;
	conn->want &= ~(unsigned)FUSE_CAP_READDIRPLUS_AUTO;
}

static void
empty_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	char expected[NAME_SIZE];
	unsigned long long number;
	struct fuse_entry_param entry;

	(void)parent;
	if (sscanf(name, "file-%llu.dat", &number) == 1 && number < n_files) {
		name_of(number + FIRST_FILE, expected);
		if (strcmp(name, expected) == 0) {
			entry = entry_of(number + FIRST_FILE);
			(void)fuse_reply_entry(req, &entry);
			return;
		}
	}
	(void)fuse_reply_err(req, ENOENT);
}

static void
empty_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st;

	(void)fi;
	if (attributes_of(ino, &st))
		(void)fuse_reply_attr(req, &st, TIMEOUT_S);
	else
		(void)fuse_reply_err(req, ESTALE);
}

/* Cookie C is the place after C names. */
static void
empty_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	char *reply = malloc(size);
	size_t used = 0;
	size_t need;
	char name[NAME_SIZE];
	struct fuse_entry_param entry;

	(void)ino;
	(void)fi;
	if (!reply) {
		(void)fuse_reply_err(req, ENOMEM);
		return;
	}
	for (uint64_t at = (uint64_t)off; at < n_files; at++) {
		name_of(at + FIRST_FILE, name);
		entry = entry_of(at + FIRST_FILE);
		need = fuse_add_direntry_plus(req, reply + used, size - used, name, &entry,
					      (off_t)at + 1);
		if (need > size - used)
			break;
		used += need;
	}
	(void)fuse_reply_buf(req, reply, used);
	free(reply);
}

static void
empty_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	(void)ino;
	(void)name;
	(void)size;
	(void)fuse_reply_err(req, EOPNOTSUPP);
}

static const struct fuse_lowlevel_ops OPS = {
	.init = empty_init,
	.lookup = empty_lookup,
	.getattr = empty_getattr,
	.readdirplus = empty_readdirplus,
	.getxattr = empty_getxattr,
};

static int
serve(struct fuse_session *session, const char *mountpoint)
{
	struct fuse_loop_config *config;
	int r;

	if (fuse_session_mount(session, mountpoint) != 0)
		return -1;
	config = fuse_loop_cfg_create();
	r = fuse_session_loop_mt(session, config);
	fuse_loop_cfg_destroy(config);
	fuse_session_unmount(session);
	return r;
}

int
main(int argc, char **argv)
{
	struct fuse_args args = FUSE_ARGS_INIT(1, argv);
	struct fuse_session *session;
	int r;

	if (argc != 3) {
		(void)fprintf(stderr, "usage: emptyfs N MOUNTPOINT\n");
		return 2;
	}
	n_files = strtoull(argv[1], NULL, 10);

	session = fuse_session_new(&args, &OPS, sizeof(OPS), NULL);
	if (!session || fuse_set_signal_handlers(session) != 0)
		return 1;
	r = serve(session, argv[2]);
	fuse_remove_signal_handlers(session);
	fuse_session_destroy(session);
	return r ? 1 : 0;
}
