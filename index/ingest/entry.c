#include "index/ingest/entry.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <unicase.h>

#include "base/clock.h"
#include "base/macros.h"
#include "base/percent.h"
#include "index/index.h"
#include "index/ingest/catalogue.h"
#include "index/ingest/filetype.h"
#include "index/ingest/owners.h"
#include "index/ingest/pathname.h"
#include "index/ingest/sniff.h"

/* What follows the last dot of a longer name is no extension but a sentence. */
#define EXTENSION_MAX 32

/* Instants that 64 bits of nanoseconds hold: 1678-01-01 up to 2262-01-01. */
#define SECONDS_MIN INT64_C(-9214560000)
#define SECONDS_END INT64_C(9214646400)

/* Numbers that are not there: no value of any of them. */
#define ABSENT INT64_MIN

int
entry_maker_init(struct entry_maker *maker, const struct catalogue *catalogue,
		 const struct mime *mime, struct pxs_error *err)
{
	int r;

	*maker = (struct entry_maker){
		.catalogue = catalogue,
		.mime = mime,
		.scratch = PXS_BUF_INIT,
	};
	r = owners_new(&maker->owners);
	if (r >= 0)
		r = sniff_open(mime, &maker->sniff, err);
	if (r < 0)
		entry_maker_done(maker);
	return r;
}

void
entry_maker_done(struct entry_maker *maker)
{
	sniff_close(STEAL(maker->sniff));
	owners_free(STEAL(maker->owners));
	pxs_buf_done(&maker->scratch);
}

/* --- Numbers --- */

/* The numbers of an entry, and those whose change is news. With most of them ctime changes too, but
 * not on every file system. */
static const struct {
	enum core core;
	bool compared;
} NUMBERS[] = {
	{ CORE_INODE, false }, /* part of the identity */
	{ CORE_SIZE, true },
	{ CORE_BLOCKS, false }, /* follow the size, a little later */
	{ CORE_MODE, true },
	{ CORE_UID, true },
	{ CORE_GID, true },
	{ CORE_NLINK, true },
	{ CORE_DEVICE, false }, /* new after a reboot */
	{ CORE_MODIFICATIONTIME, true },
	{ CORE_ACCESSTIME, false }, /* reading a file must not make work */
	{ CORE_CHANGETIME, true },
	{ CORE_CREATIONTIME, false }, /* part of the identity */
};

/* Times that do not fit are told as the nearest that does. */
static int64_t
time_ns(const struct statx_timestamp *time)
{
	if (time->tv_sec < SECONDS_MIN)
		return SECONDS_MIN * PXS_NS_PER_S;
	if (time->tv_sec >= SECONDS_END)
		return SECONDS_END * PXS_NS_PER_S - 1;
	return time->tv_sec * PXS_NS_PER_S + time->tv_nsec;
}

/* Inode numbers may use all 64 bits, ours are signed. */
static void
read_numbers(const struct statx *stat, int64_t numbers[CORE_COUNT])
{
	numbers[CORE_INODE] = (int64_t)(stat->stx_ino & INT64_MAX);
	numbers[CORE_SIZE] = (int64_t)(stat->stx_size & INT64_MAX);
	numbers[CORE_BLOCKS] = (int64_t)(stat->stx_blocks & INT64_MAX);
	numbers[CORE_MODE] = stat->stx_mode;
	numbers[CORE_UID] = stat->stx_uid;
	numbers[CORE_GID] = stat->stx_gid;
	numbers[CORE_NLINK] = MIN(stat->stx_nlink, (uint32_t)INT32_MAX);
	numbers[CORE_DEVICE] = (int64_t)makedev(stat->stx_dev_major, stat->stx_dev_minor);
	numbers[CORE_MODIFICATIONTIME] = time_ns(&stat->stx_mtime);
	numbers[CORE_ACCESSTIME] = time_ns(&stat->stx_atime);
	numbers[CORE_CHANGETIME] = time_ns(&stat->stx_ctime);
	numbers[CORE_CREATIONTIME] = ABSENT;
	/* 0 is what file systems made from an image give for a time that nobody set. */
	if ((stat->stx_mask & STATX_BTIME) && stat->stx_btime.tv_sec)
		numbers[CORE_CREATIONTIME] = time_ns(&stat->stx_btime);
}

static int
add_int(const struct entry_maker *maker, struct index_document *document, enum core core,
	int64_t value)
{
	return index_document_add_int(document, maker->catalogue->properties[core], value);
}

static int
add_numbers(const struct entry_maker *maker, const struct entry *entry,
	    struct index_document *document)
{
	int64_t numbers[CORE_COUNT];
	int r = 0;

	read_numbers(entry->stat, numbers);
	for (size_t i = 0; i < ARRAY_SIZE(NUMBERS) && r >= 0; i++)
		if (numbers[NUMBERS[i].core] != ABSENT)
			r = add_int(maker, document, NUMBERS[i].core, numbers[NUMBERS[i].core]);
	return r;
}

bool
entry_is_current(const struct entry_maker *maker, const struct index_view *view, uint32_t doc,
		 const struct entry *entry)
{
	int64_t numbers[CORE_COUNT];
	struct query_value value;

	read_numbers(entry->stat, numbers);
	for (size_t i = 0; i < ARRAY_SIZE(NUMBERS); i++) {
		enum core core = NUMBERS[i].core;

		if (!NUMBERS[i].compared)
			continue;
		if (!index_doc_value(view, doc, maker->catalogue->properties[core], &value) ||
		    value.integer != numbers[core])
			return false;
	}
	return true;
}

/* --- Strings --- */

static int
add_text(const struct entry_maker *maker, struct index_document *document, enum core core,
	 const char *text, size_t len)
{
	return index_document_add_string(document, maker->catalogue->properties[core], text, len);
}

/* NULL adds nothing. */
static int
add_string(const struct entry_maker *maker, struct index_document *document, enum core core,
	   const char *text)
{
	return text ? add_text(maker, document, core, text, strlen(text)) : 0;
}

/* The part of NAME from its last dot on, unless that is its first or last character. */
static const char *
extension_of(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && dot != name && dot[1] && strlen(dot) <= EXTENSION_MAX ? dot : NULL;
}

static int
add_extension(const struct entry_maker *maker, struct index_document *document, const char *name)
{
	const char *extension = extension_of(name);
	CLEANUP(free) uint8_t *lower = NULL;
	size_t len = 0;

	if (!extension)
		return 0;
	lower = u8_tolower((const uint8_t *)extension, strlen(extension), NULL, NULL, NULL, &len);
	if (!lower)
		return -ENOMEM;
	return add_text(maker, document, CORE_EXTENSION, (const char *)lower, len);
}

static int
add_exact_path(struct entry_maker *maker, const struct entry *entry,
	       struct index_document *document)
{
	if (entry->exact)
		return 0;
	pxs_buf_clear(&maker->scratch);
	pathname_add_exact(&maker->scratch, entry->path, entry->path_len);
	if (maker->scratch.error)
		return maker->scratch.error;
	return add_text(maker, document, CORE_EXACT_PATH, maker->scratch.data, maker->scratch.len);
}

static int
add_paths(struct entry_maker *maker, const struct entry *entry, struct index_document *document)
{
	const char *name = entry->text + entry->name_at;
	size_t folder_len = MAX(entry->name_at - 1, (size_t)1); /* "/" keeps its slash */
	int64_t depth = 0;
	int r;

	for (const char *c = entry->text; *c; c++)
		depth += *c == '/';

	r = add_text(maker, document, CORE_PATHNAME, entry->text, entry->text_len);
	if (r >= 0)
		r = add_string(maker, document, CORE_FILENAME, name);
	if (r >= 0)
		r = add_text(maker, document, CORE_DIRECTORY, entry->text, folder_len);
	if (r >= 0 && S_ISREG(entry->stat->stx_mode))
		r = add_extension(maker, document, name);
	if (r >= 0)
		r = add_int(maker, document, CORE_DEPTH, depth);
	if (r >= 0)
		r = add_exact_path(maker, entry, document);
	return r;
}

static int
add_owner(const struct entry_maker *maker, const struct entry *entry,
	  struct index_document *document)
{
	char permissions[8];
	int r;

	(void)snprintf(permissions, sizeof(permissions), "%04o", entry->stat->stx_mode & 07777);
	r = add_string(maker, document, CORE_PERMISSIONS, permissions);
	if (r >= 0)
		r = add_string(maker, document, CORE_USER,
			       owners_user(maker->owners, entry->stat->stx_uid));
	if (r >= 0)
		r = add_string(maker, document, CORE_GROUP,
			       owners_group(maker->owners, entry->stat->stx_gid));
	return r;
}

/* A link that cannot be read (any more) has no target. */
static int
add_target(struct entry_maker *maker, const struct entry *entry, struct index_document *document)
{
	char target[PATH_MAX];
	ssize_t len = readlinkat(entry->folder, entry->name, target, sizeof(target));

	if (len <= 0)
		return 0;
	pxs_buf_clear(&maker->scratch);
	(void)pathname_add_text(&maker->scratch, target, (size_t)len);
	if (maker->scratch.error)
		return maker->scratch.error;
	return add_text(maker, document, CORE_SYMLINK_TARGET, maker->scratch.data,
			maker->scratch.len);
}

static int
add_type(struct entry_maker *maker, const struct entry *entry, struct index_document *document,
	 int *ret_unreadable)
{
	const char *type;
	int r;

	r = add_string(maker, document, CORE_TYPE, filetype_name(entry->stat->stx_mode));
	if (r < 0)
		return r;

	*ret_unreadable = -filetype_mime(maker->mime, maker->sniff, entry->folder, entry->name,
					 entry->stat, &type);
	return *ret_unreadable ? 0 : add_string(maker, document, CORE_MIMETYPE, type);
}

int
entry_make(struct entry_maker *maker, const struct entry *entry, int64_t id,
	   struct index_document *document, int *ret_unreadable)
{
	int r;

	index_document_set_id(document, id);
	r = add_int(maker, document, CORE_SOURCE, entry->source);
	if (r >= 0)
		r = add_paths(maker, entry, document);
	if (r >= 0)
		r = add_numbers(maker, entry, document);
	if (r >= 0)
		r = add_owner(maker, entry, document);
	if (r >= 0)
		r = add_type(maker, entry, document, ret_unreadable);
	if (r >= 0 && S_ISLNK(entry->stat->stx_mode))
		r = add_target(maker, entry, document);
	return r;
}

/* --- The document that there is --- */

int
entry_is_at(struct entry_maker *maker, const struct index_view *view, uint32_t doc,
	    const struct entry *entry)
{
	const struct query_property *const *properties = maker->catalogue->properties;
	struct query_value value;
	bool has_exact;

	if (!index_doc_value(view, doc, properties[CORE_PATHNAME], &value) ||
	    strcmp(value.string, entry->text) != 0)
		return 0;
	has_exact = index_doc_value(view, doc, properties[CORE_EXACT_PATH], &value);
	if (entry->exact || !has_exact)
		return entry->exact && !has_exact;

	pxs_buf_clear(&maker->scratch);
	pathname_add_exact(&maker->scratch, entry->path, entry->path_len);
	if (maker->scratch.error)
		return maker->scratch.error;
	return !strcmp(value.string, maker->scratch.data);
}

int
entry_path_of(const struct catalogue *catalogue, const struct index_view *view, uint32_t doc,
	      struct pxs_buf *buf)
{
	struct query_value value;

	if (index_doc_value(view, doc, catalogue->properties[CORE_EXACT_PATH], &value))
		pxs_percent_decode(buf, value.string, strlen(value.string));
	else if (index_doc_value(view, doc, catalogue->properties[CORE_PATHNAME], &value))
		pxs_buf_add_str(buf, value.string);
	return buf->error;
}
