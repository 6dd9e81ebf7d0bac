/* entry.h - one entry of a folder, as the document that it is. */
#ifndef PXS_INDEX_INGEST_ENTRY_H
#define PXS_INDEX_INGEST_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cleanup.h"

struct catalogue;
struct index_document;
struct index_view;
struct mime;
struct owners;
struct pxs_error;
struct sniff;
struct statx;

struct entry {
	const char *path; /* absolute, bytes as on disk; NUL-terminated, as the text is */
	size_t path_len;
	const char *text; /* the path as text (pathname.h); of the same bytes where exact */
	size_t text_len;
	size_t name_at; /* where in text the name begins */
	bool exact;
	const char *name; /* bytes as on disk */
	int folder;	  /* descriptor of its folder */
	const struct statx *stat;
	int64_t source;
	uint64_t volume; /* of the file system in the source, as in walk.h */
};

/* What one thread needs to make documents. */
struct entry_maker {
	const struct catalogue *catalogue;
	const struct mime *mime;
	struct sniff *sniff;
	struct owners *owners;
	struct pxs_buf scratch;
};

int entry_maker_init(struct entry_maker *maker, const struct catalogue *catalogue,
		     const struct mime *mime, struct pxs_error *err);
void entry_maker_done(struct entry_maker *maker);

/* Make the empty DOCUMENT that of ENTRY. *RET_UNREADABLE is a positive errno if the type would take
 * the content, which cannot be read: it is left out then. */
int entry_make(struct entry_maker *maker, const struct entry *entry, int64_t id,
	       struct index_document *document, int *ret_unreadable);

/* Whether DOC is the document of ENTRY's path. -ENOMEM. */
int entry_is_at(struct entry_maker *maker, const struct index_view *view, uint32_t doc,
		const struct entry *entry);

/* Whether DOC, which is at ENTRY's path, tells all that is to be told. A new time of last access
 * alone is no news. */
bool entry_is_current(const struct entry_maker *maker, const struct index_view *view, uint32_t doc,
		      const struct entry *entry);

/* Add to BUF the path (bytes as on disk) of DOC. */
int entry_path_of(const struct catalogue *catalogue, const struct index_view *view, uint32_t doc,
		  struct pxs_buf *buf);

#endif
