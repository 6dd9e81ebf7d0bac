/* door.h - who asks, and whether he may. */
#ifndef PXS_REST_DOOR_H
#define PXS_REST_DOOR_H

struct pxs_error;
struct reply;
struct request;

/* Finds out who asks (request->who) and whether he has all of RIGHTS (AUTH_*; 0: anybody may).
 * Refused, REPLY has the status and the challenge (spec/pixstor.md 1.2 and 5, RFC 6750 section 3):
 * -EACCES, he did not show who he is; -EPERM, he may not do this; ERR. */
int door_admit(struct request *request, unsigned int rights, struct reply *reply,
	       struct pxs_error *err);

/* The same question later, of a right that only some forms of a request need. */
int door_check(const struct request *request, unsigned int rights, struct reply *reply,
	       struct pxs_error *err);

#endif
