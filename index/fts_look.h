/* fts_look.h - looking into the rows that FTS5 found: the second file that knows it. */
#ifndef PXS_INDEX_FTS_LOOK_H
#define PXS_INDEX_FTS_LOOK_H

#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

struct index_budget;
struct sloppy_word;

/* Bound as a pointer of this name, it says what look(f, ?) tells of a row. */
#define FTS_LOOK_POINTER "fts_look"

struct fts_look {
	size_t n; /* 0: how often the phrase occurs; else how wide N words stand apart, or -1 */
	uint32_t slop; /* the widest; phrase N of the expression may be the gap between values */
	const struct index_budget *budget;
	int result;		   /* the first failure */
	uint32_t *room;		   /* of positions, and */
	struct sloppy_word *words; /* the N words' runs in it; the caller frees both */
	size_t n_room;
};

/* Adds look() to DB; SQLite's code. */
int fts_look_add(sqlite3 *db);

#endif
