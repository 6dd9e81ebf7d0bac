#include "index/ingest/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/cleanup.h"

static const char MOUNTINFO[] =
	"22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
	"23 22 0:21 / /proc rw,nosuid - proc proc rw\n"
	"24 22 0:45 / /mnt/a\\040-\\040b rw master:1 propagate_from:2 - fuse.pxs pxs rw,user_id=0\n"
	"230 22 0:46 / /mnt/x rw - fuse.sshfs host: rw\n"
	"25 22 broken\n";

static int
type_of(uint64_t mnt_id, char type[MOUNTS_TYPE_SIZE])
{
	CLEANUP(fclose) FILE *file = fmemopen((void *)MOUNTINFO, strlen(MOUNTINFO), "r");

	assert_non_null(file);
	return mounts_type(file, mnt_id, type);
}

static void
types_are_read(void **state)
{
	char type[MOUNTS_TYPE_SIZE];

	(void)state;
	assert_int_equal(type_of(22, type), 0);
	assert_string_equal(type, "ext4");
	assert_int_equal(type_of(24, type), 0);
	assert_string_equal(type, "fuse.pxs");
	assert_int_equal(type_of(230, type), 0);
	assert_string_equal(type, "fuse.sshfs");
	assert_int_equal(type_of(2, type), -ENOENT);
	assert_int_equal(type_of(25, type), -EBADMSG);
}

static void
types_are_barred(void **state)
{
	(void)state;
	assert_true(mounts_type_is_barred("proc"));
	assert_true(mounts_type_is_barred("autofs"));
	assert_true(mounts_type_is_barred("fuse.pxs"));
	assert_true(mounts_type_is_barred("fuse.pxs-dev"));
	assert_false(mounts_type_is_barred("fuse.sshfs"));
	assert_false(mounts_type_is_barred("ext4"));
	assert_false(mounts_type_is_barred("tmpfs"));
	assert_false(mounts_type_is_barred("nfs4"));
}

static void
the_kernels_own_are_barred(void **state)
{
	struct statx stat;

	(void)state;
	assert_int_equal(statx(AT_FDCWD, "/proc", 0, STATX_MNT_ID, &stat), 0);
	assert_true(mounts_barred(stat.stx_mnt_id));
	assert_int_equal(statx(AT_FDCWD, "/usr", 0, STATX_MNT_ID, &stat), 0);
	assert_false(mounts_barred(stat.stx_mnt_id));
	assert_true(mounts_barred(UINT32_MAX));
}

int
main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(types_are_read),
		cmocka_unit_test(types_are_barred),
		cmocka_unit_test(the_kernels_own_are_barred),
	};

	return cmocka_run_group_tests_name("mounts", TESTS, NULL, NULL);
}
