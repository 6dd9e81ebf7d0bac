/* sqlite_errno.h - the one translation of SQLite's result codes to ours. */
#ifndef PXS_INDEX_SQLITE_ERRNO_H
#define PXS_INDEX_SQLITE_ERRNO_H

/* RC (plain or extended) as 0 or -errno. SQLITE_CANTOPEN does not say why: then errno, as the call
 * that failed left it, tells -EACCES from -ENOENT. */
int sqlite_errno(int rc);

#endif
