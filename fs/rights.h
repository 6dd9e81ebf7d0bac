/* rights.h - what who asks may do beside reading. */
#ifndef PXS_FS_RIGHTS_H
#define PXS_FS_RIGHTS_H

#include <stdint.h>
#include <sys/types.h>

struct auth_principal;
struct fs_allowances;
struct fs_request;

/* -EPERM: he lacks RIGHT (AUTH_UPDATE, AUTH_DELETE), the request has the sentence. */
int fs_rights_check(struct fs_request *request, unsigned int right, struct auth_principal *ret_who);

/* How many documents each user has deleted lately. */
int fs_allowances_new(struct fs_allowances **ret_allowances);
void fs_allowances_free(struct fs_allowances *allowances);

/* One more by UID, PER_MINUTE at most: 0, or how many seconds to wait. */
int64_t fs_allowances_take(struct fs_allowances *allowances, uid_t uid, unsigned int per_minute);

#endif
