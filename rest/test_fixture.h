/* test_fixture.h - a server with an index of its own, and a client, for the tests of rest/. */
#ifndef PXS_REST_TEST_FIXTURE_H
#define PXS_REST_TEST_FIXTURE_H

#include <stddef.h>

#include <jansson.h>

struct index;
struct ingest;
struct rest;

/* More than the window of pages holds. Their ids are FIXTURE_ID + 1 and so on. */
#define FIXTURE_DOCUMENTS 10250
#define FIXTURE_ID INT64_C(3721279936826738506)
/* This one has a path that is no text. */
#define FIXTURE_EXACT 7

struct fixture {
	char dir[64];
	char socket_path[96];
	struct index *index;
	struct ingest *ingest;
	struct rest *rest;
};

extern struct fixture fixture;

int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Start it as { 0 }. */
struct answer {
	int status;
	char head[2048];
	char *body;
	size_t body_len;
	json_t *json; /* NULL: no body, or no JSON */
};

void answer_done(struct answer *answer);
static inline void
answer_cleanup(struct answer *answer)
{
	answer_done(answer);
}

static inline void
json_decref_cleanup(json_t **owned)
{
	json_decref(*owned);
}

/* A descriptor, or -errno. */
int fixture_connect(const char *path);

/* HEADERS: lines, each ended by CR LF. */
void ask(const char *method, const char *url, const char *headers, const char *body,
	 struct answer *answer);
void get(const char *url, struct answer *answer);

/* Parts of the answer; lent. */
json_t *member(const struct answer *answer, const char *key);
json_int_t hits_of(const struct answer *answer);
const char *href_of(const struct answer *answer, const char *rel);
json_t *datum(json_t *item, const char *name);
/* A header's value, "" if it is not there. HEADER ends with what stands before the value. */
void read_header(const struct answer *answer, const char *header, char *value, size_t size);

#endif
