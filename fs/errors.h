/* errors.h - the last failures with their reasons: a file system call can only answer a number. */
#ifndef PXS_FS_ERRORS_H
#define PXS_FS_ERRORS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct fs_errors;
struct pxs_buf;

/* So many are kept. */
#define FS_ERRORS_MAX 100

/* Stands for "everybody" where a user is asked for. */
#define FS_ERRORS_ALL ((uid_t)-1)

int fs_errors_new(struct fs_errors **ret_errors);
void fs_errors_free(struct fs_errors *errors);

/* UID met CODE (negative) at PATH (copied) of node NODE; TEXT says why. */
void fs_errors_add(struct fs_errors *errors, uid_t uid, uint64_t node, const char *path, int code,
		   const char *text);

/* Adds those that UID met, oldest first, one a line:
 *
 *     2026-01-02T10:11:12<TAB>uid<TAB>path<TAB>EINVAL<TAB>sentence */
void fs_errors_print(struct fs_errors *errors, uid_t uid, struct pxs_buf *buf);

/* Adds the sentence of the last one that UID met at NODE; false if there is none. */
bool fs_errors_find(struct fs_errors *errors, uid_t uid, uint64_t node, struct pxs_buf *buf);

#endif
