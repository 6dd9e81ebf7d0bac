/* crawler.h - takes pages of a core that does not tell its changes. Each has a connection of its
 * own, so several work at a time, a thread each. */
#ifndef PXS_INDEX_SYNC_CRAWLER_H
#define PXS_INDEX_SYNC_CRAWLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>
#include <roaring/roaring.h>

#include "index/sync/intake.h"

struct follower;
struct partition;
struct pxs_buf;
struct pxs_error;
struct upstream;

/* Documents on a page: of 5 KB each it is 2.5 MB, and some of them are in memory at a time. */
#define CRAWLER_PAGE 500

struct crawler {
	struct follower *follower; /* lent */
	struct upstream *upstream; /* opened with the first question */
	struct intake intake;
};

void crawler_done(struct crawler *crawler);

/* As upstream_get(), in pace with all others. */
int crawler_get(struct crawler *crawler, const char *href, json_t **ret_answer,
		struct pxs_error *err);

struct crawler_page {
	json_t *answer;	     /* the caller's */
	const json_t *items; /* of it */
	int64_t hits;	     /* documents that are said to match, on all pages */
	int64_t hidden;	     /* documents that the page says it has left out */
	bool complete;	     /* each item is here now, in this version */
	int64_t ids[INTAKE_MAX];
	/* By item, whether it was here before: not this version; not any. */
	bool fresh[INTAKE_MAX], added[INTAKE_MAX];
};

void crawler_page_done(struct crawler_page *page);
static inline void
crawler_page_cleanup(struct crawler_page *page)
{
	crawler_page_done(page);
}

struct crawler_question {
	const char *href;
	bool brief;	   /* for identities and little else: each new one is asked for alone, */
	const char *whole; /* or if they are many, this instead; NULL: no */
};

/* Get a page and keep its documents. */
int crawler_take(struct crawler *crawler, const struct crawler_question *question,
		 struct crawler_page *page, struct pxs_error *err);

/* How many documents PART has there. */
int crawler_count(struct crawler *crawler, const struct partition *part, int64_t *ret_hits,
		  struct pxs_error *err);

/* A whole listing of PART. */
struct crawler_listing {
	roaring_bitmap_t *seen; /* rows of the documents told; the caller's */
	int64_t hits;		/* at its start */
	int64_t hidden;
	bool complete; /* as many were told as there are, and all of them are here */
};

/* List PART, of which there is no later page than PLAN_WINDOW allows. BRIEF: most of its documents
 * are here. -EAGAIN: it grew beyond that meanwhile. */
int crawler_list(struct crawler *crawler, const struct partition *part, bool brief,
		 struct crawler_listing *listing, struct pxs_error *err);

#endif
