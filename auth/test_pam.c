/* The processes that ask PAM: what becomes of their answers, their silence and their death. This
 * program plays pxs-auth when it is started as that. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "auth/pam.h"
#include "auth/pam_wire.h"
#include "base/clock.h"
#include "base/error.h"

#define FAKE "fake-service"

static int
play_helper(void)
{
	char packet[PAM_WIRE_MAX];

	while (recv(STDIN_FILENO, packet, sizeof(packet), 0) > 0) {
		const char *from = packet + strlen(packet) + 1;
		const char *password = from + strlen(from) + 1;
		char answer = PAM_WIRE_NO;

		if (strcmp(packet, "hang") == 0)
			(void)pause();
		if (strcmp(packet, "crash") == 0)
			(void)raise(SIGKILL);
		if (strcmp(password, "right") == 0 && strcmp(from, "10.0.0.1") == 0)
			answer = PAM_WIRE_YES;
		(void)send(STDIN_FILENO, &answer, 1, 0);
	}
	return 0;
}

static struct pam *
open_pam(int deadline_s)
{
	struct pam *pam = NULL;

	assert_int_equal(pam_open("/proc/self/exe", FAKE, deadline_s, &pam, NULL), 0);
	return pam;
}

static void
an_answer_is_taken(void **state)
{
	CLEANUP(pam) struct pam *pam = open_pam(60);

	(void)state;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(pam_check(pam, "ann", "right", "10.0.0.1"), 0);
		assert_int_equal(pam_check(pam, "ann", "wrong", "10.0.0.1"), -EACCES);
		assert_int_equal(pam_check(pam, "ann", "right", "10.0.0.2"), -EACCES);
	}
}

static void
what_is_too_long_is_refused(void **state)
{
	CLEANUP(pam) struct pam *pam = open_pam(60);
	char password[PAM_WIRE_MAX + 1];

	(void)state;
	memset(password, 'x', sizeof(password) - 1);
	password[sizeof(password) - 1] = '\0';
	assert_int_equal(pam_check(pam, "ann", password, "10.0.0.1"), -EACCES);
	assert_int_equal(pam_check(pam, "ann", "right", "10.0.0.1"), 0);
}

static void
one_that_dies_is_replaced(void **state)
{
	CLEANUP(pam) struct pam *pam = open_pam(60);

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pam_check(pam, "crash", "right", "10.0.0.1"), -EACCES);
		assert_int_equal(pam_check(pam, "ann", "right", "10.0.0.1"), 0);
	}
}

static void *
hang(void *pam)
{
	return (void *)(intptr_t)pam_check(pam, "hang", "right", "10.0.0.1");
}

static void
one_that_hangs_delays_only_its_caller(void **state)
{
	CLEANUP(pam) struct pam *pam = open_pam(1);
	pthread_t threads[PAM_WORKERS - 1];
	int64_t start_ns = pxs_clock_steady_ns();
	void *result;

	(void)state;
	for (int i = 0; i < PAM_WORKERS - 1; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hang, pam), 0);
	assert_int_equal(pam_check(pam, "ann", "right", "10.0.0.1"), 0);
	for (int i = 0; i < PAM_WORKERS - 1; i++) {
		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_int_equal((intptr_t)result, -EACCES);
	}
	assert_true(pxs_clock_steady_ns() - start_ns >= PXS_NS_PER_S);
	assert_int_equal(pam_check(pam, "ann", "right", "10.0.0.1"), 0);
}

static void
a_missing_program_is_named(void **state)
{
	struct pxs_error err = { 0 };
	struct pam *pam = NULL;

	(void)state;
	assert_int_equal(pam_open("/no/such/pxs-auth", FAKE, 1, &pam, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/no/such/pxs-auth"));
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(an_answer_is_taken),
		cmocka_unit_test(what_is_too_long_is_refused),
		cmocka_unit_test(one_that_dies_is_replaced),
		cmocka_unit_test(one_that_hangs_delays_only_its_caller),
		cmocka_unit_test(a_missing_program_is_named),
	};

	if (argc == 2 && strcmp(argv[1], FAKE) == 0)
		return play_helper();
	return cmocka_run_group_tests_name("pam", TESTS, NULL, NULL);
}
