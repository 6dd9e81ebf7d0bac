/* The machine: FUSE, the kernel, limits, memory, the clock, what it knows of file types. */
#include "cli/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/macros.h"

#define FILES_MIN 4096
#define MEMORY_MIN_KB (256LL * 1024)
#define MARKS_MIN 128
/* No machine's clock can be right that shows an earlier year. */
#define YEAR_MIN 2024

static void
check_fuse_device(struct doctor *doctor)
{
	CLEANUP(close) int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return;
	doctor_tell(doctor, DOCTOR_FAULT, "/dev/fuse cannot be opened: %s", strerror(errno));
	if (errno == EACCES)
		doctor_advise(doctor, "chmod 0666 /dev/fuse");
	else
		doctor_advise(doctor, "modprobe fuse; in a container, run it with --device "
				      "/dev/fuse --cap-add SYS_ADMIN");
}

static void
check_fuse_module(struct doctor *doctor)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

	if (doctor_read("/proc/filesystems", &text) < 0 || strstr(pxs_buf_text(&text), "\tfuse\n"))
		return;
	doctor_tell(doctor, DOCTOR_DOUBT, "the kernel does not have FUSE loaded");
	doctor_advise(doctor, "modprobe fuse");
}

/* Where a shell would find NAME. */
static bool
find_program(const char *name, struct stat *ret_stat)
{
	static const char *const FOLDERS[] = { "/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin",
					       "/sbin" };

	for (size_t i = 0; i < ARRAY_SIZE(FOLDERS); i++) {
		CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;

		pxs_buf_addf(&path, "%s/%s", FOLDERS[i], name);
		if (stat(pxs_buf_text(&path), ret_stat) == 0)
			return true;
	}
	return false;
}

/* Root mounts without its help. */
static void
check_fusermount(struct doctor *doctor)
{
	struct stat program;

	if (!find_program("fusermount3", &program)) {
		doctor_tell(doctor, geteuid() == 0 ? DOCTOR_DOUBT : DOCTOR_FAULT,
			    "there is no fusermount3: only root can mount");
		doctor_advise(doctor, "apt install fuse3");
	} else if (!(program.st_mode & S_ISUID) || program.st_uid != 0) {
		doctor_tell(doctor, geteuid() == 0 ? DOCTOR_DOUBT : DOCTOR_FAULT,
			    "fusermount3 is not setuid root: only root can mount");
		doctor_advise(doctor, "chmod u+s $(command -v fusermount3)");
	}
}

static bool
wants_others(const struct doctor *doctor)
{
	const char *options = doctor_setting(doctor, "mount-options");
	const char *is_public = doctor_setting(doctor, "public");

	return (options && strstr(options, "allow_other")) ||
	       (is_public && strcmp(is_public, "yes") == 0);
}

static void
check_fuse_conf(struct doctor *doctor)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

	if (geteuid() == 0 || !wants_others(doctor))
		return;
	(void)doctor_read("/etc/fuse.conf", &text);
	if (strncmp(pxs_buf_text(&text), "user_allow_other", 16) == 0 ||
	    strstr(pxs_buf_text(&text), "\nuser_allow_other"))
		return;
	doctor_tell(doctor, DOCTOR_FAULT,
		    "the configuration lets other users into the mount, /etc/fuse.conf does not");
	doctor_advise(doctor, "echo user_allow_other | sudo tee -a /etc/fuse.conf");
}

bool
doctor_is_kernel_since(const char *release, long major, long minor)
{
	char *end = NULL;
	long found = strtol(release, &end, 10);

	if (found != major)
		return found > major;
	return *end == '.' && strtol(end + 1, NULL, 10) >= minor;
}

/* fanotify(7): FAN_RENAME. */
static void
check_kernel(struct doctor *doctor)
{
	struct utsname name;

	if (uname(&name) < 0 || doctor_is_kernel_since(name.release, 5, 17))
		return;
	doctor_tell(doctor, DOCTOR_DOUBT,
		    "Linux %s cannot tell what changes in the sources; 5.17 can", name.release);
	doctor_advise(doctor, "upgrade the kernel, or set rescan = 6h in the configuration");
}

static void
check_fanotify(struct doctor *doctor)
{
	CLEANUP(pxs_buf) struct pxs_buf marks = PXS_BUF_INIT;

	if (doctor_read("/proc/sys/fs/fanotify/max_user_marks", &marks) < 0) {
		doctor_tell(doctor, DOCTOR_DOUBT,
			    "this kernel has no fanotify: changes in sources are not followed");
		doctor_advise(doctor, "set rescan = 6h in the configuration");
	} else if (strtoll(pxs_buf_text(&marks), NULL, 10) < MARKS_MIN) {
		doctor_tell(doctor, DOCTOR_DOUBT, "a user may follow only %lld file systems",
			    strtoll(pxs_buf_text(&marks), NULL, 10));
		doctor_advise(doctor, "sysctl fs.fanotify.max_user_marks=8192");
	}
}

static void
check_open_files(struct doctor *doctor)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_max >= FILES_MIN)
		return;
	doctor_tell(doctor, DOCTOR_DOUBT,
		    "a process started from here may open %llu files only; many clients need more",
		    (unsigned long long)limit.rlim_max);
	doctor_advise(doctor, "ulimit -Hn 65536, or LimitNOFILE=65536 in the service's unit");
}

static void
check_memory(struct doctor *doctor)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;
	long long available;

	if (doctor_read("/proc/meminfo", &text) < 0)
		return;
	available = doctor_number(pxs_buf_text(&text), "MemAvailable:", MEMORY_MIN_KB);
	if (available >= MEMORY_MIN_KB)
		return;
	doctor_tell(doctor, DOCTOR_DOUBT, "%lld MB of memory are free", available / 1024);
	doctor_advise(doctor, "end what uses it (top -o %%MEM), or add some");
}

static void
check_clock(struct doctor *doctor)
{
	time_t now = time(NULL);
	struct tm tm;

	if (!gmtime_r(&now, &tm) || tm.tm_year + 1900 < YEAR_MIN) {
		doctor_tell(doctor, DOCTOR_FAULT, "the clock cannot be right: it shows the year %d",
			    tm.tm_year + 1900);
		doctor_advise(doctor, "timedatectl set-ntp true");
	} else if (doctor->index_look.error == 0 &&
		   doctor->index_look.stat.st_mtime > now + 24 * 3600) {
		doctor_tell(doctor, DOCTOR_DOUBT,
			    "the clock has gone back: the index was changed "
			    "more than a day after now");
		doctor_advise(doctor, "timedatectl set-ntp true");
	}
}

static void
check_mime_types(struct doctor *doctor)
{
	if (access("/usr/share/mime/globs2", R_OK) == 0)
		return;
	doctor_tell(doctor, DOCTOR_FAULT,
		    "/usr/share/mime/globs2 cannot be read: nothing tells types from names");
	doctor_advise(doctor, "apt install shared-mime-info && update-mime-database "
			      "/usr/share/mime");
}

/* A user's socket is there, and verbs without a daemon make theirs there. */
static void
check_runtime_folder(struct doctor *doctor)
{
	const char *folder = getenv("XDG_RUNTIME_DIR");
	struct doctor_look look;

	if (!folder || !*folder)
		return;
	doctor_look(folder, &look);
	if (look.error < 0) {
		doctor_tell(doctor, DOCTOR_DOUBT, "XDG_RUNTIME_DIR, %s: %s", folder,
			    strerror(-look.error));
		doctor_advise(doctor, "unset XDG_RUNTIME_DIR, or log in anew");
	} else if (look.stat.st_uid != geteuid() && geteuid() != 0) {
		doctor_tell(doctor, DOCTOR_DOUBT, "XDG_RUNTIME_DIR, %s, is another user's", folder);
		doctor_advise(doctor, "unset XDG_RUNTIME_DIR");
	}
}

const struct doctor_check DOCTOR_MACHINE[] = {
	{ "machine", "fuse-device", "/dev/fuse can be opened", check_fuse_device },
	{ "machine", "fuse-module", "the kernel has FUSE", check_fuse_module },
	{ "machine", "fusermount", "fusermount3 lets users mount", check_fusermount },
	{ "machine", "fuse-conf", "/etc/fuse.conf allows what is wanted", check_fuse_conf },
	{ "machine", "kernel", "the kernel is new enough to follow sources", check_kernel },
	{ "machine", "fanotify", "the kernel lets sources be followed", check_fanotify },
	{ "machine", "open-files", "enough files may be open", check_open_files },
	{ "machine", "memory", "there is free memory", check_memory },
	{ "machine", "clock", "the clock is sane", check_clock },
	{ "machine", "mime-types", "the database of file types is there", check_mime_types },
	{ "machine", "runtime-folder", "the folder for sockets is ours", check_runtime_folder },
	{ 0 },
};
