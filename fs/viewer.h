/* viewer.h - as whom the catalogue is seen: with visibility=unix, a document is there only for who
 * could stat its file. */
#ifndef PXS_FS_VIEWER_H
#define PXS_FS_VIEWER_H

#include <stdint.h>

struct fs_request;
struct fs_viewers;
struct index_view;

int fs_viewers_new(struct fs_viewers **ret_viewers);
void fs_viewers_free(struct fs_viewers *viewers);

/* The newest generation as whoever asks sees it; the caller's to put. Who has the same KEY sees the
 * same; 0: everything. Errors as index_view_for(). */
int fs_viewer_view(struct fs_request *request, struct index_view **ret_view, uint64_t *ret_key);

#endif
