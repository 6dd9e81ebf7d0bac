/* What other programs do with the mounts: fstab, updatedb, Samba, NFS. */
#include "cli/doctor.h"

#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/macros.h"

#define SAMBA "/etc/samba/smb.conf"
#define UPDATEDB "/etc/updatedb.conf"

/* Calls EACH with every line of the file at PATH, without the blanks at its ends. */
static void
for_lines(const char *path, void (*each)(void *context, char *line), void *context)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;
	char *save = NULL;

	if (doctor_read(path, &text) < 0 || !text.data)
		return;
	for (char *line = strtok_r(text.data, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		size_t len;

		line += strspn(line, " \t");
		len = strlen(line);
		while (len > 0 && isspace((unsigned char)line[len - 1]))
			line[--len] = '\0';
		each(context, line);
	}
}

/* --- fstab --- */

static void
look_at_fstab_line(void *context, char *line)
{
	struct doctor *doctor = context;
	struct doctor_look look;
	char path[4096];
	char type[64];

	if (line[0] == '#' || sscanf(line, "%*s %4095s %63s", path, type) != 2 ||
	    strcmp(type, "fuse.pxs") != 0)
		return;
	if (access("/sbin/mount.fuse", X_OK) < 0) {
		doctor_tell(doctor, DOCTOR_FAULT,
			    "/etc/fstab mounts %s, but there is no /sbin/mount.fuse", path);
		doctor_advise(doctor, "apt install fuse3");
	}
	doctor_look(path, &look);
	if (look.error != -ENOENT)
		return;
	doctor_tell(doctor, DOCTOR_FAULT, "the mountpoint %s of /etc/fstab is not there", path);
	doctor_advise_path(doctor, "mkdir -p", path);
}

static void
check_fstab(struct doctor *doctor)
{
	for_lines("/etc/fstab", look_at_fstab_line, doctor);
}

/* --- updatedb --- */

bool
doctor_updatedb_prunes(const char *text)
{
	for (const char *line = text; line; line = strchr(line, '\n')) {
		CLEANUP(free) char *one = NULL;

		line += *line == '\n';
		one = strndup(line, strcspn(line, "\n"));
		if (one && strncmp(one, "PRUNEFS", 7) == 0 &&
		    (strstr(one, "fuse.pxs") || strstr(one, "fuse ") || strstr(one, "fuse\"")))
			return true;
	}
	return false;
}

/* As contrib/updatedb-pxs.conf does it. */
static bool
has_updatedb_drop_in(void)
{
	glob_t files;
	bool found = false;

	if (glob("/etc/systemd/system/*updatedb.service.d/*.conf", 0, NULL, &files) != 0)
		return false;
	for (size_t i = 0; i < files.gl_pathc && !found; i++) {
		CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

		found = doctor_read(files.gl_pathv[i], &text) == 0 &&
			strstr(pxs_buf_text(&text), "--add-prunefs fuse.pxs");
	}
	globfree(&files);
	return found;
}

static void
check_updatedb(struct doctor *doctor)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;

	if (doctor_read(UPDATEDB, &text) < 0 || doctor_updatedb_prunes(pxs_buf_text(&text)) ||
	    has_updatedb_drop_in())
		return;
	doctor_tell(doctor, DOCTOR_DOUBT, "updatedb walks through every mount of pxs");
	doctor_advise(doctor, "sed -i 's/^\\(PRUNEFS *= *\"\\)/\\1fuse.pxs /' " UPDATEDB);
}

/* --- Samba --- */

/* What contrib/smb.conf sets against listings that take minutes. */
static const char *const SHARE_WANTS[] = { "ea support", "store dos attributes", "mangled names" };

struct share {
	struct doctor *doctor;
	const struct doctor_mount *mount; /* NULL: this section is not of one */
	char name[128];
	bool has[ARRAY_SIZE(SHARE_WANTS)];
};

/* A section is over. */
static void
judge_share(struct share *share)
{
	for (size_t i = 0; i < ARRAY_SIZE(SHARE_WANTS) && share->mount; i++) {
		if (share->has[i])
			continue;
		doctor_tell(
			share->doctor, DOCTOR_DOUBT,
			"the share %s of %s has no \"%s = no\": listing it is slow, or its names "
			"are others",
			share->name, share->mount->mountpoint, SHARE_WANTS[i]);
		doctor_advise(share->doctor, "take over contrib/smb.conf (docs/smb.md), then "
					     "smbcontrol all reload-config");
		break;
	}
	if (share->mount && !strstr(share->mount->options, "allow_other")) {
		doctor_tell(share->doctor, DOCTOR_FAULT,
			    "Samba shares %s, which only its own user can enter",
			    share->mount->mountpoint);
		doctor_advise(share->doctor, "public = yes in pxs's configuration, then systemctl "
					     "restart pxs");
	}
	share->mount = NULL;
	memset(share->has, 0, sizeof(share->has));
}

static void
look_at_share_line(void *context, char *line)
{
	struct share *share = context;
	char *value = strchr(line, '=');
	const struct doctor *doctor = share->doctor;

	if (line[0] == '[') {
		judge_share(share);
		(void)snprintf(share->name, sizeof(share->name), "%s", line);
	}
	if (!value || line[0] == '#' || line[0] == ';')
		return;
	value += 1 + strspn(value + 1, " \t");
	for (size_t i = 0; i < doctor->n_mounts && strncmp(line, "path", 4) == 0; i++)
		if (doctor_is_inside(value, doctor->mounts[i].mountpoint))
			share->mount = &doctor->mounts[i];
	for (size_t i = 0; i < ARRAY_SIZE(SHARE_WANTS); i++)
		if (strncmp(line, SHARE_WANTS[i], strlen(SHARE_WANTS[i])) == 0)
			share->has[i] = strcmp(value, "no") == 0;
}

void
doctor_look_at_shares(struct doctor *doctor, const char *path)
{
	struct share share = { .doctor = doctor };

	for_lines(path, look_at_share_line, &share);
	judge_share(&share);
}

static void
check_samba(struct doctor *doctor)
{
	doctor_look_at_shares(doctor, SAMBA);
}

/* --- The kernel's NFS server, for which the mount has no device --- */

static void
look_at_exports_line(void *context, char *line)
{
	struct doctor *doctor = context;
	bool has_id;

	if (line[0] == '#')
		return;
	has_id = strstr(line, "fsid=") != NULL;
	line[strcspn(line, " \t")] = '\0';
	for (size_t i = 0; i < doctor->n_mounts; i++) {
		if (has_id || !*line || !doctor_is_inside(line, doctor->mounts[i].mountpoint))
			continue;
		doctor_tell(doctor, DOCTOR_FAULT,
			    "/etc/exports has %s, a mount of pxs, without fsid=", line);
		doctor_advise(doctor, "add fsid=$(uuidgen) to its options, then: exportfs -r");
	}
}

static void
check_exports(struct doctor *doctor)
{
	for_lines("/etc/exports", look_at_exports_line, doctor);
}

const struct doctor_check DOCTOR_EXPORT[] = {
	{ "exports", "fstab", "what /etc/fstab mounts can be mounted", check_fstab },
	{ "exports", "updatedb", "updatedb keeps out of the mounts", check_updatedb },
	{ "exports", "samba", "Samba's shares of mounts are set up for it", check_samba },
	{ "exports", "nfs", "the kernel can export what it should", check_exports },
	{ 0 },
};
