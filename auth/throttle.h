/* throttle.h - how often somebody may be wrong about a password.
 *
 * Two leaky buckets count what went wrong: of an account from one address, and of an account from
 * all addresses. A bucket takes in as many as it holds, and as many again in an hour as it leaks,
 * so no more than twice what it holds in any hour. Whoever guesses from one address fills only his
 * own bucket, and the owner still comes in from elsewhere; when many fill the account's, he still
 * comes in from where he last did. */
#ifndef PXS_AUTH_THROTTLE_H
#define PXS_AUTH_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

/* Failures that a bucket holds; twice as many are the most in an hour: 80 of an account, and 20
 * more from where its owner last came in, make the 100 of research/reliability.md 2.5. */
#define THROTTLE_PER_ADDRESS 10
#define THROTTLE_PER_ACCOUNT 40

/* A wrong answer is held back so long, twice as long each time. */
#define THROTTLE_DELAY_MS 500
#define THROTTLE_DELAY_MAX_MS 8000

struct throttle;

int throttle_new(struct throttle **ret_throttle);
void throttle_free(struct throttle *throttle);
DEFINE_CLEANUP(throttle, struct throttle *, throttle_free)

/* Somebody at address FROM is about to try a password of ACCOUNT at NOW_NS (steady). Whether it may
 * be looked at: then it counts as wrong until throttle_succeeded(). *RET_DELAY_MS: how long after
 * NOW_NS the answer may come if it is wrong, which then tells nothing about why. */
bool throttle_try(struct throttle *throttle, const char *account, const char *from, int64_t now_ns,
		  int64_t *ret_delay_ms);
void throttle_succeeded(struct throttle *throttle, const char *account, const char *from,
			int64_t now_ns);

#endif
