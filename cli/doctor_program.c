/* The program and its service: what it needs to run, and to be started at all. */
#include "cli/doctor.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/macros.h"
#include "cli/cli.h"

#define UNIT "pxs.service"

static void
check_engine(struct doctor *doctor)
{
	struct pxs_error err = { 0 };
	int r = doctor->program->examine->program(&err);

	if (r == 0)
		return;
	doctor_tell(doctor, DOCTOR_FAULT, "%s", pxs_error_text(&err, r));
	doctor_advise(doctor, "use the SQLite of the distribution: unset LD_LIBRARY_PATH; apt "
			      "install --reinstall libsqlite3-0");
}

static bool
wants_logins(const struct doctor *doctor)
{
	return doctor_setting(doctor, "auth") || doctor_setting(doctor, "rest");
}

static void
check_helper(struct doctor *doctor, const char *built, enum doctor_verdict verdict,
	     const char *consequence)
{
	CLEANUP(free) char *path = NULL;

	if (doctor->program->examine->helper(built, &path) < 0 || access(path, X_OK) == 0)
		return;
	doctor_tell(doctor, verdict, "%s: %s; %s", path, strerror(errno), consequence);
	doctor_advise(doctor, "install pxs whole: meson install -C build");
}

static void
check_helpers(struct doctor *doctor)
{
	check_helper(doctor, "auth/pxs-auth", wants_logins(doctor) ? DOCTOR_FAULT : DOCTOR_DOUBT,
		     "users of this machine cannot log in");
	check_helper(doctor, "fs/pxs-announce", DOCTOR_DOUBT,
		     "programs that watch folders of the mount are not told of changes");
}

/* The file that a shell starts. */
static bool
find_on_path(const char *name, struct pxs_buf *ret_path)
{
	const char *folders = getenv("PATH");

	while (folders && *folders) {
		size_t len = strcspn(folders, ":");

		pxs_buf_clear(ret_path);
		pxs_buf_add(ret_path, folders, len);
		pxs_buf_addf(ret_path, "/%s", name);
		if (access(pxs_buf_text(ret_path), X_OK) == 0)
			return true;
		folders += len + (folders[len] == ':');
	}
	return false;
}

static void
check_path(struct doctor *doctor)
{
	CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
	struct stat found;
	struct stat self;

	if (!find_on_path("pxs", &path) || stat(pxs_buf_text(&path), &found) < 0 ||
	    stat("/proc/self/exe", &self) < 0 ||
	    (found.st_dev == self.st_dev && found.st_ino == self.st_ino))
		return;
	doctor_tell(doctor, DOCTOR_DOUBT, "`pxs` starts another program than this one, %s",
		    pxs_buf_text(&path));
	doctor_advise(doctor, "remove the one that is old: type -a pxs");
}

/* As the daemon chooses it (pam_service() there). */
static void
check_pam(struct doctor *doctor)
{
	const char *service = doctor_setting(doctor, "pam");
	char path[4096];

	if (!wants_logins(doctor) || (service && strcmp(service, "none") == 0))
		return;
	(void)snprintf(path, sizeof(path), "/etc/pam.d/%s", service ? service : "pxs");
	if (access(path, F_OK) == 0)
		return;
	doctor_tell(doctor, service ? DOCTOR_FAULT : DOCTOR_DOUBT,
		    "there is no %s: this machine's users cannot log in", path);
	doctor_advise_path(doctor, "cp contrib/pam.d-pxs", path);
}

/* pam_unix tells a plain user about himself only. */
static void
check_pam_rights(struct doctor *doctor)
{
	if (geteuid() == 0 || !doctor_setting(doctor, "auth") || access("/etc/shadow", R_OK) == 0)
		return;
	doctor_tell(doctor, DOCTOR_DOUBT,
		    "a daemon of this user can check no password but his own");
	doctor_advise(doctor, "run it as root, or make users of its own: pxs user add NAME");
}

/* --- systemd --- */

/* The value of KEY where TEXT, a unit, sets it last; false: nowhere. */
static bool
unit_value(const char *text, const char *key, char *value, size_t size)
{
	size_t len = strlen(key);
	bool found = false;

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, len) != 0 || line[len] != '=')
			continue;
		(void)snprintf(value, size, "%.*s", (int)strcspn(line + len + 1, "\n"),
			       line + len + 1);
		found = true;
	}
	return found;
}

const char *
doctor_unit_hides(const char *text)
{
	/* systemd.exec(5): each of these gives the unit a mount namespace. */
	static const char *const KEYS[] = {
		"PrivateTmp",
		"PrivateMounts",
		"PrivateDevices",
		"ProtectSystem",
		"ProtectHome",
		"ReadOnlyPaths",
		"ReadWritePaths",
		"InaccessiblePaths",
		"TemporaryFileSystem",
		"BindPaths",
		"ProtectKernelTunables",
		"RootDirectory",
		"ProtectKernelModules",
		"ProtectControlGroups",
		"DynamicUser",
		"MountFlags",
	};
	char value[256];

	for (size_t i = 0; i < ARRAY_SIZE(KEYS); i++)
		if (unit_value(text, KEYS[i], value, sizeof(value)) && *value &&
		    strcmp(value, "no") != 0 && strcmp(value, "false") != 0)
			return KEYS[i];
	return NULL;
}

/* Calls EACH with the text of every file that the unit is made of. */
static void
for_unit_files(struct doctor *doctor,
	       void (*each)(struct doctor *doctor, const char *path, const char *text))
{
	static const char PATTERN[] = "{/etc/systemd/system,/run/systemd/system,"
				      "/usr/local/lib/systemd/system,/usr/lib/systemd/system}"
				      "/" UNIT "{,.d/*.conf}";
	glob_t files;

	if (glob(PATTERN, GLOB_BRACE, NULL, &files) != 0)
		return;
	for (size_t i = 0; i < files.gl_pathc; i++) {
		CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

		if (doctor_read(files.gl_pathv[i], &text) == 0)
			each(doctor, files.gl_pathv[i], pxs_buf_text(&text));
	}
	globfree(&files);
}

static void
look_for_namespace(struct doctor *doctor, const char *path, const char *text)
{
	const char *key = doctor_unit_hides(text);

	if (!key)
		return;
	doctor_tell(doctor, DOCTOR_FAULT,
		    "%s= in %s gives the daemon a mount namespace: nobody else sees its mounts",
		    key, path);
	doctor_advise(doctor, "take it out of %s; systemctl daemon-reload; systemctl restart pxs",
		      path);
}

static void
check_namespace(struct doctor *doctor)
{
	for_unit_files(doctor, look_for_namespace);
}

static void
look_for_program(struct doctor *doctor, const char *path, const char *text)
{
	char command[4096];
	char *config;

	if (!unit_value(text, "ExecStart", command, sizeof(command)) || command[0] != '/')
		return;
	config = strstr(command, " --config ");
	if (config) {
		config += strlen(" --config ");
		config[strcspn(config, " ")] = '\0';
	}
	command[strcspn(command, " ")] = '\0';
	if (access(command, X_OK) < 0) {
		doctor_tell(doctor, DOCTOR_FAULT, "%s starts %s, which cannot be started: %s", path,
			    command, strerror(errno));
		doctor_advise(doctor, "install pxs whole: meson install -C build");
	}
	if (config && access(config, F_OK) < 0 && errno == ENOENT) {
		doctor_tell(doctor, DOCTOR_DOUBT, "%s wants %s, which is not there", path, config);
		doctor_advise_path(doctor, "cp /usr/local/share/doc/pxs/examples/pxs.conf", config);
	}
}

static void
check_unit_program(struct doctor *doctor)
{
	for_unit_files(doctor, look_for_program);
}

/* Apart, as systemd may hang. RESULT: 64 bytes. */
static void
ask_systemd(const void *context, void *result)
{
	FILE *file = popen("systemctl is-failed " UNIT " 2>/dev/null", "re");

	(void)context;
	if (!file)
		return;
	if (!fgets(result, 64, file))
		*(char *)result = '\0';
	(void)pclose(file);
}

static void
check_failed(struct doctor *doctor)
{
	char answer[64] = "";

	if (access("/run/systemd/system", F_OK) < 0) {
		doctor_tell(doctor, DOCTOR_SKIPPED, "this machine does not run systemd");
		return;
	}
	if (doctor_apart(ask_systemd, NULL, answer, sizeof(answer)) < 0) {
		doctor_tell(doctor, DOCTOR_DOUBT, "systemd does not answer");
		doctor_advise(doctor, "systemctl status");
	} else if (strncmp(answer, "failed", 6) == 0) {
		doctor_tell(doctor, DOCTOR_FAULT, "the service has failed");
		doctor_advise(doctor,
			      "journalctl -u pxs -n 20 tells why; then systemctl restart pxs");
	}
}

const struct doctor_check DOCTOR_PROGRAM[] = {
	{ "program", "engine", "its SQLite has what the index needs", check_engine },
	{ "program", "helpers", "its helpers are there", check_helpers },
	{ "program", "path", "`pxs` is this program", check_path },
	{ "program", "pam", "PAM knows of it, where users log in", check_pam },
	{ "program", "pam-rights", "it may check passwords, where users log in", check_pam_rights },
	{ "program", "service-failed", "its service has not failed", check_failed },
	{ "program", "service-program", "its service starts what is there", check_unit_program },
	{ "program", "service-mounts", "its service's mounts are seen by all", check_namespace },
	{ 0 },
};
