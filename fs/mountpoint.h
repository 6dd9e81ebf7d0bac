/* mountpoint.h - whether a folder can be mounted on, with a sentence where it cannot. */
#ifndef PXS_FS_MOUNTPOINT_H
#define PXS_FS_MOUNTPOINT_H

struct fs_options;
struct pxs_error;

/* PATH without symlinks, dots and doubled slashes, whatever is mounted there; the caller's to free.
 * -EINVAL: it is not absolute; -ENOENT ... as realpath() of the folder above. */
int fs_mountpoint_resolve(const char *path, char **ret_path, struct pxs_error *err);

/* Also cleans away a dead mount of ours that is left there. -ENOENT -ENOTDIR -ENOTEMPTY
 * -EBUSY -EACCES -ENODEV: ERR says what to do. */
int fs_mountpoint_prepare(const struct fs_options *options, struct pxs_error *err);

#endif
