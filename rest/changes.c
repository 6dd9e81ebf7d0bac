/* GET /changes: what changed, to follow a catalogue without reading it whole again and again. A
 * client keeps the link `next`, which goes on where this answer ended, whatever happens meanwhile.
 * GET /removed: what can be brought back. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/macros.h"
#include "index/index.h"
#include "rest/collection.h"
#include "rest/handlers.h"
#include "rest/reply.h"
#include "rest/request.h"
#include "rest/server.h"

#define CHANGES_DEFAULT 1000
#define CHANGES_MAX 10000
#define WAIT_MAX_S 60
#define REMOVED_DEFAULT 100
#define REMOVED_MAX 1000

struct feed {
	const struct request *request;
	struct index_view *view;
	struct index_changes changes;
	uint64_t wait_s;
};

static int
parse_seq(const struct request *request, const char *name, uint64_t *ret_seq, struct pxs_error *err)
{
	const char *text = request_param(request, name);
	size_t len = text ? strlen(text) : 0;

	if (len == 0 || len > 18 || strspn(text, "0123456789") != len)
		return pxs_error_set(err, -EINVAL, -1,
				     "%s must be a number from a link or answer of ours", name);
	*ret_seq = strtoull(text, NULL, 10);
	return 0;
}

/* Without `since` nothing is told but where we are: what comes after it can be followed. */
static int
begin(struct feed *feed, struct pxs_error *err)
{
	int r = request_view(feed->request, &feed->view);

	if (r < 0)
		return r;
	feed->changes.seq = index_view_seq(feed->view);
	feed->wait_s = request_param_count(feed->request, "wait", 0, WAIT_MAX_S);
	feed->changes.max = request_param_count(feed->request, "max_results", CHANGES_DEFAULT,
						CHANGES_MAX);
	feed->changes.list = calloc(feed->changes.max, sizeof(*feed->changes.list));
	if (!feed->changes.list)
		return -ENOMEM;
	return request_param(feed->request, "since")
		       ? parse_seq(feed->request, "since", &feed->changes.seq, err)
		       : 0;
}

static int
read_changes(struct feed *feed, struct pxs_error *err)
{
	int r = index_changes(feed->view, &feed->changes);

	if (r == -ESTALE)
		return pxs_error_set(err, r, -1,
				     "what changed after %" PRIu64
				     " is no longer known here: read the catalogue anew, after "
				     "asking /changes where it stands",
				     feed->changes.seq);
	return r;
}

/* Wait for a change that the caller sees; what others see may come and go meanwhile. */
static int
read_or_wait(struct feed *feed, struct pxs_error *err)
{
	struct index_budget budget;
	int r = read_changes(feed, err);

	request_budget(feed->request, &budget);
	budget.deadline_ns = pxs_clock_steady_ns() + (int64_t)feed->wait_s * PXS_NS_PER_S;
	while (r == 0 && feed->changes.n == 0 && feed->wait_s) {
		r = index_wait(feed->request->rest->index, feed->changes.seq, &budget);
		if (r < 0)
			break;
		index_view_put(STEAL(feed->view));
		r = request_view(feed->request, &feed->view);
		if (r == 0)
			r = read_changes(feed, err);
	}
	return r == -ETIMEDOUT ? 0 : r;
}

static void
write_pair(struct pxs_json *json, const char *prompt, const char *name)
{
	pxs_json_begin_object(json);
	pxs_json_pair(json, "prompt", prompt);
	pxs_json_pair(json, "name", name);
	pxs_json_key(json, "value");
}

static void
write_change(struct pxs_json *json, const struct feed *feed, const struct index_change *change)
{
	CLEANUP(pxs_buf) struct pxs_buf href = PXS_BUF_INIT;
	char etag[INDEX_ETAG_SIZE];

	pxs_buf_addf(&href, "/files/%" PRId64, change->id);
	pxs_json_begin_object(json);
	pxs_json_pair(json, "href", pxs_buf_text(&href));
	pxs_json_key(json, "data");
	pxs_json_begin_array(json);
	write_pair(json, "_id", "_id");
	pxs_json_int(json, change->id);
	pxs_json_end_object(json);
	write_pair(json, "_seq", "_seq");
	pxs_json_int(json, (int64_t)change->seq);
	pxs_json_end_object(json);
	write_pair(json, "_updated", "_updated");
	query_time_write(change->time_ns - change->time_ns % PXS_NS_PER_S, json);
	pxs_json_end_object(json);
	write_pair(json, "_deleted", "_deleted");
	pxs_json_bool(json, change->removed);
	pxs_json_end_object(json);
	if (!change->removed) {
		index_doc_etag(feed->view, change->doc, etag);
		write_pair(json, "_etag", "_etag");
		pxs_json_string(json, etag);
		pxs_json_end_object(json);
	}
	pxs_json_end_array(json);
	pxs_json_end_object(json);
	if (href.error)
		json->buf->error = href.error;
}

static void
print_next(const struct feed *feed, struct pxs_buf *buf)
{
	pxs_buf_addf(buf, "/changes?since=%" PRIu64, feed->changes.seq);
	if (feed->changes.max != CHANGES_DEFAULT)
		pxs_buf_addf(buf, "&max_results=%zu", feed->changes.max);
	if (feed->wait_s)
		pxs_buf_addf(buf, "&wait=%" PRIu64, feed->wait_s);
}

static int
write_feed(struct reply *reply, const struct feed *feed)
{
	CLEANUP(pxs_buf) struct pxs_buf next = PXS_BUF_INIT;
	char identity[INDEX_IDENTITY_SIZE];
	struct pxs_json json;

	print_next(feed, &next);
	reply_begin(reply, feed->request, REPLY_COLLECTION, &json);
	collection_begin(&json, "/changes");
	pxs_json_key(&json, "links");
	pxs_json_begin_array(&json);
	collection_link(&json, "next", "next", "Next", pxs_buf_text(&next));
	collection_link(&json, "parent", "parent", "Home", "/");
	pxs_json_end_array(&json);
	pxs_json_key(&json, "properties");
	pxs_json_begin_array(&json);
	write_pair(&json, "Told up to change", "seq");
	pxs_json_int(&json, (int64_t)feed->changes.seq);
	pxs_json_end_object(&json);
	write_pair(&json, "Newest change", "newest");
	pxs_json_int(&json, (int64_t)index_view_seq(feed->view));
	pxs_json_end_object(&json);
	/* By which a follower knows that none was lost on the way. */
	write_pair(&json, "Changes told here", "changes");
	pxs_json_int(&json, (int64_t)feed->changes.n);
	pxs_json_end_object(&json);
	/* Numbers of another index mean other changes. */
	index_identity(feed->request->rest->index, identity);
	write_pair(&json, "Index that counts them", "index");
	pxs_json_string(&json, identity);
	pxs_json_end_object(&json);
	pxs_json_end_array(&json);
	pxs_json_key(&json, "items");
	pxs_json_begin_array(&json);
	for (size_t i = 0; i < feed->changes.n; i++)
		write_change(&json, feed, &feed->changes.list[i]);
	pxs_json_end_array(&json);
	collection_end(&json);
	return next.error ? next.error : reply->body.error;
}

int
handle_changes(struct request *request, struct reply *reply, struct pxs_error *err)
{
	struct feed feed = { .request = request };
	int r = begin(&feed, err);

	if (r == 0)
		r = read_or_wait(&feed, err);
	if (r == 0)
		r = write_feed(reply, &feed);
	index_view_put(feed.view);
	free(feed.changes.list);
	return r;
}

/* --- Removed documents --- */

/* Whoever sees all documents sees all removals, others their own. */
static bool
is_his(const struct request *request, const struct index_removed *removed)
{
	return (request->who.rights & AUTH_BYPASS) || strcmp(removed->user, request->who.user) == 0;
}

static void
write_removed(struct pxs_json *json, const struct index_removed *removed)
{
	pxs_json_begin_object(json);
	pxs_json_key(json, "id");
	pxs_json_int(json, removed->id);
	reply_path(json, "path", removed->path);
	pxs_json_pair(json, "user", removed->user);
	pxs_json_key(json, "time");
	query_time_write(removed->time_ns - removed->time_ns % PXS_NS_PER_S, json);
	pxs_json_end_object(json);
}

int
handle_removed(struct request *request, struct reply *reply, struct pxs_error *err)
{
	size_t max = request_param_count(request, "max_results", REMOVED_DEFAULT, REMOVED_MAX);
	struct index_removed *removed = NULL;
	struct pxs_json json;
	uint64_t before = 0;
	size_t n = 0;
	int r = request_param(request, "before") ? parse_seq(request, "before", &before, err) : 0;

	if (r == 0)
		r = index_removed_list(request->rest->index, before, max, &removed, &n);
	if (r < 0 || !removed)
		return r;
	reply_begin(reply, request, REPLY_JSON, &json);
	pxs_json_begin_object(&json);
	pxs_json_key(&json, "removed");
	pxs_json_begin_array(&json);
	for (size_t i = 0; i < n; i++)
		if (is_his(request, &removed[i]))
			write_removed(&json, &removed[i]);
	pxs_json_end_array(&json);
	pxs_json_key(&json, "before"); /* for the next ones; null: these were the last */
	if (n == max)
		pxs_json_int(&json, (int64_t)removed[n - 1].seq);
	else
		pxs_json_null(&json);
	pxs_json_end_object(&json);
	index_removed_free(removed, n);
	return reply->body.error;
}
