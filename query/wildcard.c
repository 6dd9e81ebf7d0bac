#include "query/wildcard.h"

#include <string.h>

#include "base/buf.h"
#include "query/draft.h"

/* Bytes of the signs at TEXT, their canonical form added to BUF. */
static size_t
add_signs(struct pxs_buf *buf, const char *text)
{
	size_t n = strspn(text, "?*");
	bool star = memchr(text, '*', n) != NULL;

	for (size_t i = 0; i < n; i++)
		if (text[i] == '?')
			pxs_buf_add_char(buf, '?');
	if (star)
		pxs_buf_add_char(buf, '*');
	return n;
}

/* Where the first sign of the pattern TEXT stands, or its end. */
static size_t
find_sign(const char *text)
{
	size_t at = 0;

	while (text[at] && text[at] != '*' && text[at] != '?')
		at += text[at] == '\\' && text[at + 1] ? 2 : 1;
	return at;
}

/* The first LEN bytes of TEXT, which have no signs, without "\". */
static const char *
plain(struct query_draft *draft, const char *text, size_t len)
{
	char *copy = pxs_arena_strndup(&draft->arena, text, len);
	size_t n = 0;

	if (!copy)
		return query_draft_fail_memory(draft);
	for (size_t i = 0; i < len; i++) {
		i += text[i] == '\\' && i + 1 < len;
		copy[n++] = text[i];
	}
	copy[n] = '\0';
	return copy;
}

static struct query_node *
simplify(struct query_draft *draft, struct query_node *node)
{
	size_t sign = find_sign(node->text);
	bool none = node->text[sign] == '\0';

	if (strcmp(node->text, "*") == 0) {
		node->kind = node->property ? QUERY_EXISTS : QUERY_ALL;
		node->text = NULL;
		return node;
	}
	if (!none && strcmp(node->text + sign, "*") != 0)
		return node;
	node->kind = none ? QUERY_FUZZY : QUERY_PREFIX;
	node->text = plain(draft, node->text, sign);
	return node->text ? node : NULL;
}

/* One character that stands for itself, behind "\\" if it would be a sign. Bytes of TEXT. */
static size_t
add_character(struct pxs_buf *buf, const char *text)
{
	size_t n = text[0] == '\\' && text[1] ? 2 : 1;

	if (strchr("*?\\", text[n - 1]))
		pxs_buf_add_char(buf, '\\');
	pxs_buf_add_char(buf, text[n - 1]);
	return n;
}

struct query_node *
query_wildcard_canon(struct query_draft *draft, struct query_node *node)
{
	CLEANUP(pxs_buf) struct pxs_buf buf = PXS_BUF_INIT;
	size_t n;

	for (const char *text = node->text; *text; text += n) {
		n = add_signs(&buf, text);
		if (!n)
			n = add_character(&buf, text);
	}
	node->text = buf.error ? NULL
			       : pxs_arena_strndup(&draft->arena, pxs_buf_text(&buf), buf.len);
	if (!node->text)
		return query_draft_fail_memory(draft);
	return simplify(draft, node);
}
