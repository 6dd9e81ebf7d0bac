/* recent.h - the queries that a user opened lately, as /query lists them. */
#ifndef PXS_FS_RECENT_H
#define PXS_FS_RECENT_H

struct fs_listing;
struct fs_node;
struct fs_request;

/* Whoever asks has opened NODE. What counts is the folder in /query by which it was reached. */
void fs_recent_note(struct fs_request *request, const struct fs_node *node);

/* Adds those of whoever asks to the LISTING of /query; nobody is told of another's. */
int fs_recent_list(struct fs_request *request, struct fs_listing *listing);

#endif
