/* content.h - which part of a file a request asks for (RFC 9110 section 14). */
#ifndef PXS_REST_CONTENT_H
#define PXS_REST_CONTENT_H

#include <stdint.h>

struct index_budget;
struct request;

enum content_range {
	CONTENT_WHOLE,	       /* no range, or one that need not be understood */
	CONTENT_PART,	       /* *RET_START and *RET_LEN say which */
	CONTENT_UNSATISFIABLE, /* it lies behind the end */
};

/* Read HEADER, the value of Range, for a file of SIZE bytes: "bytes=0-499", "bytes=500-",
 * "bytes=-500". Several ranges at once are answered with the whole, as the RFC allows. */
enum content_range content_range_parse(const char *header, uint64_t size, uint64_t *ret_start,
				       uint64_t *ret_len);

/* What REQUEST may cost while it reads at the upstream. */
void content_budget(const struct request *request, struct index_budget *ret_budget);

#endif
