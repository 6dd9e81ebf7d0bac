/* helper.h - a small program of ours that works beside the daemon, for what may block or crash. A
 * socket for packets, its standard input, is all that they share; it ends when the daemon does. */
#ifndef PXS_BASE_HELPER_H
#define PXS_BASE_HELPER_H

#include <stddef.h>
#include <sys/types.h>

struct pxs_helper {
	pid_t pid; /* 0: not running */
	int fd;	   /* our end */
};

/* Run the program PATH with ARGUMENT (NULL: none), unless it runs; signals are for it as a program
 * expects them. -errno. */
int pxs_helper_start(struct pxs_helper *helper, const char *path, const char *argument);
/* End it, if it runs. */
void pxs_helper_stop(struct pxs_helper *helper);

/* Send a packet, and wait for at most DEADLINE_S seconds for one of exactly SIZE bytes. -EPIPE: it
 * died, or said something else; -ETIMEDOUT: to be stopped, as its answer may yet come. */
int pxs_helper_ask(const struct pxs_helper *helper, const void *question, size_t question_size,
		   void *answer, size_t size, int deadline_s);

#endif
