#include "index/fts_tokenizer.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "index/db.h"
#include "index/terms.h"

typedef int each_token(void *context, int flags, const char *token, int len, int start, int end);

/* It has no state, but FTS5 takes NULL for a tokenizer that could not be made. */
static int
create(void *context, const char **args, int n_args, Fts5Tokenizer **ret_tokenizer)
{
	static char self;

	(void)context;
	(void)args;
	(void)n_args;
	*ret_tokenizer = (Fts5Tokenizer *)&self;
	return SQLITE_OK;
}

static void
destroy(Fts5Tokenizer *tokenizer)
{
	(void)tokenizer;
}

/* FTS5 hands START and END to highlight() and snippet() only, which contentless tables lack. */
static int
replay(const char *stream, int len, each_token *each, void *context)
{
	const char *term;
	size_t term_len;
	size_t at = 0;
	bool same;
	int rc = SQLITE_OK;

	while (rc == SQLITE_OK &&
	       terms_stream_next(stream, (size_t)len, &at, &term, &term_len, &same))
		rc = each(context, same ? FTS5_TOKEN_COLOCATED : 0, term, (int)term_len, 0, 0);

	return rc == SQLITE_OK && at != (size_t)len ? SQLITE_MISMATCH : rc;
}

static int
tokenize(Fts5Tokenizer *tokenizer, void *context, int flags, const char *text, int len,
	 each_token *each)
{
	(void)tokenizer;
	if (flags & FTS5_TOKENIZE_QUERY)
		return each(context, 0, text, len, 0, len);
	return replay(text, len, each, context);
}

/* FTS5's way to hand out its interface: a pointer that an SQL function fills in. */
int
fts_api(sqlite3 *db, fts5_api **ret_api)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	int rc;

	rc = sqlite3_prepare_v2(db, "SELECT fts5(?1)", -1, &stmt, NULL);
	if (rc != SQLITE_OK)
		return rc;
	rc = sqlite3_bind_pointer(stmt, 1, ret_api, "fts5_api_ptr", NULL);
	if (rc != SQLITE_OK)
		return rc;
	rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW)
		return rc;
	return *ret_api ? SQLITE_OK : SQLITE_ERROR;
}

int
fts_tokenizer_add(sqlite3 *db)
{
	fts5_tokenizer tokenizer = { create, destroy, tokenize };
	fts5_api *api = NULL;
	int rc;

	rc = fts_api(db, &api);
	if (rc != SQLITE_OK)
		return rc;
	return api->xCreateTokenizer(api, "pxs", NULL, &tokenizer, NULL);
}
