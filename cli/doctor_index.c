/* The folder of the index: is it there, ours, closed to others, on a good disk with room, sound as
 * far as one sees without reading it all. */
#include "cli/doctor.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/macros.h"
#include "cli/cli.h"

#define SPACE_MIN_PERCENT 10
#define SPACE_MIN_BYTES (UINT64_C(64) * 1024 * 1024)
#define LOG_MAX_BYTES (INT64_C(100) * 1024 * 1024)
#define WAL_MAX_BYTES (INT64_C(1024) * 1024 * 1024)
#define MIB ((uint64_t)1024 * 1024)

/* Not in linux/magic.h of all kernels. */
#define MAGIC_CIFS 0xff534d42
#define MAGIC_SMB2 0xfe534d42
#define MAGIC_FUSE 0x65735546

static bool
has_folder(struct doctor *doctor)
{
	if (doctor->index_look.error == 0 && S_ISDIR(doctor->index_look.stat.st_mode))
		return true;
	doctor_tell(doctor, DOCTOR_SKIPPED, "there is no folder to look into");
	return false;
}

/* The file NAME of the index; false where it is not there. */
static bool
stat_part(const struct doctor *doctor, const char *name, struct pxs_buf *path,
	  struct stat *ret_stat)
{
	pxs_buf_addf(path, "%s/%s", doctor->index, name);
	return lstat(pxs_buf_text(path), ret_stat) == 0;
}

static void
check_folder(struct doctor *doctor)
{
	int error = doctor->index_look.error;

	if (error == 0 && !S_ISDIR(doctor->index_look.stat.st_mode)) {
		doctor_tell(doctor, DOCTOR_FAULT, "%s, where the index should be, is no folder",
			    doctor->index);
		doctor_advise(doctor, "name another one with --index or $PXS_INDEX");
	} else if (error == -ENOENT) {
		doctor_tell(doctor, DOCTOR_DOUBT, "there is no index at %s", doctor->index);
		doctor_advise(doctor, "pxs ingest DIR makes one; --index names another place");
	} else if (error == -EACCES || (error == 0 && !doctor->index_look.is_readable)) {
		doctor_tell(doctor, DOCTOR_DOUBT, "%s is closed to you", doctor->index);
		doctor_advise(doctor, "sudo pxs doctor, or as the user whose index it is");
	} else if (error < 0) {
		doctor_tell(doctor, DOCTOR_FAULT, "%s: %s", doctor->index, strerror(-error));
		doctor_advise(doctor, "mend the file system (dmesg, mount), or name another place "
				      "with --index");
	}
}

static void
check_owner(struct doctor *doctor)
{
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	uid_t owner = doctor->index_look.stat.st_uid;
	struct stat record;
	char command[32];

	if (!has_folder(doctor) || !stat_part(doctor, "docs.db", &path, &record))
		return;
	if (record.st_uid != owner) {
		doctor_tell(doctor, DOCTOR_FAULT,
			    "the folder is user %u's, docs.db in it user %u's: one of them cannot "
			    "write",
			    (unsigned int)owner, (unsigned int)record.st_uid);
		(void)snprintf(command, sizeof(command), "chown -R %u", (unsigned int)owner);
		doctor_advise_path(doctor, command, doctor->index);
	} else if (geteuid() != 0 && owner != geteuid()) {
		doctor_tell(doctor, DOCTOR_DOUBT, "the index is another user's (%u)",
			    (unsigned int)owner);
		doctor_advise(doctor, "--index names your own");
	}
}

static void
check_mode(struct doctor *doctor)
{
	mode_t mode = doctor->index_look.stat.st_mode;

	if (!has_folder(doctor))
		return;
	if (mode & (S_IWGRP | S_IWOTH)) {
		doctor_tell(doctor, DOCTOR_FAULT, "others may write into the index (mode %04o)",
			    mode & 07777);
		doctor_advise_path(doctor, "chmod 0700", doctor->index);
	} else if (mode & (S_IROTH | S_IXOTH)) {
		doctor_tell(doctor, DOCTOR_DOUBT,
			    "others may look into the index, which holds everything's metadata "
			    "(mode %04o)",
			    mode & 07777);
		doctor_advise_path(doctor, "chmod 0700", doctor->index);
	}
}

/* What nobody else may read, whatever the folder's mode is. */
static void
check_secrets(struct doctor *doctor)
{
	static const char *const NAMES[] = { "auth.db", "auth.db-wal", "tls-key.pem" };

	if (!has_folder(doctor))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(NAMES); i++) {
		CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
		struct stat part;

		if (!stat_part(doctor, NAMES[i], &path, &part) ||
		    !(part.st_mode & (S_IRWXG | S_IRWXO)))
			continue;
		doctor_tell(doctor, DOCTOR_FAULT, "%s may be read by others (mode %04o)",
			    pxs_buf_text(&path), part.st_mode & 07777);
		doctor_advise_path(doctor, "chmod 0600", pxs_buf_text(&path));
	}
}

const char *
doctor_remote_name(long type)
{
	static const struct {
		long type;
		const char *name;
	} ROWS[] = {
		{ NFS_SUPER_MAGIC, "NFS" }, { MAGIC_CIFS, "SMB" },	  { MAGIC_SMB2, "SMB" },
		{ SMB_SUPER_MAGIC, "SMB" }, { V9FS_MAGIC, "9p" },	  { AFS_FS_MAGIC, "AFS" },
		{ MAGIC_FUSE, "FUSE" },	    { CODA_SUPER_MAGIC, "Coda" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
		if (ROWS[i].type == type)
			return ROWS[i].name;
	return NULL;
}

static void
check_disk(struct doctor *doctor)
{
	const struct statfs *fs = &doctor->index_look.fs;
	const char *remote = doctor_remote_name((long)fs->f_type);

	if (!has_folder(doctor))
		return;
	if (fs->f_flags & ST_RDONLY) {
		doctor_tell(doctor, DOCTOR_FAULT,
			    "the index is on a file system that is read-only");
		doctor_advise(doctor, "dmesg tells why; mount -o remount,rw");
	} else if (remote) {
		doctor_tell(doctor, DOCTOR_DOUBT,
			    "the index is on %s, whose locks and memory maps are not to be trusted",
			    remote);
		doctor_advise(doctor,
			      "move it to a local disk: stop pxs, copy the folder, --index");
	} else if (fs->f_type == TMPFS_MAGIC || fs->f_type == RAMFS_MAGIC) {
		doctor_tell(doctor, DOCTOR_DOUBT,
			    "the index is in memory: it goes when the machine stops");
		doctor_advise(doctor,
			      "move it to a local disk: stop pxs, copy the folder, --index");
	}
}

static uint64_t
index_bytes(const struct doctor *doctor)
{
	static const char *const KEYS[] = { "docs_bytes", "fts_bytes", "column_bytes" };
	uint64_t sum = 0;

	for (size_t i = 0; i < ARRAY_SIZE(KEYS); i++)
		sum += (uint64_t)json_integer_value(json_object_get(doctor->status, KEYS[i]));
	return sum;
}

static void
check_space(struct doctor *doctor)
{
	const struct statfs *fs = &doctor->index_look.fs;
	uint64_t free_bytes = (uint64_t)fs->f_bavail * (uint64_t)fs->f_bsize;
	uint64_t percent = fs->f_blocks ? (uint64_t)fs->f_bavail * 100 / fs->f_blocks : 100;

	if (!has_folder(doctor))
		return;
	if (free_bytes < SPACE_MIN_BYTES) {
		doctor_tell(doctor, DOCTOR_FAULT, "%llu MiB are free for the index",
			    (unsigned long long)(free_bytes / MIB));
		doctor_advise_path(doctor, "make room: df -h", doctor->index);
	} else if (free_bytes < index_bytes(doctor)) {
		doctor_tell(doctor, DOCTOR_DOUBT,
			    "%llu MiB are free for the index: `pxs repair` needs its size once "
			    "more, %llu MiB",
			    (unsigned long long)(free_bytes / MIB),
			    (unsigned long long)(index_bytes(doctor) / MIB));
		doctor_advise_path(doctor, "make room: df -h", doctor->index);
	} else if (percent < SPACE_MIN_PERCENT) {
		doctor_tell(doctor, DOCTOR_DOUBT, "%llu %% of the index's disk are free",
			    (unsigned long long)percent);
		doctor_advise_path(doctor, "make room: df -h", doctor->index);
	}
}

static void
check_inodes(struct doctor *doctor)
{
	const struct statfs *fs = &doctor->index_look.fs;

	if (!has_folder(doctor) || !fs->f_files || fs->f_ffree >= fs->f_files / 50)
		return;
	doctor_tell(doctor, DOCTOR_DOUBT, "%llu files can still be made on the index's disk",
		    (unsigned long long)fs->f_ffree);
	doctor_advise_path(doctor, "remove small files: df -i", doctor->index);
}

static void
check_record(struct doctor *doctor)
{
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	struct pxs_error err = { 0 };
	struct stat part;
	int r;

	if (!has_folder(doctor))
		return;
	r = doctor->program->examine->record(doctor->index, &err);
	if (r == -EACCES) {
		doctor_tell(doctor, DOCTOR_SKIPPED, "%s", pxs_error_text(&err, r));
	} else if (r == -ENOENT && !stat_part(doctor, "fts.db", &path, &part)) {
		doctor_tell(doctor, DOCTOR_DOUBT, "there is no index in %s yet", doctor->index);
		doctor_advise(doctor, "pxs ingest DIR makes one; --index names another place");
	} else if (r < 0) {
		doctor_tell(doctor, DOCTOR_FAULT, "%s", pxs_error_text(&err, r));
		doctor_advise(doctor, "put docs.db back from a backup (docs/install.md), or "
				      "upgrade pxs if it is a newer one's");
	}
}

static void
check_wal(struct doctor *doctor)
{
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	struct stat part;

	if (!has_folder(doctor) || !stat_part(doctor, "docs.db-wal", &path, &part) ||
	    part.st_size < WAL_MAX_BYTES)
		return;
	doctor_tell(doctor, DOCTOR_DOUBT,
		    "%s has %lld MiB: something has read docs.db for a very long time",
		    pxs_buf_text(&path), (long long)part.st_size / (long long)MIB);
	doctor_advise(doctor, "end what has it open (fuser -v), then restart the daemon");
}

static void
check_log(struct doctor *doctor)
{
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	struct stat part;

	if (!has_folder(doctor) || !stat_part(doctor, "pxs.log", &path, &part) ||
	    part.st_size < LOG_MAX_BYTES)
		return;
	doctor_tell(doctor, DOCTOR_DOUBT, "%s has %lld MiB", pxs_buf_text(&path),
		    (long long)part.st_size / (long long)MIB);
	doctor_advise(doctor, "move it away, then kill -HUP the daemon; see what it is full of");
}

/* A lock ends with its process. Whoever holds it may be a verb that works, or a daemon that hangs.
 */
static void
check_lock(struct doctor *doctor)
{
	int pid = 0;
	int r;

	if (!has_folder(doctor))
		return;
	r = doctor->program->examine->owner(doctor->index, &pid);
	if (r == -EACCES)
		doctor_tell(doctor, DOCTOR_SKIPPED, "its lock is closed to you");
	if (r < 0 || pid == 0 || doctor->client || doctor->refusal == -EACCES)
		return;
	if (doctor->refusal == -ECONNREFUSED) {
		doctor_tell(doctor, DOCTOR_DOUBT,
			    "process %d has the index open, and is not the daemon that was asked",
			    pid);
		doctor_advise(doctor,
			      "ps %d tells what it is: a verb ends by itself, a daemon's "
			      "socket can be named with --socket",
			      pid);
	} else {
		doctor_tell(doctor, DOCTOR_FAULT,
			    "process %d has the index open, and does not answer", pid);
		doctor_advise(doctor,
			      "ps %d tells what it is; if it hangs: kill -9 %d, and start "
			      "it again",
			      pid, pid);
	}
}

const struct doctor_check DOCTOR_INDEX[] = {
	{ "index", "index-folder", "the folder of the index is there", check_folder },
	{ "index", "index-owner", "folder and record are one user's", check_owner },
	{ "index", "index-mode", "the folder is closed to others", check_mode },
	{ "index", "index-secrets", "keys and tokens are closed to others", check_secrets },
	{ "index", "index-disk", "it is on a local disk that can be written", check_disk },
	{ "index", "index-space", "its disk has room", check_space },
	{ "index", "index-inodes", "its disk can take more files", check_inodes },
	{ "index", "index-record", "docs.db is one that this pxs knows", check_record },
	{ "index", "index-wal", "docs.db's log is short", check_wal },
	{ "index", "index-log", "the daemon's log is short", check_log },
	{ "index", "index-lock", "who has it open answers", check_lock },
	{ 0 },
};
