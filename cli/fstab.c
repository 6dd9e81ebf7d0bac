/* `mount -t fuse.pxs SOURCE MOUNTPOINT`, from a shell or a line of fstab(5): mount(8) has
 * mount.fuse run us as `pxs SOURCE MOUNTPOINT -o OPTIONS`. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "cli/cli.h"
#include "cli/fstab.h"
#include "cli/message.h"

/* What mount(8) means for itself, or for every file system alike. A mount of pxs has none of these
 * anyway: no devices, no set-uid programs, nothing that is written later. */
static const char *const EVERYBODYS[] = {
	"async",      "atime",	     "auto",	"defaults", "dev",   "diratime",
	"exec",	      "group",	     "noatime", "noauto",   "nodev", "noexec",
	"nodiratime", "nofail",	     "nosuid",	"nouser",   "owner", "relatime",
	"rw",	      "strictatime", "suid",	"user",	    "users", "_netdev",
};

static bool
is_everybodys(const char *option)
{
	for (size_t i = 0; i < ARRAY_SIZE(EVERYBODYS); i++)
		if (strcmp(EVERYBODYS[i], option) == 0)
			return true;
	return strncmp(option, "x-", 2) == 0 || strncmp(option, "comment=", 8) == 0;
}

static int
keep_ours(char *options, struct pxs_buf *kept)
{
	char *option;

	while ((option = strsep(&options, ",")))
		if (*option && !is_everybodys(option))
			pxs_buf_addf(kept, "%s%s", kept->len ? "," : "", option);
	return kept->error;
}

bool
fstab_is_mount(int argc, char **argv)
{
	return argc >= 3 && (argv[1][0] == '/' || strcmp(argv[1], "none") == 0) &&
	       argv[2][0] == '/';
}

int
fstab_mount(int argc, char **argv, const struct cli_program *program)
{
	CLEANUP(pxs_buf) struct pxs_buf kept = PXS_BUF_INIT;
	struct pxs_error err = { 0 };
	char speaker[] = "mount.fuse.pxs", index[] = "--index", o[] = "-o";
	char *source = argv[1], *mountpoint = argv[2];
	char *arguments[] = { speaker, mountpoint, NULL, NULL, NULL, NULL, NULL };
	int n = 2, option, r = 0;

	while (r == 0 && (option = getopt(argc - 2, argv + 2, "o:sfnv")) != -1)
		if (option == '?')
			return CLI_USAGE;
		else if (option == 'o')
			r = keep_ours(optarg, &kept);
	optind = 0; /* the verb parses options, too */
	if (r < 0)
		return message_failure(speaker, r, &err);
	if (source[0] == '/') {
		arguments[n++] = index;
		arguments[n++] = source;
	}
	if (kept.len) {
		arguments[n++] = o;
		arguments[n++] = kept.data;
	}
	return CLI_MOUNT.run(n, arguments, program);
}
