/* credentials.h - the token in a request's header. */
#ifndef PXS_REST_CREDENTIALS_H
#define PXS_REST_CREDENTIALS_H

#include "base/buf.h"

/* A token is at most so long; ours are shorter, but those of others are only refused. */
#define CREDENTIALS_TOKEN_MAX 8192

/* Adds the token that AUTHORIZATION (that header's value, or NULL) presents, or for want of that
 * WWW_AUTHENTICATE (documented as a request header by PixStor), to TOKEN. The forms, in the order
 *of spec/pixstor.md 5:
 *
 *	Bearer TOKEN | Basic BASE64 of TOKEN:ANYTHING | Token TOKEN | TOKEN
 *
 * -ENODATA: neither header is there; -EINVAL: one is, but holds no token. */
int credentials_read(const char *authorization, const char *www_authenticate,
		     struct pxs_buf *token);

#endif
