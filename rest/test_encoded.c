#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "rest/encoded.h"

static void
keep(struct encoded *encoded, const char *etag, size_t n_properties, const char *text)
{
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;

	pxs_buf_add_str(&buf, text);
	encoded_keep(encoded, etag, n_properties, &buf);
}

static void
assert_kept(struct encoded *encoded, const char *etag, size_t n_properties, const char *text)
{
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;

	pxs_buf_add_str(&buf, "before ");
	assert_int_equal(encoded_find(encoded, etag, n_properties, &buf), text != NULL);
	assert_string_equal(pxs_buf_text(&buf) + strlen("before "), text ? text : "");
}

static void
a_text_is_found_by_its_etag_and_schema(void **state)
{
	CLEANUP(encoded) struct encoded *encoded = NULL;

	(void)state;
	assert_int_equal(encoded_open(&encoded), 0);
	assert_kept(encoded, "a", 1, NULL);
	keep(encoded, "a", 1, "{\"a\":1}");
	assert_kept(encoded, "a", 1, "{\"a\":1}");
	assert_kept(encoded, "a", 2, NULL);
	assert_kept(encoded, "b", 1, NULL);
	keep(encoded, "a", 2, "{\"a\":2}");
	assert_kept(encoded, "a", 2, "{\"a\":2}");
	assert_kept(encoded, "a", 1, NULL);
}

static void
a_long_text_stays_with_the_caller(void **state)
{
	CLEANUP(encoded) struct encoded *encoded = NULL;
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;

	(void)state;
	assert_int_equal(encoded_open(&encoded), 0);
	while (buf.len <= ENCODED_BYTES_MAX)
		pxs_buf_add_str(&buf, "longer ");
	encoded_keep(encoded, "a", 1, &buf);
	assert_true(buf.len > ENCODED_BYTES_MAX);
	assert_kept(encoded, "a", 1, NULL);
}

/* More than there are places: some are found, and none under another's etag. */
static void
many_share_the_places(void **state)
{
	CLEANUP(encoded) struct encoded *encoded = NULL;
	size_t found = 0;
	char etag[16];

	(void)state;
	assert_int_equal(encoded_open(&encoded), 0);
	for (int i = 0; i < 3 * ENCODED_ITEMS; i++) {
		(void)snprintf(etag, sizeof(etag), "%d", i);
		keep(encoded, etag, 1, etag);
	}
	for (int i = 0; i < 3 * ENCODED_ITEMS; i++) {
		CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;

		(void)snprintf(etag, sizeof(etag), "%d", i);
		if (!encoded_find(encoded, etag, 1, &buf))
			continue;
		assert_string_equal(pxs_buf_text(&buf), etag);
		found++;
	}
	assert_in_range(found, ENCODED_ITEMS / 2, ENCODED_ITEMS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_is_found_by_its_etag_and_schema),
		cmocka_unit_test(a_long_text_stays_with_the_caller),
		cmocka_unit_test(many_share_the_places),
	};

	return cmocka_run_group_tests_name("encoded", tests, NULL, NULL);
}
