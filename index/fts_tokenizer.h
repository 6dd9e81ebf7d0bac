/* fts_tokenizer.h - how FTS5 gets our terms: it replays streams that terms.h made. */
#ifndef PXS_INDEX_FTS_TOKENIZER_H
#define PXS_INDEX_FTS_TOKENIZER_H

#include <sqlite3.h>

/* Make the tokenizer "pxs" known to the connection DB. A document's text is a stream of
 * terms_stream_*(); a quoted string in a query is one term, whatever its bytes. An SQLite code. */
int fts_tokenizer_add(sqlite3 *db);

/* FTS5's interface for adding things to it; an SQLite code. */
int fts_api(sqlite3 *db, fts5_api **ret_api);

#endif
