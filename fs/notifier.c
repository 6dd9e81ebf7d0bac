#include "fs/notifier.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/macros.h"
#include "fs/herald.h"
#include "fs/mount.h"
#include "fs/node.h"
#include "fs/session.h"
#include "index/index.h"

#define CHANGES_AT_ONCE 4096

/* Under a flood of changes, most of the time is for others: a pause is so many times as long as
 * what was done before it, at most PAUSE_MAX_NS. */
#define PAUSE_TIMES 4
#define PAUSE_MAX_NS (PXS_NS_PER_S / 2)

struct fs_notifier {
	struct fs *fs;
	struct fs_herald *herald;
	pthread_t thread;
	atomic_bool stopping;
	sem_t stopped; /* ends a pause */
	uint64_t seq;  /* at the beginning */
	struct index_change changes[CHANGES_AT_ONCE];
};

static bool
is_stopping(void *context)
{
	const struct fs_notifier *notifier = context;

	return atomic_load(&notifier->stopping);
}

static void
tell(struct fs_notifier *notifier, const struct index_view *view,
     const struct index_changes *changes)
{
	for (size_t i = 0; i < changes->n && !is_stopping(notifier); i++) {
		const struct index_change *change = &changes->list[i];

		if (!change->removed)
			fs_session_forget_attributes(
				notifier->fs->session,
				fs_node_of_row(index_doc_row(view, change->doc)));
	}
}

/* What came after SEQ; returns where that ends. Of changes that are forgotten already, what the
 * kernel remembers ends by itself. */
static uint64_t
tell_since(struct fs_notifier *notifier, uint64_t seq)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(notifier->fs->index);
	struct index_changes changes = {
		.list = notifier->changes,
		.max = ARRAY_SIZE(notifier->changes),
		.seq = seq,
	};
	int r = index_changes(view, &changes);

	if (r == 0) {
		tell(notifier, view, &changes);
		return changes.seq;
	}
	if (r != -ESTALE)
		pxs_log(PXS_LOG_WARNING, "mount: cannot read what changed: %s",
			strerrordesc_np(-r));
	return index_view_seq(view);
}

static uint64_t
seq_now(struct index *index)
{
	CLEANUP(index_view) struct index_view *view = index_view_get(index);

	return index_view_seq(view);
}

static void
pause_after(struct fs_notifier *notifier, int64_t spent_ns)
{
	const struct timespec until = pxs_clock_timespec(pxs_clock_steady_ns() +
							 MIN(spent_ns * PAUSE_TIMES, PAUSE_MAX_NS));

	while (sem_clockwait(&notifier->stopped, CLOCK_MONOTONIC, &until) < 0 && errno == EINTR)
		;
}

static void *
work(void *context)
{
	struct fs_notifier *notifier = context;
	const struct index_budget budget = { .cancelled = is_stopping, .context = notifier };
	uint64_t seq = notifier->seq;

	/* While there are changes all the time, there is never anything to wait for. */
	while (!is_stopping(notifier) && index_wait(notifier->fs->index, seq, &budget) == 0) {
		int64_t start_ns = pxs_clock_steady_ns();

		seq = tell_since(notifier, seq);
		fs_herald_round(notifier->herald, &budget);
		pause_after(notifier, pxs_clock_steady_ns() - start_ns);
	}
	return NULL;
}

static void
notifier_free(struct fs_notifier *notifier)
{
	fs_herald_free(notifier->herald);
	(void)sem_destroy(&notifier->stopped);
	free(notifier);
}

int
fs_notifier_new(struct fs *fs, struct fs_notifier **ret_notifier)
{
	struct fs_notifier *notifier = calloc(1, sizeof(*notifier));
	int r;

	if (!notifier)
		return -ENOMEM;
	notifier->fs = fs;
	notifier->seq = seq_now(fs->index);
	(void)sem_init(&notifier->stopped, 0, 0);
	r = fs_herald_new(fs, &notifier->herald);
	if (r == 0)
		r = -pthread_create(&notifier->thread, NULL, work, notifier);
	if (r < 0) {
		notifier_free(notifier);
		return r;
	}
	*ret_notifier = notifier;
	return 0;
}

void
fs_notifier_free(struct fs_notifier *notifier)
{
	if (!notifier)
		return;
	atomic_store(&notifier->stopping, true);
	(void)sem_post(&notifier->stopped);
	index_wake(notifier->fs->index);
	(void)pthread_join(notifier->thread, NULL);
	notifier_free(notifier);
}
