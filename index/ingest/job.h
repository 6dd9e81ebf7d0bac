/* job.h - one thing to do: scan a place, or forget a source. */
#ifndef PXS_INDEX_INGEST_JOB_H
#define PXS_INDEX_INGEST_JOB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "index/ingest/ingest.h"
#include "index/ingest/scan.h"

struct catalogue;
struct index;
struct mime;

/* What is the owner's (ingest.c) to change is under its lock; progress counts by itself. */
struct job {
	struct job *next;
	uint64_t number;
	char *path; /* absolute, without symlinks */
	bool allow_mass_removal;
	bool forget;
	enum ingest_state state;
	int64_t started_ns, ended_ns; /* steady clock; 0: not yet */
	struct pxs_error err;	      /* of FAILED */
	struct scan_progress progress;
};

/* Takes PATH. NULL: out of memory, PATH is freed. */
struct job *job_new(char *path, const struct ingest_request *request);
void job_free(struct job *job);

/* What jobs work with; lent. */
struct job_tools {
	struct index *index;
	const struct catalogue *catalogue;
	const struct mime *mime;
	const atomic_bool *stop;
};

/* Do it. Nothing of JOB but its progress is changed. 0, -ECANCELED, or -errno and ERR has the
 * sentence. */
int job_run(struct job *job, const struct job_tools *tools, struct pxs_error *err);

void job_status(const struct job *job, struct ingest_status *ret_status);

#endif
