/* pam.h - passwords of this machine's users, asked in other processes.
 *
 * PAM's modules block, keep state for a process, and are other people's code; so they run in
 * pxs-auth, a small program with one thread, several times. One that does not answer in time or
 * dies is replaced, and nobody but its own caller notices. */
#ifndef PXS_AUTH_PAM_H
#define PXS_AUTH_PAM_H

#include "base/cleanup.h"

struct pam;
struct pxs_error;

/* Processes; so many passwords are looked at together. */
#define PAM_WORKERS 4
/* Then a process that has not answered is killed. */
#define PAM_DEADLINE_S 10

/* Nothing is started before the first question. HELPER: path of pxs-auth; SERVICE: the file in
 * /etc/pam.d; DEADLINE_S: mostly PAM_DEADLINE_S. -ENOENT: there is no program; ERR. */
int pam_open(const char *helper, const char *service, int deadline_s, struct pam **ret_pam,
	     struct pxs_error *err);
void pam_close(struct pam *pam);
DEFINE_CLEANUP(pam, struct pam *, pam_close)

/* Whether USER, who connects from FROM, has this PASSWORD and may come in: 0, or -EACCES: no; also
 * where nobody could be asked. */
int pam_check(struct pam *pam, const char *user, const char *password, const char *from);

#endif
