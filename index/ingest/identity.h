/* identity.h - which document an entry is.
 *
 *     plain  = hash(source, volume, inode, birth time)   survives renames
 *     pathed = hash(plain, path)                         tells hard links apart
 *
 * A file with one name is plain, each name of a file with several is pathed. A document once given
 * to a path stays there while the file does, so the second name of a file leaves the first its
 * document, and ids are the same from scan to scan in whatever order the threads come by. A file
 * that is come across twice was renamed meanwhile; on file systems without birth times it may be
 * two, and the second is pathed. */
#ifndef PXS_INDEX_INGEST_IDENTITY_H
#define PXS_INDEX_INGEST_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

struct entry;
struct entry_maker;
struct identities;
struct index_view;

/* What one scan has come across, against the documents of VIEW (kept, counted), which are numbered
 * up to MAX_DOC. */
int identities_new(struct index_view *view, uint64_t max_doc, struct identities **ret_identities);
void identities_free(struct identities *identities);
DEFINE_CLEANUP(identities, struct identities *, identities_free)

struct identity {
	int64_t id;
	uint32_t doc; /* the document in the view; 0: it is new */
	bool moved;   /* doc is at another path */
};

/* Thread-safe, as long as each thread has a MAKER of its own. -ENOMEM. */
int identities_of(struct identities *identities, struct entry_maker *maker,
		  const struct entry *entry, struct identity *ret_identity);

/* Whether an entry was found to be the document DOC of the view. */
bool identities_seen(const struct identities *identities, uint32_t doc);

#endif
