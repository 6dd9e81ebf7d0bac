/* examine.h - what pxs doctor asks of the folders that cli/ does not know. */
#ifndef PXS_EXAMINE_H
#define PXS_EXAMINE_H

struct cli_examine;

extern const struct cli_examine EXAMINE;

#endif
