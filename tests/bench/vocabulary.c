#include "vocabulary.h"

#include <math.h>
#include <string.h>

/* --- Words: two syllables for the commonest 10,000, three for the rest. About one in fifty of the
 * possible short words exists, so a word has a few neighbours within two edits, as in a language.
 * --- */

#define SYLLABLES 700
#define SHORT_WORDS 10000
#define SHORT_POSSIBLE (UINT64_C(1) * SYLLABLES * SYLLABLES)
#define LONG_POSSIBLE (SHORT_POSSIBLE * SYLLABLES)
/* Primes: multiplying by them scatters neighbouring ranks and sends no two to one word. */
#define SHORT_SCATTER 303283
#define LONG_SCATTER 211983767

static char *
spell_syllable(uint64_t number, char *to)
{
	static const char FIRST[] = "bcdfghjklmnprstvwxyz", SECOND[] = "aeiou", LAST[] = "lmnrst";
	uint64_t last = number / 100;

	*to++ = FIRST[number % 20];
	*to++ = SECOND[number / 20 % 5];
	if (last)
		*to++ = LAST[last - 1];
	return to;
}

void
vocabulary_spell(uint64_t rank, char word[VOCABULARY_WORD_MAX])
{
	uint64_t code = rank < SHORT_WORDS ? (rank * SHORT_SCATTER + 7) % SHORT_POSSIBLE
					   : (rank * LONG_SCATTER + 7) % LONG_POSSIBLE;

	for (int left = rank < SHORT_WORDS ? 2 : 3; left; left--) {
		word = spell_syllable(code % SYLLABLES, word);
		code /= SYLLABLES;
	}
	*word = '\0';
}

uint64_t
vocabulary_size(uint64_t n_documents)
{
	return (uint64_t)(200000 * pow((double)n_documents / 1e6, 0.6)) + 1000;
}

/* --- Chance: splitmix64 --- */

uint64_t
chance_next(struct chance *chance)
{
	uint64_t x = chance->state += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

struct chance
chance_of(uint64_t seed, uint64_t stream)
{
	struct chance mix = { seed * UINT64_C(0xd1342543de82ef95) + stream };

	return (struct chance){ chance_next(&mix) };
}

uint64_t
chance_below(struct chance *chance, uint64_t n)
{
	return (uint64_t)(((unsigned __int128)chance_next(chance) * n) >> 64);
}

double
chance_real(struct chance *chance)
{
	return (double)(chance_next(chance) >> 11) * 0x1p-53;
}

uint64_t
chance_zipf(struct chance *chance, uint64_t n)
{
	uint64_t rank = (uint64_t)exp(chance_real(chance) * log((double)n + 1)) - 1;

	return rank < n ? rank : n - 1;
}

double
chance_normal(struct chance *chance)
{
	double sum = -6;

	for (int i = 0; i < 12; i++)
		sum += chance_real(chance);
	return sum;
}
