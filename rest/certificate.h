/* certificate.h - who this server is, for TLS: a key and a certificate. */
#ifndef PXS_REST_CERTIFICATE_H
#define PXS_REST_CERTIFICATE_H

#include <stdbool.h>
#include <stdint.h>

#include <gnutls/abstract.h>

#include "base/cleanup.h"

struct certificate;
struct pxs_buf;
struct pxs_error;

/* A certificate of our own making is valid for so long, and a new one with the same key is made so
 * long before its end. */
#define CERTIFICATE_LIFE_DAYS 397
#define CERTIFICATE_RENEW_DAYS 30

struct certificate_options {
	/* Where our own is: tls-cert.pem and tls-key.pem (mode 0600), made if they are not there.
	 */
	const char *dir;
	/* The administrator's, PEM; NULL: our own. The file may hold the chain. */
	const char *cert_path;
	const char *key_path;
};

/* What people compare or give to clients; "" where it does not apply. */
struct certificate_facts {
	char fingerprint[96]; /* SHA-256 of the certificate, AB:CD:... */
	char pin[64];	      /* of its key, as curl --pinnedpubkey takes it */
	char subject[256];
	int64_t not_before_s;
	int64_t not_after_s;
	bool own;	  /* made by us */
	const char *path; /* lent */
};

int certificate_open(const struct certificate_options *options, struct certificate **ret_cert,
		     struct pxs_error *err);
void certificate_close(struct certificate *certificate);
DEFINE_CLEANUP(certificate, struct certificate *, certificate_close)

/* Read the files anew, renewing our own if it is time; what was begun with the old one goes on with
 * it. If that fails the old one stays. Any thread. */
int certificate_reload(struct certificate *certificate, struct pxs_error *err);

/* What a handshake presents; lent until certificate_close(). */
void certificate_current(struct certificate *certificate, gnutls_pcert_st **ret_chain,
			 unsigned int *ret_len, gnutls_privkey_t *ret_key);

void certificate_facts(struct certificate *certificate, struct certificate_facts *ret_facts);
/* Adds the names and addresses that it is for, separated by blanks; and the certificate as PEM. */
int certificate_names(struct certificate *certificate, struct pxs_buf *buf);
int certificate_pem(struct certificate *certificate, struct pxs_buf *buf);

#endif
