/* catalogue.h - the properties that a scan finds out (spec/pixstor.md 3.3, core.*). */
#ifndef PXS_INDEX_INGEST_CATALOGUE_H
#define PXS_INDEX_INGEST_CATALOGUE_H

struct index;
struct pxs_error;
struct query_property;

enum core {
	CORE_PATHNAME,
	CORE_FILENAME,
	CORE_DIRECTORY,
	CORE_EXTENSION,
	CORE_MIMETYPE,
	CORE_INODE,
	CORE_SIZE,
	CORE_BLOCKS,
	CORE_MODE,
	CORE_PERMISSIONS,
	CORE_TYPE,
	CORE_UID,
	CORE_GID,
	CORE_USER,
	CORE_GROUP,
	CORE_NLINK,
	CORE_DEVICE,
	CORE_MODIFICATIONTIME,
	CORE_ACCESSTIME,
	CORE_CHANGETIME,
	CORE_CREATIONTIME,
	CORE_DEPTH,
	CORE_SYMLINK_TARGET,
	CORE_EXACT_PATH, /* "_index.path": only where core.pathname is not the bytes on disk */
	CORE_SOURCE,	 /* "_index.source": whose document it is */
	CORE_COUNT,
};

/* As the index declared them; they live as long as it does. */
struct catalogue {
	const struct query_property *properties[CORE_COUNT];
};

/* Declare all of them to INDEX as readonly, and those that no scan knows but people may write.
 * Errors as index_property_add(). */
int catalogue_declare(struct index *index, struct catalogue *ret_catalogue, struct pxs_error *err);

#endif
