/* lock.h - one process owns an index. */
#ifndef PXS_INDEX_LOCK_H
#define PXS_INDEX_LOCK_H

struct pxs_error;

/* Lock the folder DIR by its file `lock`, for as long as the descriptor is open, which the kernel
 * ends with the process, whatever happens to it. -EBUSY: ERR says who owns it. */
int lock_take(const char *dir, int *ret_fd, struct pxs_error *err);

/* Who holds that lock, as he wrote into it; 0: nobody. */
int lock_owner(const char *dir, int *ret_pid);

#endif
