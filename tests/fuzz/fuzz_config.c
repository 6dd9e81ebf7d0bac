/* libFuzzer: the configuration. A fault always names the file and the line. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "auth/auth.h"
#include "cli/config.h"
#include "tests/fuzz/fuzz.h"

static int
take(void *context, const char *section, const char *key, const char *value, struct pxs_error *err)
{
	unsigned int rights;

	(void)context;
	FUZZ_REQUIRE(section && key && value);
	return strcmp(section, "rights") == 0 ? auth_rights_parse(value, &rights, err) : 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(fclose) FILE *file = size ? fmemopen((void *)data, size, "r") : NULL;
	struct pxs_error err = { 0 };
	int r;

	if (!file)
		return 0;
	r = config_read_stream(file, "pxs.conf", take, NULL, &err);
	FUZZ_REQUIRE(r == 0 || (r == -EINVAL && strncmp(err.text, "pxs.conf, line ", 15) == 0));
	return 0;
}
