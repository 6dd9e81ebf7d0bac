#include "index/ingest/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/error.h"
#include "index/index.h"
#include "index/ingest/batch.h"
#include "index/ingest/docqueue.h"
#include "index/ingest/identity.h"
#include "index/ingest/located.h"
#include "index/ingest/removal.h"
#include "index/ingest/scanner.h"
#include "index/ingest/unread.h"
#include "index/ingest/walk.h"

struct scan {
	const struct scan_request *request;
	struct scan_progress *progress;
	char *folder;		      /* the one that is scanned; of many parts, the root */
	int root_fd;		      /* -1: the root is gone */
	struct index_view *view;      /* as it was before */
	struct index_hits *documents; /* of the source */
	struct located parts;
	struct identities *identities;
	struct unread *unread;
	struct docqueue *queue;
	struct batch batch;
	struct scanners scanners;
};

/* Whether one folder is scanned, with all in it. */
static bool
is_folder(const struct scan *scan)
{
	return scan->request->n_starts == 1 && !scan->request->starts[0].shallow;
}

static bool
is_whole(const struct scan *scan)
{
	return is_folder(scan) && !*scan->request->starts[0].path;
}

/* --- How much there is --- */

static int
count_entry(void *context, unsigned int thread, const struct walk_entry *entry)
{
	atomic_uint_fast64_t *n = context;

	(void)thread;
	(void)entry;
	atomic_fetch_add(n, 1);
	return 0;
}

static const struct walk_ops COUNT_OPS = { .entry = count_entry };

/* What to expect: of a source that is known, as much as before; else the names are counted first,
 * which takes a hundredth of the time. Without a number the scan goes on just as well. */
static void
expect(const struct scan *scan, const struct walk_options *options)
{
	struct walk_options names = *options;
	atomic_uint_fast64_t n = index_hits_count(scan->documents);
	struct walk *walk;

	names.names_only = true;
	if (!is_folder(scan) || (n > 0 && !is_whole(scan)))
		return;
	if (n == 0 && (walk_start(&names, &COUNT_OPS, &n, &walk) < 0 || walk_join(walk) < 0))
		return;
	atomic_store(&scan->progress->expected, n);
}

/* --- In the thread of the job --- */

static bool
is_stopped(const struct scan *scan)
{
	return atomic_load(scan->request->stop);
}

/* Write what comes until no more does. */
static int
write_documents(struct scan *scan, struct pxs_error *err)
{
	struct index_document *document;
	int r;

	while (!is_stopped(scan)) {
		r = docqueue_receive(scan->queue, scan->batch.due_ns, &document);
		if (r == -ENODATA)
			break;
		if (r == -ETIMEDOUT) {
			r = batch_tick(&scan->batch, err);
		} else if (r >= 0) {
			r = batch_put(&scan->batch, document, err);
			docqueue_give_back(scan->queue, document);
		}
		if (r < 0)
			return r;
	}
	return is_stopped(scan) ? -ECANCELED : batch_commit(&scan->batch, err);
}

static int
skip_index(const struct scan *scan, struct walk_options *options)
{
	const char *dir = index_dir(scan->request->index);
	struct stat stat;

	if (lstat(dir, &stat) < 0)
		return -errno;
	options->skip_device = stat.st_dev;
	options->skip_inode = stat.st_ino;
	return 0;
}

static int
read_tree(struct scan *scan, struct pxs_error *err)
{
	struct walk_options options = {
		.root = scan->request->root,
		.root_fd = scan->root_fd,
		.starts = scan->request->starts,
		.n_starts = scan->request->n_starts,
		.stop = scan->request->stop,
	};
	struct walk *walk;
	int written;
	int walked;
	int r;

	r = skip_index(scan, &options);
	if (r < 0)
		return r;
	expect(scan, &options);
	r = walk_start(&options, &SCANNER_OPS, &scan->scanners, &walk);
	if (r < 0)
		return pxs_error_set(err, r, -1, "cannot read %s: %s", scan->folder,
				     strerrordesc_np(-r));

	written = write_documents(scan, err);
	if (written < 0)
		docqueue_cancel(scan->queue);
	walked = walk_join(walk);
	return written < 0 ? written : walked;
}

/* Whether nothing at all is left where there were documents: that is rather a disk that was not
 * mounted. */
static bool
is_swept(const struct scan *scan)
{
	return is_whole(scan) && atomic_load(&scan->progress->seen) == 0 &&
	       index_hits_count(scan->documents) > 0;
}

static int
check_removal(const struct scan *scan, const struct removal_vanished *vanished,
	      struct pxs_error *err)
{
	uint64_t total = index_hits_count(scan->documents);
	const char *state = scan->root_fd < 0 ? "is gone" : "is empty";

	if (scan->request->allow_mass_removal || vanished->n_gone == 0)
		return 0;
	if (is_swept(scan))
		return pxs_error_set(err, -EPERM, -1,
				     "%s %s, so all its %" PRIu64
				     " documents would be removed; if that "
				     "is right: pxs ingest --allow-mass-removal %s",
				     scan->folder, state, total, scan->folder);
	if (!removal_is_ordinary(scan->request->removed_before + vanished->n_gone, total))
		return pxs_error_set(err, -EPERM, -1,
				     "%zu of %" PRIu64
				     " documents would be removed, as their files are "
				     "gone; if that is right: pxs ingest --allow-mass-removal %s",
				     vanished->n_gone, total, scan->request->root);
	return 0;
}

static int
settle_heirs(struct scan *scan, struct removal_vanished *vanished, struct pxs_error *err)
{
	CLEANUP(index_view) struct index_view *after = index_view_get(scan->request->index);

	return heirs_settle(&vanished->heirs, &scan->parts, scan->view, after, &scan->batch, err);
}

static int
remove_vanished(struct scan *scan, struct pxs_error *err)
{
	const struct removal_scan removal = {
		.parts = &scan->parts,
		.view = scan->view,
		.identities = scan->identities,
		.unread = scan->unread,
		.root_fd = scan->root_fd,
		.stop = scan->request->stop,
	};
	CLEANUP(removal_vanished) struct removal_vanished vanished = { 0 };
	int r;

	r = removal_find(&removal, &vanished, err);
	if (r >= 0)
		r = check_removal(scan, &vanished, err);
	if (r >= 0)
		r = settle_heirs(scan, &vanished, err);
	return r < 0 ? r
		     : removal_lose(&scan->batch, &vanished, scan->request->stop,
				    &scan->progress->removed, err);
}

static int
record_end(const struct scan *scan)
{
	const struct index_failure *failures;
	size_t n;

	if (!is_folder(scan))
		return 0;
	n = unread_failures(scan->unread, &failures);
	return index_source_scanned(scan->request->index, scan->request->source, scan->folder,
				    pxs_clock_now_ns(), failures, n);
}

/* --- All together --- */

static int
open_root(struct scan *scan, struct pxs_error *err)
{
	scan->root_fd = open(scan->request->root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (scan->root_fd >= 0 || errno == ENOENT)
		return 0;
	return pxs_error_set(err, -errno, -1, "cannot open %s: %s", scan->request->root,
			     strerrordesc_np(errno));
}

static int
open_view(struct scan *scan, struct pxs_error *err)
{
	struct index_stats stats;
	int r;

	scan->view = index_view_get(scan->request->index);
	/* The view came first, so it shows no document that is not counted here. */
	r = index_stats(scan->request->index, &stats);
	if (r >= 0)
		r = identities_new(scan->view, stats.versions, &scan->identities);
	if (r >= 0)
		r = located_in_source(scan->view, scan->request->catalogue, scan->request->source,
				      &scan->documents, err);
	return r;
}

static int
prepare(struct scan *scan, struct pxs_error *err)
{
	const struct scan_request *request = scan->request;
	const char *part = is_folder(scan) ? request->starts[0].path : "";
	const char *slash = *part && strcmp(request->root, "/") != 0 ? "/" : "";
	int r;

	if (asprintf(&scan->folder, "%s%s%s", request->root, slash, part) < 0) {
		scan->folder = NULL;
		return -ENOMEM;
	}
	r = open_root(scan, err);
	if (r >= 0)
		r = open_view(scan, err);
	if (r >= 0)
		r = unread_new(&scan->unread);
	if (r >= 0)
		r = docqueue_new(&scan->queue);
	if (r < 0)
		return r;

	scan->scanners = (struct scanners){
		.index = request->index,
		.catalogue = request->catalogue,
		.mime = request->mime,
		.source = request->source,
		.view = scan->view,
		.identities = scan->identities,
		.unread = scan->unread,
		.queue = scan->queue,
		.progress = scan->progress,
	};
	return scanners_init(&scan->scanners, err);
}

static void
done(struct scan *scan)
{
	batch_abort(&scan->batch);
	scanners_done(&scan->scanners);
	docqueue_free(scan->queue);
	unread_free(scan->unread);
	identities_free(scan->identities);
	index_hits_put(scan->documents);
	index_view_put(scan->view);
	close_cleanup(&scan->root_fd);
	free(scan->folder);
}

static int
run(struct scan *scan, struct pxs_error *err)
{
	int r = prepare(scan, err);

	if (r >= 0 && scan->root_fd >= 0)
		r = read_tree(scan, err);
	if (r >= 0)
		r = remove_vanished(scan, err);
	if (r >= 0)
		r = record_end(scan);
	return r;
}

int
scan_run(const struct scan_request *request, struct scan_progress *progress, struct pxs_error *err)
{
	struct scan scan = {
		.request = request,
		.progress = progress,
		.root_fd = -1,
		.parts = { request->catalogue, request->source, request->root, request->starts,
			   request->n_starts },
		.batch = { .index = request->index },
	};
	int r = run(&scan, err);

	done(&scan);
	if (r < 0 && r != -ECANCELED)
		(void)pxs_error_set(err, r, -1, "the scan of %s failed: %s", request->root,
				    strerrordesc_np(-r));
	return r;
}
