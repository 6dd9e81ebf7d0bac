#include "rest/certificate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "rest/self_signed.h"
#include "rest/x509.h"

#define CHAIN_MAX 8
#define DAY_S 86400
#define HASH_BYTES 32
/* How often a handshake looks whether it is time to renew. */
#define LOOK_S 3600

/* One that is or was in use: a handshake may still hold it, so they stay to the end. There are only
 * as many as there were different files. */
struct pair {
	struct pair *older;
	gnutls_pcert_st chain[CHAIN_MAX];
	unsigned int len;
	gnutls_privkey_t key;
	struct certificate_facts facts;
};

struct certificate {
	char *cert_path;
	char *key_path;
	bool own;
	pthread_mutex_t lock; /* of all below */
	struct pair *current;
	int64_t looked_s;
};

static void
pair_free(struct pair *pair)
{
	if (!pair)
		return;
	for (unsigned int i = 0; i < pair->len; i++)
		gnutls_pcert_deinit(&pair->chain[i]);
	if (pair->key)
		gnutls_privkey_deinit(pair->key);
	free(pair);
}

DEFINE_CLEANUP(pair, struct pair *, pair_free)

static inline void
credentials_cleanup(gnutls_certificate_credentials_t *credentials)
{
	gnutls_certificate_free_credentials(*credentials);
}

/* --- What is in it --- */

static int
leaf_of(const struct pair *pair, gnutls_x509_crt_t *ret_crt)
{
	int r = gnutls_x509_crt_init(ret_crt);

	if (r == 0)
		r = gnutls_x509_crt_import(*ret_crt, &pair->chain[0].cert, GNUTLS_X509_FMT_DER);
	return r < 0 ? -EBADMSG : 0;
}

static void
print_fingerprint(const unsigned char hash[HASH_BYTES], char *text, size_t size)
{
	size_t at = 0;

	for (int i = 0; i < HASH_BYTES && at + 3 < size; i++)
		at += (size_t)snprintf(text + at, size - at, "%s%02X", i ? ":" : "", hash[i]);
}

/* RFC 7469 section 2.4: the hash of the key's info, in base64. */
static int
print_pin(gnutls_x509_crt_t crt, char *text, size_t size)
{
	unsigned char hash[HASH_BYTES];
	const gnutls_datum_t bytes = { hash, sizeof(hash) };
	CLEANUP(datum) gnutls_datum_t base64 = { NULL, 0 };
	size_t len = sizeof(hash);

	if (gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, hash, &len) < 0 ||
	    gnutls_base64_encode2(&bytes, &base64) < 0)
		return -EIO;
	(void)snprintf(text, size, "sha256//%.*s", (int)base64.size, (const char *)base64.data);
	return 0;
}

static int
read_facts(struct pair *pair)
{
	CLEANUP(crt) gnutls_x509_crt_t crt = NULL;
	struct certificate_facts *facts = &pair->facts;
	unsigned char hash[HASH_BYTES];
	size_t hash_len = sizeof(hash);
	size_t subject_len = sizeof(facts->subject);
	int r = leaf_of(pair, &crt);

	if (r < 0 || gnutls_x509_crt_get_fingerprint(crt, GNUTLS_DIG_SHA256, hash, &hash_len) < 0)
		return -EBADMSG;
	print_fingerprint(hash, facts->fingerprint, sizeof(facts->fingerprint));
	if (gnutls_x509_crt_get_dn(crt, facts->subject, &subject_len) < 0)
		facts->subject[0] = '\0';
	facts->not_before_s = gnutls_x509_crt_get_activation_time(crt);
	facts->not_after_s = gnutls_x509_crt_get_expiration_time(crt);
	return print_pin(crt, facts->pin, sizeof(facts->pin));
}

/* --- Reading it --- */

static int
check_match(const gnutls_datum_t *cert, const gnutls_datum_t *key)
{
	CLEANUP(credentials) gnutls_certificate_credentials_t credentials = NULL;

	if (gnutls_certificate_allocate_credentials(&credentials) < 0)
		return GNUTLS_E_MEMORY_ERROR;
	return gnutls_certificate_set_x509_key_mem2(credentials, cert, key, GNUTLS_X509_FMT_PEM,
						    NULL, 0);
}

static int
import(struct pair *pair, const gnutls_datum_t *cert, const gnutls_datum_t *key)
{
	unsigned int len = CHAIN_MAX;
	int r = check_match(cert, key);

	if (r >= 0)
		r = gnutls_pcert_list_import_x509_raw(pair->chain, &len, cert, GNUTLS_X509_FMT_PEM,
						      GNUTLS_X509_CRT_LIST_FAIL_IF_UNSORTED);
	if (r < 0)
		return r;
	pair->len = len;
	r = gnutls_privkey_init(&pair->key);
	return r < 0 ? r
		     : gnutls_privkey_import_x509_raw(pair->key, key, GNUTLS_X509_FMT_PEM, NULL, 0);
}

static int
load(const struct certificate *certificate, struct pair **ret_pair, struct pxs_error *err)
{
	CLEANUP(datum) gnutls_datum_t cert = { NULL, 0 };
	CLEANUP(datum) gnutls_datum_t key = { NULL, 0 };
	CLEANUP(pair) struct pair *pair = calloc(1, sizeof(*pair));
	int r;

	if (!pair)
		return -ENOMEM;
	if (gnutls_load_file(certificate->cert_path, &cert) < 0)
		return pxs_error_set(err, -EACCES, -1, "cannot read the certificate %s: %m",
				     certificate->cert_path);
	if (gnutls_load_file(certificate->key_path, &key) < 0)
		return pxs_error_set(err, -EACCES, -1, "cannot read the key %s: %m",
				     certificate->key_path);
	r = import(pair, &cert, &key);
	if (r >= 0)
		r = read_facts(pair);
	if (r < 0)
		return pxs_error_set(
			err, -EINVAL, -1, "%s and %s are no certificate with its key, in PEM: %s",
			certificate->cert_path, certificate->key_path, gnutls_strerror(r));
	pair->facts.own = certificate->own;
	pair->facts.path = certificate->cert_path;
	*ret_pair = STEAL(pair);
	return 0;
}

static bool
is_due(const struct pair *pair)
{
	return pair->facts.own &&
	       pair->facts.not_after_s - time(NULL) < (int64_t)CERTIFICATE_RENEW_DAYS * DAY_S;
}

/* Ours, made if it is not there or about to end. */
static int
load_or_make(const struct certificate *certificate, struct pair **ret_pair, struct pxs_error *err)
{
	bool missing = certificate->own && access(certificate->cert_path, F_OK) < 0;
	CLEANUP(pair) struct pair *pair = NULL;
	int r = missing ? 0 : load(certificate, &pair, err);

	if (r == 0 && (!pair || is_due(pair))) {
		r = self_signed_make(certificate->cert_path, certificate->key_path,
				     CERTIFICATE_LIFE_DAYS, err);
		pair_free(STEAL(pair));
		if (r == 0)
			r = load(certificate, &pair, err);
	}
	if (r == 0)
		*ret_pair = STEAL(pair);
	return r;
}

/* Under lock. */
static int
reload(struct certificate *certificate, struct pxs_error *err)
{
	CLEANUP(pair) struct pair *pair = NULL;
	int r = load_or_make(certificate, &pair, err);

	if (r < 0 || !pair)
		return r;
	if (certificate->current &&
	    strcmp(certificate->current->facts.fingerprint, pair->facts.fingerprint) == 0)
		return 0;
	pair->older = certificate->current;
	certificate->current = STEAL(pair);
	return 0;
}

/* --- The face --- */

static int
set_paths(struct certificate *certificate, const struct certificate_options *options)
{
	CLEANUP(pxs_buf) struct pxs_buf cert = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf key = PXS_BUF_INIT;

	certificate->own = !options->cert_path;
	pxs_buf_addf(&cert, "%s/tls-cert.pem", options->dir);
	pxs_buf_addf(&key, "%s/tls-key.pem", options->dir);
	certificate->cert_path = options->cert_path ? strdup(options->cert_path)
						    : pxs_buf_steal(&cert);
	certificate->key_path = options->key_path ? strdup(options->key_path) : pxs_buf_steal(&key);
	return certificate->cert_path && certificate->key_path ? 0 : -ENOMEM;
}

int
certificate_open(const struct certificate_options *options, struct certificate **ret_cert,
		 struct pxs_error *err)
{
	CLEANUP(certificate) struct certificate *certificate = calloc(1, sizeof(*certificate));
	int r;

	if (!certificate)
		return -ENOMEM;
	(void)pthread_mutex_init(&certificate->lock, NULL);
	if (!options->cert_path != !options->key_path)
		return pxs_error_set(err, -EINVAL, -1,
				     "a certificate needs its key, and a key its certificate; "
				     "only one of them is given");
	r = set_paths(certificate, options);
	if (r == 0)
		r = certificate_reload(certificate, err);
	if (r < 0)
		return r;
	*ret_cert = STEAL(certificate);
	return 0;
}

void
certificate_close(struct certificate *certificate)
{
	struct pair *pair;

	if (!certificate)
		return;
	while ((pair = certificate->current)) {
		certificate->current = pair->older;
		pair_free(pair);
	}
	(void)pthread_mutex_destroy(&certificate->lock);
	free(certificate->cert_path);
	free(certificate->key_path);
	free(certificate);
}

int
certificate_reload(struct certificate *certificate, struct pxs_error *err)
{
	int r;

	(void)pthread_mutex_lock(&certificate->lock);
	r = reload(certificate, err);
	certificate->looked_s = time(NULL);
	(void)pthread_mutex_unlock(&certificate->lock);
	return r;
}

void
certificate_current(struct certificate *certificate, gnutls_pcert_st **ret_chain,
		    unsigned int *ret_len, gnutls_privkey_t *ret_key)
{
	(void)pthread_mutex_lock(&certificate->lock);
	/* If this fails the old one serves until its end, and the next hour tries again. */
	if (time(NULL) - certificate->looked_s > LOOK_S && is_due(certificate->current)) {
		certificate->looked_s = time(NULL);
		(void)reload(certificate, NULL);
	}
	*ret_chain = certificate->current->chain;
	*ret_len = certificate->current->len;
	*ret_key = certificate->current->key;
	(void)pthread_mutex_unlock(&certificate->lock);
}

void
certificate_facts(struct certificate *certificate, struct certificate_facts *ret_facts)
{
	(void)pthread_mutex_lock(&certificate->lock);
	*ret_facts = certificate->current->facts;
	(void)pthread_mutex_unlock(&certificate->lock);
}

static int
current_leaf(struct certificate *certificate, gnutls_x509_crt_t *ret_crt)
{
	int r;

	(void)pthread_mutex_lock(&certificate->lock);
	r = leaf_of(certificate->current, ret_crt);
	(void)pthread_mutex_unlock(&certificate->lock);
	return r;
}

/* The I-th name: whether there is one. */
static bool
add_name(gnutls_x509_crt_t crt, unsigned int i, struct pxs_buf *buf)
{
	char name[256];
	char text[INET6_ADDRSTRLEN];
	size_t len = sizeof(name) - 1;
	int kind = gnutls_x509_crt_get_subject_alt_name(crt, i, name, &len, NULL);

	if (kind < 0)
		return false;
	name[len] = '\0';
	if (kind == GNUTLS_SAN_DNSNAME)
		pxs_buf_addf(buf, "%s%s", buf->len ? " " : "", name);
	else if (kind == GNUTLS_SAN_IPADDRESS &&
		 inet_ntop(len == 4 ? AF_INET : AF_INET6, name, text, sizeof(text)))
		pxs_buf_addf(buf, "%s%s", buf->len ? " " : "", text);
	return true;
}

int
certificate_names(struct certificate *certificate, struct pxs_buf *buf)
{
	CLEANUP(crt) gnutls_x509_crt_t crt = NULL;
	int r = current_leaf(certificate, &crt);

	for (unsigned int i = 0; r == 0 && add_name(crt, i, buf); i++)
		;
	return r < 0 ? r : buf->error;
}

int
certificate_pem(struct certificate *certificate, struct pxs_buf *buf)
{
	CLEANUP(crt) gnutls_x509_crt_t crt = NULL;
	CLEANUP(datum) gnutls_datum_t text = { NULL, 0 };
	int r = current_leaf(certificate, &crt);

	if (r == 0 && gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &text) < 0)
		r = -EIO;
	if (r == 0)
		pxs_buf_add(buf, text.data, text.size);
	return r < 0 ? r : buf->error;
}
