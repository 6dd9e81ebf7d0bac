/* saved.c - saved searches: paths below query/ in which {name} waits for a value.
 *
 *     path      = segment *( "/" segment )
 *     parameter = "{" name "}"       ; anywhere in a segment, mostly for a value
 *     name      = lower *( lower / digit / "_" )
 *
 * What is filled in is written as in a segment: "%2C" is a comma, "1..5" a range. "%7B" is a brace
 * that begins no parameter. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "query/query.h"

static const char LOWER[] = "abcdefghijklmnopqrstuvwxyz";
static const char NAME[] = "abcdefghijklmnopqrstuvwxyz0123456789_";

/* --- Paths --- */

int
query_add_path(struct query *query, const char *path, const struct query_schema *schema,
	       struct pxs_error *err)
{
	struct pxs_error fault = { 0 };

	for (const char *part = path; *part;) {
		size_t len = strcspn(part, "/");
		CLEANUP(free) char *segment = strndup(part, len);
		int r = segment ? 0 : -ENOMEM;

		if (segment && *segment)
			r = query_add_segment(query, segment, schema, &fault);
		if (r < 0 && fault.code) /* so far it counted in the segment */
			return pxs_error_set(err, r, fault.at < 0 ? -1 : fault.at + (part - path),
					     "%s", fault.text);
		if (r < 0)
			return r;
		part += len + (part[len] == '/');
	}
	return 0;
}

/* --- Parameters --- */

/* The length of a name at TEXT, 0 if there is none. */
static size_t
name_len(const char *text)
{
	size_t len = *text && strchr(LOWER, *text) ? strspn(text, NAME) : 0;

	return len <= QUERY_PARAMETER_NAME_MAX ? len : 0;
}

/* The first parameter in TEXT, at its brace, and the length of its name; NULL: there is none. */
static const char *
find_parameter(const char *text, size_t *ret_len)
{
	while ((text = strchr(text, '{'))) {
		size_t len = name_len(text + 1);

		if (len && text[1 + len] == '}') {
			*ret_len = len;
			return text;
		}
		text++;
	}
	return NULL;
}

static bool
has_parameter(const struct query_parameters *parameters, const char *name, size_t len)
{
	for (size_t i = 0; i < parameters->n; i++)
		if (strlen(parameters->names[i]) == len &&
		    memcmp(parameters->names[i], name, len) == 0)
			return true;
	return false;
}

int
query_saved_parameters(const char *path, struct query_parameters *ret_parameters)
{
	struct query_parameters found = { 0 };
	size_t len;

	for (const char *at = path; (at = find_parameter(at, &len)); at += len) {
		if (has_parameter(&found, at + 1, len))
			continue;
		if (found.n == QUERY_PARAMETERS_MAX)
			return -E2BIG;
		memcpy(found.names[found.n++], at + 1, len);
	}
	*ret_parameters = found;
	return 0;
}

/* --- Checking what is to be saved --- */

/* Adds PATH with VALUE for every parameter. */
static void
fill_all(const char *path, const char *value, struct pxs_buf *buf)
{
	const char *rest = path;
	size_t len;

	for (const char *at; (at = find_parameter(rest, &len)); rest = at + len + 2) {
		pxs_buf_add(buf, rest, (size_t)(at - rest));
		pxs_buf_add_str(buf, value);
	}
	pxs_buf_add_str(buf, rest);
}

/* Whether PATH is a search once it is filled in, tried with values of the types that there are: the
 * first is a number, a year and a text. */
static int
check_filled(const char *path, const struct query_schema *schema, struct pxs_error *err)
{
	static const char *const SAMPLES[] = { "2001", "true" };
	struct pxs_error first = { 0 };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(SAMPLES); i++) {
		CLEANUP(pxs_buf) struct pxs_buf filled = PXS_BUF_INIT;
		CLEANUP(query) struct query *query = NULL;

		fill_all(path, SAMPLES[i], &filled);
		r = filled.error ? filled.error : query_new(&query);
		if (r == 0)
			r = query_add_path(query, pxs_buf_text(&filled), schema, &first);
		if (r != -EINVAL)
			return r;
	}
	return pxs_error_set(err, r, -1, "%s", first.text);
}

/* Adds PATH; braces that would be taken for a parameter's are escaped. */
static void
add_literal(const char *path, struct pxs_buf *buf)
{
	const char *rest = path;
	size_t len;

	for (const char *at; (at = find_parameter(rest, &len)); rest = at + 1) {
		pxs_buf_add(buf, rest, (size_t)(at - rest));
		pxs_buf_add_str(buf, "%7B");
	}
	pxs_buf_add_str(buf, rest);
}

static int
print_canonical(const char *path, const struct query_schema *schema, struct pxs_buf *buf,
		struct pxs_error *err)
{
	CLEANUP(pxs_buf) struct pxs_buf canonical = PXS_BUF_INIT;
	CLEANUP(query) struct query *query = NULL;
	int r = query_new(&query);

	if (r == 0)
		r = query_add_path(query, path, schema, err);
	if (r == 0)
		r = query_print_path(query, &canonical);
	if (r < 0)
		return r;
	if (!canonical.len)
		return pxs_error_set(err, -EINVAL, -1,
				     "this names no search, only the whole catalogue");
	add_literal(canonical.data, buf);
	return buf->error;
}

int
query_saved_print(const char *path, const struct query_schema *schema, struct pxs_buf *buf,
		  struct pxs_error *err)
{
	struct query_parameters parameters;
	int r = query_saved_parameters(path, &parameters);

	if (r < 0)
		return pxs_error_set(err, -EINVAL, -1, "a saved search has at most %d parameters",
				     QUERY_PARAMETERS_MAX);
	if (!parameters.n)
		return print_canonical(path, schema, buf, err);
	r = check_filled(path, schema, err);
	if (r < 0)
		return r;
	pxs_buf_add_str(buf, path);
	return buf->error;
}

/* --- Filling them in --- */

static const struct query_argument *
find_argument(const struct query_argument *arguments, size_t n, const char *name, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (arguments[i].name_len == len && memcmp(arguments[i].name, name, len) == 0)
			return &arguments[i];
	return NULL;
}

/* "owner, kind" */
static void
print_names(const struct query_parameters *parameters, struct pxs_buf *buf)
{
	for (size_t i = 0; i < parameters->n; i++)
		pxs_buf_addf(buf, "%s%s", i ? ", " : "", parameters->names[i]);
}

static int
check_known(const char *path, const struct query_argument *arguments, size_t n,
	    struct pxs_error *err)
{
	CLEANUP(pxs_buf) struct pxs_buf names = PXS_BUF_INIT;
	struct query_parameters parameters;
	int r = query_saved_parameters(path, &parameters);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		if (has_parameter(&parameters, arguments[i].name, arguments[i].name_len))
			continue;
		print_names(&parameters, &names);
		return pxs_error_set(err, -EINVAL, -1,
				     "the saved search has no parameter '%.*s'; it has %s",
				     (int)MIN(arguments[i].name_len, (size_t)40), arguments[i].name,
				     parameters.n ? pxs_buf_text(&names) : "none");
	}
	return 0;
}

int
query_saved_fill(const char *path, const struct query_argument *arguments, size_t n,
		 struct pxs_buf *buf, struct pxs_error *err)
{
	const struct query_argument *argument;
	const char *rest = path;
	size_t len;
	int r = check_known(path, arguments, n, err);

	if (r < 0)
		return r;
	for (const char *at; (at = find_parameter(rest, &len)); rest = at + len + 2) {
		argument = find_argument(arguments, n, at + 1, len);
		if (!argument || !argument->value_len)
			return pxs_error_set(err, -EINVAL, -1,
					     "the saved search needs a value for its parameter "
					     "'%.*s'",
					     (int)len, at + 1);
		pxs_buf_add(buf, rest, (size_t)(at - rest));
		pxs_buf_add(buf, argument->value, argument->value_len);
	}
	pxs_buf_add_str(buf, rest);
	return buf->error;
}

int
query_saved_arguments(const char *path, const char *text,
		      struct query_argument arguments[QUERY_PARAMETERS_MAX], size_t *ret_n,
		      struct pxs_error *err)
{
	struct query_parameters parameters;
	size_t only_len = 0;
	const char *only = find_parameter(path, &only_len);
	size_t n = 0;
	int r = query_saved_parameters(path, &parameters);

	if (r < 0)
		return r;
	for (const char *part = text;; part++) {
		size_t len = strcspn(part, "&");
		size_t name = name_len(part);

		if (n == QUERY_PARAMETERS_MAX)
			return pxs_error_set(err, -EINVAL, part - text,
					     "a saved search has at most %d parameters",
					     QUERY_PARAMETERS_MAX);
		if (name && part[name] == '=')
			arguments[n++] = (struct query_argument){ part, name, part + name + 1,
								  len - name - 1 };
		else if (parameters.n == 1)
			arguments[n++] = (struct query_argument){ only + 1, only_len, part, len };
		else
			return pxs_error_set(err, -EINVAL, part - text,
					     "which parameter is '%.*s'? write PARAMETER=VALUE, "
					     "joined by '&'",
					     (int)MIN(len, (size_t)40), part);
		part += len;
		if (!*part)
			break;
	}
	*ret_n = n;
	return 0;
}
