/* test_tree.h - trees for tests: made in a new folder, gone at the end. Every failure ends the
 * test. */
#ifndef PXS_INDEX_INGEST_TEST_TREE_H
#define PXS_INDEX_INGEST_TEST_TREE_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"

struct tree {
	char path[64];
	int fd;
};

static inline void
tree_make(struct tree *tree)
{
	strcpy(tree->path, "/tmp/pxs-test-tree-XXXXXX");
	if (!mkdtemp(tree->path))
		fail_msg("mkdtemp: %s", strerror(errno));
	assert_int_equal(chmod(tree->path, 0755), 0);
	tree->fd = open(tree->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(tree->fd >= 0);
}

static inline void
tree_folder(const struct tree *tree, const char *path)
{
	if (mkdirat(tree->fd, path, 0755) < 0)
		fail_msg("mkdir %s: %s", path, strerror(errno));
}

static inline void
tree_file(const struct tree *tree, const char *path, const char *content)
{
	CLEANUP(close)
	int fd = openat(tree->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0)
		fail_msg("open %s: %s", path, strerror(errno));
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
}

static inline void
tree_symlink(const struct tree *tree, const char *path, const char *target)
{
	assert_int_equal(symlinkat(target, tree->fd, path), 0);
}

static inline void
tree_link(const struct tree *tree, const char *from, const char *to)
{
	assert_int_equal(linkat(tree->fd, from, tree->fd, to, 0), 0);
}

static inline void
tree_rename(const struct tree *tree, const char *from, const char *to)
{
	if (renameat(tree->fd, from, tree->fd, to) < 0)
		fail_msg("rename %s to %s: %s", from, to, strerror(errno));
}

static inline void
tree_empty_folder(int folder)
{
	DIR *dir = fdopendir(folder);
	const struct dirent *ent;

	assert_non_null(dir);
	rewinddir(dir); /* FOLDER may be a copy of one that was read before */
	while ((ent = readdir(dir))) {
		if (!strcmp(ent->d_name, ".") || !strcmp(ent->d_name, ".."))
			continue;
		if (unlinkat(dirfd(dir), ent->d_name, 0) == 0)
			continue;
		tree_empty_folder(openat(dirfd(dir), ent->d_name,
					 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
		assert_int_equal(unlinkat(dirfd(dir), ent->d_name, AT_REMOVEDIR), 0);
	}
	(void)closedir(dir);
}

/* By descriptors, so that depth does not matter. */
static inline void
tree_remove(const struct tree *tree, const char *path)
{
	if (unlinkat(tree->fd, path, 0) == 0)
		return;
	tree_empty_folder(openat(tree->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
	assert_int_equal(unlinkat(tree->fd, path, AT_REMOVEDIR), 0);
}

static inline void
tree_done(struct tree *tree)
{
	tree_empty_folder(tree->fd);
	assert_int_equal(rmdir(tree->path), 0);
}

#endif
