/* The baseline: what anybody builds with SQLite alone. Words in a contentless FTS5 table with a
 * column for each property, values in one table of (document, property, value), indexed both ways.
 *
 *     peer_sqlite load CORPUS FOLDER
 *     peer_sqlite query CORPUS FOLDER BUDGET
 */
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "corpus.h"

#define BATCH 20000
#define SQL_MAX 16384
#define PASSES 2

struct peer {
	sqlite3 *db;
	struct corpus corpus;
	sqlite3_stmt *text, *value;
};

/* --- SQL --- */

static void
run(struct peer *peer, const char *sql)
{
	char *error = NULL;

	if (sqlite3_exec(peer->db, sql, NULL, NULL, &error) != SQLITE_OK)
		corpus_die("sqlite: %s: %s", error, sql);
}

static sqlite3_stmt *
prepare(struct peer *peer, const char *sql)
{
	sqlite3_stmt *stmt;

	if (sqlite3_prepare_v2(peer->db, sql, -1, &stmt, NULL) != SQLITE_OK)
		corpus_die("sqlite: %s: %s", sqlite3_errmsg(peer->db), sql);
	return stmt;
}

struct sql {
	char text[SQL_MAX];
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void
add(struct sql *sql, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(sql->text + sql->len, sizeof(sql->text) - sql->len, format, args);
	va_end(args);
	if (n < 0 || sql->len + (size_t)n >= sizeof(sql->text))
		corpus_die("sqlite: a statement longer than %d", SQL_MAX);
	sql->len += (size_t)n;
}

static void
open_db(struct peer *peer, const char *corpus, const char *dir)
{
	char path[PATH_MAX];

	corpus_open(&peer->corpus, corpus, "documents.tsv");
	(void)snprintf(path, sizeof(path), "%s/sqlite.db", dir);
	if (sqlite3_open(path, &peer->db) != SQLITE_OK)
		corpus_die("sqlite: cannot open %s", path);
	run(peer, "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
		  "PRAGMA secure_delete = OFF; PRAGMA cache_size = -64000;"
		  "PRAGMA mmap_size = 2000000000; PRAGMA temp_store = MEMORY;");
}

/* --- Loading --- */

/* All numbers are words, too, of one more column. */
static void
create(struct peer *peer)
{
	struct sql sql = { .len = 0 }, insert = { .len = 0 };

	add(&sql, "CREATE VIRTUAL TABLE f USING fts5(");
	add(&insert, "INSERT INTO f(rowid");
	for (size_t i = 0; i < peer->corpus.n_properties; i++)
		if (peer->corpus.properties[i].type == 's') {
			add(&sql, "\"%s\", ", peer->corpus.properties[i].name);
			add(&insert, ", \"%s\"", peer->corpus.properties[i].name);
		}
	add(&sql, "numbers, content = '', tokenize = \"unicode61 tokenchars '.-'\");");
	add(&sql, "CREATE TABLE eav (doc INTEGER, prop INTEGER, val, PRIMARY KEY (doc, prop, val))"
		  " WITHOUT ROWID;");
	add(&sql, "INSERT INTO f(f, rank) VALUES('automerge', 0), ('crisismerge', 128),"
		  " ('hashsize', 8000000);");
	run(peer, sql.text);
	add(&insert, ", numbers) VALUES (?");
	for (size_t i = 0; i < peer->corpus.n_properties; i++)
		if (peer->corpus.properties[i].type == 's')
			add(&insert, ", ?");
	add(&insert, ", ?)");
	peer->text = prepare(peer, insert.text);
	peer->value = prepare(peer, "INSERT OR IGNORE INTO eav VALUES (?, ?, ?)");
}

static void
step(sqlite3_stmt *stmt)
{
	if (sqlite3_step(stmt) != SQLITE_DONE)
		corpus_die("sqlite: %s", sqlite3_errmsg(sqlite3_db_handle(stmt)));
	(void)sqlite3_reset(stmt);
}

static void
insert_value(struct peer *peer, uint64_t number, size_t property, const char *text)
{
	(void)sqlite3_bind_int64(peer->value, 1, (int64_t)number);
	(void)sqlite3_bind_int64(peer->value, 2, (int64_t)property);
	switch (peer->corpus.properties[property].type) {
	case 's':
		(void)sqlite3_bind_text(peer->value, 3, text, -1, SQLITE_TRANSIENT);
		break;
	case 'd':
		(void)sqlite3_bind_double(peer->value, 3, strtod(text, NULL));
		break;
	default:
		(void)sqlite3_bind_int64(peer->value, 3, strtoll(text, NULL, 10));
		break;
	}
	step(peer->value);
}

/* The word as which a number or boolean is found; dates are not. */
static void
add_number(struct sql *numbers, char type, const char *text)
{
	if (type == 'b')
		add(numbers, "%s ", *text == '1' ? "true" : "false");
	else if (type != 't')
		add(numbers, "%s ", text);
}

/* "-" between the elements of a list, as a word of its own, so that no phrase crosses them. */
static void
insert_document(struct peer *peer, struct corpus_document *document)
{
	struct sql words = { .len = 0 }, numbers = { .len = 0 };
	char element[8192];
	int column = 1;

	(void)sqlite3_bind_int64(peer->text, column++, (int64_t)document->number);
	for (size_t i = 0; i < peer->corpus.n_properties; i++) {
		char type = peer->corpus.properties[i].type;
		char *rest = document->values[i];

		words.len = 0;
		for (char *text; (text = corpus_element(&rest));) {
			insert_value(peer, document->number, i, text);
			if (type != 's') {
				add_number(&numbers, type, text);
				continue;
			}
			(void)corpus_words(text, element, sizeof(element));
			add(&words, words.len ? " - %s" : "%s", element);
		}
		if (type == 's')
			(void)sqlite3_bind_text(peer->text, column++, words.text, (int)words.len,
						SQLITE_TRANSIENT);
	}
	(void)sqlite3_bind_text(peer->text, column, numbers.text, (int)numbers.len,
				SQLITE_TRANSIENT);
	step(peer->text);
}

static void
load(const char *corpus, const char *dir)
{
	struct peer peer = { 0 };
	struct corpus_document document;
	int64_t started_ns;

	open_db(&peer, corpus, dir);
	create(&peer);
	started_ns = corpus_clock_ns();
	run(&peer, "BEGIN");
	while (corpus_next(&peer.corpus, &document)) {
		insert_document(&peer, &document);
		if (document.number % BATCH == 0)
			run(&peer, "COMMIT; BEGIN");
	}
	run(&peer, "COMMIT; CREATE INDEX eav_val ON eav (prop, val, doc); ANALYZE;"
		   "INSERT INTO f(f) VALUES('optimize'); PRAGMA wal_checkpoint(TRUNCATE);");
	corpus_print("load_ns", corpus_clock_ns() - started_ns);
	corpus_print("load_cpu_ns", corpus_cpu_ns());
	corpus_print("documents", (int64_t)peer.corpus.n_read);
	corpus_print_memory();
	(void)sqlite3_finalize(peer.text);
	(void)sqlite3_finalize(peer.value);
	corpus_close(&peer.corpus);
	(void)sqlite3_close(peer.db);
}

/* --- Queries --- */

/* The terms of the vocabulary that have TEXT within, ORed. */
static void
add_infix(struct peer *peer, struct sql *match, const char *text)
{
	sqlite3_stmt *stmt = prepare(peer, "SELECT term FROM vocabulary WHERE term GLOB ?");
	char pattern[64];
	const char * or = "";

	(void)snprintf(pattern, sizeof(pattern), "*%s*", text);
	(void)sqlite3_bind_text(stmt, 1, pattern, -1, SQLITE_STATIC);
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		add(match, "%s\"%s\"", or, (const char *)sqlite3_column_text(stmt, 0));
		or = " OR ";
	}
	if (!* or)
		add(match, "\"\"");
	(void)sqlite3_finalize(stmt);
}

static void
add_any(struct sql *match, const char *text)
{
	char words[256], *rest = words;

	(void)snprintf(words, sizeof(words), "%s", text);
	for (const char *word, * or = ""; (word = strsep(&rest, " ")); or = " OR ")
		add(match, "%s\"%s\"", or, word);
}

/* Adds the condition to the expression of MATCH; false: it is none of text, or cannot be said. */
static bool
add_match(struct peer *peer, struct sql *match, const struct corpus_condition *condition)
{
	const char *kind = condition->kind;

	if (strcmp(kind, "is") == 0 || strcmp(kind, "range") == 0)
		return false;
	if (match->len)
		add(match, strcmp(kind, "not") == 0 ? " NOT " : " AND ");
	if (*condition->field)
		add(match, "\"%s\" : ", condition->field);
	add(match, "(");
	if (strcmp(kind, "any") == 0)
		add_any(match, condition->text);
	else if (strcmp(kind, "infix") == 0)
		add_infix(peer, match, condition->text);
	else
		add(match, "\"%s\"%s", condition->text, strcmp(kind, "prefix") == 0 ? " *" : "");
	add(match, ")");
	return true;
}

static void
add_bounds(struct sql *sql, const char *alias, const char *text)
{
	const char *dots = strstr(text, "..");

	add(sql, " AND %s.val >= %.*s AND %s.val < %s", alias, (int)(dots - text), text, alias,
	    dots + 2);
}

/* FROM and WHERE: the text first, then look-ups; or the filters in the order that SQLite likes. */
static void
add_tables(struct peer *peer, struct sql *sql, const struct corpus_query *query, bool text)
{
	const char *where = " WHERE ";
	char first = 0, alias = 'a';

	add(sql, text ? " FROM f" : " FROM");
	for (size_t i = 0; i < query->n_conditions; i++)
		if (*query->conditions[i].field && query->conditions[i].kind[0] != 'w') {
			first = first ? first : alias;
			add(sql, "%s eav %c",
			    text	   ? " CROSS JOIN"
			    : alias == 'a' ? ""
					   : " JOIN",
			    alias);
			alias++;
		}
	if (text)
		add(sql, " WHERE f MATCH ?1");
	alias = 'a';
	for (size_t i = 0; i < query->n_conditions; i++) {
		const struct corpus_condition *condition = &query->conditions[i];
		char name[2] = { alias, '\0' };

		if (!*condition->field || condition->kind[0] == 'w')
			continue;
		add(sql, "%s%c.prop = %zu", text || alias > 'a' ? " AND " : where, alias,
		    corpus_find(&peer->corpus, condition->field));
		if (strcmp(condition->kind, "range") == 0)
			add_bounds(sql, name, condition->text);
		else
			add(sql, " AND %c.val = '%s'", alias, condition->text);
		if (text)
			add(sql, " AND %c.doc = f.rowid", alias);
		else if (alias > 'a')
			add(sql, " AND %c.doc = a.doc", alias);
		alias++;
	}
}

/* ORDER BY keys, each looked up by document; those without a value last. */
static void
add_order(struct peer *peer, struct sql *sql, const struct corpus_query *query, const char *doc)
{
	char keys[128], *rest = keys;
	const char *comma = " ORDER BY ";

	(void)snprintf(keys, sizeof(keys), "%s", query->keys);
	for (const char *key; *keys && (key = strsep(&rest, ",")); comma = ", ") {
		bool descending = *key == '-';

		key += descending;
		add(sql, "%s(SELECT val FROM eav WHERE doc = %s AND prop = %zu)%s NULLS LAST",
		    comma, doc, corpus_find(&peer->corpus, key), descending ? " DESC" : "");
	}
}

static void
add_statement(struct peer *peer, struct sql *sql, const struct corpus_query *query, bool text)
{
	const char *doc = text ? "f.rowid" : "a.doc", *action = query->action;

	if (strcmp(action, "count") == 0)
		add(sql, "SELECT count(*)");
	else if (strcmp(action, "facets") == 0)
		add(sql, "INSERT INTO hits SELECT %s", doc);
	else
		add(sql, "SELECT %s", doc);
	add_tables(peer, sql, query, text);
	if (strcmp(action, "rank") == 0)
		add(sql, " ORDER BY rank LIMIT 20");
	else if (strcmp(action, "first") == 0)
		add(sql, " LIMIT 20");
	else if (strcmp(action, "cursor") == 0)
		add(sql,
		    " AND a.doc > (SELECT max(rowid) / 2 FROM f_docsize) + %u ORDER BY 1"
		    " LIMIT 1000",
		    query->number);
	else if (*query->keys) {
		add_order(peer, sql, query, doc);
		add(sql, " LIMIT 20 OFFSET %llu", (unsigned long long)query->offset);
	}
}

/* Steps through STMT; the number that it counted, or how many rows it changed. */
static int64_t
drain(struct peer *peer, sqlite3_stmt *stmt)
{
	int64_t number = CORPUS_UNCOUNTED;
	int r;

	while ((r = sqlite3_step(stmt)) == SQLITE_ROW)
		number = sqlite3_column_int64(stmt, 0);
	if (r != SQLITE_DONE)
		corpus_die("sqlite: %s: %s", sqlite3_errmsg(peer->db), sqlite3_sql(stmt));
	(void)sqlite3_finalize(stmt);
	return number;
}

/* Every value with its count, of all properties at once; choosing five of each is not timed. */
static int64_t
count_facets(struct peer *peer, int64_t hits)
{
	bool all = hits == (int64_t)peer->corpus.n_read;

	corpus_start();
	(void)drain(peer, prepare(peer, all ? "SELECT prop, val, count(*) FROM eav GROUP BY 1, 2"
					    : "SELECT prop, val, count(*) FROM hits CROSS JOIN eav"
					      " ON eav.doc = hits.doc GROUP BY 1, 2"));
	corpus_stop();
	run(peer, "DELETE FROM hits");
	return hits;
}

static bool
can(const struct corpus_query *query)
{
	for (size_t i = 0; i < query->n_conditions; i++)
		if (strncmp(query->conditions[i].kind, "fuzzy", 5) == 0 ||
		    strcmp(query->conditions[i].kind, "regex") == 0)
			return false;
	return true;
}

static int64_t
answer(void *context, const struct corpus_query *query)
{
	struct peer *peer = context;
	struct sql match = { .len = 0 }, sql = { .len = 0 };
	bool text = false;
	sqlite3_stmt *stmt;
	int64_t number;

	if (!can(query))
		return CORPUS_UNSUPPORTED;
	corpus_start();
	for (size_t i = 0; i < query->n_conditions; i++)
		text |= add_match(peer, &match, &query->conditions[i]);
	add_statement(peer, &sql, query, text);
	stmt = prepare(peer, sql.text);
	if (text)
		(void)sqlite3_bind_text(stmt, 1, match.text, -1, SQLITE_STATIC);
	number = drain(peer, stmt);
	if (strcmp(query->action, "facets") == 0)
		return count_facets(peer, sqlite3_changes64(peer->db));
	return strcmp(query->action, "count") == 0 ? number : CORPUS_UNCOUNTED;
}

static void
ask(const char *corpus, const char *dir, const char *budget)
{
	struct peer peer = { 0 };
	struct corpus_log log;
	sqlite3_stmt *stmt;

	open_db(&peer, corpus, dir);
	run(&peer, "CREATE TEMP TABLE hits (doc INTEGER PRIMARY KEY);"
		   "CREATE VIRTUAL TABLE IF NOT EXISTS vocabulary USING fts5vocab(f, 'row')");
	stmt = prepare(&peer, "SELECT count(*) FROM f_docsize");
	peer.corpus.n_read = (uint64_t)drain(&peer, stmt);
	corpus_log_read(&log, corpus);
	corpus_ask(&log, PASSES, strtod(budget, NULL), NULL, answer, &peer);
	corpus_print_memory();
	corpus_log_free(&log);
	corpus_close(&peer.corpus);
	(void)sqlite3_close(peer.db);
}

int
main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "load") == 0)
		load(argv[2], argv[3]);
	else if (argc == 5 && strcmp(argv[1], "query") == 0)
		ask(argv[2], argv[3], argv[4]);
	else
		corpus_die("usage: peer_sqlite load|query CORPUS FOLDER [BUDGET]");
	return 0;
}
