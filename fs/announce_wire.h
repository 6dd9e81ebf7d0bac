/* announce_wire.h - what the daemon and pxs-announce say to each other, a packet each:
 *
 *	WHAT PATH NUL	->
 *			<-	int: 0, or the errno of the call
 */
#ifndef PXS_FS_ANNOUNCE_WIRE_H
#define PXS_FS_ANNOUNCE_WIRE_H

#include <limits.h>

#define ANNOUNCE_WIRE_MAX (1 + PATH_MAX)
#define ANNOUNCE_WIRE_CREATED '+'
#define ANNOUNCE_WIRE_REMOVED '-'
#define ANNOUNCE_WIRE_CHANGED '~'

#endif
