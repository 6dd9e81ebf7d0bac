/* live.h - keeps sources fresh: gathers what a watch tells, and looks there a little later.
 *
 *     watch -> touched places -> (after 100 ms; 2 s while a file is written) -> scan of these
 * places
 *
 * What cannot be told place by place (too much at once, what another machine wrote) takes a scan of
 * the whole: after a loss, and as often as is asked for. */
#ifndef PXS_INDEX_INGEST_LIVE_H
#define PXS_INDEX_INGEST_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "index/ingest/ingest.h"

struct job_tools;
struct live;
struct pxs_error;

struct live_options {
	const struct job_tools *tools; /* as long as the live */
	int64_t rescan_ns;	       /* how often all is scanned; 0: never */
	/* Called in another thread when live_due_ns() came nearer. */
	void (*wake)(void *context);
	void *context;
};

int live_new(const struct live_options *options, struct live **ret_live);
void live_free(struct live *live);
DEFINE_CLEANUP(live, struct live *, live_free)

/* Watch the sources that there are and, unless it is NULL, ALSO, which is about to become one. What
 * cannot be watched is logged once, and told by live_trouble(). */
void live_follow(struct live *live, const char *also);

/* When live_look() has something to do, of the steady clock; INT64_MAX: nothing so far. */
int64_t live_due_ns(struct live *live);

/* Look where something changed and make the documents what is there. *RET_SCAN_ALL: it is time for
 * scans of all sources. What fails is logged. */
void live_look(struct live *live, bool *ret_scan_all);

/* What is not as it should be, a sentence, or "". */
void live_trouble(struct live *live, char trouble[INGEST_TROUBLE_SIZE]);

#endif
