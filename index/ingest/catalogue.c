#include "index/ingest/catalogue.h"

#include "base/macros.h"
#include "index/index.h"
#include "query/query.h"

/* uid and gid are Long because the kernel's 32 bits are unsigned. */
static const struct query_property CATALOGUE[CORE_COUNT] = {
	[CORE_PATHNAME] = { .name = "core.pathname", .prompt = "Path", .type = QUERY_TYPE_STRING },
	[CORE_FILENAME] = { .name = "core.filename",
			    .prompt = "File name",
			    .type = QUERY_TYPE_STRING },
	[CORE_DIRECTORY] = { .name = "core.directory",
			     .prompt = "Directory",
			     .type = QUERY_TYPE_STRING,
			     .filter = true },
	[CORE_EXTENSION] = { .name = "core.extension",
			     .prompt = "File extension",
			     .type = QUERY_TYPE_STRING,
			     .filter = true },
	[CORE_MIMETYPE] = { .name = "core.mimetype",
			    .prompt = "MIME type",
			    .type = QUERY_TYPE_STRING,
			    .filter = true },
	[CORE_INODE] = { .name = "core.inode", .prompt = "Inode number", .type = QUERY_TYPE_LONG },
	[CORE_SIZE] = { .name = "core.size",
			.prompt = "File size in bytes",
			.type = QUERY_TYPE_LONG,
			.filter = true },
	[CORE_BLOCKS] = { .name = "core.blocks",
			  .prompt = "Blocks of 512 bytes on disk",
			  .type = QUERY_TYPE_LONG },
	[CORE_MODE] = { .name = "core.mode", .prompt = "Mode", .type = QUERY_TYPE_INTEGER },
	[CORE_PERMISSIONS] = { .name = "core.permissions",
			       .prompt = "Permissions",
			       .type = QUERY_TYPE_STRING,
			       .filter = true },
	[CORE_TYPE] = { .name = "core.type",
			.prompt = "Kind of entry",
			.type = QUERY_TYPE_STRING,
			.filter = true },
	[CORE_UID] = { .name = "core.uid", .prompt = "Owner number", .type = QUERY_TYPE_LONG },
	[CORE_GID] = { .name = "core.gid", .prompt = "Group number", .type = QUERY_TYPE_LONG },
	[CORE_USER] = { .name = "core.user",
			.prompt = "Owner name",
			.type = QUERY_TYPE_STRING,
			.filter = true },
	[CORE_GROUP] = { .name = "core.group",
			 .prompt = "Group name",
			 .type = QUERY_TYPE_STRING,
			 .filter = true },
	[CORE_NLINK] = { .name = "core.nlink",
			 .prompt = "Number of hard links",
			 .type = QUERY_TYPE_INTEGER },
	[CORE_DEVICE] = { .name = "core.device",
			  .prompt = "Device number",
			  .type = QUERY_TYPE_LONG },
	[CORE_MODIFICATIONTIME] = { .name = "core.modificationtime",
				    .prompt = "Time of last modification",
				    .type = QUERY_TYPE_DATETIME,
				    .filter = true },
	[CORE_ACCESSTIME] = { .name = "core.accesstime",
			      .prompt = "Time of last access",
			      .type = QUERY_TYPE_DATETIME,
			      .filter = true },
	[CORE_CHANGETIME] = { .name = "core.changetime",
			      .prompt = "Time of last status change",
			      .type = QUERY_TYPE_DATETIME,
			      .filter = true },
	[CORE_CREATIONTIME] = { .name = "core.creationtime",
				.prompt = "Time of creation",
				.type = QUERY_TYPE_DATETIME,
				.filter = true },
	[CORE_DEPTH] = { .name = "core.depth",
			 .prompt = "Depth below the root directory",
			 .type = QUERY_TYPE_INTEGER },
	[CORE_SYMLINK_TARGET] = { .name = "core.symlink_target",
				  .prompt = "Target of symbolic link",
				  .type = QUERY_TYPE_STRING },
	[CORE_EXACT_PATH] = { .name = "_index.path",
			      .prompt = "Exact path",
			      .type = QUERY_TYPE_STRING },
	[CORE_SOURCE] = { .name = "_index.source", .prompt = "Source", .type = QUERY_TYPE_LONG },
};

/* What people say of files (spec/pixstor.md 3.3, common.* and user.*). */
static const struct query_property PEOPLES[] = {
	{ .name = "common.title", .prompt = "Title", .type = QUERY_TYPE_STRING, .filter = true },
	{ .name = "common.creator",
	  .prompt = "Creator",
	  .type = QUERY_TYPE_STRING,
	  .filter = true },
	{ .name = "common.description", .prompt = "Description", .type = QUERY_TYPE_STRING },
	{ .name = "common.keywords",
	  .prompt = "Keywords",
	  .type = QUERY_TYPE_STRING,
	  .multi = true,
	  .filter = true },
	{ .name = "common.copyright",
	  .prompt = "Copyright",
	  .type = QUERY_TYPE_STRING,
	  .filter = true },
	{ .name = "common.language",
	  .prompt = "Language",
	  .type = QUERY_TYPE_STRING,
	  .filter = true },
	{ .name = "user.tags",
	  .prompt = "Tags",
	  .type = QUERY_TYPE_STRING,
	  .multi = true,
	  .filter = true },
	{ .name = "user.rating", .prompt = "Rating", .type = QUERY_TYPE_INTEGER, .filter = true },
	{ .name = "user.comment", .prompt = "Comment", .type = QUERY_TYPE_STRING },
};

static int
declare_peoples(struct index *index, struct pxs_error *err)
{
	const struct query_property *declared;
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(PEOPLES) && r >= 0; i++)
		r = index_property_add(index, &PEOPLES[i], &declared, err);
	return r;
}

int
catalogue_declare(struct index *index, struct catalogue *ret_catalogue, struct pxs_error *err)
{
	struct catalogue catalogue;

	for (int i = 0; i < CORE_COUNT; i++) {
		struct query_property found = CATALOGUE[i];
		int r;

		found.readonly = true;
		r = index_property_add(index, &found, &catalogue.properties[i], err);
		if (r < 0)
			return r;
	}

	*ret_catalogue = catalogue;
	return declare_peoples(index, err);
}
