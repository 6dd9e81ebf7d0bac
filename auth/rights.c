#include "auth/auth.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"

static const struct {
	unsigned int right;
	const char *name;
} NAMES[] = {
	{ AUTH_READ, "read" },
	{ AUTH_UPDATE, "update_search_metadata" },
	{ AUTH_DELETE, "delete_search_metadata" },
	{ AUTH_BYPASS, "bypass_file_access_security" },
	{ AUTH_OPERATE, "operate" },
	{ AUTH_EVERYTHING & ~AUTH_OPERATE, "all" }, /* read, never printed */
};

const char *
auth_right_name(unsigned int right)
{
	for (size_t i = 0; i < ARRAY_SIZE(NAMES); i++)
		if (NAMES[i].right == right)
			return NAMES[i].name;
	return NULL;
}

static unsigned int
right_called(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(NAMES); i++)
		if (strlen(NAMES[i].name) == len && memcmp(NAMES[i].name, name, len) == 0)
			return NAMES[i].right;
	return 0;
}

int
auth_rights_parse(const char *text, unsigned int *ret_rights, struct pxs_error *err)
{
	static const char SEPARATORS[] = ", \t";
	unsigned int rights = 0;
	const char *word = text + strspn(text, SEPARATORS);

	while (*word) {
		size_t len = strcspn(word, SEPARATORS);
		unsigned int right = right_called(word, len);

		if (!right)
			return pxs_error_set(err, -EINVAL, word - text,
					     "unknown right '%.*s'; there are read, "
					     "update_search_metadata, delete_search_metadata, "
					     "bypass_file_access_security, operate and all",
					     (int)len, word);
		rights |= right;
		word += len;
		word += strspn(word, SEPARATORS);
	}
	*ret_rights = rights;
	return 0;
}

void
auth_rights_print(unsigned int rights, const char *separator, struct pxs_buf *buf)
{
	const char *before = "";

	for (unsigned int right = 1; right <= AUTH_OPERATE; right <<= 1) {
		if (!(rights & right))
			continue;
		pxs_buf_addf(buf, "%s%s", before, auth_right_name(right));
		before = separator;
	}
}
