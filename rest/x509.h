/* x509.h - ends of what GnuTLS gives out, for scopes that own it (base/cleanup.h). */
#ifndef PXS_REST_X509_H
#define PXS_REST_X509_H

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

/* It may have held a key. */
static inline void
datum_cleanup(gnutls_datum_t *datum)
{
	if (datum->data)
		gnutls_memset(datum->data, 0, datum->size);
	gnutls_free(datum->data);
}

static inline void
crt_cleanup(gnutls_x509_crt_t *crt)
{
	gnutls_x509_crt_deinit(*crt);
}

#endif
