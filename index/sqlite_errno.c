#include "index/sqlite_errno.h"

#include <errno.h>
#include <stddef.h>

#include <sqlite3.h>

#include "base/macros.h"

static const struct {
	int rc; /* primary: the low byte of an extended code */
	int result;
} RESULTS[] = {
	{ SQLITE_OK, 0 },
	{ SQLITE_ROW, 0 },
	{ SQLITE_DONE, 0 },
	{ SQLITE_FULL, -ENOSPC },
	{ SQLITE_BUSY, -EBUSY },
	{ SQLITE_LOCKED, -EBUSY },
	{ SQLITE_CORRUPT, -EBADMSG },
	{ SQLITE_NOTADB, -EBADMSG },
	{ SQLITE_NOMEM, -ENOMEM },
	{ SQLITE_READONLY, -EROFS },
	{ SQLITE_INTERRUPT, -ECANCELED },
	{ SQLITE_PERM, -EACCES },
	{ SQLITE_AUTH, -EACCES },
};

static int
cantopen(int os_errno)
{
	switch (os_errno) {
	case EACCES:
	case EPERM:
		return -EACCES;
	case ENOENT:
		return -ENOENT;
	default:
		return -EIO;
	}
}

int
sqlite_errno(int rc)
{
	int os_errno = errno;

	rc &= 0xff;
	if (rc == SQLITE_CANTOPEN)
		return cantopen(os_errno);

	for (size_t i = 0; i < ARRAY_SIZE(RESULTS); i++)
		if (RESULTS[i].rc == rc)
			return RESULTS[i].result;
	return -EIO;
}
