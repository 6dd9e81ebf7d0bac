#include "index/sync/bookmark.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/macros.h"
#include "index/index.h"

/* "URL SINCE IDENTITY AGAIN LISTED NEXT"; a URL has no space in it. */
#define NOTE "sync.bookmark"
#define IDENTITY_SIZE 64

/* What cannot be read is as if it were not there. */
static int
parse(struct bookmark *bookmark, const char *text)
{
	struct bookmark read = { 0 };
	char identity[IDENTITY_SIZE];
	int again;
	int at = 0;

	if (sscanf(text, "%" SCNu64 " %63s %d %" SCNu64 " %n", &read.since, identity, &again,
		   &read.listed, &at) < 4 ||
	    at == 0 || read.since > INT64_MAX || read.listed > INT64_MAX)
		return -ENOENT;
	read.again = again;
	read.identity = strdup(identity);
	read.next = text[at] ? strdup(text + at) : NULL;
	*bookmark = read;
	return read.identity && (read.next || !text[at]) ? 0 : -ENOMEM;
}

int
bookmark_read(struct bookmark *bookmark, struct index *index, const char *url)
{
	CLEANUP(pxs_buf) struct pxs_buf note = PXS_BUF_INIT;
	const char *text;
	int r = index_note_get(index, NOTE, &note);

	if (r < 0)
		return r;
	text = pxs_buf_text(&note);
	if (strncmp(text, url, strlen(url)) != 0 || text[strlen(url)] != ' ')
		return -ENOENT;
	bookmark_done(bookmark);
	return parse(bookmark, text + strlen(url) + 1);
}

int
bookmark_write(const struct bookmark *bookmark, struct index *index, const char *url)
{
	CLEANUP(pxs_buf) struct pxs_buf note = PXS_BUF_INIT;

	pxs_buf_addf(&note, "%s %" PRIu64 " %s %d %" PRIu64 " %s", url, bookmark->since,
		     bookmark->identity, bookmark->again, bookmark->listed,
		     bookmark->next ? bookmark->next : "");
	return note.error ? note.error : index_note_put(index, NOTE, pxs_buf_text(&note));
}

int
bookmark_forget(struct bookmark *bookmark, struct index *index)
{
	bookmark_done(bookmark);
	return index_note_put(index, NOTE, "");
}

void
bookmark_done(struct bookmark *bookmark)
{
	free(bookmark->identity);
	free(bookmark->next);
	*bookmark = (struct bookmark){ 0 };
}
