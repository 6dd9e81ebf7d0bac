/* SQLite's codes as ours, by rows. */
#include "index/sqlite_errno.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/macros.h"

static const struct row {
	const char *name;
	int rc;
	int os_errno;
	int result;
} ROWS[] = {
	{ "success", SQLITE_OK, EIO, 0 },
	{ "a row", SQLITE_ROW, 0, 0 },
	{ "no more rows", SQLITE_DONE, 0, 0 },
	{ "a full disk", SQLITE_FULL, 0, -ENOSPC },
	{ "busy", SQLITE_BUSY, 0, -EBUSY },
	{ "busy, extended", SQLITE_BUSY_SNAPSHOT, 0, -EBUSY },
	{ "locked", SQLITE_LOCKED, 0, -EBUSY },
	{ "corrupt", SQLITE_CORRUPT, 0, -EBADMSG },
	{ "a corrupt virtual table", SQLITE_CORRUPT_VTAB, 0, -EBADMSG },
	{ "no database", SQLITE_NOTADB, 0, -EBADMSG },
	{ "no memory", SQLITE_NOMEM, 0, -ENOMEM },
	{ "read-only", SQLITE_READONLY, 0, -EROFS },
	{ "interrupted", SQLITE_INTERRUPT, 0, -ECANCELED },
	{ "no permission", SQLITE_PERM, 0, -EACCES },
	{ "not authorised", SQLITE_AUTH, 0, -EACCES },
	{ "an input or output error", SQLITE_IOERR_READ, EACCES, -EIO },
	{ "any other", SQLITE_ERROR, ENOENT, -EIO },
	{ "no such folder", SQLITE_CANTOPEN, ENOENT, -ENOENT },
	{ "a forbidden folder", SQLITE_CANTOPEN, EACCES, -EACCES },
	{ "a forbidden file", SQLITE_CANTOPEN, EPERM, -EACCES },
	{ "a file that cannot be opened otherwise", SQLITE_CANTOPEN, EMFILE, -EIO },
};

static void
check_row(void **state)
{
	const struct row *row = *state;

	errno = row->os_errno;
	assert_int_equal(sqlite_errno(row->rc), row->result);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(ROWS)];

	/* One named test for each row, so that a failure says which. */
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
		tests[i] = (struct CMUnitTest){
			.name = ROWS[i].name,
			.test_func = check_row,
			.initial_state = (void *)(uintptr_t)&ROWS[i],
		};
	return cmocka_run_group_tests_name("sqlite_errno", tests, NULL, NULL);
}
