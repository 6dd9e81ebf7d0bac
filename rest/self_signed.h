/* self_signed.h - a certificate of our own making, for where nobody gave us one. */
#ifndef PXS_REST_SELF_SIGNED_H
#define PXS_REST_SELF_SIGNED_H

struct pxs_error;

/* Make CERT_PATH, valid for DAYS, and before it KEY_PATH (P-256, mode 0600) unless that is there.
 * It is for this host's name, localhost, and all addresses that it has now. */
int self_signed_make(const char *cert_path, const char *key_path, int days, struct pxs_error *err);

#endif
