#include "index/ingest/mime.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"

/* Of a name, what can be looked up: the kernel's limit. */
#define NAME_BYTES_MAX 255

enum glob_kind {
	GLOB_LITERAL, /* "makefile" */
	GLOB_SUFFIX,  /* "*.tar.gz", kept as ".tar.gz" */
	GLOB_PATTERN, /* anything else, for fnmatch(): "readme*", "*~"; about a dozen */
	GLOB_KINDS,
};

struct glob {
	const char *text;
	const char *type;
	size_t length; /* of the pattern as it was written */
	unsigned int weight;
	unsigned int line; /* its place in the file settles equal claims */
	bool case_sensitive;
};

struct globs {
	struct glob *globs; /* by text, then line */
	size_t n;
	size_t cap;
};

struct alias {
	const char *name;
	const char *type;
};

struct mime {
	struct pxs_arena strings;
	struct globs kinds[GLOB_KINDS];
	struct alias *aliases; /* by name */
	size_t n_aliases;
	size_t cap_aliases;
};

/* The best matches so far of one name. */
struct match {
	const char **types;
	size_t n;
	unsigned int weight;
	size_t length;
};

/* --- Reading --- */

static enum glob_kind
classify(const char *pattern)
{
	if (!strpbrk(pattern, "*?["))
		return GLOB_LITERAL;
	if (!strncmp(pattern, "*.", 2) && !strpbrk(pattern + 1, "*?["))
		return GLOB_SUFFIX;
	return GLOB_PATTERN;
}

/* Room for one more element of SIZE bytes in the array *ITEMS. */
static int
grow(void *items, size_t n, size_t *cap, size_t size)
{
	size_t wanted = *cap ? *cap * 2 : 64;
	void *grown;

	if (n < *cap)
		return 0;
	grown = reallocarray(*(void **)items, wanted, size);
	if (!grown)
		return -ENOMEM;
	*(void **)items = grown;
	*cap = wanted;
	return 0;
}

static int
add_glob(struct mime *mime, const char *pattern, const struct glob *glob)
{
	enum glob_kind kind = classify(pattern);
	struct globs *globs = &mime->kinds[kind];
	int r = grow(&globs->globs, globs->n, &globs->cap, sizeof(*globs->globs));
	struct glob *added;

	if (r < 0)
		return r;
	added = &globs->globs[globs->n];
	*added = *glob;
	added->length = strlen(pattern);
	added->text = pxs_arena_strdup(&mime->strings, pattern + (kind == GLOB_SUFFIX ? 1 : 0));
	added->type = pxs_arena_strdup(&mime->strings, glob->type);
	if (!added->text || !added->type)
		return -ENOMEM;
	globs->n++;
	return 0;
}

/* line = weight ":" type ":" pattern [ ":" flag { "," flag } ]; lines that are none are skipped, as
 * the specification asks, for what later versions may add. */
static int
read_glob(struct mime *mime, char *line, unsigned int number)
{
	struct glob glob = { .line = number };
	char *rest = line;
	const char *weight = strsep(&rest, ":");
	const char *pattern;
	const char *flags;

	glob.type = strsep(&rest, ":");
	pattern = strsep(&rest, ":");
	flags = strsep(&rest, ":");
	if (weight[0] == '#' || !pattern || !*pattern)
		return 0;

	glob.weight = (unsigned int)strtoul(weight, NULL, 10);
	glob.case_sensitive = flags && strstr(flags, "cs");
	return add_glob(mime, pattern, &glob);
}

/* line = alias " " type */
static int
read_alias(struct mime *mime, char *line, unsigned int number)
{
	char *type = line;
	const char *name = strsep(&type, " ");
	struct alias *alias;
	int r;

	(void)number;
	if (name[0] == '#' || !type)
		return 0;
	r = grow(&mime->aliases, mime->n_aliases, &mime->cap_aliases, sizeof(*mime->aliases));
	if (r < 0)
		return r;
	alias = &mime->aliases[mime->n_aliases];
	alias->name = pxs_arena_strdup(&mime->strings, name);
	alias->type = pxs_arena_strdup(&mime->strings, type);
	if (!alias->name || !alias->type)
		return -ENOMEM;
	mime->n_aliases++;
	return 0;
}

static int
read_lines(struct mime *mime, FILE *file,
	   int (*read_line)(struct mime *mime, char *line, unsigned int number))
{
	CLEANUP(free) char *line = NULL;
	size_t size = 0;
	unsigned int number = 0;
	int r = 0;

	while (r >= 0 && getline(&line, &size, file) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		r = read_line(mime, line, number++);
	}
	if (r < 0)
		return r;
	return ferror(file) ? -EIO : 0;
}

static int
read_table(struct mime *mime, const char *dir, const char *name,
	   int (*read_line)(struct mime *mime, char *line, unsigned int number),
	   struct pxs_error *err)
{
	CLEANUP(fclose) FILE *file = NULL;
	CLEANUP(free) char *path = NULL;
	int r;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		return -ENOMEM;
	file = fopen(path, "re");
	r = file ? read_lines(mime, file, read_line) : -errno;
	if (r < 0)
		return pxs_error_set(err, r, -1,
				     "cannot read %s: %s; it comes with the package "
				     "shared-mime-info",
				     path, strerrordesc_np(-r));
	return 0;
}

static int
compare_globs(const void *a, const void *b)
{
	const struct glob *x = a;
	const struct glob *y = b;
	int order = strcmp(x->text, y->text);

	if (order)
		return order;
	return (x->line > y->line) - (x->line < y->line);
}

static int
compare_aliases(const void *a, const void *b)
{
	return strcmp(((const struct alias *)a)->name, ((const struct alias *)b)->name);
}

int
mime_open(const char *dir, struct mime **ret_mime, struct pxs_error *err)
{
	CLEANUP(mime) struct mime *mime = calloc(1, sizeof(*mime));
	int r;

	if (!mime)
		return -ENOMEM;
	r = read_table(mime, dir, "globs2", read_glob, err);
	if (r >= 0)
		r = read_table(mime, dir, "aliases", read_alias, err);
	if (r < 0)
		return r;

	for (int i = 0; i < GLOB_KINDS; i++)
		if (mime->kinds[i].n > 0)
			qsort(mime->kinds[i].globs, mime->kinds[i].n, sizeof(struct glob),
			      compare_globs);
	if (mime->n_aliases > 0)
		qsort(mime->aliases, mime->n_aliases, sizeof(struct alias), compare_aliases);
	*ret_mime = STEAL(mime);
	return 0;
}

void
mime_close(struct mime *mime)
{
	if (!mime)
		return;
	for (int i = 0; i < GLOB_KINDS; i++)
		free(mime->kinds[i].globs);
	free(mime->aliases);
	pxs_arena_done(&mime->strings);
	free(mime);
}

/* --- Asking --- */

static bool
already_in(const struct match *match, const char *type)
{
	for (size_t i = 0; i < match->n; i++)
		if (!strcmp(match->types[i], type))
			return true;
	return false;
}

/* "Keep only globs with the biggest weight. If the patterns are different, keep only matched with
 * the longest pattern." */
static void
consider(struct match *match, const struct glob *glob)
{
	bool equal = glob->weight == match->weight && glob->length == match->length;

	if (match->n > 0 && !equal &&
	    (glob->weight < match->weight ||
	     (glob->weight == match->weight && glob->length < match->length)))
		return;
	if (!equal)
		match->n = 0;
	match->weight = glob->weight;
	match->length = glob->length;
	if (match->n < MIME_TYPES_MAX && !already_in(match, glob->type))
		match->types[match->n++] = glob->type;
}

static size_t
first_not_below(const struct globs *globs, const char *text)
{
	size_t low = 0;
	size_t high = globs->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(globs->globs[middle].text, text) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
match_equal(struct match *match, const struct globs *globs, const char *text, bool folded)
{
	for (size_t i = first_not_below(globs, text); i < globs->n; i++) {
		const struct glob *glob = &globs->globs[i];

		if (strcmp(glob->text, text) != 0)
			return;
		if (!folded || !glob->case_sensitive)
			consider(match, glob);
	}
}

static void
match_patterns(struct match *match, const struct globs *globs, const char *name, bool folded)
{
	for (size_t i = 0; i < globs->n; i++) {
		const struct glob *glob = &globs->globs[i];

		if ((!folded || !glob->case_sensitive) && !fnmatch(glob->text, name, 0))
			consider(match, glob);
	}
}

static void
match_name(const struct mime *mime, struct match *match, const char *name, bool folded)
{
	match_equal(match, &mime->kinds[GLOB_LITERAL], name, folded);
	for (const char *dot = strchr(name, '.'); dot; dot = strchr(dot + 1, '.'))
		match_equal(match, &mime->kinds[GLOB_SUFFIX], dot, folded);
	match_patterns(match, &mime->kinds[GLOB_PATTERN], name, folded);
}

static char
ascii_lower(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return c;
}

size_t
mime_by_name(const struct mime *mime, const char *name, const char *types[MIME_TYPES_MAX])
{
	struct match match = { .types = types };
	char folded[NAME_BYTES_MAX + 1];
	size_t len = strlen(name);

	match_name(mime, &match, name, false);
	if (match.n > 0 || len > NAME_BYTES_MAX)
		return match.n;

	for (size_t i = 0; i <= len; i++)
		folded[i] = ascii_lower(name[i]);
	match_name(mime, &match, folded, true);
	return match.n;
}

const char *
mime_canonical(const struct mime *mime, const char *type)
{
	const struct alias key = { .name = type };
	const struct alias *alias = NULL;

	if (mime->n_aliases > 0)
		alias = bsearch(&key, mime->aliases, mime->n_aliases, sizeof(key), compare_aliases);
	return alias ? alias->type : type;
}
