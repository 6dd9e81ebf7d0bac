#include "rest/self_signed.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "rest/x509.h"

#define SERIAL_BYTES 16
#define DAY_S 86400
/* Clients' clocks may be behind. */
#define BACKDATE_S 3600
#define ADDRESSES_MAX 32

static inline void
key_cleanup(gnutls_x509_privkey_t *key)
{
	gnutls_x509_privkey_deinit(*key);
}

static inline void
ifaddrs_cleanup(struct ifaddrs **addresses)
{
	freeifaddrs(*addresses);
}

/* Under another name first, so that PATH is whole or not there. */
static int
write_file(const char *path, const gnutls_datum_t *text, mode_t mode)
{
	CLEANUP(pxs_buf) struct pxs_buf temporary = PXS_BUF_INIT;
	CLEANUP(close) int fd = -1;

	pxs_buf_addf(&temporary, "%s.new", path);
	if (temporary.error)
		return temporary.error;
	(void)unlink(temporary.data);
	fd = open(temporary.data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0 || write(fd, text->data, text->size) != (ssize_t)text->size || fsync(fd) < 0 ||
	    rename(temporary.data, path) < 0)
		return errno ? -errno : -EIO;
	return 0;
}

static int
make_key(gnutls_x509_privkey_t key, const char *path)
{
	CLEANUP(datum) gnutls_datum_t text = { NULL, 0 };

	if (gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
					 GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0) < 0 ||
	    gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &text) < 0)
		return -EIO;
	return write_file(path, &text, 0600);
}

static int
load_or_make_key(gnutls_x509_privkey_t key, const char *path)
{
	CLEANUP(datum) gnutls_datum_t text = { NULL, 0 };

	if (access(path, F_OK) < 0)
		return errno == ENOENT ? make_key(key, path) : -errno;
	if (gnutls_load_file(path, &text) < 0)
		return -EACCES;
	return gnutls_x509_privkey_import(key, &text, GNUTLS_X509_FMT_PEM) < 0 ? -EBADMSG : 0;
}

/* --- Whom it is for --- */

static void
add_name(gnutls_x509_crt_t crt, const char *name)
{
	(void)gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, name,
						   (unsigned int)strlen(name), GNUTLS_FSAN_APPEND);
}

/* Those that hold only on one link are of no use without its name. */
static void
add_address(gnutls_x509_crt_t crt, const struct sockaddr *address)
{
	const struct sockaddr_in *four = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;

	if (address->sa_family == AF_INET)
		(void)gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS,
							   &four->sin_addr, sizeof(four->sin_addr),
							   GNUTLS_FSAN_APPEND);
	else if (address->sa_family == AF_INET6 && !IN6_IS_ADDR_LINKLOCAL(&six->sin6_addr))
		(void)gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS,
							   &six->sin6_addr, sizeof(six->sin6_addr),
							   GNUTLS_FSAN_APPEND);
}

static void
add_addresses(gnutls_x509_crt_t crt)
{
	CLEANUP(ifaddrs) struct ifaddrs *addresses = NULL;
	const struct sockaddr_in four = { .sin_family = AF_INET,
					  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct sockaddr_in6 six = { .sin6_family = AF_INET6,
					  .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int n = 0;

	add_address(crt, (const struct sockaddr *)&four);
	add_address(crt, (const struct sockaddr *)&six);
	if (getifaddrs(&addresses) < 0)
		return;
	for (const struct ifaddrs *a = addresses; a && n < ADDRESSES_MAX; a = a->ifa_next)
		if (a->ifa_addr && !(a->ifa_flags & IFF_LOOPBACK)) {
			add_address(crt, a->ifa_addr);
			n++;
		}
}

static void
add_names(gnutls_x509_crt_t crt)
{
	char host[HOST_NAME_MAX + 1] = "";

	(void)gethostname(host, sizeof(host));
	host[HOST_NAME_MAX] = '\0';
	if (*host && strcmp(host, "localhost") != 0)
		add_name(crt, host);
	add_name(crt, "localhost");
	(void)gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0,
					    *host ? host : "localhost",
					    (unsigned int)strlen(*host ? host : "localhost"));
	add_addresses(crt);
}

/* --- The certificate --- */

static int
fill(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, int days)
{
	unsigned char serial[SERIAL_BYTES];
	time_t now = time(NULL);

	if (gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial)) < 0)
		return -EIO;
	serial[0] &= 0x7f; /* a positive number */
	add_names(crt);
	if (gnutls_x509_crt_set_version(crt, 3) < 0 ||
	    gnutls_x509_crt_set_serial(crt, serial, sizeof(serial)) < 0 ||
	    gnutls_x509_crt_set_activation_time(crt, now - BACKDATE_S) < 0 ||
	    gnutls_x509_crt_set_expiration_time(crt, now + (time_t)days * DAY_S) < 0 ||
	    gnutls_x509_crt_set_key(crt, key) < 0 ||
	    gnutls_x509_crt_set_basic_constraints(crt, 0, -1) < 0 ||
	    gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE) < 0 ||
	    gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0) < 0 ||
	    gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0) < 0)
		return -EIO;
	return 0;
}

int
self_signed_make(const char *cert_path, const char *key_path, int days, struct pxs_error *err)
{
	CLEANUP(crt) gnutls_x509_crt_t crt = NULL;
	CLEANUP(key) gnutls_x509_privkey_t key = NULL;
	CLEANUP(datum) gnutls_datum_t text = { NULL, 0 };
	int r;

	if (gnutls_x509_crt_init(&crt) < 0 || gnutls_x509_privkey_init(&key) < 0)
		return -ENOMEM;
	r = load_or_make_key(key, key_path);
	if (r < 0)
		return pxs_error_set(err, r, -1, "cannot make or read the key %s: %s", key_path,
				     strerror(-r));
	r = fill(crt, key, days);
	if (r == 0 && gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &text) < 0)
		r = -EIO;
	if (r == 0)
		r = write_file(cert_path, &text, 0644);
	if (r < 0)
		return pxs_error_set(err, r, -1, "cannot make the certificate %s: %s", cert_path,
				     strerror(-r));
	return 0;
}
