/* error.h - the reason of a failure, as a sentence for a person. */
#ifndef PXS_ERROR_H
#define PXS_ERROR_H

#include <stdarg.h>

/* Owned by the caller and of fixed size; start it as { 0 }. The first fault recorded is kept. */
struct pxs_error {
	int code;	/* positive errno value; 0 while nothing is wrong */
	long at;	/* byte offset of the fault in the text parsed, or -1 */
	char text[400]; /* one sentence for a person, no newline */
};

/* Records CODE (negative) and a sentence unless ERR is NULL or already set; returns CODE. */
__attribute__((format(printf, 4, 5))) int pxs_error_set(struct pxs_error *err, int code, long at,
							const char *fmt, ...);

__attribute__((format(printf, 4, 0))) int pxs_error_vset(struct pxs_error *err, int code, long at,
							 const char *fmt, va_list args);

/* The sentence in ERR, or strerror() of CODE (negative) where none was recorded. */
const char *pxs_error_text(const struct pxs_error *err, int code);

#endif
