#include "cli/search.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "cli/client.h"
#include "cli/message.h"
#include "cli/options.h"

void
search_add_href(struct pxs_buf *href, const char *resource, const struct pxs_buf *words,
		const struct options *options)
{
	bool asked = words->len || options->where || options->path;

	pxs_buf_add_str(href, resource);
	client_add_param(href, "where", asked ? options->where : "{}");
	client_add_param(href, "q", words->len ? pxs_buf_text(words) : NULL);
	client_add_param(href, "path", options->path);
	client_add_param(href, "sort", options->sort);
}

int
search_failure(const char *speaker, int r, const struct pxs_error *err, const struct client *client,
	       const struct pxs_buf *words, const struct options *options)
{
	const struct {
		const char *name;
		const char *text;
	} parameters[] = {
		{ "q", pxs_buf_text(words) },
		{ "where", options->where },
		{ "path", options->path },
		{ "sort", options->sort },
	};
	CLEANUP(pxs_buf) struct pxs_buf lines = PXS_BUF_INIT;
	int code = message_failure(speaker, r, err);

	if (!client || !err->code || err->at < 0)
		return code;
	for (size_t i = 0; i < ARRAY_SIZE(parameters); i++)
		if (parameters[i].text && strcmp(parameters[i].name, client_faulty(client)) == 0)
			message_point(parameters[i].text, err->at, &lines);
	(void)fputs(pxs_buf_text(&lines), stderr);
	return code;
}
