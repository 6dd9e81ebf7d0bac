#include "index/ingest/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "index/index.h"
#include "index/ingest/mounts.h"
#include "index/ingest/pathname.h"
#include "index/ingest/sources.h"

void
place_done(struct place *place)
{
	free(place->path);
	free(place->root);
	*place = (struct place){ 0 };
}

/* --- The path --- */

/* PATH without doubled slashes, "." and a slash at the end; for folders that are gone, of which
 * realpath(3) knows nothing. NULL: out of memory, or it has "..", which only the disk can tell. */
static char *
tidy(const char *path)
{
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;

	while (*path) {
		size_t len = strcspn(path, "/");

		if (len == 2 && !strncmp(path, "..", 2))
			return NULL;
		if (len > 0 && !(len == 1 && *path == '.')) {
			pxs_buf_add_char(&buf, '/');
			pxs_buf_add(&buf, path, len);
		}
		path += len + (path[len] == '/');
	}
	if (buf.len == 0)
		pxs_buf_add_char(&buf, '/');
	return pxs_buf_steal(&buf);
}

static const struct index_source *
source_at(const struct sources *sources, const char *path)
{
	for (size_t i = 0; i < sources->n; i++)
		if (!strcmp(sources->items[i].path, path))
			return &sources->items[i];
	return NULL;
}

/* *RET_PATH is PATH as the kernel knows it or, where only a source's folder is gone, as it was. */
static int
resolve(const struct sources *sources, const char *path, char **ret_path, struct pxs_error *err)
{
	CLEANUP(free) char *real = realpath(path, NULL);
	int error = errno;

	if (!real && error == ENOENT) {
		real = tidy(path);
		if (real && !source_at(sources, real))
			free(STEAL(real));
	}
	if (!real)
		return pxs_error_set(err, -error, -1, "cannot find %s: %s", path,
				     strerrordesc_np(error));
	*ret_path = STEAL(real);
	return 0;
}

/* --- Whether it can be scanned --- */

/* PATH could not be WHATed, as errno tells. */
static int
fail(struct pxs_error *err, const char *what, const char *path)
{
	return pxs_error_set(err, -errno, -1, "cannot %s %s: %s", what, path,
			     strerrordesc_np(errno));
}

/* -ENOENT is for the caller to judge. */
static int
check_folder(const char *path, struct pxs_error *err)
{
	CLEANUP(close) int place = -1;
	CLEANUP(close) int fd = -1;
	struct statx stat;
	int r;

	/* A place first: opening a folder of our own mount would ask ourselves. */
	place = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (place < 0 && errno == ENOENT)
		return -ENOENT;
	if (place < 0)
		return fail(err, "open", path);
	r = statx(place, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_MNT_ID, &stat);
	if (r < 0)
		return fail(err, "look at", path);
	if (!S_ISDIR(stat.stx_mode))
		return pxs_error_set(err, -ENOTDIR, -1, "%s is not a folder", path);
	if (mounts_barred(stat.stx_mnt_id))
		return pxs_error_set(err, -EINVAL, -1,
				     "%s is on a file system that holds no files to index (the "
				     "kernel's own, or a mount of pxs)",
				     path);

	fd = openat(place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? fail(err, "read", path) : 0;
}

static int
check(struct index *index, const struct sources *sources, const char *path, struct pxs_error *err)
{
	int r;

	if (pathname_within(path, index_dir(index)))
		return pxs_error_set(err, -EINVAL, -1, "%s is the index itself", path);
	r = check_folder(path, err);
	if (r != -ENOENT)
		return r;
	/* Of a source that is gone, the scan will say what that means. */
	if (source_at(sources, path))
		return 0;
	return pxs_error_set(err, -ENOENT, -1, "cannot find %s: %s", path, strerrordesc_np(ENOENT));
}

/* --- Which source it belongs to --- */

static int
settle(const struct sources *sources, struct place *place, struct pxs_error *err)
{
	const struct index_source *source = NULL;

	for (size_t i = 0; i < sources->n && !source; i++) {
		if (pathname_within(place->path, sources->items[i].path))
			source = &sources->items[i];
		else if (pathname_within(sources->items[i].path, place->path))
			return pxs_error_set(
				err, -EEXIST, -1,
				"%s contains the source %s; to index all of it, first: "
				"pxs ingest --forget %s",
				place->path, sources->items[i].path, sources->items[i].path);
	}

	place->source = source ? source->id : 0;
	place->root = strdup(source ? source->path : place->path);
	if (!place->root)
		return -ENOMEM;
	place->start = place->path + strlen(place->root);
	if (*place->start == '/')
		place->start++;
	return 0;
}

static int
want_source(const struct place *place, struct pxs_error *err)
{
	if (place->source && !*place->start)
		return 0;
	return pxs_error_set(err, -ENOENT, -1, "%s is no source; pxs status lists them",
			     place->path);
}

static int
find(struct index *index, const char *path, bool forget, struct place *place, struct pxs_error *err)
{
	CLEANUP(sources) struct sources sources = { 0 };
	int r;

	if (path[0] != '/')
		return pxs_error_set(err, -EINVAL, -1, "%s is not an absolute path", path);
	r = index_source_list(index, &sources.items, &sources.n);
	if (r < 0)
		return pxs_error_set(err, r, -1, "cannot read the list of sources: %s",
				     strerrordesc_np(-r));
	r = resolve(&sources, path, &place->path, err);
	if (!place->path)
		return r;
	if (!forget)
		r = check(index, &sources, place->path, err);
	if (r >= 0)
		r = settle(&sources, place, err);
	if (r >= 0 && forget)
		r = want_source(place, err);
	return r;
}

int
place_find(struct index *index, const char *path, bool forget, struct place *ret_place,
	   struct pxs_error *err)
{
	CLEANUP(place) struct place place = { 0 };
	int r;

	r = find(index, path, forget, &place, err);
	if (r < 0)
		return r;
	*ret_place = place;
	place = (struct place){ 0 };
	return 0;
}
