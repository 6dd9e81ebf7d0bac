#include "index/ingest/scanner.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "index/index.h"
#include "index/ingest/catalogue.h"
#include "index/ingest/docqueue.h"
#include "index/ingest/entry.h"
#include "index/ingest/filetype.h"
#include "index/ingest/identity.h"
#include "index/ingest/pathname.h"
#include "index/ingest/scan.h"
#include "index/ingest/unread.h"

int
scanners_init(struct scanners *scanners, struct pxs_error *err)
{
	int r = 0;

	for (int i = 0; i < WALK_THREADS && r >= 0; i++)
		r = entry_maker_init(&scanners->each[i].maker, scanners->catalogue, scanners->mime,
				     err);
	return r;
}

void
scanners_done(struct scanners *scanners)
{
	for (int i = 0; i < WALK_THREADS; i++) {
		entry_maker_done(&scanners->each[i].maker);
		pxs_buf_done(&scanners->each[i].bytes);
		pxs_buf_done(&scanners->each[i].text);
	}
}

static int
on_folder(void *context, unsigned int thread, const struct walk_folder *folder)
{
	struct scanners *scanners = context;
	struct scanner *scanner = &scanners->each[thread];

	pxs_buf_clear(&scanner->bytes);
	pxs_buf_add(&scanner->bytes, folder->path, folder->path_len);
	pxs_buf_add_char(&scanner->bytes, '/');
	scanner->bytes_folder = scanner->bytes.len;

	pxs_buf_clear(&scanner->text);
	scanner->exact_folder = pathname_add_text(&scanner->text, scanner->bytes.data,
						  scanner->bytes.len);
	scanner->text_folder = scanner->text.len;
	return scanner->bytes.error ? scanner->bytes.error : scanner->text.error;
}

static int
describe(const struct scanners *scanners, struct scanner *scanner, const struct walk_entry *walked,
	 struct entry *ret_entry)
{
	bool exact_name;

	scanner->bytes.len = scanner->bytes_folder;
	pxs_buf_add(&scanner->bytes, walked->name, walked->name_len);
	scanner->text.len = scanner->text_folder;
	exact_name = pathname_add_text(&scanner->text, walked->name, walked->name_len);
	if (scanner->bytes.error || scanner->text.error)
		return -ENOMEM;

	*ret_entry = (struct entry){
		.path = scanner->bytes.data,
		.path_len = scanner->bytes.len,
		.text = scanner->text.data,
		.text_len = scanner->text.len,
		.name_at = scanner->text_folder,
		.exact = scanner->exact_folder && exact_name,
		.name = walked->name,
		.folder = walked->fd,
		.stat = walked->stat,
		.source = scanners->source,
		.volume = walked->folder->volume,
	};
	return 0;
}

/* PATH cannot be WHATed: ERROR, positive. */
static int
record_failure(struct scanners *scanners, const char *path, const char *what, int error)
{
	const char *description = strerrordesc_np(error);
	char reason[200];

	(void)snprintf(reason, sizeof(reason), "cannot %s it: %s", what,
		       description ? description : "unknown error");
	atomic_fetch_add(&scanners->progress->failures, 1);
	return unread_add(scanners->unread, path, reason);
}

static int
on_unread(void *context, unsigned int thread, const char *path, const char *what, int error)
{
	struct scanners *scanners = context;

	(void)thread;
	return error ? record_failure(scanners, path, what, error)
		     : unread_add(scanners->unread, path, NULL);
}

/* The document DOC is as its entry is, but for a type, for want of which it is asked again and
 * again. 1: there is none and can be none; 0: there is something to write. */
static int
has_all(struct scanners *scanners, struct scanner *scanner, uint32_t doc, const struct entry *entry)
{
	struct query_value value;
	const char *type;
	int r;

	if (index_doc_value(scanners->view, doc, scanners->catalogue->properties[CORE_MIMETYPE],
			    &value))
		return 1;
	r = filetype_mime(scanners->mime, scanner->maker.sniff, entry->folder, entry->name,
			  entry->stat, &type);
	if (r >= 0)
		return 0;
	r = record_failure(scanners, entry->path, "read", -r);
	return r < 0 ? r : 1;
}

static int
is_unchanged(struct scanners *scanners, struct scanner *scanner, const struct identity *identity,
	     const struct entry *entry)
{
	if (!identity->doc || identity->moved ||
	    !entry_is_current(&scanner->maker, scanners->view, identity->doc, entry))
		return 0;
	return has_all(scanners, scanner, identity->doc, entry);
}

static int
fill(struct scanners *scanners, struct scanner *scanner, const struct identity *identity,
     const struct entry *entry, struct index_document *document)
{
	int unreadable = 0;
	int r;

	r = entry_make(&scanner->maker, entry, identity->id, document, &unreadable);
	if (r >= 0 && unreadable)
		r = record_failure(scanners, entry->path, "read", unreadable);
	return r < 0 ? r : index_document_seal(document);
}

static void
count(struct scan_progress *progress, const struct identity *identity)
{
	atomic_fetch_add(identity->doc ? &progress->changed : &progress->added, 1);
	if (identity->moved)
		atomic_fetch_add(&progress->renamed, 1);
}

static int
hand_over(struct scanners *scanners, struct scanner *scanner, const struct identity *identity,
	  const struct entry *entry)
{
	struct index_document *document;
	int r;

	r = docqueue_take(scanners->queue, &document);
	if (r < 0)
		return r;
	r = fill(scanners, scanner, identity, entry, document);
	if (r >= 0) {
		count(scanners->progress, identity);
		return docqueue_send(scanners->queue, document);
	}
	docqueue_give_back(scanners->queue, document);
	return r == -ENOMEM ? r : record_failure(scanners, entry->path, "index", -r);
}

static int
on_entry(void *context, unsigned int thread, const struct walk_entry *walked)
{
	struct scanners *scanners = context;
	struct scanner *scanner = &scanners->each[thread];
	struct identity identity;
	struct entry entry;
	int r;

	atomic_fetch_add(&scanners->progress->seen, 1);
	r = describe(scanners, scanner, walked, &entry);
	if (r >= 0)
		r = identities_of(scanners->identities, &scanner->maker, &entry, &identity);
	if (r >= 0)
		r = is_unchanged(scanners, scanner, &identity, &entry);
	if (r < 0)
		return r;
	if (r == 0)
		return hand_over(scanners, scanner, &identity, &entry);
	atomic_fetch_add(&scanners->progress->unchanged, 1);
	return 0;
}

static void
on_end(void *context)
{
	struct scanners *scanners = context;

	docqueue_end(scanners->queue);
}

const struct walk_ops SCANNER_OPS = {
	.folder = on_folder,
	.entry = on_entry,
	.unread = on_unread,
	.end = on_end,
};
