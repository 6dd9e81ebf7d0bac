/* A table with one place for each etag and no chains: of two documents that share a place, the one
 * that was shown last has it. */
#include "rest/encoded.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "base/buf.h"
#include "index/index.h"

/* Places share locks, as each is held for a copy of some KB only. */
#define LOCKS 64

struct place {
	char etag[INDEX_ETAG_SIZE]; /* "": nothing is here */
	size_t n_properties;
	struct pxs_buf text;
};

struct encoded {
	pthread_mutex_t locks[LOCKS];
	struct place places[ENCODED_ITEMS];
};

int
encoded_open(struct encoded **ret_encoded)
{
	struct encoded *encoded = calloc(1, sizeof(*encoded));

	if (!encoded)
		return -ENOMEM;
	for (size_t i = 0; i < LOCKS; i++)
		(void)pthread_mutex_init(&encoded->locks[i], NULL);
	*ret_encoded = encoded;
	return 0;
}

void
encoded_close(struct encoded *encoded)
{
	if (!encoded)
		return;
	for (size_t i = 0; i < ENCODED_ITEMS; i++)
		pxs_buf_done(&encoded->places[i].text);
	for (size_t i = 0; i < LOCKS; i++)
		(void)pthread_mutex_destroy(&encoded->locks[i]);
	free(encoded);
}

static size_t
number_of(const char *etag)
{
	return XXH3_64bits(etag, strlen(etag)) % ENCODED_ITEMS;
}

bool
encoded_find(struct encoded *encoded, const char *etag, size_t n_properties, struct pxs_buf *buf)
{
	size_t number = number_of(etag);
	const struct place *place = &encoded->places[number];
	pthread_mutex_t *lock = &encoded->locks[number % LOCKS];
	bool found;

	(void)pthread_mutex_lock(lock);
	found = place->n_properties == n_properties && strcmp(place->etag, etag) == 0;
	if (found)
		pxs_buf_add(buf, place->text.data, place->text.len);
	(void)pthread_mutex_unlock(lock);
	return found;
}

void
encoded_keep(struct encoded *encoded, const char *etag, size_t n_properties, struct pxs_buf *buf)
{
	size_t number = number_of(etag);
	struct place *place = &encoded->places[number];
	pthread_mutex_t *lock = &encoded->locks[number % LOCKS];
	struct pxs_buf before;

	if (buf->error || buf->cap > ENCODED_BYTES_MAX || strlen(etag) >= INDEX_ETAG_SIZE)
		return;
	(void)pthread_mutex_lock(lock);
	before = place->text;
	place->text = *buf;
	place->n_properties = n_properties;
	(void)stpcpy(place->etag, etag);
	(void)pthread_mutex_unlock(lock);
	*buf = (struct pxs_buf)PXS_BUF_INIT;
	pxs_buf_done(&before);
}
