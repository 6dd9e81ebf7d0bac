#include "index/expand.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/macros.h"
#include "index/budget.h"
#include "index/fts.h"
#include "index/lexicon.h"
#include "index/pattern.h"
#include "index/terms.h"
#include "index/view.h"

/* Words matched between two looks at the budget: a regular expression may take ms for each. */
#define WORDS_AT_ONCE 16

struct expand {
	struct search *search;
	const struct query_node *node;
	struct pattern *pattern;
	struct expansions *found;
	unsigned int asked;
};

static int
add(struct expand *expand, const struct expansion *word)
{
	struct expansions *found = expand->found;

	if (found->n == EXPAND_WORDS_MAX && expand->node->kind != QUERY_FUZZY)
		return -EINVAL;
	if (found->n == found->room) {
		size_t room = MAX(found->room * 2, (size_t)64);
		struct expansion *words = realloc(found->words, room * sizeof(*words));

		if (!words)
			return -ENOMEM;
		found->words = words;
		found->room = room;
	}
	found->words[found->n++] = *word;
	return 0;
}

static int
try_term(void *context, uint32_t number, const char *term, size_t len)
{
	struct expand *expand = context;
	struct expansion word = { .number = number };
	const char *text = terms_word(term, &word.property);
	int r;

	if (!text || (expand->node->property && expand->node->property->number != word.property))
		return 0;
	len -= (size_t)(text - term);
	r = ++expand->asked % WORDS_AT_ONCE ? 0 : budget_check(expand->search->budget);
	if (r < 0)
		return r;
	r = pattern_match(expand->pattern, text, len);
	if (r == -ENOENT)
		return 0;
	if (r == -E2BIG)
		return pattern_refuse(expand->pattern, expand->search->err);
	if (r < 0)
		return r;
	word.distance = (uint32_t)r;
	word.documents = lexicon_documents(fts_lexicon(expand->search->view->tables->fts), number,
					   NULL);
	return add(expand, &word);
}

static int
compare(const void *left, const void *right, void *context)
{
	const struct expansion *a = left, *b = right;
	const struct lexicon *lexicon = context;

	if (a->property != b->property)
		return a->property < b->property ? -1 : 1;
	if (a->distance != b->distance)
		return a->distance < b->distance ? -1 : 1;
	if (a->documents != b->documents)
		return a->documents > b->documents ? -1 : 1;
	return strcmp(lexicon_term(lexicon, a->number), lexicon_term(lexicon, b->number));
}

int
expand_words(struct search *search, const struct query_node *node, struct pattern *pattern,
	     struct expansions *ret_expansions)
{
	const struct lexicon *lexicon = fts_lexicon(search->view->tables->fts);
	struct expansions found = { 0 };
	struct expand expand = {
		.search = search,
		.node = node,
		.pattern = pattern,
		.found = &found,
	};
	struct lexicon_filter filter;
	int r;

	pattern_filter(pattern, &filter);
	r = lexicon_scan(lexicon, &filter, search->budget, try_term, &expand);
	if (r < 0) {
		free(found.words);
		return r;
	}
	if (found.n > 0)
		qsort_r(found.words, found.n, sizeof(*found.words), compare, (void *)lexicon);
	*ret_expansions = found;
	return 0;
}
