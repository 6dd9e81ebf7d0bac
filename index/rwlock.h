/* rwlock.h - a lock for many readers and one writer, who is let in before readers that come later:
 * by default those would keep him out for as long as they please. */
#ifndef PXS_INDEX_RWLOCK_H
#define PXS_INDEX_RWLOCK_H

#include <pthread.h>

/* A reader must not take it twice. */
static inline void
rwlock_init(pthread_rwlock_t *lock)
{
	pthread_rwlockattr_t attributes;

	(void)pthread_rwlockattr_init(&attributes);
	(void)pthread_rwlockattr_setkind_np(&attributes,
					    PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	(void)pthread_rwlock_init(lock, &attributes);
	(void)pthread_rwlockattr_destroy(&attributes);
}

#endif
