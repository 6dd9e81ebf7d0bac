/* The files of /.pxs. */
#include <inttypes.h>

#include "base/buf.h"
#include "base/clock.h"
#include "auth/auth.h"
#include "fs/errors.h"
#include "fs/mount.h"
#include "fs/record.h"
#include "fs/request.h"
#include "fs/virtual.h"
#include "query/query.h"

static const char README[] =
	"This is a pxs mount: a path is a search.\n"
	"\n"
	"  query/_all=cats                    documents with the word, and their facets\n"
	"  query/_all=cats/core.size/         the sizes they have, in about five ranges\n"
	"  query/_all=cats/core.size/1-100    those of one range\n"
	"  query/core.extension=.png,.jpg     one of several values\n"
	"  query/core.size=1000..2000         from 1000 to below 2000; 1000.. or ..2000\n"
	"  query/core.user=!root              another value, or none\n"
	"  query/core.creationtime=!..        no value; =.. any value\n"
	"  query/_all=cats/_sort=-core.size/_limit=10\n"
	"                                     the ten largest; '-' sorts downwards\n"
	"  query/                             lists the searches that you opened last\n"
	"  saved/                             ln -s ../query/_all=cats saved/cats keeps\n"
	"                                     a search, mkdir makes a group, mv and rmdir\n"
	"                                     rename and remove; {name} in a search waits\n"
	"                                     for a value: saved/by-owner=1000\n"
	"  id/123                             any document, by its _id\n"
	"\n"
	"In a value, %XX is any byte: %2C a comma, %21 '!', %2E%2E '..', %2F '/'.\n"
	"\n"
	"Results are read-only files with the content of the real ones, opened with\n"
	"your own rights; getfattr -d shows their properties.\n"
	"\n"
	"A folder that one condition narrows lists all useful facet folders, one that\n"
	"two narrow the three most useful, those below none, so that a program that\n"
	"follows symlinks comes to an end. They are there all the same, and\n"
	".pxs/facets.tsv names them.\n"
	"\n"
	"Every query folder has a folder .pxs:\n"
	"\n"
	"  count           how many results\n"
	"  paths           their true paths, one a line; those with a line break are\n"
	"                  in paths0 only\n"
	"  paths0          the same, each ended by a NUL byte: for xargs -0\n"
	"  facets.tsv      property, bucket, count, segment\n"
	"  query.json      what was asked, and of which generation of the catalogue\n"
	"  results.json    the first 1000 results, as Collection+JSON\n"
	"  meta/NAME.json  all properties of one result\n"
	"  tree/           the results in their original folders\n"
	"\n"
	"meta and tree are not listed with the others, so that a walk meets each\n"
	"result once, but they can be entered.\n"
	"\n"
	"Here in .pxs: status, schema (all properties), errors (your last failed\n"
	"operations, and why).\n";

int
fs_print_readme(struct fs_request *request, const struct fs_node *folder, struct pxs_buf *buf)
{
	(void)request;
	(void)folder;
	pxs_buf_add(buf, README, sizeof(README) - 1);
	return buf->error;
}

int
fs_print_status(struct fs_request *request, const struct fs_node *folder, struct pxs_buf *buf)
{
	const struct fs_options *options = &request->fs->options;
	struct index_view *view = fs_request_view(request);

	(void)folder;
	pxs_buf_addf(buf, "documents\t%" PRIu64 "\n", index_view_count(view));
	if (!request->viewer) /* it counts the changes of all documents */
		pxs_buf_addf(buf, "generation\t%" PRIu64 "\n", index_view_seq(view));
	pxs_buf_add_str(buf, "changed\t");
	query_time_print(index_view_changed_ns(view), buf);
	pxs_buf_add_str(buf, "\nmounted\t");
	query_time_print(request->fs->mounted_ns / PXS_NS_PER_S * PXS_NS_PER_S, buf);
	pxs_buf_addf(buf, "\nmountpoint\t%s\n", options->mountpoint);
	if (options->status && !request->viewer) /* it tells of all documents */
		options->status(options->context, buf);
	return buf->error;
}

int
fs_print_schema(struct fs_request *request, const struct fs_node *folder, struct pxs_buf *buf)
{
	const struct query_schema *schema = index_view_schema(fs_request_view(request));
	const struct query_property *property;

	(void)folder;
	for (size_t i = 0; i < schema->n_properties; i++) {
		property = schema->properties[i];
		if (property->name[0] != '_')
			pxs_buf_addf(buf, "%s\t%s\t%s\n", property->name,
				     query_type_name(property->type, property->multi),
				     property->prompt);
	}
	return buf->error;
}

/* Paths of others are no one's business, but whoever runs the daemon must see all. */
int
fs_print_errors(struct fs_request *request, const struct fs_node *folder, struct pxs_buf *buf)
{
	const struct auth_caller caller = { .uid = fs_request_uid(request) };
	bool all = auth_caller_is_operator(&caller);

	(void)folder;
	fs_errors_print(request->fs->errors, all ? FS_ERRORS_ALL : caller.uid, buf);
	return buf->error;
}
