/* watched.h - the folders that somebody may watch (inotify), and what they showed last.
 *
 * The kernel does not say who watches what. But a watched folder was opened before, as a rule, and
 * the kernel keeps its node for as long as it is watched: so these are the ones opened lately that
 * it did not forget. */
#ifndef PXS_FS_WATCHED_H
#define PXS_FS_WATCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fs_node;
struct fs_watched;
struct index_hits;

/* So many are remembered, those opened last. */
#define FS_WATCHED_MAX 64
/* Unlinks that are under way, or of which the result has not been looked at. */
#define FS_WATCHED_UNLINKS_MAX 1024

struct fs_watched_folder {
	struct fs_node *node;	 /* a query folder, or a facet folder in one */
	struct index_hits *hits; /* its results, as they were told last */
};

int fs_watched_new(struct fs_watched **ret_watched);
void fs_watched_free(struct fs_watched *watched);

/* NODE was opened, with HITS. */
void fs_watched_open(struct fs_watched *watched, struct fs_node *node, struct index_hits *hits);

/* The kernel forgot node ID. */
void fs_watched_forget(struct fs_watched *watched, uint64_t id);

/* All of them, in FOLDERS; their number. The caller's, by fs_watched_folder_done(). */
size_t fs_watched_list(struct fs_watched *watched,
		       struct fs_watched_folder folders[FS_WATCHED_MAX]);
void fs_watched_folder_done(struct fs_watched_folder *folder);

/* NODE, if it is still one of them, was told HITS; NULL: it can no longer be searched. */
void fs_watched_told(struct fs_watched *watched, const struct fs_node *node,
		     struct index_hits *hits);

/* Somebody unlinks document ROW in node FOLDER: if he may, the kernel tells its watchers by itself.
 */
void fs_watched_unlink(struct fs_watched *watched, uint64_t folder, uint64_t row);
/* Whether that was so. It is forgotten: they were told, or he might not. */
bool fs_watched_unlinked(struct fs_watched *watched, uint64_t folder, uint64_t row);

#endif
