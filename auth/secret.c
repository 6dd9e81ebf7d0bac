#include "auth/secret.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <crypt.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "base/cleanup.h"

#define PREFIX "pxs_"
#define PREFIX_LEN 4
#define RANDOM_BYTES 32
#define CODED_BYTES (RANDOM_BYTES + 4) /* 36 bytes are 48 characters without padding */

/* yescrypt with the cost that crypt(5) recommends: about a tenth of a second. */
#define PASSWORD_PREFIX "$y$"

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* CRC-32 of ISO 3309, as in zlib: it tells a typo, not an attack. */
static uint32_t
checksum(const unsigned char *bytes, size_t len)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < len; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
	}
	return ~crc;
}

static void
put_checksum(unsigned char bytes[CODED_BYTES])
{
	uint32_t crc = checksum(bytes, RANDOM_BYTES);

	for (int i = 0; i < 4; i++)
		bytes[RANDOM_BYTES + i] = (unsigned char)(crc >> (24 - 8 * i));
}

static void
encode(const unsigned char bytes[CODED_BYTES], char *text)
{
	for (size_t i = 0; i < CODED_BYTES; i += 3) {
		uint32_t three = (uint32_t)bytes[i] << 16 | (uint32_t)bytes[i + 1] << 8 |
				 bytes[i + 2];

		for (int shift = 18; shift >= 0; shift -= 6)
			*text++ = ALPHABET[three >> shift & 63];
	}
	*text = '\0';
}

static bool
decode(const char *text, unsigned char bytes[CODED_BYTES])
{
	for (size_t i = 0; i < CODED_BYTES; i += 3) {
		uint32_t three = 0;

		for (int j = 0; j < 4; j++) {
			const char *at = strchr(ALPHABET, *text++);

			if (!at || !*at)
				return false;
			three = three << 6 | (uint32_t)(at - ALPHABET);
		}
		bytes[i] = (unsigned char)(three >> 16);
		bytes[i + 1] = (unsigned char)(three >> 8);
		bytes[i + 2] = (unsigned char)three;
	}
	return true;
}

int
secret_token_new(char text[AUTH_TOKEN_SIZE])
{
	unsigned char bytes[CODED_BYTES];

	if (getrandom(bytes, RANDOM_BYTES, 0) != RANDOM_BYTES)
		return errno ? -errno : -EIO;
	put_checksum(bytes);
	encode(bytes, stpcpy(text, PREFIX));
	explicit_bzero(bytes, sizeof(bytes));
	return 0;
}

bool
secret_token_is_formed(const char *text)
{
	unsigned char bytes[CODED_BYTES];
	unsigned char whole[CODED_BYTES];

	if (strlen(text) != AUTH_TOKEN_LEN || strncmp(text, PREFIX, PREFIX_LEN) != 0 ||
	    !decode(text + PREFIX_LEN, bytes))
		return false;
	memcpy(whole, bytes, RANDOM_BYTES);
	put_checksum(whole);
	return memcmp(whole, bytes, CODED_BYTES) == 0;
}

int
secret_hash(const char *text, unsigned char hash[SECRET_HASH_SIZE])
{
	return gnutls_hash_fast(GNUTLS_DIG_SHA256, text, strlen(text), hash) == 0 ? 0 : -EIO;
}

/* crypt_r() with its 32 KiB of memory, which holds the password afterwards. */
static char *
crypted(const char *password, const char *setting)
{
	struct crypt_data *data = calloc(1, sizeof(*data));
	char *copy = NULL;
	char *hash;

	if (!data)
		return NULL;
	hash = crypt_r(password, setting, data);
	if (hash && hash[0] != '*') /* a failure token (crypt(3)) */
		copy = strdup(hash);
	explicit_bzero(data, sizeof(*data));
	free(data);
	return copy;
}

int
secret_password_hash(const char *password, char **ret_hash)
{
	CLEANUP(free) char *setting = crypt_gensalt_ra(PASSWORD_PREFIX, 0, NULL, 0);
	char *hash = setting ? crypted(password, setting) : NULL;

	if (!hash)
		return -EIO;
	*ret_hash = hash;
	return 0;
}

bool
secret_password_matches(const char *password, const char *hash)
{
	/* Of a password that nobody has: random, and forgotten. */
	static const char NOBODYS[] = "$y$j9T$Yk7PzKmwbKZ1f9XyQm0qG/$";
	CLEANUP(free) char *again = crypted(password, hash ? hash : NOBODYS);

	return again && hash && secret_equals(again, hash);
}

bool
secret_equals(const char *a, const char *b)
{
	unsigned char a_hash[SECRET_HASH_SIZE];
	unsigned char b_hash[SECRET_HASH_SIZE];

	/* Of hashes, so that not even the length shows. */
	return secret_hash(a, a_hash) == 0 && secret_hash(b, b_hash) == 0 &&
	       gnutls_memcmp(a_hash, b_hash, sizeof(a_hash)) == 0;
}
