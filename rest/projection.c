#include "rest/projection.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"

static bool
is_on(const json_t *value)
{
	return json_is_true(value) || (json_is_number(value) && json_number_value(value) != 0);
}

static bool
has_inclusion(json_t *rules)
{
	const char *key;
	json_t *value;

	json_object_foreach (rules, key, value)
		if (is_on(value))
			return true;
	return false;
}

static int
take_filters(struct projection *projection, struct pxs_error *err)
{
	json_t *filters = json_object_get(projection->rules, "filters");

	if (!filters)
		return 0;
	projection->filters = json_string_value(filters);
	if (projection->filters && *projection->filters)
		return 0;
	return pxs_error_set(err, -EINVAL, -1,
			     "\"filters\" must be \".\" or the name of a property");
}

int
projection_parse(const char *text, struct projection *ret_projection, struct pxs_error *err)
{
	struct projection projection = { 0 };
	json_error_t fault;
	int r;

	projection.rules = json_loads(text, JSON_DECODE_ANY, &fault);
	if (!projection.rules)
		return pxs_error_set(err, -EINVAL, fault.position, "projection is not JSON: %s",
				     fault.text);
	if (json_is_object(projection.rules))
		r = take_filters(&projection, err);
	else
		r = pxs_error_set(err, -EINVAL, 0,
				  "projection must be an object, as {\"core.size\": 1}");
	if (r < 0) {
		projection_done(&projection);
		return r;
	}
	projection.inclusive = has_inclusion(projection.rules);
	*ret_projection = projection;
	return 0;
}

void
projection_done(struct projection *projection)
{
	json_decref(projection->rules);
	*projection = (struct projection){ 0 };
}

/* NAME is PREFIX itself or stands below it. */
static bool
is_within(const char *name, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(name, prefix, len) == 0 && (name[len] == '\0' || name[len] == '.');
}

bool
projection_shows(const struct projection *projection, const char *property)
{
	const char *key;
	json_t *value;

	if (!projection->rules)
		return true;
	json_object_foreach (projection->rules, key, value)
		if (is_on(value) == projection->inclusive && is_within(property, key))
			return projection->inclusive;
	return !projection->inclusive;
}
