#include "index/sync/writer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/macros.h"
#include "index/sync/turn.h"
#include "index/sync/upstream.h"

/* Where no answer came: how often the document is read, and how long we wait before each time. */
#define LOOKS 3
#define LOOK_PAUSE_NS (PXS_NS_PER_S / 2)

static inline void
free_text_cleanup(char **text)
{
	free(*text);
}

/* --- What is here --- */

static int
keep(struct writer *writer, const json_t *item, struct pxs_error *err)
{
	int r;

	intake_clear(&writer->intake);
	r = intake_put(&writer->intake, &writer->reader, item, err);
	return r < 0 ? r : intake_commit(&writer->intake, writer->index, err);
}

static int
drop(struct writer *writer, int64_t id, struct pxs_error *err)
{
	intake_clear(&writer->intake);
	intake_remove(&writer->intake, id);
	return intake_commit(&writer->intake, writer->index, err);
}

/* Read the document ID and keep what there is. *RET_ANSWER is the caller's, the item the answer's.
 * -ENOENT: it is gone, and now here, too. */
static int
refresh(struct writer *writer, int64_t id, json_t **ret_answer, const json_t **ret_item,
	struct pxs_error *err)
{
	struct pxs_error why = { 0 };
	const json_t *items = NULL;
	char href[48];
	int r;

	(void)snprintf(href, sizeof(href), "/files/%" PRId64, id);
	r = upstream_get(writer->upstream, href, ret_answer, &why);
	if (r == -ENOENT) {
		r = drop(writer, id, err);
		return r < 0 ? r : -ENOENT;
	}
	if (r == 0)
		r = reader_items(*ret_answer, &items, &why);
	if (r < 0)
		return pxs_error_set(err, r, -1, "%s", pxs_error_text(&why, r));
	*ret_item = json_array_get(items, 0);
	if (json_integer_value(reader_value(*ret_item, "_id")) != id)
		return pxs_error_set(err, -EPROTO, -1,
				     "the upstream answers %s with another document", href);
	return keep(writer, *ret_item, err);
}

/* --- What came of it --- */

static bool
is_empty(const json_t *value)
{
	return !value || json_is_null(value) ||
	       (json_is_string(value) && json_string_length(value) == 0) ||
	       (json_is_array(value) && json_array_size(value) == 0);
}

static bool
has_element(const json_t *list, const json_t *wanted)
{
	const json_t *value;
	size_t i;

	json_array_foreach (list, i, value)
		if (json_equal(value, wanted))
			return true;
	return false;
}

/* Lists are sets. */
static bool
is_same(const json_t *a, const json_t *b)
{
	const json_t *value;
	size_t i;

	if (is_empty(a) || is_empty(b))
		return is_empty(a) && is_empty(b);
	if (!json_is_array(a) || !json_is_array(b))
		return json_equal(a, b);
	json_array_foreach (a, i, value)
		if (!has_element(b, value))
			return false;
	json_array_foreach (b, i, value)
		if (!has_element(a, value))
			return false;
	return true;
}

static bool
has_values(const json_t *item, const json_t *values)
{
	const char *name;
	const json_t *value;

	json_object_foreach ((json_t *)values, name, value)
		if (!is_same(value, reader_value(item, name)))
			return false;
	return true;
}

/* The version that ITEM is; false: of another document, or it does not say. */
static bool
read_version(const json_t *item, int64_t id, struct index_version *ret_version)
{
	const char *etag;
	int64_t its_id;

	if (reader_identity(item, &its_id, &etag, NULL) < 0 || its_id != id)
		return false;
	*ret_version = (struct index_version){
		.created_ns = reader_time(item, "_created"),
		.updated_ns = reader_time(item, "_updated"),
	};
	(void)snprintf(ret_version->etag, sizeof(ret_version->etag), "%s", etag);
	return true;
}

/* After ANSWER, which says that it is done. Another may have changed or removed the document since.
 */
static int
show(struct writer *writer, int64_t id, const json_t *answer, struct index_version *ret_version,
     struct pxs_error *err)
{
	CLEANUP(json_decref) json_t *now = NULL;
	struct pxs_error why = { 0 };
	const json_t *items = NULL;
	const json_t *item = NULL;
	bool told = reader_items(answer, &items, NULL) == 0 &&
		    read_version(json_array_get(items, 0), id, ret_version);
	int r = refresh(writer, id, &now, &item, &why);

	if (r == 0 && !told)
		told = read_version(item, id, ret_version);
	if (told && (r == 0 || r == -ENOENT))
		return 0;
	return pxs_error_set(err, -ETIMEDOUT, -1,
			     "the upstream has made the change, but it cannot be seen here yet: %s",
			     pxs_error_text(&why, r));
}

/* No answer came, and now the document is ITEM. VALUES NULL: it was to be deleted. */
static int
judge(const struct edit *edit, const json_t *item, const json_t *values,
      struct index_version *ret_version, struct pxs_error *err)
{
	if (!read_version(item, edit->id, ret_version) ||
	    strcmp(ret_version->etag, edit->etag) == 0)
		return pxs_error_set(err, -EHOSTUNREACH, -1,
				     "the upstream gave no answer, and has not made the change");
	if (!values)
		return pxs_error_set(err, -ESTALE, -1, "the document has changed at the upstream");
	if (has_values(item, values))
		return 0;
	return pxs_error_set(err, -ETIMEDOUT, -1,
			     "the upstream gave no answer, and the document has changed since; "
			     "whether this change was among it, nobody knows: look at it again");
}

/* No answer came, so nobody knows. */
static int
find_out(struct writer *writer, const struct edit *edit, const json_t *values,
	 struct index_version *ret_version, struct pxs_error *err)
{
	for (int i = 0; i < LOOKS && !atomic_load(writer->stop); i++) {
		CLEANUP(json_decref) json_t *answer = NULL;
		const struct timespec pause = { .tv_nsec = LOOK_PAUSE_NS };
		struct pxs_error why = { 0 };
		const json_t *item = NULL;
		int r;

		(void)nanosleep(&pause, NULL);
		r = refresh(writer, edit->id, &answer, &item, &why);
		if (r == 0)
			return judge(edit, item, values, ret_version, err);
		if (r == -ENOENT && !values)
			return 0;
		if (r == -ENOENT)
			return pxs_error_set(err, -ETIMEDOUT, -1,
					     "the upstream gave no answer, and the document is "
					     "gone; whether it was changed before, nobody knows");
	}
	return pxs_error_set(err, -ETIMEDOUT, -1,
			     "the upstream gave no answer; whether it has made the change will be "
			     "seen when it is back");
}

/* After an answer that says that nothing was changed. */
static int
refuse(struct writer *writer, const struct edit *edit, int r, const struct pxs_error *why,
       struct pxs_error *err)
{
	CLEANUP(json_decref) json_t *answer = NULL;
	const json_t *item = NULL;

	if (r != -EBUSY && r != -ENOENT)
		return pxs_error_set(err, r, -1, "%s", pxs_error_text(why, r));
	(void)refresh(writer, edit->id, &answer, &item, NULL);
	return pxs_error_set(err, -ESTALE, -1, "the document has changed at the upstream");
}

static bool
is_known(int r)
{
	return r == -EBUSY || r == -ENOENT || r == -EINVAL || r == -EACCES || r == -EEXIST ||
	       r == -EHOSTUNREACH || r == -ENOMEM || r == -ECANCELED;
}

/* --- The three changes --- */

/* {"template":{"data":[{"name":"user.tags","value":["a"]}]}}; NULL: out of memory. */
static char *
print_template(const json_t *values)
{
	json_t *data = json_array();
	json_t *body = json_pack("{s:{s:o}}", "template", "data", data);
	const char *name;
	json_t *value;
	char *text = NULL;
	int r = body ? 0 : -1;

	json_object_foreach ((json_t *)values, name, value)
		if (r == 0)
			r = json_array_append_new(
				data, json_pack("{s:s,s:O}", "name", name, "value", value));
	if (r == 0)
		text = json_dumps(body, JSON_COMPACT);
	json_decref(body);
	return text;
}

static int
send_patch(struct writer *writer, const struct edit *edit, const json_t *values,
	   struct index_version *ret_version, struct pxs_error *err)
{
	CLEANUP(free_text) char *body = print_template(values);
	CLEANUP(json_decref) json_t *answer = NULL;
	struct pxs_error why = { 0 };
	char href[48];
	struct upstream_request request = { "PATCH", href, edit->etag, body };
	int r;

	if (!body)
		return -ENOMEM;
	(void)snprintf(href, sizeof(href), "/files/%" PRId64, edit->id);
	r = upstream_ask(writer->upstream, &request, &answer, &why);
	if (r == 0)
		return show(writer, edit->id, answer, ret_version, err);
	return is_known(r) ? refuse(writer, edit, r, &why, err)
			   : find_out(writer, edit, values, ret_version, err);
}

static int
send_delete(struct writer *writer, const struct edit *edit, struct pxs_error *err)
{
	CLEANUP(json_decref) json_t *answer = NULL;
	struct pxs_error why = { 0 };
	char href[48];
	struct upstream_request request = { "DELETE", href, edit->etag, NULL };
	struct index_version version;
	int r;

	(void)snprintf(href, sizeof(href), "/files/%" PRId64, edit->id);
	r = upstream_ask(writer->upstream, &request, &answer, &why);
	if (r == 0)
		return drop(writer, edit->id, err);
	return is_known(r) ? refuse(writer, edit, r, &why, err)
			   : find_out(writer, edit, NULL, &version, err);
}

static int
send_undelete(struct writer *writer, const struct edit *edit, struct index_version *ret_version,
	      struct pxs_error *err)
{
	CLEANUP(json_decref) json_t *answer = NULL;
	CLEANUP(json_decref) json_t *now = NULL;
	struct pxs_error why = { 0 };
	const json_t *item = NULL;
	char href[64];
	struct upstream_request request = { "POST", href, NULL, NULL };
	int r;

	(void)snprintf(href, sizeof(href), "/files/%" PRId64 "/undelete", edit->id);
	r = upstream_ask(writer->upstream, &request, &answer, &why);
	if (r == -ENOENT || r == -EEXIST)
		return r;
	if (r == 0)
		return show(writer, edit->id, answer, ret_version, err);
	/* Whatever it answered, the document tells whether it is back. */
	if (refresh(writer, edit->id, &now, &item, NULL) == 0 &&
	    read_version(item, edit->id, ret_version))
		return 0;
	return pxs_error_set(err, r, -1, "%s", pxs_error_text(&why, r));
}

/* --- The face --- */

static int
patch(void *context, const struct edit *edit, const json_t *values,
      struct index_version *ret_version, struct pxs_error *err)
{
	struct writer *writer = context;
	int r;

	turn_take(writer->turn, true);
	r = send_patch(writer, edit, values, ret_version, err);
	turn_end(writer->turn);
	return r;
}

static int
remove_(void *context, const struct edit *edit, struct pxs_error *err)
{
	struct writer *writer = context;
	int r;

	turn_take(writer->turn, true);
	r = send_delete(writer, edit, err);
	turn_end(writer->turn);
	return r;
}

static int
undelete(void *context, const struct edit *edit, struct index_version *ret_version,
	 struct pxs_error *err)
{
	struct writer *writer = context;
	int r;

	turn_take(writer->turn, true);
	r = send_undelete(writer, edit, ret_version, err);
	turn_end(writer->turn);
	return r;
}

int
writer_open(struct writer *writer, const struct sync_options *options, struct pxs_error *err)
{
	int r = upstream_open(options, writer->stop, writer->pace, &writer->upstream, err);

	if (r < 0)
		return r;
	writer->hook = (struct edit_upstream){ patch, remove_, undelete, writer };
	edit_set_upstream(writer->index, &writer->hook);
	return 0;
}

void
writer_close(struct writer *writer)
{
	if (!writer->upstream)
		return;
	edit_set_upstream(writer->index, NULL);
	upstream_close(STEAL(writer->upstream));
	intake_done(&writer->intake);
}
