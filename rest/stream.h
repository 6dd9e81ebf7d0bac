/* stream.h - the body of an answer that is read at the upstream while it is sent. */
#ifndef PXS_REST_STREAM_H
#define PXS_REST_STREAM_H

#include <stdint.h>

struct MHD_Response;
struct request;
struct sync_content;

/* LEN bytes of CONTENT (taken) from START on, for REQUEST alone. NULL: no memory. */
struct MHD_Response *stream_new(struct sync_content *content, uint64_t start, uint64_t len,
				struct request *request);

#endif
