/* query.h - the languages of search: path segments, where-JSON and query strings in, one tree out.
 *
 * A query is a tree of conditions, an order and a limit. Three languages build the same tree, and
 * the tree prints itself in each of them, so what one door says, another understands:
 *
 *     core.size=27400-44000            a path segment of the mount
 *     {"core.size":{"gte":27400}}      a where clause of the REST API (spec/pixstor.md 2.1)
 *     cats AND NOT core.size:>100      a query string, the value of _all (spec/pixstor.md 2.2)
 *
 * Everything here is pure: no files, no clock, no locale, no globals. The same tree gives the same
 * text on every machine. */
#ifndef PXS_QUERY_H
#define PXS_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/cleanup.h"

struct pxs_buf;
struct pxs_error;
struct pxs_json;

/* --- Limits: what a stranger may send. Passing one is -EINVAL (-ENAMETOOLONG for text) and ERR
 * names it. --- */
#define QUERY_TEXT_MAX 4096	    /* bytes of one query string */
#define QUERY_SEGMENT_MAX 65536	    /* bytes of one segment: canonical ones may be long */
#define QUERY_WHERE_MAX 1048576	    /* bytes of one where clause */
#define QUERY_DEPTH_MAX 64	    /* nested parentheses, or arrays and objects */
#define QUERY_NODES_MAX 4096	    /* nodes of one tree */
#define QUERY_ALTERNATIVES_MAX 1024 /* values of one list, conditions side by side */
#define QUERY_SORTS_MAX 16	    /* keys of one order */
#define QUERY_FIELDS_MAX 512	    /* properties for which a name with wildcards stands */
#define QUERY_PATTERN_MAX 1000	    /* bytes of a regular expression or a pattern of wildcards */
#define QUERY_SLOP_MAX 1000000	    /* of a phrase */
#define QUERY_BOOST_MAX 1000000	    /* and what is below 1/QUERY_BOOST_MAX counts as 0 */

/* --- Properties --- */

enum query_type {
	QUERY_TYPE_STRING,
	QUERY_TYPE_INTEGER, /* 32 bits */
	QUERY_TYPE_LONG,    /* 64 bits */
	QUERY_TYPE_FLOAT,
	QUERY_TYPE_DOUBLE,
	QUERY_TYPE_BOOLEAN,
	QUERY_TYPE_DATETIME,
	QUERY_TYPE_PROXY, /* has no value of its own; only exists or not */
};

/* One declared property. Lives as long as whoever declared it (the index). */
struct query_property {
	const char *name;   /* "core.size" */
	const char *prompt; /* "File size in bytes" */
	enum query_type type;
	bool multi;	 /* a list, [T] */
	bool filter;	 /* offered as a facet unless false ("default_filter") */
	uint32_t number; /* small, permanent, never reused */
	bool readonly;	 /* a scan finds it out; nobody else gives it values */
};

/* The properties there are, by name. A snapshot: it never changes. */
struct query_schema {
	const struct query_property *const *properties; /* in order of name, bytewise */
	size_t n_properties;
};

/* NULL if there is none of this name. */
const struct query_property *query_schema_find(const struct query_schema *schema, const char *name);

/* The name nearest to a misspelt NAME, for "did you mean"; NULL if none is near. */
const char *query_schema_nearest(const struct query_schema *schema, const char *name);

/* "String", "Long", "[String]" ...; as declared in schemas. Lent, static. */
const char *query_type_name(enum query_type type, bool multi);

/* Integer, Long, Float or Double. */
bool query_type_is_number(enum query_type type);

/* --- Values --- */

struct query_value {
	enum query_type type;
	union {
		const char *string; /* UTF-8 in NFC */
		int64_t integer; /* Integer, Long; Boolean as 0 or 1; Datetime: ns since 1970 UTC */
		double real;	 /* Float, Double */
	};
};

/* TEXT as a value of TYPE; a string is copied into ARENA. Dates must name an instant or a span,
 * whose start counts. 0, or -EINVAL: ERR says what was expected; -ENOMEM. */
int query_value_parse(enum query_type type, const char *text, struct pxs_arena *arena,
		      struct query_value *ret_value, struct pxs_error *err);

/* Adds VALUE to BUF as text that query_value_parse() reads back; strings and dates unquoted. */
void query_value_print(const struct query_value *value, struct pxs_buf *buf);

/* The same as JSON: dates as strings, the rest as JSON has it. */
void query_value_write(const struct query_value *value, struct pxs_json *json);

/* <0, 0, >0. Both must be of one class: string, number or instant. Strings bytewise. */
int query_value_compare(const struct query_value *a, const struct query_value *b);

/* A date of whole or partial precision ("2024", "2024-02", "2024-02-03T10:11:12.5Z", "+01:00", ...;
 * spec/pixstor.md 2.1) as the half-open span [start, end) that it names, in ns since 1970 UTC.
 * An instant given to the nanosecond spans one. 0, or -EINVAL (ERR), -ERANGE outside 1678..2261. */
int query_time_parse(const char *text, int64_t *ret_start_ns, int64_t *ret_end_ns,
		     struct pxs_error *err);

/* Adds "2024-02-03T10:11:12" and, only where they are not 0, the digits of a fraction. */
void query_time_print(int64_t time_ns, struct pxs_buf *buf);

/* The same as a JSON string. */
void query_time_write(int64_t time_ns, struct pxs_json *json);

/* The same, but without a time of day of 00:00:00: for names of the mount. */
void query_time_print_short(int64_t time_ns, struct pxs_buf *buf);

/* --- Words: one analyser serves documents and queries (spec/pixstor.md 2.3): Unicode words (UAX
 * #29) of text in lower case and NFC. Texts are UTF-8; what is not is -EILSEQ. --- */

/* Longer words are split at a character (bytes). */
#define QUERY_WORD_MAX 255

typedef int query_word_each(void *context, const char *word, size_t len);

/* Calls EACH for every word of TEXT, in order, until it returns non-zero, which is returned; else
 * 0, -EILSEQ or -ENOMEM. */
int query_words(const char *text, size_t len, query_word_each *each, void *context);

/* Whether TEXT has a word: 1 or 0; -EILSEQ, -ENOMEM. */
int query_has_words(const char *text);

/* Adds TEXT in lower case and NFC to BUF; whole, not cut. -EILSEQ, -ENOMEM. */
int query_fold(const char *text, size_t len, struct pxs_buf *buf);

/* query_words() of text that is folded already. */
int query_words_folded(const char *folded, size_t len, query_word_each *each, void *context);

/* How many of LEN bytes fit one word: QUERY_WORD_MAX or less, no character cut in two. */
size_t query_word_cut(const char *text, size_t len);

/* --- The tree --- */

enum query_kind {
	QUERY_ALL,    /* every document */
	QUERY_NONE,   /* no document; made by parsers, for example of a where on an unknown property
		       */
	QUERY_BOOL,   /* children, each with its occur */
	QUERY_WORDS,  /* text that has words; any of them (the default operator is OR) */
	QUERY_PHRASE, /* the same; its words at consecutive positions of one value */
	QUERY_PREFIX, /* text; a word or a whole value begins with it, case folded */
	/* Of these three a word or a whole value must match as a whole, case folded. */
	QUERY_WILDCARD, /* text; ? is one character, * any number, \ takes the sign after it as is
			 */
	QUERY_FUZZY,	/* text, edits; a transposition of neighbours is one edit */
	QUERY_REGEX,	/* text; Lucene's syntax (spec/pixstor.md 2.2) */
	QUERY_EQUALS,	/* value: exact, whole, case-sensitive; of a list, any element */
	QUERY_RANGE,	/* low, high; of a list, one element satisfies both */
	QUERY_EXISTS,	/* has a value */
};

/* What a node asks of its parent (Lucene's boolean model, spec/pixstor.md 2.2): all MUST hold, no
 * MUST_NOT holds and, if there is no MUST, one SHOULD holds; with MUST_NOT alone, all others match.
 */
enum query_occur { QUERY_MUST, QUERY_SHOULD, QUERY_MUST_NOT };

struct query_bound {
	bool set;	/* else open */
	bool inclusive; /* in a canonical tree low yes, high no, whatever was asked; but see folded
			 */
	struct query_value value;
	const char *relative; /* "now-7d/d", a Datetime; VALUE then means nothing, except for its
				 type, until query_resolve() */
};

struct query_node {
	enum query_kind kind;
	enum query_occur occur;		       /* what this node is to its parent */
	const struct query_property *property; /* NULL: any property (_all) */
	const char *text;		       /* of words: unescaped, as typed */
	uint32_t slop;			       /* PHRASE: how far its words may be moved apart */
	uint8_t edits;			       /* FUZZY: 0 to 2 */
	bool boosted;			       /* the score counts BOOST times, else once */
	bool folded;		      /* RANGE of strings: compare case-folded (query strings do) */
	double boost;		      /* 0 or more */
	struct query_value value;     /* EQUALS */
	struct query_bound low, high; /* RANGE */
	struct query_node *first_child; /* BOOL */
	struct query_node *next;	/* next sibling */
};

struct query_sort {
	const struct query_property *property; /* NULL: by relevance ("_score") */
	bool descending;
};

/* All parts live in the arena; add to it only by the functions below. */
struct query {
	struct pxs_arena arena;
	struct query_node *root; /* canonical after every addition; QUERY_ALL in a new query */
	struct query_sort sorts[QUERY_SORTS_MAX];
	size_t n_sorts;
	uint64_t limit; /* of results, counted in the order of sorts; 0: none */
	size_t n_nodes; /* for QUERY_NODES_MAX */
};

/* A new query that matches everything, in no order. -ENOMEM. */
int query_new(struct query **ret_query);
/* NULL is allowed, as in every _free() and _close() of ours. */
void query_free(struct query *query);
DEFINE_CLEANUP(query, struct query *, query_free)
int query_copy(const struct query *query, struct query **ret_copy);

/* The functions below AND something to QUERY. They keep no pointer into their text, but the tree
 * keeps pointers to SCHEMA's properties. On failure QUERY is as before.
 *
 * 0; -EINVAL, -ENAMETOOLONG: ERR says what was expected and at which byte of the text; -ENOMEM. */

/* A query string. An unknown property in it matches nothing, as there (2.2). The empty string
 * matches nothing. The grammar stands at the head of query/string.c. */
int query_add_string(struct query *query, const char *text, const struct query_schema *schema,
		     struct pxs_error *err);

/* A where clause. An unknown property matches nothing, without an error (2.1). The grammar stands
 * at the head of query/where.c. */
int query_add_where(struct query *query, const char *json, const struct query_schema *schema,
		    struct pxs_error *err);

/* One path segment, as its name in the mount: a condition, _sort=, _limit=. An unknown property is
 * -EINVAL with a suggestion. Of several _sort or _limit in a path the last counts.
 * The grammar stands at the head of query/segment.c. */
int query_add_segment(struct query *query, const char *segment, const struct query_schema *schema,
		      struct pxs_error *err);

/* Comma list of properties, each descending after a '-'; replaces the order. */
int query_set_sort(struct query *query, const char *keys, const struct query_schema *schema,
		   struct pxs_error *err);

/* A copy of CONDITION (a leaf, or a BOOL of them), as from a facet's bucket. Its strings are in
 * NFC. -EINVAL as well where no language can say it: exact strings within a BOOL beside other
 * conditions. */
int query_add_condition(struct query *query, const struct query_node *condition);

/* --- What is relative to now --- */

/* Whether a bound in QUERY is. Such a query means other documents at another time: it is kept and
 * printed as it is, and resolved to be evaluated. */
bool query_is_relative(const struct query *query);

/* A copy of QUERY in which now is NOW_NS, rounded down to a whole second, since "now" is one. Ends
 * beyond all times are open. 0, or -ENOMEM. */
int query_resolve(const struct query *query, int64_t now_ns, struct query **ret_resolved);

/* --- Names in a query folder --- */

enum query_name {
	QUERY_NAME_SEGMENT, /* shaped like a segment, whether it parses or not: "a.b=c" */
	QUERY_NAME_FACET,   /* exactly a property's name */
	QUERY_NAME_OTHER,   /* neither: a result, if anything */
};

enum query_name query_name_classify(const char *name, const struct query_schema *schema);

/* Whether the mount writes C as %XX in the names that it emits: '/', control characters, '%' and
 * what SMB cannot carry: <>:"|?*\ */
bool query_name_escapes(unsigned char c);

/* Whether C must be written as %XX in a value that somebody typed, so that it stays one part of a
 * path; its commas, ranges and patterns go on meaning what they do. */
bool query_segment_escapes(unsigned char c);

/* --- Printing: equal queries print equal text --- */

/* Canonical text of the whole query, for keys and people; not meant to be parsed. */
int query_print_text(const struct query *query, struct pxs_buf *buf);

/* The part of it that tells NODE alone: of a BOOL "any of", where one of its SHOULDs must hold,
 * else "all of". */
void query_print_node(const struct query_node *node, struct pxs_buf *buf);

/* "must", "should", "must not"; static. */
const char *query_occur_name(enum query_occur occur);

/* XXH3 (128 bits) of the canonical text. */
struct query_key {
	uint64_t high, low;
};
int query_key(const struct query *query, struct query_key *ret_key);

/* The canonical path below query/, without leading or trailing slash; "" for a new query. Parsing
 * its segments in turn gives the same query. Its names may be longer than 255 bytes; -ENAMETOOLONG
 * if one is longer than QUERY_SEGMENT_MAX. BUF is as before on failure. */
int query_print_path(const struct query *query, struct pxs_buf *buf);

/* The tree as a where clause on one line, {"k": v, ...}; conditions on one property are merged. */
int query_print_where(const struct query *query, struct pxs_buf *buf);

/* The order as keys for query_set_sort(); nothing if there is none. */
void query_print_sort(const struct query *query, struct pxs_buf *buf);

/* CONDITION, one of a facet's buckets, as its canonical segment "core.size=27400-44000", of which
 * the part after '=' is the bucket's name in the facet folder. Emitted names are at most 255 bytes:
 * -ENAMETOOLONG; -EINVAL if it takes more than one segment. BUF is as before on failure. */
int query_print_segment(const struct query_node *condition, struct pxs_buf *buf);

/* --- Saved searches (query/saved.c has their grammar) --- */

#define QUERY_PARAMETERS_MAX 8
#define QUERY_PARAMETER_NAME_MAX 32

/* The names of a path's parameters, in the order in which they come first. */
struct query_parameters {
	char names[QUERY_PARAMETERS_MAX][QUERY_PARAMETER_NAME_MAX + 1];
	size_t n;
};

/* What is put for one of them, as it is written in a segment. Lends its texts. */
struct query_argument {
	const char *name;
	size_t name_len;
	const char *value;
	size_t value_len;
};

/* The segments of PATH, below query/; empty ones are left out. An error's `at` counts in PATH. */
int query_add_path(struct query *query, const char *path, const struct query_schema *schema,
		   struct pxs_error *err);

/* -E2BIG: more than QUERY_PARAMETERS_MAX. */
int query_saved_parameters(const char *path, struct query_parameters *ret_parameters);

/* Adds PATH as it is to be saved: canonical, or as it is where it has parameters. -EINVAL: no
 * search, also when filled in; ERR has the sentence. */
int query_saved_print(const char *path, const struct query_schema *schema, struct pxs_buf *buf,
		      struct pxs_error *err);

/* Adds PATH with its parameters filled in. -EINVAL: one has no value, or none is called so; ERR has
 * the sentence. */
int query_saved_fill(const char *path, const struct query_argument *arguments, size_t n,
		     struct pxs_buf *buf, struct pxs_error *err);

/* TEXT, "alice" where PATH has one parameter or "owner=alice&kind=.png", as arguments, which lend
 * TEXT and PATH. -EINVAL: ERR has the sentence. */
int query_saved_arguments(const char *path, const char *text,
			  struct query_argument arguments[QUERY_PARAMETERS_MAX], size_t *ret_n,
			  struct pxs_error *err);

#endif
