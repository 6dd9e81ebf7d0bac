/* Parts of a door: the token in a header, addresses to listen at, the line before the threads. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/macros.h"
#include "rest/credentials.h"
#include "rest/listener.h"
#include "rest/watch.h"
#include "rest/work.h"

/* --- Credentials --- */

static void
a_token_is_found_in_every_form(void **state)
{
	static const struct {
		const char *authorization;
		const char *www_authenticate;
		int result;
		const char *token;
	} ROWS[] = {
		{ NULL, NULL, -ENODATA, NULL },
		{ "Bearer abc", NULL, 0, "abc" },
		{ "bearer abc", NULL, 0, "abc" },
		{ "BEARER  \t abc ", NULL, 0, "abc" },
		{ "  Bearer abc", NULL, 0, "abc" },
		{ "Bearer a-b_c.d~e+f/g==", NULL, 0, "a-b_c.d~e+f/g==" },
		{ "Bearer", NULL, 0, "Bearer" }, /* a bare token of that name: nobody's */
		{ "Bearer ", NULL, 0, "Bearer" },
		{ "Bearer a b", NULL, -EINVAL, NULL },
		{ "Bearer a,b", NULL, -EINVAL, NULL },
		{ "Bearer a\"b", NULL, -EINVAL, NULL },
		{ "Bearer \xc3\xa4", NULL, -EINVAL, NULL },
		{ "Token abc", NULL, 0, "abc" },
		{ "token abc", NULL, 0, "abc" },
		{ "abc", NULL, 0, "abc" },
		{ "", NULL, -EINVAL, NULL },
		{ "  ", NULL, -EINVAL, NULL },
		{ "Digest abc", NULL, -EINVAL, NULL },
		{ "Bearerabc", NULL, 0, "Bearerabc" },
		{ "Basic YWJjOg==", NULL, 0, "abc" },
		{ "basic YWJjOg==", NULL, 0, "abc" },
		{ "Basic YWJjOg", NULL, 0, "abc" },	      /* padding forgotten */
		{ "Basic YWJjOnNlY3JldA==", NULL, 0, "abc" }, /* abc:secret */
		{ "Basic YWJjOmE6Yg==", NULL, 0, "abc" },     /* abc:a:b */
		{ "Basic YWJj", NULL, -EINVAL, NULL },	      /* abc: no colon */
		{ "Basic OmFiYw==", NULL, -EINVAL, NULL },    /* :abc */
		{ "Basic YWIAYzo=", NULL, -EINVAL, NULL },    /* a NUL within */
		{ "Basic YWJjO", NULL, -EINVAL, NULL },
		{ "Basic YW!jOg==", NULL, -EINVAL, NULL },
		{ "Basic YWJjOg== x", NULL, -EINVAL, NULL },
		{ "Basic ====", NULL, -EINVAL, NULL },
		{ NULL, "Bearer abc", 0, "abc" },
		{ NULL, "abc", 0, "abc" },
		{ NULL, "Basic YWJjOg==", 0, "abc" },
		{ "Bearer abc", "Bearer xyz", 0, "abc" },
		{ "Bearer a,b", "Bearer xyz", -EINVAL, NULL }, /* the first decides */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		CLEANUP(pxs_buf) struct pxs_buf token = PXS_BUF_INIT;
		int r = credentials_read(ROWS[i].authorization, ROWS[i].www_authenticate, &token);

		if (r != ROWS[i].result)
			fail_msg("row %zu: %d", i, r);
		if (ROWS[i].token)
			assert_string_equal(pxs_buf_text(&token), ROWS[i].token);
	}
}

static void
a_token_may_be_long_but_not_endless(void **state)
{
	CLEANUP(pxs_buf) struct pxs_buf header = PXS_BUF_INIT;
	CLEANUP(pxs_buf) struct pxs_buf token = PXS_BUF_INIT;

	(void)state;
	pxs_buf_add_str(&header, "Bearer ");
	for (int i = 0; i < CREDENTIALS_TOKEN_MAX; i++)
		pxs_buf_add_char(&header, 'x');
	assert_int_equal(credentials_read(header.data, NULL, &token), 0);
	assert_int_equal(token.len, CREDENTIALS_TOKEN_MAX);
	pxs_buf_add_char(&header, 'x');
	assert_int_equal(credentials_read(header.data, NULL, &token), -EINVAL);
}

/* --- Addresses --- */

static void
addresses_have_a_host_and_a_port(void **state)
{
	static const struct {
		const char *address;
		int result;
		bool near;
		const char *text; /* that its name begins with, or that the error holds */
	} ROWS[] = {
		{ "127.0.0.1:0", 0, true, "127.0.0.1:" },
		{ "127.9.9.9:0", 0, true, "127.9.9.9:" },
		{ "localhost:0", 0, true, "" },
		{ "0.0.0.0:0", 0, false, "0.0.0.0:" },
		{ ":0", 0, false, "" },
		{ "", -EINVAL, false, "HOST:PORT" },
		{ "5000", -EINVAL, false, "HOST:PORT" },
		{ "localhost", -EINVAL, false, "HOST:PORT" },
		{ "localhost:", -EINVAL, false, "HOST:PORT" },
		{ "localhost:http", -EINVAL, false, "HOST:PORT" },
		{ "localhost:65536", -EINVAL, false, "HOST:PORT" },
		{ "localhost:-1", -EINVAL, false, "HOST:PORT" },
		{ "::1:5000", -EINVAL, false, "brackets" },
		{ "192.0.2.1:0", -EADDRNOTAVAIL, false, "192.0.2.1" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		CLEANUP(listener) struct listener *listener = NULL;
		struct pxs_error err = { 0 };
		int r = listener_open_tcp(ROWS[i].address, &listener, &err);

		if (r != ROWS[i].result)
			fail_msg("%s: %d %s", ROWS[i].address, r, err.text);
		if (r < 0) {
			assert_non_null(strstr(err.text, ROWS[i].text));
			continue;
		}
		assert_int_equal(listener_is_near(listener), ROWS[i].near);
		assert_ptr_equal(strstr(listener_path(listener), ROWS[i].text),
				 listener_path(listener));
		assert_null(strstr(listener_path(listener), ":0"));
	}
}

static void
a_port_is_taken_once(void **state)
{
	CLEANUP(listener) struct listener *first = NULL;
	CLEANUP(listener) struct listener *second = NULL;

	(void)state;
	assert_int_equal(listener_open_tcp("127.0.0.1:0", &first, NULL), 0);
	assert_int_equal(listener_open_tcp(listener_path(first), &second, NULL), -EADDRINUSE);
}

/* --- The line before the threads --- */

struct job {
	struct work_item item; /* first */
	atomic_int *order;
	atomic_int *gate;  /* it waits until that is not 0; NULL: for nothing */
	atomic_int number; /* at which it ran, from 1 on */
};

static void
run_job(struct work_item *item)
{
	struct job *job = (struct job *)item;

	while (job->gate && !atomic_load(job->gate))
		(void)usleep(1000);
	job->number = atomic_fetch_add(job->order, 1) + 1;
}

static struct job
job_of(uint64_t user, atomic_int *order, atomic_int *gate)
{
	return (struct job){ .item = { .user = user, .run = run_job },
			     .order = order,
			     .gate = gate };
}

static void
nobody_has_more_than_his_share(void **state)
{
	const struct work_limits limits = {
		.threads = 4, .running_per_user = 2, .waiting_per_user = 5, .waiting = 7
	};
	struct work *work = NULL;
	atomic_int order = 0;
	atomic_int gate = 0;
	struct job greedy[8];
	struct job modest[4];
	int refused = 0;

	(void)state;
	assert_int_equal(work_open(&limits, &work), 0);
	for (size_t i = 0; i < ARRAY_SIZE(greedy); i++) {
		greedy[i] = job_of(1, &order, &gate);
		refused += work_submit(work, &greedy[i].item) == -EBUSY;
		(void)usleep(20000); /* so that the first two run */
	}
	assert_int_equal(refused, 1); /* two run and five wait */

	/* He holds two threads of four; another one is served by the others at once. */
	modest[0] = job_of(2, &order, NULL);
	assert_int_equal(work_submit(work, &modest[0].item), 0);
	while (!atomic_load(&order))
		(void)usleep(1000);
	assert_int_equal(modest[0].number, 1);

	/* Five of his wait, and seven may in all. */
	modest[1] = job_of(2, &order, &gate);
	modest[2] = job_of(2, &order, &gate);
	modest[3] = job_of(3, &order, &gate);
	assert_int_equal(work_submit(work, &modest[1].item), 0);
	assert_int_equal(work_submit(work, &modest[2].item), 0);
	(void)usleep(20000); /* these two run */
	assert_int_equal(work_submit(work, &modest[3].item), 0);
	modest[0] = job_of(4, &order, NULL);
	assert_int_equal(work_submit(work, &modest[0].item), 0);
	greedy[7] = job_of(5, &order, NULL);
	assert_int_equal(work_submit(work, &greedy[7].item), -EAGAIN);

	atomic_store(&gate, 1);
	work_close(work);
	assert_int_equal(order, 1 + 7 + 4);
}

static void
what_is_due_later_runs_later(void **state)
{
	const struct work_limits limits = {
		.threads = 1, .running_per_user = 1, .waiting_per_user = 2, .waiting = 2
	};
	struct work *work = NULL;
	atomic_int order = 0;
	struct job late = job_of(1, &order, NULL);
	struct job later = job_of(1, &order, NULL);
	struct job now = job_of(1, &order, NULL);
	int64_t start_ns = pxs_clock_steady_ns();

	(void)state;
	assert_int_equal(work_open(&limits, &work), 0);
	late.item.due_ns = start_ns + 50 * PXS_NS_PER_MS;
	later.item.due_ns = start_ns + 3600 * PXS_NS_PER_S;
	assert_int_equal(work_submit(work, &later.item), 0);
	assert_int_equal(work_submit(work, &late.item), 0);
	assert_int_equal(work_submit(work, &now.item), 0);
	while (atomic_load(&order) < 2)
		(void)usleep(1000);
	assert_true(pxs_clock_steady_ns() >= late.item.due_ns);
	assert_int_equal(now.number, 1);
	assert_int_equal(late.number, 2);
	work_close(work); /* and that does not wait for an hour */
	assert_int_equal(later.number, 3);
}

static void
nothing_is_due_later_in_a_hurry(void **state)
{
	const struct work_limits limits = {
		.threads = 2, .running_per_user = 1, .waiting_per_user = 2, .waiting = 4
	};
	struct work *work = NULL;
	atomic_int order = 0;
	atomic_int gate = 0;
	struct job running = job_of(1, &order, &gate);
	struct job waiting = job_of(1, &order, &gate);
	struct job before = job_of(1, &order, NULL);
	struct job after = job_of(1, &order, NULL);

	(void)state;
	before.item.due_ns = pxs_clock_steady_ns() + 3600 * PXS_NS_PER_S;
	after.item.due_ns = before.item.due_ns;
	assert_int_equal(work_open(&limits, &work), 0);
	assert_int_equal(work_submit(work, &running.item), 0);
	assert_int_equal(work_submit(work, &waiting.item), 0);
	assert_int_equal(work_submit(work, &before.item), 0);
	work_hurry(work);
	assert_int_equal(work_submit(work, &after.item), 0);
	while (atomic_load(&order) < 2)
		(void)usleep(1000);
	assert_true(before.number && after.number);
	assert_false(running.number || waiting.number); /* a share is what it was */
	atomic_store(&gate, 1);
	work_close(work);
	assert_int_equal(order, 4);
}

/* --- Deadlines --- */

static bool
is_cut(int fd)
{
	char c;

	return recv(fd, &c, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
}

static void
who_is_late_is_cut(void **state)
{
	struct watch *watch = NULL;
	struct watched *late;
	struct watched *early;
	int a[2];
	int b[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, a), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, b), 0);
	assert_int_equal(watch_open(&watch), 0);
	late = watch_add(watch, NULL, a[0]);
	early = watch_add(watch, NULL, b[0]);
	assert_int_equal(watch_count(watch), 2);
	watch_allow(late, 0);
	watch_allow(early, -1);
	while (!is_cut(a[1]))
		(void)usleep(1000);
	assert_false(is_cut(b[1]));
	watch_remove(watch, late);

	/* At the end who is being answered is let alone. */
	watch_drain(watch);
	(void)usleep(20000);
	assert_false(is_cut(b[1]));
	watch_allow(early, 3600);
	while (!is_cut(b[1]))
		(void)usleep(1000);
	watch_remove(watch, early);
	watch_close(watch);
	for (int i = 0; i < 2; i++) {
		(void)close(a[i]);
		(void)close(b[i]);
	}
}

int
main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(a_token_is_found_in_every_form),
		cmocka_unit_test(a_token_may_be_long_but_not_endless),
		cmocka_unit_test(addresses_have_a_host_and_a_port),
		cmocka_unit_test(a_port_is_taken_once),
		cmocka_unit_test(nobody_has_more_than_his_share),
		cmocka_unit_test(what_is_due_later_runs_later),
		cmocka_unit_test(nothing_is_due_later_in_a_hurry),
		cmocka_unit_test(who_is_late_is_cut),
	};

	return cmocka_run_group_tests_name("rest/door", TESTS, NULL, NULL);
}
