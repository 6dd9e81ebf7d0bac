/* cleanup.h - what a scope owns ends with the scope. */
#ifndef PXS_CLEANUP_H
#define PXS_CLEANUP_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* CLEANUP(name) before a declaration calls name_cleanup(&variable) at the end of the scope. */
#define CLEANUP(name) __attribute__((cleanup(name##_cleanup)))

/* The value of VAR, which is NULL afterwards: ownership leaves here. */
#define STEAL(var)                                                                                 \
	({                                                                                         \
		__typeof__(var) stolen_ = (var);                                                   \
		(var) = NULL;                                                                      \
		stolen_;                                                                           \
	})

/* The descriptor in VAR, which is -1 afterwards. */
#define STEAL_FD(var)                                                                              \
	({                                                                                         \
		int stolen_ = (var);                                                               \
		(var) = -1;                                                                        \
		stolen_;                                                                           \
	})

/* Makes CLEANUP(name) call FUNC(variable) for variables of TYPE.
 * NOLINTBEGIN(bugprone-macro-parentheses): a type cannot stand in parentheses. */
#define DEFINE_CLEANUP(name, type, func)                                                           \
	static inline void name##_cleanup(type *owned)                                             \
	{                                                                                          \
		func(*owned);                                                                      \
	}

/* NOLINTEND(bugprone-macro-parentheses) */

static inline void
free_cleanup(void *owned)
{
	free(*(void **)owned);
}

/* Keeps errno, so that a failing call's cause survives the way out. */
static inline void
close_cleanup(const int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd);
	errno = saved;
}

static inline void
fclose_cleanup(FILE **file)
{
	if (*file)
		(void)fclose(*file);
}

#endif
