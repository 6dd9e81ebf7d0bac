/* Xapian: words as terms, plain and with their property; exact strings as terms; every value that
 * is no list in a slot, for ranges, sorting and facets.
 *
 *     peer_xapian load CORPUS FOLDER
 *     peer_xapian query CORPUS FOLDER BUDGET
 */
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <xapian.h>

#include "corpus.h"

static const unsigned int PASSES = 2, PAGE = 20, CURSOR_PAGE = 1000, VALUES = 5;
static const size_t TERM_MAX = 245;
static const Xapian::termpos GAP = 100; /* so that no phrase crosses two values */
static const unsigned int COMMIT_EVERY = 100000;

/* Bytes that compare as the numbers do. */
static std::string
sortable(char type, const char *text)
{
	uint64_t number = (uint64_t)strtoll(text, NULL, 10) ^ (UINT64_C(1) << 63);
	std::string bytes;

	if (type == 's')
		return text;
	if (type == 'd')
		return Xapian::sortable_serialise(strtod(text, NULL));
	for (int shift = 56; shift >= 0; shift -= 8)
		bytes += (char)(number >> shift);
	return bytes;
}

static std::string
word_term(size_t property, const std::string &word)
{
	return "XW" + std::to_string(property) + ":" + word;
}

static std::string
exact_term(size_t property, const std::string &value)
{
	return ("XE" + std::to_string(property) + ":" + value).substr(0, TERM_MAX);
}

/* --- Loading --- */

static void
add_string(Xapian::Document &to, size_t property, const char *text, Xapian::termpos &position)
{
	char words[8192], *rest = words;

	(void)corpus_words(text, words, sizeof(words));
	for (const char *word; (word = strsep(&rest, " ")); position++) {
		to.add_posting(word, position);
		to.add_posting(word_term(property, word), position);
	}
	position += GAP;
	to.add_boolean_term(exact_term(property, text));
}

static Xapian::Document
document_of(const struct corpus &corpus, struct corpus_document &from)
{
	Xapian::Document to;
	Xapian::termpos position = 1;

	for (size_t i = 0; i < corpus.n_properties; i++) {
		const struct corpus_property &property = corpus.properties[i];
		char *rest = from.values[i];

		if (rest && !property.multi)
			to.add_value((Xapian::valueno)i, sortable(property.type, rest));
		for (const char *text; (text = corpus_element(&rest));)
			if (property.type == 's')
				add_string(to, i, text, position);
			else if (property.type == 'b')
				to.add_posting(*text == '1' ? "true" : "false", position);
			else if (property.type != 't')
				to.add_posting(text, position);
	}
	return to;
}

static void
load(const char *from, const char *folder)
{
	struct corpus corpus;
	struct corpus_document document;
	int64_t started_ns;

	corpus_open(&corpus, from, "documents.tsv");
	Xapian::WritableDatabase db(std::string(folder) + "/db", Xapian::DB_CREATE_OR_OVERWRITE);
	started_ns = corpus_clock_ns();
	while (corpus_next(&corpus, &document)) {
		db.add_document(document_of(corpus, document));
		if (document.number % COMMIT_EVERY == 0)
			db.commit();
	}
	db.commit();
	corpus_print("load_ns", corpus_clock_ns() - started_ns);
	corpus_print("load_cpu_ns", corpus_cpu_ns());
	corpus_print("documents", (int64_t)corpus.n_read);
	corpus_print_memory();
	corpus_close(&corpus);
}

/* --- Queries --- */

struct peer {
	struct corpus corpus;
	Xapian::Database db;
};

static Xapian::Query
words_query(Xapian::Query::op op, const char *text)
{
	std::vector<std::string> terms;
	std::string copy = text;
	char *rest = &copy[0];

	for (const char *word; (word = strsep(&rest, " "));)
		terms.push_back(word);
	return Xapian::Query(op, terms.begin(), terms.end());
}

static Xapian::Query
range_query(size_t property, char type, const char *text)
{
	const char *dots = strstr(text, "..");
	std::string low = sortable(type, std::string(text, dots - text).c_str());
	std::string high = sortable(type, std::to_string(strtoll(dots + 2, NULL, 10) - 1).c_str());

	return Xapian::Query(Xapian::Query::OP_VALUE_RANGE, (Xapian::valueno)property, low, high);
}

/* False: it has no such search. */
static bool
condition_query(const struct peer &peer, const struct corpus_condition &condition,
		Xapian::Query &query)
{
	std::string kind = condition.kind, text = condition.text;
	size_t property = *condition.field ? corpus_find(&peer.corpus, condition.field) : 0;

	if (kind == "word" || kind == "not")
		query = Xapian::Query(*condition.field ? word_term(property, text) : text);
	else if (kind == "any")
		query = words_query(Xapian::Query::OP_OR, condition.text);
	else if (kind == "phrase")
		query = words_query(Xapian::Query::OP_PHRASE, condition.text);
	else if (kind == "prefix")
		query = Xapian::Query(Xapian::Query::OP_WILDCARD, text, 0);
	else if (kind == "is")
		query = Xapian::Query(exact_term(property, text));
	else if (kind == "range")
		query = range_query(property, peer.corpus.properties[property].type,
				    condition.text);
	else
		return false;
	return true;
}

static bool
query_of(const struct peer &peer, const struct corpus_query &from, Xapian::Query &query)
{
	for (size_t i = 0; i < from.n_conditions; i++) {
		bool without = strcmp(from.conditions[i].kind, "not") == 0;
		Xapian::Query condition;

		if (!condition_query(peer, from.conditions[i], condition))
			return false;
		query = i == 0 ? condition
			       : Xapian::Query(without ? Xapian::Query::OP_AND_NOT
						       : Xapian::Query::OP_AND,
					       query, condition);
	}
	return true;
}

static Xapian::KeyMaker *
key_maker(const struct peer &peer, const char *keys)
{
	Xapian::MultiValueKeyMaker *maker = new Xapian::MultiValueKeyMaker;
	std::string copy = keys;
	char *rest = &copy[0];

	for (const char *key; (key = strsep(&rest, ","));) {
		bool descending = *key == '-';

		maker->add_value((Xapian::valueno)corpus_find(&peer.corpus, key + descending),
				 descending);
	}
	return maker->release();
}

/* Counts values of all strings, whole numbers of 32 bits and booleans while it matches; the other
 * numbers would have to be divided into ranges, which is left out. */
static void
facets(const struct peer &peer, Xapian::Enquire &enquire)
{
	std::vector<Xapian::ValueCountMatchSpy *> spies;

	for (size_t i = 0; i < peer.corpus.n_properties; i++)
		if (!peer.corpus.properties[i].multi &&
		    strchr("sib", peer.corpus.properties[i].type)) {
			spies.push_back(new Xapian::ValueCountMatchSpy((Xapian::valueno)i));
			enquire.add_matchspy(spies.back());
		}
	(void)enquire.get_mset(0, 0, peer.db.get_doccount());
	for (Xapian::ValueCountMatchSpy *spy : spies)
		for (Xapian::TermIterator top = spy->top_values_begin(VALUES);
		     top != spy->top_values_end(VALUES); ++top)
			(void)top.get_termfreq();
	corpus_stop();
	enquire.clear_matchspies();
	for (Xapian::ValueCountMatchSpy *spy : spies)
		delete spy;
}

static int64_t
answer(void *context, const struct corpus_query *from)
{
	struct peer *peer = (struct peer *)context;
	Xapian::doccount all = peer->db.get_doccount();
	std::string action = from->action;
	Xapian::Enquire enquire(peer->db);
	Xapian::Query query;
	Xapian::MSet set;

	if (!query_of(*peer, *from, query))
		return CORPUS_UNSUPPORTED;
	corpus_start();
	enquire.set_query(query);
	if (action != "rank") {
		enquire.set_weighting_scheme(Xapian::BoolWeight());
		enquire.set_docid_order(Xapian::Enquire::ASCENDING);
	}
	if (*from->keys)
		enquire.set_sort_by_key(key_maker(*peer, from->keys), false);
	if (action == "facets") {
		facets(*peer, enquire);
		return CORPUS_UNCOUNTED;
	}
	if (action == "first" || action == "cursor") {
		(void)enquire.get_mset(action == "first" ? 0 : all / 2 + from->number,
				       action == "first" ? PAGE : CURSOR_PAGE);
		return CORPUS_UNCOUNTED;
	}
	set = enquire.get_mset((Xapian::doccount)from->offset, action == "count" ? 0 : PAGE, all);
	return set.get_matches_estimated();
}

static void
ask(const char *corpus, const char *folder, const char *budget)
{
	struct peer peer;
	struct corpus_log log;

	corpus_open(&peer.corpus, corpus, "documents.tsv");
	peer.db = Xapian::Database(std::string(folder) + "/db");
	corpus_log_read(&log, corpus);
	corpus_ask(&log, PASSES, strtod(budget, NULL), NULL, answer, &peer);
	corpus_print_memory();
	corpus_log_free(&log);
	corpus_close(&peer.corpus);
}

int
main(int argc, char **argv)
{
	try {
		if (argc == 4 && strcmp(argv[1], "load") == 0)
			load(argv[2], argv[3]);
		else if (argc == 5 && strcmp(argv[1], "query") == 0)
			ask(argv[2], argv[3], argv[4]);
		else
			corpus_die("usage: peer_xapian load|query CORPUS FOLDER [BUDGET]");
	} catch (const Xapian::Error &error) {
		corpus_die("xapian: %s", error.get_description().c_str());
	}
	return 0;
}
