/* The file behind a document: where it lies, and whether what lies there is still it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/percent.h"
#include "index/parts.h"

static bool
value_of(const struct index_view *view, uint32_t doc, const char *name, struct query_value *ret)
{
	const struct query_property *property = query_schema_find(index_view_schema(view), name);

	return property && index_doc_value(view, doc, property, ret);
}

/* --- Paths of another machine --- */

void
path_rules_free(struct index *index)
{
	for (size_t i = 0; i < index->n_path_rules; i++) {
		free((char *)index->path_rules[i].from);
		free((char *)index->path_rules[i].to);
	}
	free(index->path_rules);
	index->path_rules = NULL;
	index->n_path_rules = 0;
}

int
index_map_paths(struct index *index, const struct index_path_rule *rules, size_t n)
{
	path_rules_free(index);
	index->path_rules = calloc(n + 1, sizeof(*index->path_rules));
	if (!index->path_rules)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct index_path_rule *rule = &index->path_rules[index->n_path_rules++];

		rule->from = strdup(rules[i].from);
		rule->to = strdup(rules[i].to);
		if (!rule->from || !rule->to)
			return -ENOMEM;
	}
	return 0;
}

/* The rule that counts for PATH, or NULL. */
static const struct index_path_rule *
rule_for(const struct index *index, const char *path)
{
	const struct index_path_rule *best = NULL;
	size_t best_len = 0;

	for (size_t i = 0; i < index->n_path_rules; i++) {
		const struct index_path_rule *rule = &index->path_rules[i];
		size_t len = strlen(rule->from);

		if (strncmp(path, rule->from, len) == 0 && (path[len] == '/' || !path[len]) &&
		    (!best || len > best_len)) {
			best = rule;
			best_len = len;
		}
	}
	return best;
}

void
path_map(const struct index *index, const char *path, struct pxs_buf *here)
{
	const struct index_path_rule *rule = rule_for(index, path);
	size_t before = here->len;

	if (rule)
		pxs_buf_add_str(here, rule->to);
	pxs_buf_add_str(here, path + (rule ? strlen(rule->from) : 0));
	if (rule && here->len == before)
		pxs_buf_add_str(here, "/"); /* the root itself */
}

/* --- Paths --- */

/* As it was indexed. */
static bool
add_path(const struct index_view *view, uint32_t doc, struct pxs_buf *path)
{
	struct query_value value;

	if (value_of(view, doc, "_index.path", &value))
		pxs_percent_decode(path, value.string, strlen(value.string));
	else if (value_of(view, doc, "core.pathname", &value))
		pxs_buf_add_str(path, value.string);
	else
		return false;
	return true;
}

bool
index_doc_path(const struct index_view *view, uint32_t doc, struct pxs_buf *path)
{
	CLEANUP(pxs_buf) struct pxs_buf there = PXS_BUF_INIT;

	if (view->index->n_path_rules == 0)
		return add_path(view, doc, path);
	if (!add_path(view, doc, &there))
		return false;
	path_map(view->index, pxs_buf_text(&there), path);
	if (there.error)
		path->error = there.error;
	return true;
}

static bool
is_mapped(const struct index_view *view, uint32_t doc)
{
	CLEANUP(pxs_buf) struct pxs_buf there = PXS_BUF_INIT;

	return view->index->n_path_rules > 0 && add_path(view, doc, &there) &&
	       rule_for(view->index, pxs_buf_text(&there));
}

/* Times may come in whole seconds, as some network file systems have them. */
static bool
looks_like(const struct index_view *view, uint32_t doc, const struct stat *st)
{
	struct query_value size, time;

	return value_of(view, doc, "core.size", &size) && size.integer == st->st_size &&
	       value_of(view, doc, "core.modificationtime", &time) &&
	       time.integer / PXS_NS_PER_S == st->st_mtim.tv_sec;
}

static bool
was_created_at(int fd, int64_t created_ns)
{
	struct statx stx;

	return statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &stx) == 0 &&
	       (stx.stx_mask & STATX_BTIME) &&
	       stx.stx_btime.tv_sec * PXS_NS_PER_S + stx.stx_btime.tv_nsec == created_ns;
}

bool
index_doc_is_file(const struct index_view *view, uint32_t doc, int fd, const struct stat *st)
{
	struct query_value value;

	if (S_ISREG(st->st_mode) && is_mapped(view, doc))
		return looks_like(view, doc, st);
	if (!S_ISREG(st->st_mode) || !value_of(view, doc, "core.inode", &value) ||
	    (uint64_t)value.integer != (st->st_ino & INT64_MAX))
		return false;
	if (value_of(view, doc, "core.device", &value) && (dev_t)value.integer == st->st_dev)
		return true;
	return value_of(view, doc, "core.creationtime", &value) &&
	       was_created_at(fd, value.integer);
}
