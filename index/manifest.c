#include "index/manifest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME "manifest"
#define NAME_NEW "manifest.new"

enum manifest_section { SECTION_STATE = 1, SECTION_FILES, SECTION_LIVE, SECTION_TEXTS };

void
manifest_done(struct manifest *manifest)
{
	free(manifest->generations);
	free(manifest->live);
	free(manifest->texts);
	*manifest = (struct manifest){ 0 };
}

static struct sections_name
name_of(uint64_t salt)
{
	return (struct sections_name){ .kind = FILE_MANIFEST, .salt = salt };
}

/* A copy of section KIND, which has N elements of SIZE bytes. */
static int
copy_section(const struct sections *sections, enum manifest_section kind, size_t n, size_t size,
	     void *ret_copy)
{
	const struct section *section = sections_find(sections, kind, 0);
	void *copy;

	if (!section || section->len / size != n || section->len % size)
		return -EBADMSG;
	copy = malloc(section->len + 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, section->data, section->len);
	memcpy(ret_copy, &copy, sizeof(copy));
	return 0;
}

static int
read_sections(const struct sections *sections, struct manifest *manifest)
{
	const struct section *section = sections_find(sections, SECTION_STATE, 0);
	struct manifest_state *state = &manifest->state;
	int r;

	if (!section || section->len != sizeof(*state))
		return -EBADMSG;
	memcpy(state, section->data, sizeof(*state));
	if (state->n_segments > COLUMN_SEGMENTS)
		return -EBADMSG;
	r = copy_section(sections, SECTION_FILES, state->n_segments, sizeof(*manifest->generations),
			 &manifest->generations);
	if (r == 0)
		r = copy_section(sections, SECTION_LIVE,
				 (size_t)state->n_segments * MANIFEST_LIVE_WORDS,
				 sizeof(*manifest->live), &manifest->live);
	if (r == 0)
		r = copy_section(sections, SECTION_TEXTS, state->n_texts, sizeof(*manifest->texts),
				 &manifest->texts);
	return r;
}

int
manifest_read(int dir_fd, uint64_t salt, struct manifest *manifest)
{
	CLEANUP(sections) struct sections *sections = NULL;
	const struct sections_name name = name_of(salt);
	int r;

	r = sections_open(dir_fd, NAME, &name, &sections);
	if (r == 0)
		r = read_sections(sections, manifest);
	if (r < 0)
		manifest_done(manifest);
	return r;
}

static int
add_sections(struct sections_writer *writer, const struct manifest *manifest)
{
	const struct manifest_state *state = &manifest->state;
	int r;

	r = sections_add(writer, SECTION_STATE, 0, state, sizeof(*state));
	if (r == 0)
		r = sections_add(writer, SECTION_FILES, 0, manifest->generations,
				 state->n_segments * sizeof(*manifest->generations));
	if (r == 0)
		r = sections_add(writer, SECTION_LIVE, 0, manifest->live,
				 state->n_segments * MANIFEST_LIVE_WORDS * sizeof(*manifest->live));
	if (r == 0)
		r = sections_add(writer, SECTION_TEXTS, 0, manifest->texts,
				 state->n_texts * sizeof(*manifest->texts));
	return r;
}

int
manifest_write(int dir_fd, uint64_t salt, const struct manifest *manifest)
{
	CLEANUP(sections_writer) struct sections_writer *writer = NULL;
	const struct sections_name name = name_of(salt);
	int r;

	/* The files that it names must be in the folder before it is. */
	if (fsync(dir_fd) < 0)
		return -errno;
	r = sections_create(dir_fd, NAME_NEW, &name, &writer);
	if (r == 0)
		r = add_sections(writer, manifest);
	if (r == 0)
		r = sections_finish(STEAL(writer));
	if (r == 0 && renameat(dir_fd, NAME_NEW, dir_fd, NAME) < 0)
		r = -errno;
	if (r == 0 && fsync(dir_fd) < 0)
		r = -errno;
	return r;
}

uint32_t
manifest_texts_of(const struct manifest *manifest, uint32_t property)
{
	for (uint32_t i = 0; i < manifest->state.n_texts; i++)
		if (manifest->texts[i].property == property)
			return manifest->texts[i].n;
	return 0;
}

void
manifest_file_name(enum segments_file kind, uint32_t number, uint64_t generation,
		   char name[MANIFEST_NAME_MAX])
{
	(void)snprintf(name, MANIFEST_NAME_MAX, "%05" PRIu32 ".%" PRIu64 ".%s", number, generation,
		       kind == FILE_LEXICON ? "lexicon" : "segment");
}

static bool
is_named(const struct manifest *manifest, const char *file)
{
	char name[MANIFEST_NAME_MAX];

	if (strcmp(file, NAME) == 0)
		return manifest != NULL;
	if (!manifest)
		return false;
	manifest_file_name(FILE_LEXICON, 0, manifest->state.lexicon, name);
	if (strcmp(file, name) == 0)
		return true;
	for (uint32_t i = 0; i < manifest->state.n_segments; i++) {
		manifest_file_name(FILE_SEGMENT, i, manifest->generations[i], name);
		if (strcmp(file, name) == 0)
			return true;
	}
	return false;
}

static bool
is_ours(const char *file)
{
	const char *ending = strrchr(file, '.');

	return strcmp(file, NAME) == 0 || strcmp(file, NAME_NEW) == 0 ||
	       (ending && (strcmp(ending, ".segment") == 0 || strcmp(ending, ".lexicon") == 0));
}

void
manifest_sweep(int dir_fd, const struct manifest *manifest)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!dir) {
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	/* What cannot be removed now is rubbish still the next time. */
	while ((entry = readdir(dir)))
		if (is_ours(entry->d_name) && !is_named(manifest, entry->d_name))
			(void)unlinkat(dir_fd, entry->d_name, 0);
	(void)closedir(dir);
}
