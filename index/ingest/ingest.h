/* ingest.h - from trees on disk to documents: scans sources and keeps the index true to them.
 *
 * Jobs run one after the other in a thread of their own, with two threads that read the tree and
 * one that writes. A scan touches only what changed: entries are known again by file system, inode
 * and birth time, so a renamed file stays the same document. */
#ifndef PXS_INGEST_H
#define PXS_INGEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

struct index;
struct ingest;
struct pxs_error;

/* Also declares the core.* properties (spec/pixstor.md 3.3) to INDEX, so that queries know them
 * before anything was scanned. */
int ingest_open(struct index *index, struct ingest **ret_ingest, struct pxs_error *err);
/* Stops a running job at the next entry; what it committed stays. */
void ingest_close(struct ingest *ingest);
DEFINE_CLEANUP(ingest, struct ingest *, ingest_close)

/* From now on follow what changes in the sources, as it happens, and begin with a scan of each;
 * with RESCAN_NS, scan all of them that often, too (0: never). Where the kernel does not tell of
 * changes ingest_trouble() says why; rescans go on. Once, while no job runs. -ENOMEM, ... */
int ingest_watch(struct ingest *ingest, int64_t rescan_ns);

/* What keeps the documents from following the files, a sentence; "": nothing. */
#define INGEST_TROUBLE_SIZE 400
void ingest_trouble(struct ingest *ingest, char trouble[INGEST_TROUBLE_SIZE]);
/* Whether changes are followed, but for such trouble. */
bool ingest_is_watching(struct ingest *ingest);

struct ingest_request {
	const char *path;	 /* absolute; a source, a folder inside one, or a new source */
	bool allow_mass_removal; /* else a scan that would remove > max(1 %, 1000) stops before it
				    does */
	bool forget;		 /* remove the source at PATH with all its documents; no scan */
};

/* Queue a job. *RET_JOB counts from 1. A path given again while it is queued gets the queued job.
 * -ENOENT, -ENOTDIR, -EACCES: PATH is no folder that can be read; -EEXIST: it contains an existing
 * source; -EINVAL: not absolute; ERR has the sentence. */
int ingest_submit(struct ingest *ingest, const struct ingest_request *request, uint64_t *ret_job,
		  struct pxs_error *err);

enum ingest_state { INGEST_QUEUED, INGEST_RUNNING, INGEST_DONE, INGEST_FAILED, INGEST_STOPPED };

struct ingest_status {
	uint64_t job;
	enum ingest_state state;
	char path[4096];
	uint64_t seen;	   /* entries read so far */
	uint64_t expected; /* entries to be expected in all, 0 where nothing is known */
	uint64_t added;
	uint64_t changed; /* renamed ones included */
	uint64_t renamed;
	uint64_t removed;
	uint64_t unchanged;
	uint64_t failures; /* could not be read; recorded with their reason */
	double rate;	   /* entries a second over the whole job */
	int64_t elapsed_ns;
	int64_t eta_ns;	  /* -1: unknown */
	int error;	  /* FAILED: a positive errno */
	char reason[400]; /* FAILED: the sentence */
};

/* -ENOENT: no such job, or one too long ago (the last 64 are kept). */
int ingest_status(struct ingest *ingest, uint64_t job, struct ingest_status *ret_status);
/* The newest job that is running or queued; -ENOENT: nothing left to do. */
int ingest_current(struct ingest *ingest, struct ingest_status *ret_status);

#endif
