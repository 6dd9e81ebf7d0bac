/* The mounts: those that the kernel has, those that the daemon has, those that are wanted. */
#include "cli/doctor.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/answer.h"
#include "cli/mountinfo.h"

static void
check_answers(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->n_mounts; i++) {
		const struct doctor_mount *mount = &doctor->mounts[i];
		int error = mount->look.error;

		/* A mount that is another user's alone is closed even to root. */
		if (mount->is_covered || error == 0 || error == -EACCES)
			continue;
		if (error == -ETIMEDOUT)
			doctor_tell(doctor, DOCTOR_FAULT, "the mount at %s hangs",
				    mount->mountpoint);
		else
			doctor_tell(doctor, DOCTOR_FAULT, "the mount at %s is dead: %s",
				    mount->mountpoint, strerror(-error));
		doctor_advise_path(doctor, geteuid() == 0 ? "umount -l" : "fusermount3 -uz",
				   mount->mountpoint);
	}
}

static void
check_covered(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->n_mounts; i++) {
		if (!doctor->mounts[i].is_covered)
			continue;
		doctor_tell(doctor, DOCTOR_DOUBT, "over the mount at %s lies another one",
			    doctor->mounts[i].mountpoint);
		doctor_advise_path(doctor, "umount", doctor->mounts[i].mountpoint);
	}
}

static const struct doctor_mount *
find_mount(const struct doctor *doctor, const char *mountpoint)
{
	for (size_t i = 0; i < doctor->n_mounts; i++)
		if (strcmp(doctor->mounts[i].mountpoint, mountpoint) == 0)
			return &doctor->mounts[i];
	return NULL;
}

/* What the daemon believes. */
static void
check_seen(struct doctor *doctor)
{
	const json_t *mount;
	size_t i;

	if (!doctor_has_daemon(doctor))
		return;
	json_array_foreach (json_object_get(doctor->status, "mounts"), i, mount) {
		CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;

		if (answer_path(mount, "mountpoint", &path) < 0 ||
		    find_mount(doctor, pxs_buf_text(&path)))
			continue;
		doctor_tell(doctor, DOCTOR_FAULT, "the daemon's mount at %s is not seen here",
			    pxs_buf_text(&path));
		doctor_advise(doctor, "systemctl restart pxs; its unit must have no PrivateTmp=, "
				      "ProtectSystem= and the like");
	}
}

static void
check_wanted(struct doctor *doctor)
{
	const json_t *wanted;
	size_t i;

	if (!doctor_has_daemon(doctor))
		return;
	json_array_foreach (json_object_get(doctor->settings, "mount"), i, wanted) {
		const char *path = json_string_value(wanted);

		if (!path || find_mount(doctor, path))
			continue;
		doctor_tell(doctor, DOCTOR_FAULT,
			    "nothing is mounted at %s, as the configuration wants", path);
		doctor_advise_path(doctor, "pxs mount", path);
	}
}

static void
check_mountpoints(struct doctor *doctor)
{
	const json_t *wanted;
	size_t i;

	json_array_foreach (json_object_get(doctor->settings, "mount"), i, wanted) {
		const char *path = json_string_value(wanted);
		struct doctor_look look;

		if (!path || find_mount(doctor, path))
			continue;
		doctor_look(path, &look);
		if (look.error == -ENOENT) {
			doctor_tell(doctor, DOCTOR_FAULT, "the mountpoint %s is not there", path);
			doctor_advise_path(doctor, "mkdir -p", path);
		} else if (look.error == 0 && !S_ISDIR(look.stat.st_mode)) {
			doctor_tell(doctor, DOCTOR_FAULT, "the mountpoint %s is no folder", path);
			doctor_advise(doctor, "name another one in the configuration");
		}
	}
}

static void
check_others(struct doctor *doctor)
{
	if (!doctor_has_daemon(doctor) || !json_is_true(json_object_get(doctor->status, "public")))
		return;
	for (size_t i = 0; i < doctor->n_mounts; i++) {
		const struct doctor_mount *mount = &doctor->mounts[i];

		if (mount->is_covered || strstr(mount->options, "allow_other"))
			continue;
		doctor_tell(doctor, DOCTOR_DOUBT,
			    "the daemon is public, but only its own user can enter %s",
			    mount->mountpoint);
		doctor_advise(doctor, "pxs umount %s && pxs mount -o allow_other %s",
			      mount->mountpoint, mount->mountpoint);
	}
}

const struct doctor_check DOCTOR_MOUNT[] = {
	{ "mount", "mount-answers", "each mount answers", check_answers },
	{ "mount", "mount-covered", "none lies under another", check_covered },
	{ "mount", "mount-seen", "the daemon's mounts are seen here", check_seen },
	{ "mount", "mount-wanted", "what the configuration wants is mounted", check_wanted },
	{ "mount", "mountpoint", "the wanted mountpoints are folders", check_mountpoints },
	{ "mount", "mount-others", "other users can enter where they should", check_others },
	{ 0 },
};
