/* Saved searches. A name may lie in groups, "pets/cats"; a group is a row of its own whose path is
 * empty, so that it can be made before anything is in it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/macros.h"
#include "base/utf8.h"
#include "index/db.h"
#include "index/index.h"
#include "index/sqlite_errno.h"
#include "index/state.h"

/* --- Names --- */

static int
check_part(const char *part, size_t len, struct pxs_error *err)
{
	if (len == 0)
		return pxs_error_set(err, -EINVAL, -1,
				     "a saved search's name has no empty part: GROUP/NAME");
	if (len > INDEX_SAVED_PART_MAX)
		return pxs_error_set(err, -ENAMETOOLONG, -1,
				     "a part of a saved search's name has at most %d bytes",
				     INDEX_SAVED_PART_MAX);
	if ((len == 1 && part[0] == '.') || (len == 2 && part[0] == '.' && part[1] == '.'))
		return pxs_error_set(err, -EINVAL, -1,
				     "no saved search and no group can be called '%.*s'", (int)len,
				     part);
	return 0;
}

static int
check_name(const char *name, struct pxs_error *err)
{
	size_t len = strlen(name);
	int r = 0;

	if (len > INDEX_SAVED_NAME_MAX)
		return pxs_error_set(err, -ENAMETOOLONG, -1,
				     "a saved search's name, with its groups, has at most %d bytes",
				     INDEX_SAVED_NAME_MAX);
	if (!pxs_utf8_valid(name, len))
		return pxs_error_set(err, -EINVAL, -1, "a saved search's name must be UTF-8");
	for (const char *part = name; r == 0 && part; part = strchr(part, '/')) {
		part += part > name; /* the slash */
		r = check_part(part, strcspn(part, "/"), err);
	}
	return r;
}

/* --- Statements, with the state locked --- */

/* SQL with texts as ?1 and ?2 (NULL: none) and, where it has it, the time as ?3. */
static int
prepare(sqlite3 *db, const char *sql, const char *first, const char *second,
	sqlite3_stmt **ret_stmt)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	int r = db_prepare_with(db, sql, first, &stmt);

	if (r == 0 && second)
		r = sqlite_errno(sqlite3_bind_text(stmt, 2, second, -1, SQLITE_STATIC));
	if (r == 0 && sqlite3_bind_parameter_count(stmt) >= 3)
		r = sqlite_errno(sqlite3_bind_int64(stmt, 3, pxs_clock_now_ns()));
	if (r < 0)
		return r;
	*ret_stmt = STEAL(stmt);
	return 0;
}

/* The number of rows that were changed. */
static int
change(sqlite3 *db, const char *sql, const char *first, const char *second)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	int r = prepare(db, sql, first, second, &stmt);

	if (r == 0)
		r = db_run(stmt);
	return r < 0 ? r : sqlite3_changes(db);
}

/* The number that SQL selects, 0 where it selects nothing. */
static int
select_number(sqlite3 *db, const char *sql, const char *first, const char *second)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	int r = prepare(db, sql, first, second, &stmt);
	int rc;

	if (r < 0)
		return r;
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		return sqlite3_column_int(stmt, 0);
	return rc == SQLITE_DONE ? 0 : sqlite_errno(rc);
}

static int
get_path(sqlite3 *db, const char *name, struct pxs_buf *path)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	int r = prepare(db, "SELECT path FROM saved WHERE name = ?1", name, NULL, &stmt);
	int rc;

	if (r < 0)
		return r;
	rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? -ENOENT : sqlite_errno(rc);
	pxs_buf_add(path, sqlite3_column_text(stmt, 0), (size_t)sqlite3_column_bytes(stmt, 0));
	return path->error;
}

/* --- Changing them --- */

static int
insert(sqlite3 *db, const char *name, const char *path)
{
	return change(db, "INSERT OR IGNORE INTO saved (name, path, created) VALUES (?1, ?2, ?3)",
		      name, path);
}

/* Makes the groups that NAME lies in where they are missing. */
static int
make_groups(sqlite3 *db, const char *name, struct pxs_error *err)
{
	int r = 0;

	for (const char *end = strchr(name, '/'); end && r >= 0; end = strchr(end + 1, '/')) {
		CLEANUP(pxs_buf) struct pxs_buf path = PXS_BUF_INIT;
		CLEANUP(free) char *group = strndup(name, (size_t)(end - name));

		r = group ? insert(db, group, "") : -ENOMEM;
		if (r == 0)
			r = get_path(db, group, &path);
		if (r == 0 && path.len)
			return pxs_error_set(err, -ENOTDIR, -1,
					     "'%.100s' is a saved search, no group", group);
	}
	return MIN(r, 0);
}

static int
refuse_taken(const char *name, struct pxs_error *err)
{
	return pxs_error_set(err, -EEXIST, -1, "there is a saved search or group '%.100s' already",
			     name);
}

/* Whether the search NAME gets another path, or is refused. */
static int
replace(sqlite3 *db, const char *name, const char *path, struct pxs_error *err)
{
	int r;

	if (!*path) /* a group */
		return refuse_taken(name, err);
	r = change(db, "UPDATE saved SET path = ?2 WHERE name = ?1 AND path <> ''", name, path);
	return r == 0 ? refuse_taken(name, err) : MIN(r, 0);
}

static int
check_count(sqlite3 *db, const char *name, struct pxs_error *err)
{
	int r = select_number(db, "SELECT count(*) FROM saved WHERE name <> ?1", name, NULL);

	if (r < INDEX_SAVED_MAX)
		return MIN(r, 0);
	return pxs_error_set(err, -EINVAL, -1,
			     "there are %d saved searches and groups already, the most that can "
			     "be; remove some",
			     INDEX_SAVED_MAX);
}

/* What is to be saved. */
struct change {
	const char *name;
	const char *path; /* or, where it is renamed, its new name */
	bool may_replace;
};

typedef int (*change_fn)(sqlite3 *db, const struct change *change, struct pxs_error *err);

static int
put(sqlite3 *db, const struct change *wanted, struct pxs_error *err)
{
	int r = check_count(db, wanted->name, err);

	if (r == 0)
		r = make_groups(db, wanted->name, err);
	if (r == 0)
		r = insert(db, wanted->name, wanted->path);
	if (r != 0)
		return MIN(r, 0);
	return wanted->may_replace ? replace(db, wanted->name, wanted->path, err)
				   : refuse_taken(wanted->name, err);
}

static int
refuse_missing(const char *name, struct pxs_error *err)
{
	return pxs_error_set(err, -ENOENT, -1, "there is no saved search or group '%.100s'", name);
}

/* What lies in group ?1, in the order of names: '0' follows '/'. */
#define IN_GROUP "name > ?1 || '/' AND name < ?1 || '0'"

/* The longest name that results, in bytes. */
static int
check_lengths(sqlite3 *db, const char *from, const char *to, struct pxs_error *err)
{
	int r = select_number(db,
			      "SELECT max(length(CAST(name AS BLOB))) - "
			      "length(CAST(?1 AS BLOB)) + length(CAST(?2 AS BLOB)) "
			      "FROM saved WHERE name = ?1 OR (" IN_GROUP ")",
			      from, to);

	if (r <= INDEX_SAVED_NAME_MAX)
		return MIN(r, 0);
	return pxs_error_set(
		err, -ENAMETOOLONG, -1,
		"a saved search's name, with its groups, would have more than %d bytes",
		INDEX_SAVED_NAME_MAX);
}

static int
move(sqlite3 *db, const struct change *wanted, struct pxs_error *err)
{
	const char *from = wanted->name;
	const char *to = wanted->path;
	size_t len = strlen(from);
	int r = select_number(db, "SELECT count(*) FROM saved WHERE name = ?1", from, NULL);

	if (r == 0)
		return refuse_missing(from, err);
	if (r > 0 && strncmp(to, from, len) == 0 && to[len] == '/')
		return pxs_error_set(err, -EINVAL, -1, "a group cannot be moved into itself");
	if (r > 0)
		r = make_groups(db, to, err);
	if (r == 0)
		r = check_lengths(db, from, to, err);
	if (r == 0)
		r = select_number(db, "SELECT count(*) FROM saved WHERE name = ?1", to, NULL);
	if (r > 0)
		return refuse_taken(to, err);
	if (r == 0)
		r = change(db,
			   "UPDATE saved SET name = ?2 || substr(name, length(?1) + 1) "
			   "WHERE name = ?1 OR (" IN_GROUP ")",
			   from, to);
	return MIN(r, 0);
}

static int
take_away(sqlite3 *db, const struct change *wanted, struct pxs_error *err)
{
	int r = select_number(db, "SELECT count(*) FROM saved WHERE " IN_GROUP, wanted->name, NULL);

	if (r > 0)
		return pxs_error_set(err, -ENOTEMPTY, -1, "the group '%.100s' is not empty",
				     wanted->name);
	if (r == 0)
		r = change(db, "DELETE FROM saved WHERE name = ?1", wanted->name, NULL);
	return r == 0 ? refuse_missing(wanted->name, err) : MIN(r, 0);
}

/* All of it or nothing. */
static int
run(sqlite3 *db, change_fn function, const struct change *wanted, struct pxs_error *err)
{
	int r = db_exec(db, "BEGIN IMMEDIATE");

	if (r == 0)
		r = function(db, wanted, err);
	if (r == 0)
		r = db_exec(db, "COMMIT");
	if (r < 0 && !sqlite3_get_autocommit(db))
		(void)db_exec(db, "ROLLBACK");
	return r;
}

static int
change_state(struct index *index, change_fn function, const struct change *wanted,
	     struct pxs_error *err)
{
	struct state *state = index_state(index);
	int r = run(state_lock(state), function, wanted, err);

	state_unlock(state);
	return r;
}

int
index_saved_put(struct index *index, const char *name, const char *path, bool may_replace,
		struct pxs_error *err)
{
	struct change wanted = { name, path, may_replace };
	int r = check_name(name, err);

	return r < 0 ? r : change_state(index, put, &wanted, err);
}

int
index_saved_rename(struct index *index, const char *from, const char *to, struct pxs_error *err)
{
	struct change wanted = { .name = from, .path = to };
	int r = check_name(to, err);

	return r < 0 ? r : change_state(index, move, &wanted, err);
}

int
index_saved_remove(struct index *index, const char *name, struct pxs_error *err)
{
	struct change wanted = { .name = name };

	return change_state(index, take_away, &wanted, err);
}

/* --- Reading them --- */

int
index_saved_get(struct index *index, const char *name, struct pxs_buf *path)
{
	struct state *state = index_state(index);
	int r = get_path(state_lock(state), name, path);

	state_unlock(state);
	return r;
}

void
index_saved_free(struct index_saved *saved, size_t n)
{
	for (size_t i = 0; saved && i < n; i++) {
		free(saved[i].name);
		free(saved[i].path);
	}
	free(saved);
}

static int
add_row(sqlite3_stmt *stmt, struct index_saved **saved, size_t *n)
{
	struct index_saved *more = realloc(*saved, (*n + 1) * sizeof(*more));
	struct index_saved *row;

	if (!more)
		return -ENOMEM;
	*saved = more;
	row = &more[(*n)++];
	row->name = strdup((const char *)sqlite3_column_text(stmt, 0));
	row->path = strdup((const char *)sqlite3_column_text(stmt, 1));
	row->created_ns = sqlite3_column_int64(stmt, 2);
	return row->name && row->path ? 0 : -ENOMEM;
}

static int
list(sqlite3 *db, struct index_saved **saved, size_t *n)
{
	CLEANUP(stmt) sqlite3_stmt *stmt = NULL;
	int rc = SQLITE_OK;
	int r;

	r = db_prepare(db, "SELECT name, path, created FROM saved ORDER BY name", &stmt);
	while (r == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
		r = add_row(stmt, saved, n);
	return r < 0 ? r : sqlite_errno(rc);
}

int
index_saved_list(struct index *index, struct index_saved **ret_saved, size_t *ret_n)
{
	struct state *state = index_state(index);
	struct index_saved *saved = NULL;
	size_t n = 0;
	int r = list(state_lock(state), &saved, &n);

	state_unlock(state);
	if (r < 0) {
		index_saved_free(saved, n);
		return r;
	}
	*ret_saved = saved;
	*ret_n = n;
	return 0;
}
