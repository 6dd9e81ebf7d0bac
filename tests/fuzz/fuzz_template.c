/* libFuzzer: bodies of PATCH, and projections. Whatever comes, it is refused with a sentence or
 * becomes a document; a fault is always told. */
#include <errno.h>

#include <jansson.h>

#include "index/edit/edit.h"
#include "index/index.h"
#include "rest/projection.h"
#include "rest/template.h"
#include "tests/fuzz/fuzz.h"

static void
fuzz_projection(const char *text)
{
	struct projection projection = { 0 };
	struct pxs_error err = { 0 };
	int r = projection_parse(text, &projection, &err);

	FUZZ_REQUIRE(r == 0 || (r == -EINVAL && err.text[0]));
	if (r < 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(TEST_PROPERTIES); i++)
		(void)projection_shows(&projection, TEST_PROPERTIES[i].name);
	projection_done(&projection);
}

static void
fuzz_template(json_t *body)
{
	CLEANUP(edit_values) struct edit_values values = { 0 };
	struct pxs_error err = { 0 };
	json_t *given = NULL;
	int r = template_read(body, &given, &err);

	FUZZ_REQUIRE(r == 0 || (r == -EINVAL && err.text[0]));
	if (r < 0)
		return;
	FUZZ_REQUIRE(edit_values_read(&values, test_schema(), given) == 0);
	/* Read-only, unknown and repeated names must not get through. */
	FUZZ_REQUIRE(values.faults.len || values.n_emptied <= ARRAY_SIZE(TEST_PROPERTIES));
	json_decref(given);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(pxs_buf) struct pxs_buf text = PXS_BUF_INIT;
	json_t *body;

	fuzz_text(&text, data, size);
	fuzz_projection(pxs_buf_text(&text));
	body = json_loadb(pxs_buf_text(&text), text.len, 0, NULL);
	if (json_is_object(body))
		fuzz_template(body);
	json_decref(body);
	return 0;
}
