#include "rest/template.h"

#include <errno.h>

#include "base/error.h"
#include "rest/request.h"

/* The entries of "data" by name; of several with one name the last counts. */
static int
collect(const json_t *data, json_t *values, struct pxs_error *err)
{
	const json_t *entry;
	json_t *value;
	size_t i;

	json_array_foreach (data, i, entry) {
		const char *name = json_string_value(json_object_get(entry, "name"));

		if (!name || !*name)
			return pxs_error_set(err, -EINVAL, -1,
					     "entry %zu of \"data\" has no \"name\"", i);
		value = json_object_get(entry, "value");
		value = value ? json_incref(value) : json_null();
		if (json_object_set_new(values, name, value) < 0)
			return -ENOMEM;
	}
	return 0;
}

int
template_read(const json_t *body, json_t **ret_values, struct pxs_error *err)
{
	const json_t *wrapper = json_object_get(body, "collection");
	const json_t *data = json_object_get(
		json_object_get(json_is_object(wrapper) ? wrapper : body, "template"), "data");
	CLEANUP(json_decref) json_t *values = NULL;
	int r;

	if (!json_is_array(data) || json_array_size(data) == 0)
		return pxs_error_set(err, -EINVAL, -1,
				     "the body must be {\"template\": {\"data\": [{\"name\": ..., "
				     "\"value\": ...}, ...]}}, with one entry at least");
	values = json_object();
	r = values ? collect(data, values, err) : -ENOMEM;
	if (r == 0)
		*ret_values = STEAL(values);
	return r;
}
