/* compact.h - the tables made anew from docs.db, without what only versions hold that are gone:
 * words, values, texts. Versions keep their numbers.
 *
 * Searches and writes go on meanwhile; at the end a write waits for the last hundred documents. It
 * takes as long as a start without files, and the memory and the space of a second index. */
#ifndef PXS_INDEX_COMPACT_H
#define PXS_INDEX_COMPACT_H

#include <stdbool.h>

struct index;

/* With the turn to write: whether it is worth it: more than half of the versions are gone, and
 * nobody holds older tables (a folder that is open for a day must not keep one after the other). */
bool compact_is_due(const struct index *index);

#endif
