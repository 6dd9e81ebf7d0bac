#include "fs/errors.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "query/query.h"

#define PATH_KEPT 1024 /* bytes of a path that are kept */
#define TEXT_KEPT 400

struct failure {
	int64_t time_ns; /* 0: none yet */
	uid_t uid;
	uint64_t node;
	int code;
	char path[PATH_KEPT];
	char text[TEXT_KEPT];
};

struct fs_errors {
	pthread_mutex_t lock;
	struct failure ring[FS_ERRORS_MAX];
	size_t next; /* the oldest: it is replaced next */
};

int
fs_errors_new(struct fs_errors **ret_errors)
{
	struct fs_errors *errors = calloc(1, sizeof(*errors));

	if (!errors)
		return -ENOMEM;
	(void)pthread_mutex_init(&errors->lock, NULL);
	*ret_errors = errors;
	return 0;
}

void
fs_errors_free(struct fs_errors *errors)
{
	if (!errors)
		return;
	(void)pthread_mutex_destroy(&errors->lock);
	free(errors);
}

void
fs_errors_add(struct fs_errors *errors, uid_t uid, uint64_t node, const char *path, int code,
	      const char *text)
{
	struct failure *failure;

	(void)pthread_mutex_lock(&errors->lock);
	failure = &errors->ring[errors->next];
	errors->next = (errors->next + 1) % FS_ERRORS_MAX;
	failure->time_ns = pxs_clock_now_ns();
	failure->uid = uid;
	failure->node = node;
	failure->code = -code;
	(void)snprintf(failure->path, sizeof(failure->path), "%s", path);
	(void)snprintf(failure->text, sizeof(failure->text), "%s", text);
	(void)pthread_mutex_unlock(&errors->lock);
}

/* The I-th oldest if UID met it, else NULL. */
static const struct failure *
failure_of(const struct fs_errors *errors, size_t i, uid_t uid)
{
	const struct failure *failure = &errors->ring[(errors->next + i) % FS_ERRORS_MAX];

	return failure->time_ns && (uid == FS_ERRORS_ALL || failure->uid == uid) ? failure : NULL;
}

/* A path is made of bytes that strangers chose; a line must stay one, of five fields. */
static void
print_path(struct pxs_buf *buf, const char *path)
{
	for (; *path; path++) {
		if ((unsigned char)*path < ' ' || *path == 0x7f)
			pxs_buf_addf(buf, "\\x%02x", (unsigned char)*path);
		else
			pxs_buf_add_char(buf, *path);
	}
}

static void
print_failure(const struct failure *failure, struct pxs_buf *buf)
{
	const char *name = strerrorname_np(failure->code);

	query_time_print(failure->time_ns / PXS_NS_PER_S * PXS_NS_PER_S, buf);
	pxs_buf_addf(buf, "\t%u\t", (unsigned int)failure->uid);
	print_path(buf, failure->path);
	pxs_buf_addf(buf, "\t%s\t%s\n", name ? name : "?", failure->text);
}

void
fs_errors_print(struct fs_errors *errors, uid_t uid, struct pxs_buf *buf)
{
	const struct failure *failure;

	(void)pthread_mutex_lock(&errors->lock);
	for (size_t i = 0; i < FS_ERRORS_MAX; i++) {
		failure = failure_of(errors, i, uid);
		if (failure)
			print_failure(failure, buf);
	}
	(void)pthread_mutex_unlock(&errors->lock);
}

bool
fs_errors_find(struct fs_errors *errors, uid_t uid, uint64_t node, struct pxs_buf *buf)
{
	const struct failure *failure = NULL;

	(void)pthread_mutex_lock(&errors->lock);
	for (size_t i = FS_ERRORS_MAX; i-- > 0 && !failure;) {
		failure = failure_of(errors, i, uid);
		if (failure && failure->node != node)
			failure = NULL;
	}
	if (failure)
		pxs_buf_add_str(buf, failure->text);
	(void)pthread_mutex_unlock(&errors->lock);
	return failure;
}
