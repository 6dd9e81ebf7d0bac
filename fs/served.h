/* served.h - which content of a document the kernel may still hold in its page cache. */
#ifndef PXS_FS_SERVED_H
#define PXS_FS_SERVED_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct fs_served;

int fs_served_new(struct fs_served **ret_served);
void fs_served_free(struct fs_served *served);

/* Records that the file with attributes ST is opened as document ROW. Whether what was opened so
 * last was the same content, as far as its attributes tell: then cached pages are good. */
bool fs_served_is_same(struct fs_served *served, uint64_t row, const struct stat *st);

#endif
