#include "index/segments.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/macros.h"
#include "index/column_encode.h"
#include "index/parts.h"

/* --- The folder --- */

int
segments_open(const char *index_dir, struct segments **ret_segments)
{
	CLEANUP(segments) struct segments *segments = calloc(1, sizeof(*segments));
	char path[PATH_MAX];

	if (!segments)
		return -ENOMEM;
	segments->dir_fd = -1;
	if (snprintf(path, sizeof(path), "%s/segments", index_dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	segments->dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (segments->dir_fd < 0)
		return -errno;
	*ret_segments = STEAL(segments);
	return 0;
}

static void
forget(struct segments *segments)
{
	for (uint32_t i = 0; i < segments->n_files; i++)
		sections_close(segments->files[i]);
	free(segments->files);
	segments->files = NULL;
	segments->n_files = 0;
	sections_close(STEAL(segments->lexicon));
	manifest_done(&segments->manifest);
	atomic_store(&segments->bytes, 0);
	atomic_store(&segments->n_mapped, 0);
}

void
segments_close(struct segments *segments)
{
	if (!segments)
		return;
	forget(segments);
	if (segments->dir_fd >= 0)
		(void)close(segments->dir_fd);
	free(segments);
}

uint64_t
segments_need(const struct segments *segments)
{
	const struct manifest_state *state = &segments->manifest.state;

	return state->n_segments ? state->sealed_seq : UINT64_MAX;
}

void
segments_drop(struct segments *segments)
{
	forget(segments);
	manifest_sweep(segments->dir_fd, NULL);
}

/* --- Reading one file --- */

/* Where the parts of a file go. */
struct loading {
	struct index *index;
	const struct view_schema *schema;
	struct epoch *epoch; /* nothing of it is seen yet, so nothing that ends there is missed */
	uint32_t segment;
};

static struct column *
column_of(const struct loading *loading, uint32_t property)
{
	return property < loading->schema->n_columns ? loading->schema->columns[property] : NULL;
}

static int
load_column(const struct loading *loading, const struct section *section)
{
	struct column *column = column_of(loading, section->number);
	struct column_slice slice;
	int64_t max;
	bool lists;
	int r;

	r = column_decode(section->data, section->len, &slice, &max);
	if (r < 0 || !column)
		return -EBADMSG;
	lists = slice.form == COLUMN_LISTS || slice.form == COLUMN_SPARSE_LISTS;
	if (lists != column_property(column)->multi)
		return -EBADMSG;
	/* Texts of a segment are in its own file, or in one before. */
	if (column_dict(column) && (slice.base < 0 || slice.scale != 1 || slice.width > 4 ||
				    max > dict_count(column_dict(column))))
		return -EBADMSG;
	return column_map(column, loading->segment, &slice, section->len, loading->epoch);
}

static int
load_part(const struct loading *loading, const struct section *section)
{
	struct column *column = column_of(loading, section->number);
	struct dict *dict = column ? column_dict(column) : NULL;
	struct dict_part part;
	int r;

	r = dict_part_decode(section->data, section->len, &part);
	if (r < 0 || !dict || part.first != dict_mapped(dict) + 1)
		return -EBADMSG;
	return dict_map(dict, &part, 1, loading->epoch);
}

static int
load_fields(const struct loading *loading, const struct sections *file)
{
	struct column_slice fields[DOCS_FIELDS] = { 0 };
	const struct section *section;
	size_t bytes = 0;
	int64_t max;

	for (uint32_t i = 0; i < DOCS_FIELDS; i++) {
		section = sections_find(file, SECTION_DOCS, i);
		if (!section)
			continue;
		if (column_decode(section->data, section->len, &fields[i], &max) < 0)
			return -EBADMSG;
		bytes += section->len;
	}
	return docs_map(loading->index->tables->docs, loading->segment, fields, bytes,
			loading->epoch);
}

/* Texts come before the columns that need them. */
static int
load_file(const struct loading *loading, const struct sections *file)
{
	int r = load_fields(loading, file);

	for (size_t i = 0; i < file->n && r == 0; i++) {
		if (file->sections[i].kind == SECTION_PART)
			r = load_part(loading, &file->sections[i]);
		else if (file->sections[i].kind == SECTION_COLUMN)
			r = load_column(loading, &file->sections[i]);
	}
	return r;
}

static struct sections_name
name_of(enum segments_file kind, uint32_t number, uint64_t generation, uint64_t salt)
{
	return (struct sections_name){
		.kind = kind,
		.number = number,
		.generation = generation,
		.salt = salt,
	};
}

static int
map_file(const struct loading *loading, const struct sections *file)
{
	struct segments *segments = loading->index->tables->segments;

	atomic_fetch_add(&segments->bytes, file->len);
	atomic_fetch_add(&segments->n_mapped, 1);
	return load_file(loading, file);
}

int
segments_create(const struct segments *segments, enum segments_file kind, uint32_t number,
		uint64_t generation, uint64_t salt, struct sections_writer **ret_writer)
{
	const struct sections_name name = name_of(kind, number, generation, salt);
	char file[MANIFEST_NAME_MAX];

	manifest_file_name(kind, number, generation, file);
	return sections_create(segments->dir_fd, file, &name, ret_writer);
}

int
segments_open_file(const struct segments *segments, enum segments_file kind, uint32_t number,
		   uint64_t generation, uint64_t salt, struct sections **ret_file)
{
	const struct sections_name name = name_of(kind, number, generation, salt);
	char file[MANIFEST_NAME_MAX];
	int r;

	manifest_file_name(kind, number, generation, file);
	r = sections_open(segments->dir_fd, file, &name, ret_file);
	return r == -ENOENT ? -EBADMSG : r; /* it was named */
}

static int
load_files(struct loading *loading)
{
	struct segments *segments = loading->index->tables->segments;
	struct manifest *manifest = &segments->manifest;
	int r = 0;

	segments->files = calloc(MAX(manifest->state.n_segments, 1u), sizeof(struct sections *));
	if (!segments->files)
		return -ENOMEM;
	for (; loading->segment < manifest->state.n_segments && r == 0; loading->segment++) {
		r = segments_open_file(segments, FILE_SEGMENT, loading->segment,
				       manifest->generations[loading->segment],
				       loading->index->salt, &segments->files[loading->segment]);
		if (r < 0)
			break;
		segments->n_files++;
		r = map_file(loading, segments->files[loading->segment]);
	}
	return r;
}

/* --- Dictionaries --- */

/* Without its lexicon a dictionary is put in order once more; nothing is lost. */
static void
load_lexicon(const struct loading *loading)
{
	struct segments *segments = loading->index->tables->segments;
	uint64_t generation = segments->manifest.state.lexicon;

	if (generation != 0 && segments_open_file(segments, FILE_LEXICON, 0, generation,
						  loading->index->salt, &segments->lexicon) < 0)
		segments->manifest.state.lexicon = 0;
}

static int
load_words(const struct loading *loading, uint32_t property)
{
	struct segments *segments = loading->index->tables->segments;
	struct dict *dict = column_dict(loading->schema->columns[property]);
	struct dict_lexicon lexicon = { 0 };
	const struct section *section = NULL;

	if (!dict)
		return 0;
	if (segments->lexicon)
		section = sections_find(segments->lexicon, SECTION_WORDS, property);
	if (section && (dict_lexicon_decode(section->data, section->len, &lexicon) < 0 ||
			lexicon.order.n > dict_mapped(dict)))
		lexicon = (struct dict_lexicon){ 0 };
	return dict_map_lexicon(dict, &lexicon, loading->epoch);
}

static int
load_dictionaries(const struct loading *loading)
{
	int r = 0;

	for (uint32_t i = 0; i < loading->schema->n_columns && r == 0; i++)
		if (loading->schema->columns[i])
			r = load_words(loading, i);
	return r;
}

static int
check_texts(const struct loading *loading)
{
	const struct manifest *manifest = &loading->index->tables->segments->manifest;

	for (uint32_t i = 0; i < loading->schema->n_columns; i++) {
		struct column *column = loading->schema->columns[i];

		if (column && column_dict(column) &&
		    dict_mapped(column_dict(column)) != manifest_texts_of(manifest, i))
			return -EBADMSG;
	}
	return 0;
}

int
segments_map_file(struct index *index, const struct view_schema *schema, uint32_t segment,
		  const struct sections *file)
{
	const struct loading loading = { index, schema, index->epoch, segment };

	return map_file(&loading, file);
}

int
segments_map_lexicon(struct index *index, const struct view_schema *schema)
{
	const struct loading loading = { .index = index, .schema = schema, .epoch = index->epoch };

	return load_dictionaries(&loading);
}

/* --- Documents --- */

static int
load_living(const struct loading *loading, roaring_bitmap_t *live)
{
	const struct manifest *manifest = &loading->index->tables->segments->manifest;
	struct docs *docs = loading->index->tables->docs;
	size_t n_words = (size_t)manifest->state.n_segments * MANIFEST_LIVE_WORDS;
	uint64_t n = 0, word;
	uint32_t doc;
	int r;

	for (size_t i = 0; i < n_words; i++)
		n += (uint64_t)__builtin_popcountll(manifest->live[i]);
	r = docs_reserve(docs, n);
	for (size_t i = 0; i < n_words && r == 0; i++)
		for (word = manifest->live[i]; word && r == 0; word &= word - 1) {
			doc = (uint32_t)(i * 64) + (uint32_t)__builtin_ctzll(word);
			if (docs_id(docs, doc) <= 0)
				return -EBADMSG;
			roaring_bitmap_add(live, doc);
			r = docs_found(docs, doc);
		}
	return r;
}

/* Whether the record has the change after which the manifest was made, and all that came later. */
static int
check_history(struct index *index)
{
	const struct manifest_state *state = &index->tables->segments->manifest.state;
	uint64_t first = 0;
	int64_t id = 0, time_ns = 0;
	int r;

	if (state->seq > index->counters.seq || state->sealed_seq > state->seq)
		return -EBADMSG;
	r = store_first_change(index->store, &first);
	if (r == 0 && first > state->sealed_seq + 1)
		return -EBADMSG;
	if (r == 0 && state->seq != 0)
		r = store_change(index->store, state->seq, &id, &time_ns);
	if (r == -ENOENT || id != state->change_id || time_ns != state->change_time_ns)
		return -EBADMSG;
	return r;
}

int
segments_load(struct index *index, const struct view_schema *schema, roaring_bitmap_t *live)
{
	struct segments *segments = index->tables->segments;
	struct loading loading = { .index = index, .schema = schema, .epoch = index->epoch };
	int r;

	r = manifest_read(segments->dir_fd, index->salt, &segments->manifest);
	if (r == 0)
		r = check_history(index);
	if (r == 0)
		r = load_files(&loading);
	if (r == 0)
		r = check_texts(&loading);
	if (r == 0)
		load_lexicon(&loading);
	if (r == 0)
		r = load_dictionaries(&loading);
	if (r == 0)
		r = load_living(&loading, live);
	if (r == 0)
		manifest_sweep(segments->dir_fd, &segments->manifest);
	return r;
}

/* --- Checking --- */

int
segments_check(struct index *index, uint32_t *at, char name[MANIFEST_NAME_MAX])
{
	const struct segments *segments = index->tables->segments;
	const struct manifest *manifest = &segments->manifest;

	while (*at < manifest->state.n_segments) {
		CLEANUP(sections) struct sections *file = NULL;
		uint32_t segment = (*at)++;

		if (segments_open_file(segments, FILE_SEGMENT, segment,
				       manifest->generations[segment], index->salt,
				       &file) == -EBADMSG) {
			manifest_file_name(FILE_SEGMENT, segment, manifest->generations[segment],
					   name);
			return -EBADMSG;
		}
	}
	return 0;
}
