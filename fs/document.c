#include "fs/document.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/macros.h"
#include "base/percent.h"
#include "fs/node.h"
#include "index/index.h"
#include "query/query.h"

/* Permission bits that are shown; set-user-ID and the like mean nothing in a view of a file. */
#define MODE_SHOWN 0777
#define MODE_OTHERS 0444 /* of what is no regular file, and of files without a mode */

#define BLOCK_SIZE 4096

void
fs_core_find(struct fs_core *core, const struct query_schema *schema)
{
	const struct {
		const char *name;
		const struct query_property **property;
	} names[] = {
		{ "core.filename", &core->filename },
		{ "core.pathname", &core->pathname },
		{ "core.directory", &core->directory },
		{ "core.type", &core->type },
		{ "core.size", &core->size },
		{ "core.blocks", &core->blocks },
		{ "core.mode", &core->mode },
		{ "core.uid", &core->uid },
		{ "core.gid", &core->gid },
		{ "core.inode", &core->inode },
		{ "core.device", &core->device },
		{ "core.modificationtime", &core->modified },
		{ "core.accesstime", &core->accessed },
		{ "core.changetime", &core->changed },
		{ "core.creationtime", &core->created },
		{ "core.symlink_target", &core->target },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		*names[i].property = query_schema_find(schema, names[i].name);
}

const char *
fs_document_text(const struct query_property *property, const struct index_view *view, uint32_t doc)
{
	struct query_value value;

	return property && index_doc_value(view, doc, property, &value) ? value.string : "";
}

int64_t
fs_document_number(const struct query_property *property, const struct index_view *view,
		   uint32_t doc, int64_t missing)
{
	struct query_value value;

	return property && index_doc_value(view, doc, property, &value) ? value.integer : missing;
}

enum fs_document_type
fs_document_type(const struct fs_core *core, const struct index_view *view, uint32_t doc)
{
	switch (fs_document_text(core->type, view, doc)[0]) {
	case 'f':
		return FS_DOCUMENT_FILE;
	case 'd':
		return FS_DOCUMENT_DIRECTORY;
	case 's':
		return FS_DOCUMENT_SYMLINK;
	default:
		return FS_DOCUMENT_OTHER;
	}
}

static struct timespec
timespec_of(int64_t time_ns)
{
	int64_t rest = time_ns % PXS_NS_PER_S;

	if (rest < 0)
		rest += PXS_NS_PER_S;
	return (struct timespec){ .tv_sec = (time_ns - rest) / PXS_NS_PER_S, .tv_nsec = rest };
}

static mode_t
mode_of(const struct fs_core *core, const struct index_view *view, uint32_t doc)
{
	mode_t mode = (mode_t)fs_document_number(core->mode, view, doc, MODE_OTHERS);

	return S_IFREG | (mode & MODE_SHOWN);
}

static void
stat_times(const struct fs_core *core, const struct index_view *view, uint32_t doc, struct stat *st)
{
	int64_t modified = fs_document_number(core->modified, view, doc, 0);

	st->st_mtim = timespec_of(modified);
	st->st_atim = timespec_of(fs_document_number(core->accessed, view, doc, modified));
	st->st_ctim = timespec_of(fs_document_number(core->changed, view, doc, modified));
}

void
fs_document_stat(const struct fs_core *core, const struct index_view *view, uint32_t doc,
		 struct stat *ret_stat)
{
	struct stat st = {
		.st_ino = fs_node_of_row(index_doc_row(view, doc)),
		.st_mode = S_IFREG | MODE_OTHERS,
		.st_nlink = 1,
		.st_uid = (uid_t)fs_document_number(core->uid, view, doc, 0),
		.st_gid = (gid_t)fs_document_number(core->gid, view, doc, 0),
		.st_blksize = BLOCK_SIZE,
	};

	switch (fs_document_type(core, view, doc)) {
	case FS_DOCUMENT_FILE:
		st.st_mode = mode_of(core, view, doc);
		st.st_size = fs_document_number(core->size, view, doc, 0);
		st.st_blocks = fs_document_number(core->blocks, view, doc,
						  (st.st_size + 511) / 512);
		break;
	case FS_DOCUMENT_SYMLINK:
		st.st_size = (off_t)strlen(fs_document_text(core->target, view, doc));
		break;
	case FS_DOCUMENT_DIRECTORY:
	case FS_DOCUMENT_OTHER:
		break;
	}
	stat_times(core, view, doc, &st);
	*ret_stat = st;
}
