/* bookmark.h - how far an upstream has been read, as noted in the index. */
#ifndef PXS_INDEX_SYNC_BOOKMARK_H
#define PXS_INDEX_SYNC_BOOKMARK_H

#include <stdbool.h>
#include <stdint.h>

struct index;

struct bookmark {
	uint64_t since;	 /* all changes up to this one are here, or will be told by the listing */
	char *identity;	 /* of the upstream's index; NULL: nowhere yet */
	char *next;	 /* page of the listing; NULL: it is complete */
	uint64_t listed; /* documents told in it so far */
	bool again;	 /* there were documents before it: those that it lacks may be gone */
};

/* -ENOENT: nothing is noted of this URL. Documents of another one are then compared with it. */
int bookmark_read(struct bookmark *bookmark, struct index *index, const char *url);
/* After what it tells was committed, never before. */
int bookmark_write(const struct bookmark *bookmark, struct index *index, const char *url);
/* Here and in the index. */
int bookmark_forget(struct bookmark *bookmark, struct index *index);
/* Of the memory alone. */
void bookmark_done(struct bookmark *bookmark);

#endif
