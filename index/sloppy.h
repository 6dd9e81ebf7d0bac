/* sloppy.h - phrases whose words may be moved: "a b"~N of spec/pixstor.md 2.2. */
#ifndef PXS_INDEX_SLOPPY_H
#define PXS_INDEX_SLOPPY_H

#include <stddef.h>
#include <stdint.h>

struct index_budget;

/* Where one word of the phrase stands, ascending. */
struct sloppy_word {
	const uint32_t *positions;
	size_t n;
};

/* The least width, at most SLOP, of any choice of distinct positions p_i, one for each of the N
 * words i; the width is max d - min d with d_i = p_i - i. -ENOENT: there is no such choice;
 * budget_check()'s; -ENOMEM. */
int64_t sloppy_width(const struct sloppy_word *words, size_t n, uint32_t slop,
		     const struct index_budget *budget);

#endif
