#include "index/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "index/db.h"
#include "index/journal.h"
#include "index/sqlite_errno.h"

/* A reader waits so long for what locks the file whole. */
#define READER_TIMEOUT_MS 30000

/* Ids are hashes, so a transaction of many documents would write nearly all pages of an index of
 * them. Which row a document has is known in memory, which lets no id be given twice; in databases
 * made before format 3 an index says so, too. */
static const char SCHEMA[] =
	"BEGIN IMMEDIATE;"
	"CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
	"CREATE TABLE property ("
	"  number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, prompt TEXT NOT NULL,"
	"  type INTEGER NOT NULL, multi INTEGER NOT NULL, filter INTEGER NOT NULL);"
	"CREATE TABLE doc ("
	"  row INTEGER PRIMARY KEY, id INTEGER NOT NULL, doc INTEGER NOT NULL,"
	"  seq INTEGER NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL,"
	"  record BLOB NOT NULL);"
	"CREATE TABLE change ("
	"  seq INTEGER PRIMARY KEY, op INTEGER NOT NULL, id INTEGER NOT NULL,"
	"  time INTEGER NOT NULL);"
	"PRAGMA user_version = 1;"
	"COMMIT;";

/* What makes format N + 1 of format N, from [0] = 1 on. New databases go the same way. Every entry
 * has its fixture in index/fixtures. */
static const char *const MIGRATIONS[STORE_VERSION - 1] = {
	/* Before, all properties but those of scans were people's. */
	"BEGIN IMMEDIATE;"
	"ALTER TABLE property ADD COLUMN readonly INTEGER NOT NULL DEFAULT 0;"
	"UPDATE property SET readonly = 1 WHERE name GLOB 'core.*' OR name GLOB "
	"'_index.*';" JOURNAL_SCHEMA "PRAGMA user_version = 2;"
	"COMMIT;",
	/* Before, the document of a change was found by its id. */
	"BEGIN IMMEDIATE;"
	"ALTER TABLE change ADD COLUMN row INTEGER;"
	"UPDATE change SET row = (SELECT row FROM doc WHERE doc.id = change.id);"
	"PRAGMA user_version = 3;"
	"COMMIT;",
};

enum statement {
	PUT_DOC,
	REMOVE_DOC,
	ADD_CHANGE,
	ADD_PROPERTY,
	ALL_PROPERTIES,
	ALL_DOCS,
	DOCS_SINCE,
	CHANGES_SINCE,
	ONE_CHANGE,
	COUNT_DOCS,
	FIRST_CHANGE,
	RENUMBER,
	BEGIN,
	COMMIT,
	SET_META,
	ROLLBACK,
	N_STATEMENTS
};

#define DOC_COLUMNS "d.doc, d.id, d.row, d.seq, d.created, d.updated, d.record"

static const char *const STATEMENTS[N_STATEMENTS] = {
	[PUT_DOC] = "INSERT INTO doc (row, id, doc, seq, created, updated, record)"
		    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
		    " ON CONFLICT (row) DO UPDATE SET doc = excluded.doc, seq = excluded.seq,"
		    " updated = excluded.updated, record = excluded.record",
	[REMOVE_DOC] = "DELETE FROM doc WHERE row = ?1",
	[ADD_CHANGE] = "INSERT INTO change (seq, op, id, time, row)"
		       " VALUES (?1, ?2, ?3, ?4, ?5)",
	[ADD_PROPERTY] =
		"INSERT INTO property (number, name, prompt, type, multi, filter, readonly)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[ALL_PROPERTIES] = "SELECT number, name, prompt, type, multi, filter, readonly"
			   " FROM property ORDER BY number",
	/* LIMIT and CROSS: numbers are sorted, not records. */
	[ALL_DOCS] = "SELECT " DOC_COLUMNS " FROM"
		     " (SELECT row FROM doc ORDER BY doc LIMIT -1) AS o"
		     " CROSS JOIN doc AS d ON d.row = o.row",
	/* CROSS: changes first, for they are the fewer. */
	[DOCS_SINCE] = "SELECT " DOC_COLUMNS " FROM change AS c"
		       " CROSS JOIN doc AS d ON d.row = c.row WHERE c.seq > ?1 AND d.seq = c.seq",
	[CHANGES_SINCE] = "SELECT id FROM change WHERE seq > ?1",
	[ONE_CHANGE] = "SELECT id, time FROM change WHERE seq = ?1",
	[COUNT_DOCS] = "SELECT count(*) FROM doc",
	[FIRST_CHANGE] = "SELECT min(seq) FROM change",
	[RENUMBER] = "UPDATE doc SET doc = new.doc FROM"
		     " (SELECT row, row_number() OVER (ORDER BY row) AS doc FROM doc) AS new"
		     " WHERE doc.row = new.row",
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[SET_META] = DB_META_SET,
	[ROLLBACK] = "ROLLBACK",
};

struct store {
	sqlite3 *db;
	char *path;
	sqlite3_stmt *stmts[N_STATEMENTS];
};

void
store_close(struct store *store)
{
	if (!store)
		return;
	for (size_t i = 0; i < N_STATEMENTS; i++)
		(void)sqlite3_finalize(store->stmts[i]);
	(void)sqlite3_close(store->db);
	free(store->path);
	free(store);
}

static int
prepare_all(struct store *store)
{
	int r = 0;

	for (size_t i = 0; i < N_STATEMENTS && r == 0; i++)
		r = db_prepare(store->db, STATEMENTS[i], &store->stmts[i]);
	return r;
}

static int
read_counters(struct store *store, struct store_counters *ret)
{
	sqlite3_int64 value = 0;
	int r;

	r = db_meta_get(store->db, "seq", 0, &value);
	ret->seq = (uint64_t)value;
	if (r == 0)
		r = db_meta_get(store->db, "next_row", 1, &value);
	ret->next_row = (uint64_t)value;
	if (r == 0)
		r = db_meta_get(store->db, "next_doc", 1, &value);
	ret->next_doc = (uint32_t)value;
	if (r == 0)
		r = db_meta_get(store->db, "changed", 0, &value);
	ret->changed_ns = value;
	if (r == 0)
		r = db_meta_get(store->db, "dropped", 0, &value);
	ret->dropped = (uint64_t)value;
	if (r == 0)
		r = db_meta_get(store->db, "text", 0, &value);
	ret->text = (uint64_t)value;
	if (r == 0)
		r = db_meta_get(store->db, "salt", 0, &value);
	ret->salt = (uint64_t)value;
	return r;
}

static int
create(struct store *store)
{
	sqlite3_int64 salt;
	int r;

	if (getrandom(&salt, sizeof(salt), 0) != sizeof(salt))
		return -EIO;
	r = db_exec(store->db, SCHEMA);
	return r < 0 ? r : db_meta_set(store->db, "salt", salt);
}

static int
migrate(struct store *store, int version)
{
	int r = 0;

	for (; version < STORE_VERSION && r == 0; version++)
		r = db_exec(store->db, MIGRATIONS[version - 1]);
	if (r < 0 && !sqlite3_get_autocommit(store->db))
		(void)db_exec(store->db, "ROLLBACK");
	return r;
}

int
store_open(const char *path, struct store **ret_store, struct store_counters *ret_counters,
	   struct pxs_error *err)
{
	CLEANUP(store) struct store *store = calloc(1, sizeof(*store));
	int version;
	int r;

	if (!store)
		return -ENOMEM;
	store->path = strdup(path);
	if (!store->path)
		return -ENOMEM;
	r = db_open(path, STORE_MAGIC, STORE_VERSION, &store->db, &version, err);
	if (r < 0)
		return r;
	if (version == 0)
		r = create(store);
	if (r == 0)
		r = migrate(store, version ? version : 1);
	if (r == 0)
		r = prepare_all(store);
	if (r == 0)
		r = read_counters(store, ret_counters);
	if (r < 0)
		return pxs_error_set(err, r, -1, "cannot read %s: %s", path,
				     sqlite3_errmsg(store->db));
	*ret_store = STEAL(store);
	return 0;
}

/* The table of bindings: each statement's parameters in order, integers but where said. */
static int
bind_ints(sqlite3_stmt *stmt, const sqlite3_int64 *values, int n)
{
	int rc = SQLITE_OK;

	for (int i = 0; i < n && rc == SQLITE_OK; i++)
		rc = sqlite3_bind_int64(stmt, i + 1, values[i]);
	return sqlite_errno(rc);
}

int
store_property_add(struct store *store, const struct query_property *property)
{
	sqlite3_stmt *stmt = store->stmts[ADD_PROPERTY];
	int rc;

	rc = sqlite3_bind_int64(stmt, 1, property->number);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(stmt, 2, property->name, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(stmt, 3, property->prompt, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(stmt, 4, property->type);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(stmt, 5, property->multi);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(stmt, 6, property->filter);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(stmt, 7, property->readonly);
	if (rc != SQLITE_OK)
		return sqlite_errno(rc);
	return db_run(stmt);
}

int
store_properties(struct store *store,
		 int (*each)(void *context, const struct query_property *property), void *context)
{
	CLEANUP(stmt_run) sqlite3_stmt *stmt = store->stmts[ALL_PROPERTIES];
	struct query_property property;
	int rc;
	int r;

	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		property = (struct query_property){
			.number = (uint32_t)sqlite3_column_int64(stmt, 0),
			.name = (const char *)sqlite3_column_text(stmt, 1),
			.prompt = (const char *)sqlite3_column_text(stmt, 2),
			.type = (enum query_type)sqlite3_column_int(stmt, 3),
			.multi = sqlite3_column_int(stmt, 4) != 0,
			.filter = sqlite3_column_int(stmt, 5) != 0,
			.readonly = sqlite3_column_int(stmt, 6) != 0,
		};
		if (!property.name || !property.prompt)
			return -ENOMEM;
		r = each(context, &property);
		if (r != 0)
			return r;
	}
	return sqlite_errno(rc);
}

static int
each_document(sqlite3_stmt *stmt, int (*each)(void *context, const struct store_document *document),
	      void *context)
{
	struct store_document document;
	int rc;
	int r;

	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		document = (struct store_document){
			.doc = (uint32_t)sqlite3_column_int64(stmt, 0),
			.meta.id = sqlite3_column_int64(stmt, 1),
			.meta.row = (uint64_t)sqlite3_column_int64(stmt, 2),
			.meta.seq = (uint64_t)sqlite3_column_int64(stmt, 3),
			.meta.created_ns = sqlite3_column_int64(stmt, 4),
			.meta.updated_ns = sqlite3_column_int64(stmt, 5),
			.record = sqlite3_column_blob(stmt, 6),
			.record_len = (size_t)sqlite3_column_bytes(stmt, 6),
		};
		r = each(context, &document);
		if (r != 0)
			return r;
	}
	return sqlite_errno(rc);
}

/* --- Readers --- */

struct store_reader {
	sqlite3 *db;
	sqlite3_stmt *stmt;
};

int
store_reader_open(const char *path, struct store_reader **ret_reader)
{
	CLEANUP(store_reader) struct store_reader *reader = calloc(1, sizeof(*reader));
	int r;

	if (!reader)
		return -ENOMEM;
	r = db_open_reader(path, READER_TIMEOUT_MS, &reader->db);
	if (r == 0)
		r = db_prepare(reader->db, "SELECT " DOC_COLUMNS " FROM doc AS d WHERE d.row = ?1",
			       &reader->stmt);
	if (r == 0)
		*ret_reader = STEAL(reader);
	return r;
}

void
store_reader_close(struct store_reader *reader)
{
	if (!reader)
		return;
	(void)sqlite3_finalize(reader->stmt);
	(void)sqlite3_close(reader->db);
	free(reader);
}

int
store_reader_numbers(struct store_reader *reader,
		     int (*each)(void *context, uint32_t doc, uint64_t row), void *context)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	int rc = SQLITE_DONE;
	int r;

	r = db_prepare(reader->db, "SELECT doc, row FROM doc", &stmt);
	while (r == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
		r = each(context, (uint32_t)sqlite3_column_int64(stmt, 0),
			 (uint64_t)sqlite3_column_int64(stmt, 1));
	return r != 0 ? r : sqlite_errno(rc);
}

int
store_reader_row(struct store_reader *reader, uint64_t row,
		 int (*each)(void *context, const struct store_document *document), void *context)
{
	CLEANUP(stmt_run) sqlite3_stmt *stmt = reader->stmt;
	int r;

	r = bind_ints(stmt, (sqlite3_int64[]){ (sqlite3_int64)row }, 1);
	return r < 0 ? r : each_document(stmt, each, context);
}

/* --- Documents --- */

int
store_documents(struct store *store,
		int (*each)(void *context, const struct store_document *document), void *context)
{
	CLEANUP(stmt_run) sqlite3_stmt *stmt = store->stmts[ALL_DOCS];

	return each_document(stmt, each, context);
}

int
store_documents_since(struct store *store, uint64_t seq,
		      int (*each)(void *context, const struct store_document *document),
		      void *context)
{
	CLEANUP(stmt_run) sqlite3_stmt *stmt = store->stmts[DOCS_SINCE];
	int r;

	r = bind_ints(stmt, (sqlite3_int64[]){ (sqlite3_int64)seq }, 1);
	return r < 0 ? r : each_document(stmt, each, context);
}

int
store_changes_since(struct store *store, uint64_t seq, int (*each)(void *context, int64_t id),
		    void *context)
{
	CLEANUP(stmt_run) sqlite3_stmt *stmt = store->stmts[CHANGES_SINCE];
	int rc;
	int r;

	r = bind_ints(stmt, (sqlite3_int64[]){ (sqlite3_int64)seq }, 1);
	if (r < 0)
		return r;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		r = each(context, sqlite3_column_int64(stmt, 0));
		if (r != 0)
			return r;
	}
	return sqlite_errno(rc);
}

int
store_change(struct store *store, uint64_t seq, int64_t *ret_id, int64_t *ret_time_ns)
{
	CLEANUP(stmt_run) sqlite3_stmt *stmt = store->stmts[ONE_CHANGE];
	int rc;
	int r;

	r = bind_ints(stmt, (sqlite3_int64[]){ (sqlite3_int64)seq }, 1);
	if (r < 0)
		return r;
	rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? -ENOENT : sqlite_errno(rc);
	*ret_id = sqlite3_column_int64(stmt, 0);
	*ret_time_ns = sqlite3_column_int64(stmt, 1);
	return 0;
}

int
store_count(struct store *store, uint64_t *ret_n)
{
	CLEANUP(stmt_run) sqlite3_stmt *stmt = store->stmts[COUNT_DOCS];
	int rc = sqlite3_step(stmt);

	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? -ENOENT : sqlite_errno(rc);
	*ret_n = (uint64_t)sqlite3_column_int64(stmt, 0);
	return 0;
}

int
store_first_change(struct store *store, uint64_t *ret_seq)
{
	CLEANUP(stmt_run) sqlite3_stmt *stmt = store->stmts[FIRST_CHANGE];
	int rc = sqlite3_step(stmt);

	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? -ENOENT : sqlite_errno(rc);
	*ret_seq = (uint64_t)sqlite3_column_int64(stmt, 0);
	return 0;
}

int
store_renumber(struct store *store, uint64_t *ret_n)
{
	int r = db_run(store->stmts[RENUMBER]);

	return r < 0 ? r : store_count(store, ret_n);
}

int
store_begin(struct store *store)
{
	return db_run(store->stmts[BEGIN]);
}

static int
add_change(struct store *store, enum journal_op op, int64_t id, uint64_t row, uint64_t seq,
	   int64_t time_ns)
{
	const sqlite3_int64 values[] = { (sqlite3_int64)seq, op, id, time_ns, (sqlite3_int64)row };
	int r;

	r = bind_ints(store->stmts[ADD_CHANGE], values, ARRAY_SIZE(values));
	return r < 0 ? r : db_run(store->stmts[ADD_CHANGE]);
}

int
store_put(struct store *store, const struct store_document *document)
{
	const struct docs_meta *meta = &document->meta;
	const sqlite3_int64 values[] = {
		(sqlite3_int64)meta->row, meta->id,	    document->doc,
		(sqlite3_int64)meta->seq, meta->created_ns, meta->updated_ns
	};
	sqlite3_stmt *stmt = store->stmts[PUT_DOC];
	int r;

	r = bind_ints(stmt, values, ARRAY_SIZE(values));
	if (r == 0)
		/* The record of a document without values is empty, not NULL. */
		r = sqlite_errno(sqlite3_bind_blob64(stmt, 7,
						     document->record_len ? document->record : "",
						     document->record_len, SQLITE_STATIC));
	if (r == 0)
		r = db_run(stmt);
	return r < 0 ? r
		     : add_change(store, JOURNAL_PUT, meta->id, meta->row, meta->seq,
				  meta->updated_ns);
}

int
store_remove(struct store *store, int64_t id, uint64_t row, uint64_t seq, int64_t time_ns)
{
	int r;

	r = bind_ints(store->stmts[REMOVE_DOC], (sqlite3_int64[]){ (sqlite3_int64)row }, 1);
	if (r == 0)
		r = db_run(store->stmts[REMOVE_DOC]);
	return r < 0 ? r : add_change(store, JOURNAL_REMOVE, id, row, seq, time_ns);
}

int
store_commit(struct store *store, const struct store_counters *counters)
{
	sqlite3_stmt *set = store->stmts[SET_META];
	int r;

	r = db_meta_put(set, "seq", (sqlite3_int64)counters->seq);
	if (r == 0)
		r = db_meta_put(set, "next_row", (sqlite3_int64)counters->next_row);
	if (r == 0)
		r = db_meta_put(set, "next_doc", counters->next_doc);
	if (r == 0)
		r = db_meta_put(set, "changed", counters->changed_ns);
	if (r == 0)
		r = db_meta_put(set, "dropped", (sqlite3_int64)counters->dropped);
	if (r == 0)
		r = db_meta_put(set, "text", (sqlite3_int64)counters->text);
	return r < 0 ? r : db_run(store->stmts[COMMIT]);
}

void
store_rollback(struct store *store)
{
	/* SQLite may have rolled back by itself (a full disk); then this fails, and that is well.
	 */
	if (!sqlite3_get_autocommit(store->db))
		(void)db_run(store->stmts[ROLLBACK]);
}

sqlite3 *
store_db(struct store *store)
{
	return store->db;
}

const char *
store_error(const struct store *store)
{
	return sqlite3_errmsg(store->db);
}

int
store_check(struct store *store, struct pxs_buf *report)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	const char *line;
	int faults = 0;
	int rc;
	int r;

	r = db_prepare(store->db, "PRAGMA integrity_check(20)", &stmt);
	if (r < 0)
		return r;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		line = (const char *)sqlite3_column_text(stmt, 0);
		if (!line)
			return -ENOMEM;
		if (strcmp(line, "ok") == 0)
			continue;
		pxs_buf_addf(report, "docs.db: %s\n", line);
		faults = 1;
	}
	return rc == SQLITE_DONE ? faults : sqlite_errno(rc);
}

uint64_t
store_bytes(const struct store *store)
{
	return (uint64_t)db_bytes(store->path);
}
