#include "fs/handle.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct fs_handles {
	pthread_mutex_t lock;
	struct fs_handle *first;
};

int
fs_handles_new(struct fs_handles **ret_handles)
{
	struct fs_handles *handles = calloc(1, sizeof(*handles));

	if (!handles)
		return -ENOMEM;
	(void)pthread_mutex_init(&handles->lock, NULL);
	*ret_handles = handles;
	return 0;
}

void
fs_handles_free(struct fs_handles *handles)
{
	if (!handles)
		return;
	while (handles->first)
		fs_handle_close(handles, handles->first);
	(void)pthread_mutex_destroy(&handles->lock);
	free(handles);
}

void
fs_handle_open(struct fs_handles *handles, struct fs_handle *handle)
{
	(void)pthread_mutex_lock(&handles->lock);
	handle->previous = NULL;
	handle->next = handles->first;
	if (handle->next)
		handle->next->previous = handle;
	handles->first = handle;
	(void)pthread_mutex_unlock(&handles->lock);
}

void
fs_handle_close(struct fs_handles *handles, struct fs_handle *handle)
{
	(void)pthread_mutex_lock(&handles->lock);
	*(handle->previous ? &handle->previous->next : &handles->first) = handle->next;
	if (handle->next)
		handle->next->previous = handle->previous;
	(void)pthread_mutex_unlock(&handles->lock);
	handle->free(handle);
}
