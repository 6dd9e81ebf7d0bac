/* follow.h - what is asked of a core. One that is a pxs says so with a link: first all documents,
 * then /changes without end; crawl.h has the others.
 *
 * The number of the newest change is asked for before the listing begins, so whatever happens
 * during the listing is told by the changes after it. */
#ifndef PXS_INDEX_SYNC_FOLLOW_H
#define PXS_INDEX_SYNC_FOLLOW_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <roaring/roaring.h>

#include "index/sync/intake.h"
#include "index/sync/bookmark.h"
#include "index/sync/crawl.h"
#include "index/sync/pace.h"
#include "index/sync/reader.h"
#include "index/sync/sync.h"

struct index_hits;
struct index_view;
struct query;
struct turn;
struct upstream;

struct follower {
	struct index *index;	   /* these, stop and turn are lent */
	struct upstream *upstream; /* for this thread alone */
	const char *url;
	const struct sync_options *options;
	const atomic_bool *stop;
	struct turn *turn; /* taken from reading documents until they are written */
	struct reader reader;

	/* How it goes, for any thread. */
	_Atomic enum sync_state state;
	_Atomic int64_t success_ns;
	atomic_uint_fast64_t pages, received, written, removed, expected;
	atomic_bool confirmed; /* as many as there are may be removed, once */

	atomic_bool has_kind; /* these two for any thread */
	atomic_bool is_pxs;
	struct pace pace;
	struct crawl crawl; /* of a core that is none */

	bool has_bookmark; /* read from the notes, or begun */
	struct bookmark bookmark;
	bool again;	   /* the feed told what is no more so */
	uint64_t removals; /* told by changes since all of them were last here */
	bool may_remove;   /* as many as there are, until then */

	roaring_bitmap_t *seen; /* rows of documents told since bookmark.again was set; else NULL */
	struct intake intake;
};

int follow_init(struct follower *follower, struct pxs_error *err);
void follow_done(struct follower *follower);

/* Follow until it fails: upstream_get()'s errors, reader's, the index's; -EPERM: too many documents
 * would be removed; -ECANCELED. 0: all is here, but the core must be asked again. */
int follow_run(struct follower *follower, struct pxs_error *err);

/* How many documents of an upstream there are. */
int follow_count(struct follower *follower, uint64_t *ret_n);

/* --- What listing.c and feed.c stand on --- */

/* A listing is begun, and noted. */
int listing_begin(struct follower *follower, struct pxs_error *err);
/* Until all of it is here, and gone what it lacks. */
int listing_run(struct follower *follower, struct pxs_error *err);
/* Begins anew. */
int listing_forget(struct follower *follower);

/* Take the next changes. *WAIT, in: whether to wait for some; out: whether all are here. -ESTALE:
 * they cannot be had, list anew. */
int feed_take(struct follower *follower, bool *wait, struct pxs_error *err);
/* Where the changes stand that ANSWER tells, and of which index; lent. */
int feed_position(const json_t *answer, uint64_t *ret_seq, const char **ret_identity,
		  struct pxs_error *err);

/* *RET_ANSWER is the caller's. */
int follow_get(struct follower *follower, const char *href, json_t **ret_answer,
	       struct pxs_error *err);
/* One document; the item is the answer's. -ENOENT: it is gone. */
int follow_get_document(struct follower *follower, int64_t id, json_t **ret_answer,
			const json_t **ret_item, struct pxs_error *err);
int follow_read_schema(struct follower *follower, struct pxs_error *err);
int follow_commit(struct follower *follower, struct pxs_error *err);

/* A query for documents of an upstream; the caller's. */
int follow_query(struct follower *follower, struct query **ret_query);
/* All of them. */
int follow_find(struct follower *follower, struct index_view *view, struct index_hits **ret_hits);
bool follow_has(const struct follower *follower, const struct index_view *view, int64_t id);
/* Whether version ETAG of it is here. */
bool follow_has_version(const struct follower *follower, const struct index_view *view, int64_t id,
			const char *etag);

/* -EPERM: N of those that are here would be removed, which is more than is ordinary. */
int follow_check_removals(struct follower *follower, uint64_t n, struct pxs_error *err);

#endif
