/* Writing segments down, while others read and write. Three steps:
 *
 *     begin      with the turn to write: a view, and how many texts each dictionary has
 *     write      without it: files of full segments, the lexicon if it has fallen behind, the
 *                manifest that names them
 *     install    with it: columns, dictionaries and docs read from the files from now on
 *
 * What was read until then ends with the epoch. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/macros.h"
#include "index/parts.h"
#include "index/seal.h"

/* Segments written under one manifest: so many must be done again if we are stopped. */
#define AT_ONCE 4

/* The lexicon is made anew when it lacks more than this part of the texts. */
#define LEXICON_PART 4

struct sealing {
	struct index *index;
	struct segments *segments;
	struct index_view *view;
	struct manifest manifest; /* the next */
	uint32_t first;		  /* segments from here to the manifest's n_segments are new */
	struct sections **files;  /* [n_segments - first] */
	struct sections *lexicon; /* NULL: the old one stays */
	struct pxs_buf buf;
};

static void
sealing_cleanup(struct sealing *sealing)
{
	uint32_t n = sealing->manifest.state.n_segments - sealing->first;

	for (uint32_t i = 0; sealing->files && i < n; i++)
		sections_close(sealing->files[i]);
	free(sealing->files);
	sections_close(sealing->lexicon);
	index_view_put(sealing->view);
	manifest_done(&sealing->manifest);
	pxs_buf_done(&sealing->buf);
}

static struct dict *
dict_of(const struct sealing *sealing, uint32_t property)
{
	const struct column *column = sealing->view->schema->columns[property];

	return column ? column_dict(column) : NULL;
}

/* --- Begin --- */

/* Texts go with segments: without a new one, those that are written down already. */
static int
take_texts(struct sealing *sealing)
{
	struct manifest *manifest = &sealing->manifest;
	bool with_new = manifest->state.n_segments > sealing->first;
	uint32_t n = sealing->view->schema->n_columns;
	const struct dict *dict;

	manifest->texts = calloc(MAX(n, 1u), sizeof(*manifest->texts));
	if (!manifest->texts)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		dict = dict_of(sealing, i);
		if (dict)
			manifest->texts[manifest->state.n_texts++] = (struct manifest_texts){
				i, with_new ? dict_count(dict) : dict_mapped(dict)
			};
	}
	return 0;
}

/* Documents up to max_doc are given; whoever writes next begins above. */
static int
take_view(struct sealing *sealing)
{
	struct manifest_state *state = &sealing->manifest.state;
	uint64_t full;
	int r;

	sealing->view = index_view_get(sealing->index);
	full = ((uint64_t)sealing->view->max_doc + 1) >> COLUMN_SEGMENT_SHIFT;
	*state = sealing->segments->manifest.state;
	sealing->first = state->n_segments;
	state->n_segments = (uint32_t)MIN(full, (uint64_t)sealing->first + AT_ONCE);
	state->n_texts = 0;
	state->seq = sealing->view->seq;
	state->change_id = state->change_time_ns = 0;
	state->next_generation = MAX(state->next_generation, (uint64_t)pxs_clock_now_ns());
	r = take_texts(sealing);
	if (r == 0 && state->seq != 0)
		r = store_change(sealing->index->store, state->seq, &state->change_id,
				 &state->change_time_ns);
	return r;
}

/* --- Write --- */

/* Adds what is in the buffer, if anything is. */
static int
add_section(struct sealing *sealing, struct sections_writer *writer, enum segments_section kind,
	    uint32_t number)
{
	struct pxs_buf *buf = &sealing->buf;
	int r = buf->error;

	if (r == 0 && buf->len > 0)
		r = sections_add(writer, kind, number, buf->data, buf->len);
	pxs_buf_clear(buf);
	return r;
}

static int
add_texts(struct sealing *sealing, struct sections_writer *writer, uint32_t property)
{
	const struct dict *dict = dict_of(sealing, property);
	uint32_t last = manifest_texts_of(&sealing->manifest, property);
	uint32_t code = dict_mapped(dict) + 1;
	int r = 0;

	while (code <= last && r == 0) {
		code += dict_part_encode(dict, code, last, &sealing->buf);
		r = add_section(sealing, writer, SECTION_PART, property);
	}
	return r;
}

static int
add_values(struct sealing *sealing, struct sections_writer *writer, uint32_t segment)
{
	const struct view_schema *schema = sealing->view->schema;
	int r = 0;

	for (uint32_t i = 0; i < DOCS_FIELDS && r == 0; i++) {
		docs_encode(sealing->index->tables->docs, segment, (enum docs_field)i,
			    &sealing->buf);
		r = add_section(sealing, writer, SECTION_DOCS, i);
	}
	for (uint32_t i = 0; i < schema->n_columns && r == 0; i++) {
		if (!schema->columns[i])
			continue;
		column_write(schema->columns[i], segment, &sealing->buf);
		r = add_section(sealing, writer, SECTION_COLUMN, i);
	}
	return r;
}

/* New texts go with the first segment that is new, before what needs them. */
static int
write_segment(struct sealing *sealing, uint32_t segment)
{
	CLEANUP(sections_writer) struct sections_writer *writer = NULL;
	uint64_t generation = sealing->manifest.state.next_generation++;
	int r;

	sealing->manifest.generations[segment] = generation;
	r = segments_create(sealing->segments, FILE_SEGMENT, segment, generation,
			    sealing->index->salt, &writer);
	for (uint32_t i = 0; i < sealing->view->schema->n_columns && r == 0; i++)
		if (segment == sealing->first && dict_of(sealing, i))
			r = add_texts(sealing, writer, i);
	if (r == 0)
		r = add_values(sealing, writer, segment);
	if (r == 0)
		r = sections_finish(STEAL(writer));
	if (r == 0)
		r = segments_open_file(sealing->segments, FILE_SEGMENT, segment, generation,
				       sealing->index->salt,
				       &sealing->files[segment - sealing->first]);
	return r;
}

static int
write_segments(struct sealing *sealing)
{
	struct manifest *manifest = &sealing->manifest;
	uint32_t n = manifest->state.n_segments;
	int r = 0;

	sealing->files = calloc(n - sealing->first + 1, sizeof(struct sections *));
	manifest->generations = calloc(n + (size_t)1, sizeof(*manifest->generations));
	if (!sealing->files || !manifest->generations)
		return -ENOMEM;
	if (sealing->first)
		memcpy(manifest->generations, sealing->segments->manifest.generations,
		       sealing->first * sizeof(*manifest->generations));
	for (uint32_t segment = sealing->first; segment < n && r == 0; segment++)
		r = write_segment(sealing, segment);
	return r;
}

static bool
lexicon_is_behind(const struct sealing *sealing)
{
	uint64_t texts = 0, ordered = 0;

	for (uint32_t i = 0; i < sealing->manifest.state.n_texts; i++) {
		texts += sealing->manifest.texts[i].n;
		ordered += dict_in_order(dict_of(sealing, sealing->manifest.texts[i].property));
	}
	return texts - MIN(ordered, texts) > texts / LEXICON_PART;
}

static int
write_lexicon(struct sealing *sealing)
{
	CLEANUP(sections_writer) struct sections_writer *writer = NULL;
	const struct manifest *manifest = &sealing->manifest;
	uint64_t generation = sealing->manifest.state.next_generation++;
	int r;

	r = segments_create(sealing->segments, FILE_LEXICON, 0, generation, sealing->index->salt,
			    &writer);
	for (uint32_t i = 0; i < manifest->state.n_texts && r == 0; i++) {
		uint32_t property = manifest->texts[i].property;

		r = dict_lexicon_encode(dict_of(sealing, property), manifest->texts[i].n,
					&sealing->buf);
		if (r == 0)
			r = add_section(sealing, writer, SECTION_WORDS, property);
	}
	if (r == 0)
		r = sections_finish(STEAL(writer));
	if (r == 0)
		r = segments_open_file(sealing->segments, FILE_LEXICON, 0, generation,
				       sealing->index->salt, &sealing->lexicon);
	if (r == 0)
		sealing->manifest.state.lexicon = generation;
	return r;
}

static int
write_living(struct sealing *sealing)
{
	struct manifest *manifest = &sealing->manifest;
	const struct docs *docs = sealing->index->tables->docs;
	size_t n_words = (size_t)manifest->state.n_segments * MANIFEST_LIVE_WORDS;
	roaring_uint32_iterator_t at;
	uint32_t doc;

	manifest->live = calloc(n_words + 1, sizeof(*manifest->live));
	if (!manifest->live)
		return -ENOMEM;
	for (roaring_init_iterator(sealing->view->live, &at);
	     at.has_value && at.current_value < n_words * 64;
	     roaring_advance_uint32_iterator(&at)) {
		doc = at.current_value;
		manifest->live[doc / 64] |= UINT64_C(1) << (doc % 64);
		if (doc >> COLUMN_SEGMENT_SHIFT >= sealing->first)
			manifest->state.sealed_seq = MAX(manifest->state.sealed_seq,
							 docs_meta(docs, doc).seq);
	}
	return 0;
}

static int
write_files(struct sealing *sealing)
{
	int r = write_segments(sealing);

	if (r == 0 && sealing->first < sealing->manifest.state.n_segments &&
	    lexicon_is_behind(sealing))
		r = write_lexicon(sealing);
	if (r == 0)
		r = write_living(sealing);
	if (r == 0)
		r = manifest_write(sealing->segments->dir_fd, sealing->index->salt,
				   &sealing->manifest);
	return r;
}

/* --- Install --- */

/* With the turn to write. A failure leaves things right, but no longer as the manifest has them. */
static int
install(struct sealing *sealing)
{
	struct index *index = sealing->index;
	struct segments *segments = sealing->segments;
	uint32_t n = sealing->manifest.state.n_segments;
	struct sections **files = realloc(segments->files, MAX(n, 1u) * sizeof(*files));
	int r = 0;

	if (!files)
		return -ENOMEM;
	segments->files = files;
	for (uint32_t i = sealing->first; i < n && r == 0; i++) {
		files[i] = STEAL(sealing->files[i - sealing->first]);
		segments->n_files++;
		r = segments_map_file(index, sealing->view->schema, i, files[i]);
	}
	if (r == 0 && sealing->lexicon) {
		if (segments->lexicon)
			epoch_retire(index->epoch, &segments->lexicon->retired);
		segments->lexicon = STEAL(sealing->lexicon);
		r = segments_map_lexicon(index, sealing->view->schema);
	}
	if (r < 0)
		return r;
	manifest_done(&segments->manifest);
	segments->manifest = sealing->manifest;
	sealing->first = sealing->manifest.state.n_segments;
	sealing->manifest = (struct manifest){ .state.n_segments = sealing->first };
	r = index_begin_epoch(index);
	return r < 0 ? r : index_publish_again(index, index->view->schema);
}

/* --- All of it --- */

static int
seal(struct index *index, bool *ret_more)
{
	CLEANUP(sealing)
	struct sealing sealing = { .index = index, .segments = index->tables->segments };
	uint64_t full;
	int r;

	*ret_more = false;
	if (index->tables->segments->broken)
		return -ENOMEM;
	turn_take(&index->write_turn);
	r = take_view(&sealing);
	turn_end(&index->write_turn);
	full = ((uint64_t)sealing.view->max_doc + 1) >> COLUMN_SEGMENT_SHIFT;
	*ret_more = full > sealing.manifest.state.n_segments;
	if (r == 0)
		r = write_files(&sealing);
	if (r == 0) {
		turn_take(&index->write_turn);
		r = install(&sealing);
		index->tables->segments->broken = r < 0;
		turn_end(&index->write_turn);
	}
	manifest_sweep(index->tables->segments->dir_fd, &index->tables->segments->manifest);
	return r;
}

int
seal_segments(struct index *index, bool *ret_more)
{
	int r;

	(void)pthread_mutex_lock(&index->keep_lock);
	r = seal(index, ret_more);
	(void)pthread_mutex_unlock(&index->keep_lock);
	return r;
}
