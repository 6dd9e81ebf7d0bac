/* upstream.h - who changes documents that are an upstream's; part of the index. */
#ifndef PXS_INDEX_EDIT_UPSTREAM_H
#define PXS_INDEX_EDIT_UPSTREAM_H

#include <pthread.h>

struct edit_upstream;

struct edit_hook {
	pthread_rwlock_t lock; /* read while it is asked */
	const struct edit_upstream *upstream;
};

void edit_hook_init(struct edit_hook *hook);
void edit_hook_done(struct edit_hook *hook);

#endif
