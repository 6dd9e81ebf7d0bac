#include "index/sync/content.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/macros.h"
#include "index/budget.h"
#include "index/index.h"
#include "index/sync/exchange.h"
#include "index/sync/pieces.h"
#include "index/sync/sync.h"
#include "index/sync/upstream.h"

/* Who looks at the head of a file gets little; who reads on gets more at once. */
#define PIECE_SIZE ((size_t)256 << 10)
#define PIECE_NEXT_SIZE ((size_t)2 << 20)

struct sync_content {
	struct contents *contents;
	int64_t id;
	char version[PIECE_VERSION_SIZE];
	char etag[INDEX_ETAG_SIZE]; /* in it; "": none that is strong and short enough */
	uint64_t size;
	int64_t modified_ns;
	pthread_mutex_t lock; /* one fetches at a time: the next one may need the same */
};

int
contents_init(struct contents *contents)
{
	(void)pthread_mutex_init(&contents->lock, NULL);
	(void)sem_init(&contents->free, 0, CONTENT_CONNECTIONS);
	return pieces_new(&contents->pieces);
}

void
contents_done(struct contents *contents)
{
	if (!contents->pieces)
		return;
	for (size_t i = 0; i < CONTENT_CONNECTIONS; i++)
		upstream_close(contents->connections[i]);
	pieces_free(STEAL(contents->pieces));
	(void)sem_destroy(&contents->free);
	(void)pthread_mutex_destroy(&contents->lock);
}

/* --- Connections --- */

/* The one used last, whose token and connection are likely to live. */
static int
take_connection(struct contents *contents, const struct index_budget *budget,
		struct upstream **ret_upstream, struct pxs_error *err)
{
	struct upstream *upstream;
	int r = index_budget_wait(budget, &contents->free);

	if (r < 0)
		return r;
	(void)pthread_mutex_lock(&contents->lock);
	upstream = STEAL(contents->connections[contents->n]);
	contents->n++;
	(void)pthread_mutex_unlock(&contents->lock);
	if (!upstream)
		r = upstream_open(contents->options, contents->stop, contents->pace, &upstream,
				  err);
	*ret_upstream = upstream;
	return r;
}

/* UPSTREAM may be NULL. */
static void
give_back(struct contents *contents, struct upstream *upstream)
{
	(void)pthread_mutex_lock(&contents->lock);
	contents->connections[--contents->n] = upstream;
	(void)pthread_mutex_unlock(&contents->lock);
	(void)sem_post(&contents->free);
}

/* --- Fetching --- */

/* Adds a header of the answer to TEXT; "" if it has none, or one that is too long. */
static void
get_header(const struct upstream *upstream, const char *name, char *text, size_t size)
{
	struct curl_header *header;

	*text = '\0';
	if (curl_easy_header(upstream->curl, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK &&
	    strlen(header->value) < size)
		(void)stpcpy(text, header->value);
}

/* "bytes 0-99/1234" or "bytes *" "/0": the bytes of the whole. False: it does not say. */
static bool
read_total(const char *range, uint64_t *ret_total)
{
	const char *slash = strchr(range, '/');
	char *end;

	if (strncmp(range, "bytes ", 6) != 0 || !slash || slash[1] < '0' || slash[1] > '9')
		return false;
	errno = 0;
	*ret_total = strtoull(slash + 1, &end, 10);
	return !*end && errno == 0;
}

static int64_t
read_modified(const struct upstream *upstream)
{
	char date[64];
	time_t time;

	get_header(upstream, "Last-Modified", date, sizeof(date));
	time = *date ? curl_getdate(date, NULL) : 0;
	return time > 0 && time < INT64_MAX / PXS_NS_PER_S ? time * PXS_NS_PER_S : 0;
}

static int
refuse(const struct upstream *upstream, const struct answer *answer, struct pxs_error *err)
{
	const char *url = upstream->base;

	switch (answer->status) {
	case 401:
	case 403:
		return pxs_error_set(err, -EACCES, -1, "%s does not let %s read this file", url,
				     upstream->options->user ? upstream->options->user
							     : "who has no token");
	case 404:
		return pxs_error_set(err, -ENOENT, -1, "%s does not have it either", url);
	case 429:
	case 503:
		return pxs_error_set(err, -EAGAIN, -1, "%s is busy; try again", url);
	default:
		return pxs_error_set(err, -EREMOTEIO, -1,
				     "%s answers with HTTP status %ld where a part of the file was "
				     "asked for",
				     url, answer->status);
	}
}

/* In no more memory than they take. */
static char *
take_bytes(struct pxs_buf *body)
{
	size_t len = body->len;
	char *grown = pxs_buf_steal(body);
	char *bytes = realloc(grown, len);

	return bytes ? bytes : grown;
}

/* From an answer to a piece. */
static int
read_piece(const struct upstream *upstream, struct answer *answer, uint64_t offset,
	   struct piece **ret_piece, struct pxs_error *err)
{
	CLEANUP(piece) struct piece *piece = NULL;
	char range[96];
	size_t len = answer->status == 206 ? answer->body.len : 0;
	uint64_t total = 0;

	if (answer->status != 206 && answer->status != 416)
		return refuse(upstream, answer, err);
	get_header(upstream, "Content-Range", range, sizeof(range));
	if (!read_total(range, &total) || (len ? offset + len > total : total > offset))
		return pxs_error_set(err, -EREMOTEIO, -1, "%s sends a part of a file, not which",
				     upstream->base);
	piece = piece_new(len ? take_bytes(&answer->body) : NULL, len);
	if (!piece)
		return -ENOMEM;
	piece->total = total;
	piece->offset = offset;
	get_header(upstream, "ETag", piece->version, sizeof(piece->version));
	piece->modified_ns = read_modified(upstream);
	*ret_piece = STEAL(piece);
	return 0;
}

struct wanted {
	int64_t id;
	uint64_t offset;
	size_t size;
	const char *known; /* the version that is at hand, if it still is the one; NULL: none is */
};

/* *RET_PIECE NULL: what is known is still true. */
static int
fetch_with(struct upstream *upstream, const struct wanted *wanted,
	   const struct index_budget *budget, struct piece **ret_piece, struct pxs_error *err)
{
	CLEANUP(answer) struct answer answer = { 0 };
	char href[64];
	char range[64];
	const struct upstream_request request = {
		.method = "GET",
		.href = href,
		.range = range,
		.known = wanted->known,
	};
	int r;

	(void)snprintf(href, sizeof(href), "/files/%" PRId64 "/content", wanted->id);
	(void)snprintf(range, sizeof(range), "bytes=%" PRIu64 "-%" PRIu64, wanted->offset,
		       wanted->offset + wanted->size - 1);
	upstream->budget = budget;
	r = upstream_send(upstream, &request, &answer, err);
	upstream->budget = NULL;
	if (r == -ECANCELED)
		return budget_check(budget) == -ETIMEDOUT
			       ? pxs_error_set(err, -ETIMEDOUT, -1, "no answer from %s in time",
					       upstream->base)
			       : r;
	if (r < 0)
		return r;
	*ret_piece = NULL;
	return wanted->known && answer.status == 304
		       ? 0
		       : read_piece(upstream, &answer, wanted->offset, ret_piece, err);
}

static int
fetch(struct contents *contents, const struct wanted *wanted, const struct index_budget *budget,
      struct piece **ret_piece, struct pxs_error *err)
{
	struct upstream *upstream = NULL;
	int r = take_connection(contents, budget, &upstream, err);

	if (r == -ETIMEDOUT || r == -ECANCELED)
		return r; /* none was taken */
	if (r == 0)
		r = fetch_with(upstream, wanted, budget, ret_piece, err);
	give_back(contents, upstream);
	if (r < 0 || !*ret_piece)
		return r;
	(*ret_piece)->id = wanted->id;
	if (*(*ret_piece)->version)
		pieces_add(contents->pieces, *ret_piece);
	return 0;
}

/* --- Opening --- */

/* Its head, as it is now. */
static int
fetch_head(struct contents *contents, int64_t id, const struct index_budget *budget,
	   struct piece **ret_piece, struct pxs_error *err)
{
	CLEANUP(piece) struct piece *known = pieces_find(contents->pieces, id, NULL, 0);
	const struct wanted wanted = {
		.id = id,
		.size = PIECE_SIZE,
		.known = known ? known->version : NULL,
	};
	int r = fetch(contents, &wanted, budget, ret_piece, err);

	if (r == 0 && !*ret_piece)
		*ret_piece = STEAL(known);
	return r;
}

/* What stands between the quotes of VERSION. */
static void
read_etag(const char *version, char etag[INDEX_ETAG_SIZE])
{
	size_t len = strlen(version);

	if (len > 2 && len - 2 < INDEX_ETAG_SIZE && version[0] == '"' && version[len - 1] == '"')
		(void)snprintf(etag, INDEX_ETAG_SIZE, "%.*s", (int)len - 2, version + 1);
}

int
contents_open(struct contents *contents, int64_t id, const struct index_budget *budget,
	      struct sync_content **ret_content, struct pxs_error *err)
{
	CLEANUP(piece) struct piece *head = NULL;
	struct sync_content *content;
	int r = fetch_head(contents, id, budget, &head, err);

	if (r < 0)
		return r;
	assert(head); /* what is known, or what came */
	content = calloc(1, sizeof(*content));
	if (!content)
		return -ENOMEM;
	content->contents = contents;
	content->id = id;
	content->size = head->total;
	content->modified_ns = head->modified_ns;
	(void)memcpy(content->version, head->version, sizeof(content->version));
	read_etag(content->version, content->etag);
	(void)pthread_mutex_init(&content->lock, NULL);
	*ret_content = content;
	return 0;
}

void
sync_content_close(struct sync_content *content)
{
	if (!content)
		return;
	(void)pthread_mutex_destroy(&content->lock);
	free(content);
}

uint64_t
sync_content_size(const struct sync_content *content)
{
	return content->size;
}

const char *
sync_content_etag(const struct sync_content *content)
{
	return content->etag;
}

int64_t
sync_content_modified_ns(const struct sync_content *content)
{
	return content->modified_ns;
}

/* --- Reading --- */

/* The next piece, a large one if the one before it was read, too. */
static int
fetch_at(struct sync_content *content, uint64_t offset, const struct index_budget *budget,
	 struct piece **ret_piece, struct pxs_error *err)
{
	struct contents *contents = content->contents;
	uint64_t start = offset - offset % PIECE_SIZE;
	CLEANUP(piece)
	struct piece *before = start ? pieces_find(contents->pieces, content->id, content->version,
						   start - 1)
				     : NULL;
	const struct wanted wanted = {
		.id = content->id,
		.offset = start,
		.size = before ? PIECE_NEXT_SIZE : PIECE_SIZE,
	};
	int r = fetch(contents, &wanted, budget, ret_piece, err);

	if (r < 0)
		return r;
	assert(*ret_piece); /* no version was known */
	if (strcmp((*ret_piece)->version, content->version) != 0 ||
	    (*ret_piece)->total != content->size) {
		piece_put(STEAL(*ret_piece));
		return pxs_error_set(err, -ESTALE, -1,
				     "the file was changed at the upstream while it was read");
	}
	return 0;
}

static int
get_piece(struct sync_content *content, uint64_t offset, const struct index_budget *budget,
	  struct piece **ret_piece, struct pxs_error *err)
{
	struct pieces *pieces = content->contents->pieces;
	int r;

	*ret_piece = pieces_find(pieces, content->id, content->version, offset);
	if (*ret_piece)
		return 0;
	r = budget_lock(budget, &content->lock);
	if (r < 0)
		return r;
	*ret_piece = pieces_find(pieces, content->id, content->version, offset);
	if (!*ret_piece)
		r = fetch_at(content, offset, budget, ret_piece, err);
	(void)pthread_mutex_unlock(&content->lock);
	return r;
}

int
sync_content_read(struct sync_content *content, uint64_t offset, char *bytes, size_t size,
		  const struct index_budget *budget, size_t *ret_len, struct pxs_error *err)
{
	size_t len = 0;

	while (len < size && offset + len < content->size) {
		CLEANUP(piece) struct piece *piece = NULL;
		uint64_t at = offset + len;
		size_t part;
		int r = get_piece(content, at, budget, &piece, err);

		if (r < 0)
			return r;
		assert(piece);
		if (at - piece->offset >= piece->len)
			return pxs_error_set(err, -EREMOTEIO, -1,
					     "the upstream sends less of the file than was asked "
					     "for");
		part = MIN(size - len, piece->len - (size_t)(at - piece->offset));
		memcpy(bytes + len, piece->data + (at - piece->offset), part);
		len += part;
	}
	*ret_len = len;
	return 0;
}
