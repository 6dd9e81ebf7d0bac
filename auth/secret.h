/* secret.h - a token's text, its hash, and passwords as they are kept. */
#ifndef PXS_AUTH_SECRET_H
#define PXS_AUTH_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "auth/auth.h"

#define SECRET_HASH_SIZE 32

/* 256 new random bits as text. -errno: the system has none. */
int secret_token_new(char text[AUTH_TOKEN_SIZE]);
/* Whether TEXT has a token's form and its checksum is right, so that most typos and all that is
 * something else need no look-up. */
bool secret_token_is_formed(const char *text);
/* SHA-256 of TEXT. */
int secret_hash(const char *text, unsigned char hash[SECRET_HASH_SIZE]);

/* PASSWORD as crypt(5) yescrypt; the caller's to free. */
int secret_password_hash(const char *password, char **ret_hash);
/* Whether PASSWORD gave HASH. HASH NULL: false, in the time that a true one takes. */
bool secret_password_matches(const char *password, const char *hash);

/* In a time that does not tell where they differ. */
bool secret_equals(const char *a, const char *b);

#endif
