/* mounts.h - which mounted file systems hold no files for a catalogue. */
#ifndef PXS_INDEX_INGEST_MOUNTS_H
#define PXS_INDEX_INGEST_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define MOUNTS_TYPE_SIZE 64

/* The type ("ext4", "fuse.sshfs") of the mount that statx(2) calls MNT_ID, read from MOUNTINFO, a
 * file like /proc/self/mountinfo (proc_pid_mountinfo(5)). -ENOENT: not mounted. */
int mounts_type(FILE *mountinfo, uint64_t mnt_id, char type[MOUNTS_TYPE_SIZE]);

/* Calls EACH with the place of every mount in MOUNTS, a file like /proc/self/mounts (fstab(5)),
 * that is FOLDER or below it and not barred, until it returns a negative errno, which is returned.
 */
int mounts_below(FILE *mounts, const char *folder, int (*each)(void *context, const char *place),
		 void *context);

/* Whether a scan stays out of file systems of TYPE: the kernel's own, and our mounts, which would
 * show the catalogue to itself. */
bool mounts_type_is_barred(const char *type);

/* The same of the mount MNT_ID as it is now. What cannot be found out is barred. */
bool mounts_barred(uint64_t mnt_id);

#endif
