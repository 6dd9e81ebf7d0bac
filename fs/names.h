/* names.h - which results of a hit set bear a suffix, because a result with a lower row has their
 * file name. */
#ifndef PXS_FS_NAMES_H
#define PXS_FS_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "fs/name.h"

struct fs_core;
struct fs_names;
struct fs_request;
struct index_hits;
struct index_view;

/* Looks at the file name of every hit, once. Takes 16 to 32 bytes a hit while it works, and 4 for
 * each that bears a suffix afterwards. */
int fs_names_new(struct fs_request *request, struct index_hits *hits, struct fs_names **ret_names);
/* Counted references; the last one frees. */
struct fs_names *fs_names_ref(struct fs_names *names);
void fs_names_put(struct fs_names *names);
DEFINE_CLEANUP(fs_names, struct fs_names *, fs_names_put)

bool fs_names_is_suffixed(const struct fs_names *names, uint32_t doc);

/* DOC's name of at most MAX bytes among the results, in NAME; its length. */
size_t fs_names_print(const struct fs_names *names, const struct fs_core *core,
		      const struct index_view *view, uint32_t doc, size_t max,
		      char name[FS_NAME_SIZE]);

/* The same where of the results that share DOC's file name the one with the lowest row is known. */
size_t fs_names_print_one(const struct fs_core *core, const struct index_view *view, uint32_t doc,
			  bool is_lowest, size_t max, char name[FS_NAME_SIZE]);

/* Documents among which a name is looked for. */
struct fs_scope {
	struct index_view *view;
	const struct fs_core *core;
	const struct fs_scope_ops *ops;
	void *set; /* for the ops */
};

struct fs_scope_ops {
	bool (*contains)(const struct fs_scope *scope, uint32_t doc);
	/* As index_hits_equal() with the file name. */
	int (*each_named)(const struct fs_scope *scope, const char *filename,
			  int (*each)(void *context, uint32_t doc), void *context);
};

/* All of HITS; SCOPE lends them and CORE. */
void fs_scope_of_hits(struct fs_scope *scope, struct index_hits *hits, const struct fs_core *core);

/* The document in SCOPE that NAME (shown with at most MAX bytes) names, whether it is shown so or
 * not. -ENOENT. */
int fs_names_resolve(const struct fs_scope *scope, const char *name, size_t max, uint32_t *ret_doc);

#endif
