/* An auxiliary function of FTS5, called for each row found. */
#include "index/fts_look.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "index/fts_tokenizer.h"
#include "index/sloppy.h"

/* One occurrence of one of the expression's phrases. */
struct instance {
	int phrase, position;
};

static int
instance_at(const Fts5ExtensionApi *api, Fts5Context *fts, int i, struct instance *ret)
{
	int column;

	return api->xInst(fts, i, &ret->phrase, &column, &ret->position);
}

/* Room for N occurrences. */
static int
reserve(struct fts_look *look, size_t n)
{
	uint32_t *room;

	if (!look->words) {
		look->words = calloc(look->n, sizeof(*look->words));
		if (!look->words)
			return -ENOMEM;
	}
	if (n <= look->n_room)
		return 0;
	room = realloc(look->room, n * 2 * sizeof(*room));
	if (!room)
		return -ENOMEM;
	look->room = room;
	look->n_room = n * 2;
	return 0;
}

/* The occurrences from *I to the next gap, sorted by word: the words' runs of positions. */
static int
gather(struct fts_look *look, const Fts5ExtensionApi *api, Fts5Context *fts, int n, int *i)
{
	struct instance instance = { 0 };
	uint32_t *to = look->room;
	int begin = *i, end;

	for (size_t word = 0; word < look->n; word++)
		look->words[word].n = 0;
	for (end = begin; end < n; end++) {
		if (instance_at(api, fts, end, &instance) != SQLITE_OK)
			return -EBADMSG;
		if (instance.phrase == (int)look->n)
			break;
		look->words[instance.phrase].n++;
	}
	*i = end + 1;
	for (size_t word = 0; word < look->n; word++) {
		look->words[word].positions = to;
		to += look->words[word].n;
		look->words[word].n = 0;
	}
	for (int k = begin; k < end; k++) {
		struct sloppy_word *word;

		if (instance_at(api, fts, k, &instance) != SQLITE_OK)
			return -EBADMSG;
		word = &look->words[instance.phrase];
		look->room[word->positions - look->room + (ptrdiff_t)word->n++] =
			(uint32_t)instance.position;
	}
	return 0;
}

/* The least width in any of the row's values; -1: none will do. */
static int64_t
least_width(struct fts_look *look, const Fts5ExtensionApi *api, Fts5Context *fts, int n)
{
	int64_t best = -1;
	int i = 0;
	int r;

	r = reserve(look, (size_t)n);
	while (r == 0 && i < n) {
		int64_t width;

		r = gather(look, api, fts, n, &i);
		if (r < 0)
			break;
		width = sloppy_width(look->words, look->n, look->slop, look->budget);
		if (width < 0 && width != -ENOENT)
			r = (int)width;
		else if (width >= 0 && (best < 0 || width < best))
			best = width;
	}
	return r < 0 ? r : best;
}

static void
look_at_row(const Fts5ExtensionApi *api, Fts5Context *fts, sqlite3_context *context, int n_values,
	    sqlite3_value **values)
{
	struct fts_look *look = n_values == 1 ? sqlite3_value_pointer(values[0], FTS_LOOK_POINTER)
					      : NULL;
	int64_t told;
	int rc, n;

	if (!look) {
		sqlite3_result_error_code(context, SQLITE_MISUSE);
		return;
	}
	rc = api->xInstCount(fts, &n);
	if (rc != SQLITE_OK) {
		sqlite3_result_error_code(context, rc);
		return;
	}
	told = look->n ? least_width(look, api, fts, n) : n;
	if (told < -1) {
		look->result = (int)told;
		sqlite3_result_error_code(context, SQLITE_ABORT);
		return;
	}
	sqlite3_result_int64(context, told);
}

int
fts_look_add(sqlite3 *db)
{
	fts5_api *api = NULL;
	int rc = fts_api(db, &api);

	return rc != SQLITE_OK ? rc : api->xCreateFunction(api, "look", NULL, look_at_row, NULL);
}
