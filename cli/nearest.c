#include "cli/nearest.h"

#include <string.h>

#include "base/macros.h"

#define NAME_MAX_BYTES 24

/* d[i][j]: what turns the first i bytes of a into the first j of b. */
struct distances {
	size_t d[NAME_MAX_BYTES + 1][NAME_MAX_BYTES + 1];
};

static size_t
cheapest(const struct distances *t, const char *a, const char *b, size_t i, size_t j)
{
	size_t change = t->d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
	size_t shift = MIN(t->d[i - 1][j], t->d[i][j - 1]) + 1;
	size_t least = MIN(change, shift);

	if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
		least = MIN(least, t->d[i - 2][j - 2] + 1);
	return least;
}

/* Both at most NAME_MAX_BYTES long. */
static size_t
distance(const char *a, const char *b)
{
	struct distances t;
	size_t a_len = strlen(a);
	size_t b_len = strlen(b);

	for (size_t i = 0; i <= a_len; i++)
		t.d[i][0] = i;
	for (size_t j = 0; j <= b_len; j++)
		t.d[0][j] = j;
	for (size_t i = 1; i <= a_len; i++)
		for (size_t j = 1; j <= b_len; j++)
			t.d[i][j] = cheapest(&t, a, b, i, j);
	return t.d[a_len][b_len];
}

bool
nearest_is(const char *typed, const char *name, size_t *least)
{
	size_t d;

	if (strlen(typed) > NAME_MAX_BYTES || strlen(name) > NAME_MAX_BYTES)
		return false;
	d = distance(typed, name);
	if (d >= *least || d >= strlen(typed))
		return false;
	*least = d;
	return true;
}
