#include "auth/auth.h"

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
};

const char *
auth_right_name(unsigned int right)
{
	for (size_t i = 0; i < ARRAY_SIZE(NAMES); i++)
		if (NAMES[i].right == right)
			return NAMES[i].name;
	return NULL;
}
