/* Every choice lies in a window of shifts [low, low + width], and the least shift of a choice is
 * some word's. So windows begin at each shift in turn, and each asks whether every word has a
 * position in it:
 *
 *     "quick fox"~1    quick at 3, fox at 5    shifts 3 and 4    width 1
 *
 * Usually the nearest position of each word will do. Only where two words would share one (a word
 * said twice, parts of a file name) is a matching looked for, by augmenting paths. */
#include "index/sloppy.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/macros.h"
#include "index/budget.h"

struct matching {
	const struct sloppy_word *words;
	size_t n;
	int64_t low, width;
	uint32_t first;	 /* the least position of all */
	uint32_t *taken; /* by position - first: the word that has it, plus 1 */
	uint32_t *tried; /* by position - first: the round that asked for it last */
	uint32_t round;
};

/* The first of a word's positions whose shift is LOW or more. */
static size_t
first_from(const struct sloppy_word *word, size_t i, int64_t low)
{
	size_t begin = 0, end = word->n;

	while (begin < end) {
		size_t mid = begin + (end - begin) / 2;

		if ((int64_t)word->positions[mid] - (int64_t)i < low)
			begin = mid + 1;
		else
			end = mid;
	}
	return begin;
}

/* Whether word I gets a position, others moving to their next where they can. */
static bool
place(struct matching *m, size_t i)
{
	const struct sloppy_word *word = &m->words[i];

	for (size_t k = first_from(word, i, m->low); k < word->n; k++) {
		uint32_t at = word->positions[k] - m->first;

		if ((int64_t)word->positions[k] - (int64_t)i > m->low + m->width)
			return false;
		if (m->tried[at] == m->round)
			continue;
		m->tried[at] = m->round;
		if (!m->taken[at] || place(m, m->taken[at] - 1)) {
			m->taken[at] = (uint32_t)i + 1;
			return true;
		}
	}
	return false;
}

/* Forget what words took in this window. */
static void
clear_taken(struct matching *m)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct sloppy_word *word = &m->words[i];

		for (size_t k = first_from(word, i, m->low);
		     k < word->n && (int64_t)word->positions[k] - (int64_t)i <= m->low + m->width;
		     k++)
			m->taken[word->positions[k] - m->first] = 0;
	}
}

static bool
fits(struct matching *m, int64_t low, int64_t width)
{
	bool all = true;

	m->low = low;
	m->width = width;
	/* The cheap question first: does each word have any position here? */
	for (size_t i = 0; i < m->n; i++) {
		size_t k = first_from(&m->words[i], i, low);

		if (k == m->words[i].n ||
		    (int64_t)m->words[i].positions[k] - (int64_t)i > low + width)
			return false;
	}
	for (size_t i = 0; all && i < m->n; i++) {
		m->round++;
		all = place(m, i);
	}
	clear_taken(m);
	return all;
}

static int64_t
narrow(struct matching *m, int64_t low, int64_t width)
{
	int64_t none = -1;

	while (width - none > 1) {
		int64_t mid = none + (width - none) / 2;

		if (fits(m, low, mid))
			width = mid;
		else
			none = mid;
	}
	return width;
}

static int64_t
find(struct matching *m, int64_t width, const struct index_budget *budget)
{
	int64_t best = width + 1;

	for (size_t i = 0; i < m->n; i++)
		for (size_t k = 0; best > 0 && k < m->words[i].n; k++) {
			int64_t low = (int64_t)m->words[i].positions[k] - (int64_t)i;
			int r = k % 64 ? 0 : budget_check(budget);

			if (r < 0)
				return r;
			if (fits(m, low, best - 1))
				best = narrow(m, low, best - 1);
		}
	return best <= width ? best : -ENOENT;
}

int64_t
sloppy_width(const struct sloppy_word *words, size_t n, uint32_t slop,
	     const struct index_budget *budget)
{
	CLEANUP(free) uint32_t *taken = NULL;
	CLEANUP(free) uint32_t *tried = NULL;
	struct matching m = { .words = words, .n = n, .first = UINT32_MAX };
	uint32_t last = 0;
	size_t span;

	for (size_t i = 0; i < n; i++) {
		if (words[i].n == 0)
			return -ENOENT;
		m.first = MIN(m.first, words[i].positions[0]);
		last = MAX(last, words[i].positions[words[i].n - 1]);
	}
	span = (size_t)last - m.first + 1;
	m.taken = taken = calloc(span, sizeof(*taken));
	m.tried = tried = calloc(span, sizeof(*tried));
	if (!taken || !tried)
		return -ENOMEM;
	/* No choice is wider than all positions and all words together. */
	return find(&m, MIN((int64_t)slop, (int64_t)(span + n)), budget);
}
