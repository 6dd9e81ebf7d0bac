/* nearest.h - which of some names a misspelt one may mean. */
#ifndef PXS_CLI_NEAREST_H
#define PXS_CLI_NEAREST_H

#include <stdbool.h>
#include <stddef.h>

/* Letters to insert, drop, change or swap with a neighbour; what is farther off is no guess. */
#define NEAREST_MAX 2

/* Whether NAME is nearer to TYPED than *LEAST, which then becomes their distance. Begin with
 * NEAREST_MAX + 1. */
bool nearest_is(const char *typed, const char *name, size_t *least);

#endif
