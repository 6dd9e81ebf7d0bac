/* Looking at an index from outside. The record's header is read as bytes: SQLite would make files
 * beside it to read it. */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <sqlite3.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "index/index.h"
#include "index/lock.h"
#include "index/store.h"

/* "The Database Header" of SQLite's file format; numbers are big-endian. */
#define HEADER_SIZE 100
#define AT_PAGE_SIZE 16
#define AT_PAGE_COUNT 28
#define AT_USER_VERSION 60
#define AT_APPLICATION_ID 68

static uint32_t
number_at(const unsigned char *header, size_t at)
{
	uint32_t number;

	memcpy(&number, header + at, sizeof(number));
	return be32toh(number);
}

/* A page size of 65,536 is stored as 1. */
static uint64_t
page_bytes(const unsigned char *header)
{
	uint64_t bytes = (uint64_t)header[AT_PAGE_SIZE] << 8 | header[AT_PAGE_SIZE + 1];

	return bytes == 1 ? 65536 : bytes;
}

/* While there is a log, the newest header and pages may be in it. */
static bool
has_log(const char *path)
{
	char log[4096];
	struct stat stat_buf;

	return snprintf(log, sizeof(log), "%s-wal", path) < (int)sizeof(log) &&
	       stat(log, &stat_buf) == 0 && stat_buf.st_size > 0;
}

static int
examine_header(const char *path, const unsigned char *header, uint64_t size, struct pxs_error *err)
{
	static const char SQLITE[] = "SQLite format 3";
	uint32_t version = number_at(header, AT_USER_VERSION);
	uint32_t magic = number_at(header, AT_APPLICATION_ID);
	uint64_t wanted = number_at(header, AT_PAGE_COUNT) * page_bytes(header);

	if (memcmp(header, SQLITE, sizeof(SQLITE)) != 0)
		return pxs_error_set(err, -EBADMSG, -1, "%s is no SQLite database", path);
	if (version > STORE_VERSION)
		return pxs_error_set(err, -EBADMSG, -1,
				     "%s has format %u but this pxs knows only %d: it was written "
				     "by a newer pxs",
				     path, version, STORE_VERSION);
	if (version != 0 && magic != STORE_MAGIC)
		return pxs_error_set(err, -EBADMSG, -1, "%s is not a database of pxs", path);
	if (size < wanted && !has_log(path))
		return pxs_error_set(err, -EBADMSG, -1, "%s is cut short: %llu of %llu bytes", path,
				     (unsigned long long)size, (unsigned long long)wanted);
	return 0;
}

int
index_examine(const char *dir, struct pxs_error *err)
{
	unsigned char header[HEADER_SIZE];
	CLEANUP(close) int fd = -1;
	struct stat stat_buf;
	char path[4096];
	ssize_t n;

	if (snprintf(path, sizeof(path), "%s/docs.db", dir) >= (int)sizeof(path))
		return pxs_error_set(err, -ENAMETOOLONG, -1, "the path of the index is too long");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &stat_buf) < 0)
		return pxs_error_set(err, -errno, -1, "cannot open %s: %s", path, strerror(errno));
	n = pread(fd, header, sizeof(header), 0);
	if (n < 0)
		return pxs_error_set(err, -errno, -1, "cannot read %s: %s", path, strerror(errno));
	if (n == 0 && has_log(path))
		return 0; /* new: all is in the log */
	if (n < (ssize_t)sizeof(header))
		return pxs_error_set(err, -EBADMSG, -1, "%s has %zd bytes: it is no database", path,
				     n);
	return examine_header(path, header, (uint64_t)stat_buf.st_size, err);
}

int
index_owner(const char *dir, int *ret_pid)
{
	return lock_owner(dir, ret_pid);
}

int
index_engine_examine(struct pxs_error *err)
{
	if (!sqlite3_compileoption_used("ENABLE_FTS5"))
		return pxs_error_set(err, -ENOSYS, -1, "SQLite %s was built without FTS5",
				     sqlite3_libversion());
	if (!sqlite3_threadsafe())
		return pxs_error_set(err, -ENOSYS, -1, "SQLite %s was built for one thread",
				     sqlite3_libversion());
	return 0;
}
