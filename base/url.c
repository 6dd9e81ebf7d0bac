#include "base/url.h"

#include <stddef.h>
#include <string.h>

#include "base/macros.h"
#include "base/percent.h"

bool
pxs_url_is_safe(const char *url)
{
	static const char *const SAFE[] = { "https://", "http://localhost:", "http://127.",
					    "http://[::1]:" };

	for (size_t i = 0; i < ARRAY_SIZE(SAFE); i++)
		if (strncmp(url, SAFE[i], strlen(SAFE[i])) == 0)
			return true;
	return false;
}

static bool
is_illegal(unsigned char c)
{
	return c <= ' ' || c >= 0x7f || strchr("{}[]\"\\^`|<>", c);
}

void
pxs_url_add_link(struct pxs_buf *url, const char *href)
{
	pxs_percent_encode(url, href, strlen(href), is_illegal);
}
