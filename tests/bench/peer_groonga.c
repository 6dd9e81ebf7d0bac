/* Groonga, a full text search engine on a column store: strings are references into a lexicon each,
 * which is how it groups fastest; the words of everything are one text, and those of the title
 * another.
 *
 *     peer_groonga load CORPUS FOLDER
 *     peer_groonga query CORPUS FOLDER BUDGET
 */
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <groonga.h>

#include "corpus.h"

#define TEXT_MAX 65536
#define PASSES 2
#define PAGE 20
#define CURSOR_PAGE 1000
#define VALUES 5 /* of a facet */

struct peer {
	grn_ctx ctx;
	grn_obj *db, *docs, *words, *title;
	grn_obj *columns[CORPUS_PROPERTIES_MAX];
	struct corpus corpus;
};

static void
check(struct peer *peer, const char *what)
{
	if (peer->ctx.rc != GRN_SUCCESS)
		corpus_die("groonga: %s: %s", what, peer->ctx.errbuf);
}

/* Names have no dots there. */
static void
column_name(const char *property, char *name)
{
	for (; *property; property++)
		*name++ = *property == '.' ? '_' : *property;
	*name = '\0';
}

static void
open_db(struct peer *peer, const char *corpus, const char *dir, bool create)
{
	char path[PATH_MAX];

	corpus_open(&peer->corpus, corpus, "documents.tsv");
	(void)snprintf(path, sizeof(path), "%s/groonga", dir);
	(void)grn_init();
	(void)grn_ctx_init(&peer->ctx, 0);
	peer->db = create ? grn_db_create(&peer->ctx, path, NULL) : grn_db_open(&peer->ctx, path);
	check(peer, path);
}

/* --- Loading --- */

static grn_obj *
type_of(struct peer *peer, char type)
{
	switch (type) {
	case 'i':
		return grn_ctx_at(&peer->ctx, GRN_DB_INT32);
	case 'd':
		return grn_ctx_at(&peer->ctx, GRN_DB_FLOAT);
	case 'b':
		return grn_ctx_at(&peer->ctx, GRN_DB_BOOL);
	default:
		return grn_ctx_at(&peer->ctx, GRN_DB_INT64);
	}
}

static grn_obj *
create_table(struct peer *peer, const char *name, grn_obj *type)
{
	grn_obj *table = grn_table_create(&peer->ctx, name, (unsigned int)strlen(name), NULL,
					  GRN_OBJ_PERSISTENT | GRN_OBJ_TABLE_PAT_KEY, type, NULL);

	check(peer, name);
	return table;
}

static grn_obj *
create_column(struct peer *peer, grn_obj *table, const char *name, unsigned int flags,
	      grn_obj *type)
{
	grn_obj *column = grn_column_create(&peer->ctx, table, name, (unsigned int)strlen(name),
					    NULL, (grn_column_flags)(GRN_OBJ_PERSISTENT | flags),
					    type);

	check(peer, name);
	return column;
}

static void
create_columns(struct peer *peer)
{
	grn_obj *text = grn_ctx_at(&peer->ctx, GRN_DB_TEXT);

	peer->docs = grn_table_create(&peer->ctx, "Docs", 4, NULL,
				      GRN_OBJ_PERSISTENT | GRN_OBJ_TABLE_NO_KEY, NULL, NULL);
	check(peer, "Docs");
	for (size_t i = 0; i < peer->corpus.n_properties; i++) {
		const struct corpus_property *property = &peer->corpus.properties[i];
		unsigned int flags = property->multi ? GRN_OBJ_COLUMN_VECTOR
						     : GRN_OBJ_COLUMN_SCALAR;
		char name[sizeof(property->name)];
		grn_obj *type = type_of(peer, property->type);

		column_name(property->name, name);
		if (property->type == 's')
			type = create_table(peer, name, grn_ctx_at(&peer->ctx, GRN_DB_SHORT_TEXT));
		peer->columns[i] = create_column(peer, peer->docs, name, flags, type);
	}
	peer->words = create_column(peer, peer->docs, "words", GRN_OBJ_COLUMN_SCALAR, text);
	peer->title = create_column(peer, peer->docs, "title_words", GRN_OBJ_COLUMN_SCALAR, text);
}

static void
create_index(struct peer *peer, grn_obj *lexicon, grn_obj *column, unsigned int flags)
{
	grn_obj *index = create_column(peer, lexicon, "index", GRN_OBJ_COLUMN_INDEX | flags,
				       peer->docs);
	grn_obj source;
	grn_id id = grn_obj_id(&peer->ctx, column);

	GRN_UINT32_INIT(&source, GRN_OBJ_VECTOR);
	GRN_UINT32_SET(&peer->ctx, &source, id);
	grn_obj_set_info(&peer->ctx, index, GRN_INFO_SOURCE, &source);
	grn_obj_unlink(&peer->ctx, &source);
	check(peer, "index");
}

/* After the documents: Groonga then sorts instead of inserting. Of numbers only those asked for. */
static void
create_indexes(struct peer *peer)
{
	static const char *const ORDERED[] = { "file.size", "file.modified", "file.serial" };
	grn_obj *short_text = grn_ctx_at(&peer->ctx, GRN_DB_SHORT_TEXT);
	grn_obj *tokenizer = grn_ctx_get(&peer->ctx, "TokenDelimit", -1);
	grn_obj *terms = create_table(peer, "Terms", short_text);
	grn_obj *title_terms = create_table(peer, "TitleTerms", short_text);

	grn_obj_set_info(&peer->ctx, terms, GRN_INFO_DEFAULT_TOKENIZER, tokenizer);
	grn_obj_set_info(&peer->ctx, title_terms, GRN_INFO_DEFAULT_TOKENIZER, tokenizer);
	create_index(peer, terms, peer->words, GRN_OBJ_WITH_POSITION);
	create_index(peer, title_terms, peer->title, GRN_OBJ_WITH_POSITION);
	for (size_t i = 0; i < peer->corpus.n_properties; i++)
		if (peer->corpus.properties[i].type == 's')
			create_index(peer,
				     grn_ctx_at(&peer->ctx,
						grn_obj_get_range(&peer->ctx, peer->columns[i])),
				     peer->columns[i], 0);
	for (size_t i = 0; i < sizeof(ORDERED) / sizeof(*ORDERED); i++) {
		size_t column = corpus_find(&peer->corpus, ORDERED[i]);
		char name[64];

		column_name(ORDERED[i], name);
		strcat(name, "_order");
		create_index(peer, create_table(peer, name, grn_ctx_at(&peer->ctx, GRN_DB_INT64)),
			     peer->columns[column], 0);
	}
}

static void
set_number(struct peer *peer, grn_obj *column, grn_id id, char type, const char *text)
{
	grn_obj value;

	switch (type) {
	case 'i':
		GRN_INT32_INIT(&value, 0);
		GRN_INT32_SET(&peer->ctx, &value, atoi(text));
		break;
	case 'd':
		GRN_FLOAT_INIT(&value, 0);
		GRN_FLOAT_SET(&peer->ctx, &value, strtod(text, NULL));
		break;
	case 'b':
		GRN_BOOL_INIT(&value, 0);
		GRN_BOOL_SET(&peer->ctx, &value, *text == '1');
		break;
	default:
		GRN_INT64_INIT(&value, 0);
		GRN_INT64_SET(&peer->ctx, &value, strtoll(text, NULL, 10));
		break;
	}
	grn_obj_set_value(&peer->ctx, column, id, &value, GRN_OBJ_SET);
	grn_obj_unlink(&peer->ctx, &value);
}

static void
set_text(struct peer *peer, grn_obj *column, grn_id id, const char *text)
{
	grn_obj value;

	GRN_TEXT_INIT(&value, GRN_OBJ_DO_SHALLOW_COPY);
	GRN_TEXT_SETS(&peer->ctx, &value, text);
	grn_obj_set_value(&peer->ctx, column, id, &value, GRN_OBJ_SET);
	grn_obj_unlink(&peer->ctx, &value);
}

static void
set_list(struct peer *peer, size_t property, grn_id id, char *text)
{
	bool string = peer->corpus.properties[property].type == 's';
	grn_obj value;

	if (string)
		GRN_TEXT_INIT(&value, GRN_OBJ_VECTOR);
	else
		GRN_INT32_INIT(&value, GRN_OBJ_VECTOR);
	for (const char *element; (element = corpus_element(&text));)
		if (string)
			grn_vector_add_element(&peer->ctx, &value, element,
					       (unsigned int)strlen(element), 0, GRN_DB_SHORT_TEXT);
		else
			GRN_INT32_PUT(&peer->ctx, &value, atoi(element));
	grn_obj_set_value(&peer->ctx, peer->columns[property], id, &value, GRN_OBJ_SET);
	grn_obj_unlink(&peer->ctx, &value);
}

/* Adds the words of a value, or the number; "-" parts values, so that no phrase crosses them. */
static void
add_words(char type, const char *value, char text[TEXT_MAX], size_t *len)
{
	char words[8192];

	if (type == 't')
		return;
	if (type == 's')
		(void)corpus_words(value, words, sizeof(words));
	else
		(void)snprintf(words, sizeof(words), "%s",
			       type != 'b'     ? value
			       : *value == '1' ? "true"
					       : "false");
	for (char *at = words; (at = strchr(at, '|'));)
		*at = ' ';
	*len += (size_t)snprintf(text + *len, TEXT_MAX - *len, "%s - ", words);
	if (*len >= TEXT_MAX)
		corpus_die("a document of more than %d bytes", TEXT_MAX);
}

static void
put_document(struct peer *peer, struct corpus_document *document)
{
	grn_id id = grn_table_add(&peer->ctx, peer->docs, NULL, 0, NULL);
	char text[TEXT_MAX] = "", title[TEXT_MAX] = "";
	size_t len = 0, title_len = 0;

	for (size_t i = 0; i < peer->corpus.n_properties; i++) {
		const struct corpus_property *property = &peer->corpus.properties[i];
		char *value = document->values[i];

		if (!value)
			continue;
		if (property->multi) {
			char copy[8192], *rest = copy;

			(void)snprintf(copy, sizeof(copy), "%s", value);
			for (const char *one; (one = corpus_element(&rest));)
				add_words(property->type, one, text, &len);
			set_list(peer, i, id, value);
			continue;
		}
		add_words(property->type, value, text, &len);
		if (strcmp(property->name, "text.title") == 0)
			add_words('s', value, title, &title_len);
		if (property->type == 's')
			set_text(peer, peer->columns[i], id, value);
		else
			set_number(peer, peer->columns[i], id, property->type, value);
	}
	set_text(peer, peer->words, id, text);
	set_text(peer, peer->title, id, title);
	check(peer, "a document");
}

static void
load(struct peer *peer, const char *corpus, const char *dir)
{
	struct corpus_document document;
	int64_t started_ns;

	open_db(peer, corpus, dir, true);
	create_columns(peer);
	started_ns = corpus_clock_ns();
	while (corpus_next(&peer->corpus, &document))
		put_document(peer, &document);
	create_indexes(peer);
	grn_obj_flush_recursive(&peer->ctx, peer->db);
	corpus_print("load_ns", corpus_clock_ns() - started_ns);
	corpus_print("load_cpu_ns", corpus_cpu_ns());
	corpus_print("documents", (int64_t)peer->corpus.n_read);
	corpus_print_memory();
}

/* --- Queries: conditions become a script --- */

struct script {
	char text[4096];
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void
add(struct script *script, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	script->len += (size_t)vsnprintf(script->text + script->len,
					 sizeof(script->text) - script->len, format, args);
	va_end(args);
	if (script->len >= sizeof(script->text))
		corpus_die("a long script");
}

static void
add_any(struct script *script, const char *text)
{
	char words[256], *rest = words;

	(void)snprintf(words, sizeof(words), "%s", text);
	for (const char *word, * or = "("; (word = strsep(&rest, " ")); or = " || ")
		add(script, "%swords @ \"%s\"", or, word);
	add(script, ")");
}

static void
add_range(struct script *script, const char *column, const char *text)
{
	const char *dots = strstr(text, "..");

	add(script, "%s >= %.*s && %s < %s", column, (int)(dots - text), text, column, dots + 2);
}

/* False: it has no such search. */
static bool
add_condition(struct script *script, const struct corpus_condition *condition)
{
	const char *kind = condition->kind, *text = condition->text;
	char column[64];

	column_name(condition->field, column);
	if (script->len)
		add(script, strcmp(kind, "not") == 0 ? " &! " : " && ");
	if (strcmp(kind, "word") == 0 && *condition->field)
		add(script, "title_words @ \"%s\"", text);
	else if (strcmp(kind, "word") == 0 || strcmp(kind, "not") == 0 ||
		 strcmp(kind, "phrase") == 0)
		add(script, "words @ \"%s\"", text);
	else if (strcmp(kind, "any") == 0)
		add_any(script, text);
	else if (strcmp(kind, "prefix") == 0)
		add(script, "words @^ \"%s\"", text);
	else if (strcmp(kind, "fuzzy1") == 0 || strcmp(kind, "fuzzy2") == 0)
		add(script,
		    "fuzzy_search(words, \"%s\", {\"max_distance\": %c, \"max_expansion\": 50, "
		    "\"with_transposition\": true})",
		    text, kind[5]);
	else if (strcmp(kind, "is") == 0)
		add(script, "%s == \"%s\"", column, text);
	else if (strcmp(kind, "range") == 0)
		add_range(script, column, text);
	else
		return false;
	return true;
}

/* The hits of SCRIPT as a table. */
static grn_obj *
find(struct peer *peer, const struct script *script)
{
	grn_obj *expression, *variable, *hits;

	GRN_EXPR_CREATE_FOR_QUERY(&peer->ctx, peer->docs, expression, variable);
	(void)variable;
	grn_expr_parse(&peer->ctx, expression, script->text, (unsigned int)script->len, NULL,
		       GRN_OP_MATCH, GRN_OP_AND, GRN_EXPR_SYNTAX_SCRIPT);
	check(peer, script->text);
	hits = grn_table_select(&peer->ctx, peer->docs, expression, NULL, GRN_OP_OR);
	check(peer, script->text);
	grn_obj_unlink(&peer->ctx, expression);
	return hits;
}

static void
sort(struct peer *peer, grn_obj *table, const char *keys, uint64_t offset, int limit)
{
	grn_obj *sorted = grn_table_create(&peer->ctx, NULL, 0, NULL, GRN_OBJ_TABLE_NO_KEY, NULL,
					   table);
	unsigned int n;
	grn_table_sort_key *sort_keys = grn_table_sort_key_from_str(
		&peer->ctx, keys, (unsigned int)strlen(keys), table, &n);

	grn_table_sort(&peer->ctx, table, (int)offset, limit, sorted, sort_keys, (int)n);
	check(peer, keys);
	grn_table_sort_key_close(&peer->ctx, sort_keys, n);
	grn_obj_unlink(&peer->ctx, sorted);
}

/* The five commonest values of every string, of every whole number of 32 bits, and of booleans; the
 * other numbers would have to be divided into ranges, which it cannot. */
static void
count_facets(struct peer *peer, grn_obj *hits)
{
	for (size_t i = 0; i < peer->corpus.n_properties; i++) {
		grn_table_group_result result = { .limit = 1, .flags = GRN_TABLE_GROUP_CALC_COUNT };
		grn_table_sort_key *keys;
		char name[64];
		unsigned int n;

		if (!strchr("sib", peer->corpus.properties[i].type))
			continue;
		column_name(peer->corpus.properties[i].name, name);
		keys = grn_table_sort_key_from_str(&peer->ctx, name, (unsigned int)strlen(name),
						   hits, &n);
		grn_table_group(&peer->ctx, hits, keys, (int)n, &result, 1);
		check(peer, name);
		sort(peer, result.table, "-_nsubrecs", 0, VALUES);
		grn_table_sort_key_close(&peer->ctx, keys, n);
		grn_obj_unlink(&peer->ctx, result.table);
	}
}

static void
act(struct peer *peer, const struct corpus_query *query, grn_obj *hits)
{
	char keys[128];

	column_name(query->keys, keys);
	if (strcmp(query->action, "rank") == 0)
		sort(peer, hits, "-_score", 0, PAGE);
	else if (strcmp(query->action, "first") == 0)
		sort(peer, hits, "_id", 0, PAGE);
	else if (strcmp(query->action, "cursor") == 0)
		sort(peer, hits, "_id", grn_table_size(&peer->ctx, hits) / 2 + query->number,
		     CURSOR_PAGE);
	else if (*keys)
		sort(peer, hits, keys, query->offset, PAGE);
	else if (strcmp(query->action, "facets") == 0) {
		corpus_start();
		count_facets(peer, hits);
	}
	corpus_stop();
}

static int64_t
answer(void *context, const struct corpus_query *query)
{
	struct peer *peer = context;
	struct script script = { .len = 0 };
	grn_obj *hits;
	int64_t n;

	for (size_t i = 0; i < query->n_conditions; i++)
		if (!add_condition(&script, &query->conditions[i]))
			return CORPUS_UNSUPPORTED;
	corpus_start();
	hits = find(peer, &script);
	n = grn_table_size(&peer->ctx, hits);
	act(peer, query, hits);
	grn_obj_unlink(&peer->ctx, hits);
	return n;
}

static void
ask(struct peer *peer, const char *corpus, const char *dir, const char *budget)
{
	struct corpus_log log;

	open_db(peer, corpus, dir, false);
	peer->docs = grn_ctx_get(&peer->ctx, "Docs", -1);
	corpus_log_read(&log, corpus);
	corpus_ask(&log, PASSES, strtod(budget, NULL), NULL, answer, peer);
	corpus_print_memory();
	corpus_log_free(&log);
}

int
main(int argc, char **argv)
{
	struct peer peer = { 0 };

	if (argc == 4 && strcmp(argv[1], "load") == 0)
		load(&peer, argv[2], argv[3]);
	else if (argc == 5 && strcmp(argv[1], "query") == 0)
		ask(&peer, argv[2], argv[3], argv[4]);
	else
		corpus_die("usage: peer_groonga load|query CORPUS FOLDER [BUDGET]");
	corpus_close(&peer.corpus);
	(void)grn_ctx_fin(&peer.ctx);
	(void)grn_fin();
	return 0;
}
