/* writer.h - changes documents at the upstream, whose they are, and then here: a change is visible
 * when the call returns. Never tried twice: where no answer came, the document is read again to
 * find out what happened. */
#ifndef PXS_INDEX_SYNC_WRITER_H
#define PXS_INDEX_SYNC_WRITER_H

#include <pthread.h>
#include <stdatomic.h>

#include "index/edit/edit.h"
#include "index/sync/intake.h"
#include "index/sync/reader.h"

struct pace;
struct pxs_error;
struct sync_options;
struct turn;
struct upstream;

struct writer {
	struct index *index; /* these, turn, stop and pace are lent */
	struct turn *turn;
	const atomic_bool *stop;
	struct pace *pace;
	struct upstream *upstream; /* ours, under the turn */
	struct reader reader;
	struct intake intake;
	struct edit_upstream hook;
};

/* From now on edits of the index come here. Start it as { .index, .turn, .stop, .pace, .reader }.
 */
int writer_open(struct writer *writer, const struct sync_options *options, struct pxs_error *err);
/* No longer; waits for those under way. */
void writer_close(struct writer *writer);

#endif
