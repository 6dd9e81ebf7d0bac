/* form.h - the body of an HTML form, as OAuth2 sends its parameters (RFC 6749 appendix B). */
#ifndef PXS_REST_FORM_H
#define PXS_REST_FORM_H

#include <stddef.h>

#include "base/buf.h"

#define FORM_BYTES_MAX 16384
#define FORM_FIELDS_MAX 32

/* Start it as { 0 }. */
struct form {
	struct pxs_buf bytes; /* names and values, decoded, each ended by a NUL */
	struct {
		size_t name; /* where in bytes */
		size_t value;
	} fields[FORM_FIELDS_MAX];
	size_t n;
};

/* Overwrites what it held: there may be passwords. */
void form_done(struct form *form);
static inline void
form_cleanup(struct form *form)
{
	form_done(form);
}

/* BODY, of LEN bytes, as fields. Those without a value count as omitted (RFC 6749 section 3.2).
 * -EINVAL: it is no form, or not UTF-8, or holds NUL; -ENOTUNIQ: a name comes twice; -EMSGSIZE. */
int form_parse(struct form *form, const char *body, size_t len);

/* NULL: it was not there. Lent. */
const char *form_value(const struct form *form, const char *name);

#endif
