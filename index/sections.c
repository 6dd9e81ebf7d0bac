#include "index/sections.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xxhash.h>

#include "base/macros.h"

#define MAGIC UINT64_C(0x0a0d786573737870) /* "pxssex\r\n": text mode breaks it */

/* Sections begin where a cache line does. */
#define ALIGNMENT 64

/* More sections than any file of ours has: three for each of 2^20 properties. */
#define SECTIONS_MAX (3u << 20)

struct header {
	uint64_t magic;
	uint32_t version;
	uint32_t n; /* of sections */
	struct sections_name name;
	uint64_t len;	    /* of the file */
	uint64_t directory; /* where it is */
	uint64_t directory_hash;
	uint64_t hash; /* of all above */
};

struct entry {
	uint32_t kind;
	uint32_t number;
	uint64_t at;
	uint64_t len;
	uint64_t hash;
};

/* --- Writing --- */

struct sections_writer {
	int dir_fd;
	int fd;
	char *file;
	struct header header;
	struct entry *entries;
	size_t cap;
	uint64_t at; /* bytes written */
};

void
sections_abort(struct sections_writer *writer)
{
	if (!writer)
		return;
	if (writer->fd >= 0) {
		(void)close(writer->fd);
		(void)unlinkat(writer->dir_fd, writer->file, 0);
	}
	free(writer->entries);
	free(writer->file);
	free(writer);
}

static int
write_all(int fd, const char *bytes, size_t len, uint64_t at)
{
	ssize_t n;

	for (; len > 0; bytes += n, len -= (size_t)n, at += (uint64_t)n) {
		n = pwrite(fd, bytes, len, (off_t)at);
		if (n < 0 && errno == EINTR)
			n = 0;
		if (n < 0)
			return -errno;
	}
	return 0;
}

static uint64_t
aligned(uint64_t at)
{
	return (at + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

int
sections_create(int dir_fd, const char *file, const struct sections_name *name,
		struct sections_writer **ret_writer)
{
	CLEANUP(sections_writer) struct sections_writer *writer = calloc(1, sizeof(*writer));

	if (!writer)
		return -ENOMEM;
	writer->fd = -1;
	writer->dir_fd = dir_fd;
	writer->file = strdup(file);
	if (!writer->file)
		return -ENOMEM;
	writer->fd = openat(dir_fd, file, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
			    0600);
	if (writer->fd < 0)
		return -errno;
	writer->header.name = *name;
	writer->at = aligned(sizeof(writer->header));
	*ret_writer = STEAL(writer);
	return 0;
}

static int
make_room(struct sections_writer *writer)
{
	size_t cap = MAX(writer->cap * 2, (size_t)64);
	struct entry *entries;

	if (writer->header.n < writer->cap)
		return 0;
	if (writer->header.n == SECTIONS_MAX)
		return -E2BIG;
	entries = realloc(writer->entries, cap * sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	writer->entries = entries;
	writer->cap = cap;
	return 0;
}

int
sections_add(struct sections_writer *writer, uint32_t kind, uint32_t number, const void *data,
	     size_t len)
{
	int r;

	r = make_room(writer);
	if (r == 0)
		r = write_all(writer->fd, data, len, writer->at);
	if (r < 0)
		return r;
	writer->entries[writer->header.n++] = (struct entry){
		.kind = kind,
		.number = number,
		.at = writer->at,
		.len = len,
		.hash = XXH3_64bits(data, len),
	};
	writer->at = aligned(writer->at + len);
	return 0;
}

static uint64_t
header_hash(const struct header *header)
{
	return XXH3_64bits(header, offsetof(struct header, hash));
}

static int
write_ends(struct sections_writer *writer)
{
	struct header *header = &writer->header;
	size_t len = header->n * sizeof(*writer->entries);
	int r;

	header->magic = MAGIC;
	header->version = SECTIONS_VERSION;
	header->directory = writer->at;
	header->len = writer->at + len;
	header->directory_hash = XXH3_64bits(writer->entries, len);
	header->hash = header_hash(header);
	r = write_all(writer->fd, (const char *)writer->entries, len, writer->at);
	if (r == 0)
		r = write_all(writer->fd, (const char *)header, sizeof(*header), 0);
	return r == 0 && fsync(writer->fd) < 0 ? -errno : r;
}

int
sections_finish(struct sections_writer *writer)
{
	int r = write_ends(writer);

	if (r == 0 && close(STEAL_FD(writer->fd)) < 0) {
		r = -errno;
		(void)unlinkat(writer->dir_fd, writer->file, 0);
	}
	sections_abort(writer);
	return r;
}

/* --- Reading --- */

static int
check_header(const char *bytes, size_t len, const struct sections_name *name, struct header *header)
{
	if (len < sizeof(*header))
		return -EBADMSG;
	memcpy(header, bytes, sizeof(*header));
	if (header->magic != MAGIC || header->version != SECTIONS_VERSION ||
	    header->hash != header_hash(header) || memcmp(&header->name, name, sizeof(*name)) != 0)
		return -EBADMSG;
	if (header->len != len || header->n > SECTIONS_MAX || header->directory % ALIGNMENT ||
	    header->directory > len || header->n * sizeof(struct entry) != len - header->directory)
		return -EBADMSG;
	return XXH3_64bits(bytes + header->directory, len - header->directory) ==
			       header->directory_hash
		       ? 0
		       : -EBADMSG;
}

static int
read_entry(const char *bytes, const struct header *header, const struct entry *entry,
	   struct section *section)
{
	if (entry->at % ALIGNMENT || entry->at > header->directory ||
	    entry->len > header->directory - entry->at ||
	    XXH3_64bits(bytes + entry->at, entry->len) != entry->hash)
		return -EBADMSG;
	*section = (struct section){ entry->kind, entry->number, bytes + entry->at, entry->len };
	return 0;
}

static void
end_sections(struct retired *retired)
{
	sections_close(container_of(retired, struct sections, retired));
}

int
sections_read(const void *bytes, size_t len, const struct sections_name *name,
	      struct sections **ret_sections)
{
	CLEANUP(free) struct sections *sections = NULL;
	const struct entry *entries;
	struct header header;
	int r;

	r = check_header(bytes, len, name, &header);
	if (r < 0)
		return r;
	sections = calloc(1, sizeof(*sections) + header.n * sizeof(sections->sections[0]));
	if (!sections)
		return -ENOMEM;
	entries = (const struct entry *)((const char *)bytes + header.directory);
	for (; r == 0 && sections->n < header.n; sections->n++)
		r = read_entry(bytes, &header, &entries[sections->n],
			       &sections->sections[sections->n]);
	if (r < 0)
		return r;
	sections->retired.end = end_sections;
	*ret_sections = STEAL(sections);
	return 0;
}

int
sections_open(int dir_fd, const char *file, const struct sections_name *name,
	      struct sections **ret_sections)
{
	CLEANUP(close) int fd = openat(dir_fd, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	void *map;
	int r;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof(struct header))
		return -EBADMSG;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	/* Soon all of it is read, from front to back. */
	(void)madvise(map, (size_t)st.st_size, MADV_WILLNEED);
	r = sections_read(map, (size_t)st.st_size, name, ret_sections);
	if (r < 0) {
		(void)munmap(map, (size_t)st.st_size);
		return r;
	}
	(*ret_sections)->map = map;
	(*ret_sections)->len = (size_t)st.st_size;
	return 0;
}

void
sections_close(struct sections *sections)
{
	if (!sections)
		return;
	if (sections->map)
		(void)munmap((void *)sections->map, sections->len);
	free(sections);
}

const struct section *
sections_find(const struct sections *sections, uint32_t kind, uint32_t number)
{
	for (size_t i = 0; i < sections->n; i++)
		if (sections->sections[i].kind == kind && sections->sections[i].number == number)
			return &sections->sections[i];
	return NULL;
}
