/* answer.h - from a request that is there to the reply, in the order of checks of spec/pixstor.md
 * 1.2. */
#ifndef PXS_REST_ANSWER_H
#define PXS_REST_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

struct request;

/* Before its body comes: whether the request is refused already, with request->reply. */
bool answer_early(struct request *request);

/* true: request->reply is there. false: it takes long; suspend the connection, then call
 * answer_later(). */
bool answer(struct request *request);

/* Answer in another thread, which resumes the connection. */
void answer_later(struct request *request);

/* Whose share of the threads it takes: see struct work_item. */
uint64_t answer_share(const struct request *request);

#endif
