/* beneath.h - opens what lies below a folder and never leaves it: no symlink on the way or at the
 * end is followed, no ".." is, so a tree that changes under the scan cannot lead it elsewhere. */
#ifndef PXS_INDEX_INGEST_BENEATH_H
#define PXS_INDEX_INGEST_BENEATH_H

/* Open PATH, relative to the folder FOLDER and of any length ("" is FOLDER itself), for reading or,
 * with O_PATH, just as a place. FLAGS are those of open(2); O_NOFOLLOW and O_CLOEXEC are added, and
 * the access time is left alone where the system permits.
 *
 * 0 or -errno as openat2(2): -ELOOP for a symlink. */
int beneath_open(int folder, const char *path, int flags, int *ret_fd);

#endif
