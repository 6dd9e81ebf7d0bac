/* doctor.h - the checks of pxs doctor: each looks at one thing, and tells what is wrong and what
 * to do about it. Nothing here changes anything, nor waits for what may never answer. */
#ifndef PXS_CLI_DOCTOR_H
#define PXS_CLI_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <jansson.h>

#include "base/error.h"

struct cli_program;
struct client;
struct options;
struct pxs_buf;

/* The worst that a check tells is its verdict; one that tells nothing is DOCTOR_OK. */
enum doctor_verdict {
	DOCTOR_OK,
	DOCTOR_SKIPPED, /* it could not look */
	DOCTOR_DOUBT,	/* it works, but perhaps not as wanted, or not for long */
	DOCTOR_FAULT,
};

/* What stat(2), statfs(2) and access(2) say of a path. */
struct doctor_look {
	int error; /* 0 or -errno, -ETIMEDOUT where no answer came; then the rest is 0 */
	bool is_readable;
	struct stat stat;
	struct statfs fs;
};

/* A mount of pxs. */
struct doctor_mount {
	char *mountpoint;
	char *options;
	bool is_covered; /* by another at its place */
	struct doctor_look look;
};

/* The patient: what all checks know, gathered once. */
struct doctor {
	const struct cli_program *program;
	char *config;	  /* NULL: there is none */
	json_t *settings; /* what stands in it: key: [value, ...] */
	char *index;
	struct doctor_look index_look;
	struct client *client; /* NULL: no daemon answers ... */
	int refusal;	       /* ... for this reason (-errno), */
	struct pxs_error why;  /* in words */
	json_t *status;	       /* NULL with CLIENT */
	struct doctor_mount *mounts;
	size_t n_mounts;

	const struct doctor_check *check; /* the one that looks now */
	json_t *findings;		  /* of all: {group, check, verdict, found, fix} */
};

struct doctor_check {
	const char *group;
	const char *name;
	const char *about; /* what is so when all is well */
	void (*look)(struct doctor *doctor);
};

/* Each ends with a row of NULLs. */
extern const struct doctor_check DOCTOR_MACHINE[];
extern const struct doctor_check DOCTOR_PROGRAM[];
extern const struct doctor_check DOCTOR_CONFIG[];
extern const struct doctor_check DOCTOR_INDEX[];
extern const struct doctor_check DOCTOR_DAEMON[];
extern const struct doctor_check DOCTOR_SOURCES[];
extern const struct doctor_check DOCTOR_MOUNT[];
extern const struct doctor_check DOCTOR_DOORS[];
extern const struct doctor_check DOCTOR_EXPORT[];

/* --- Telling (doctor_finding.c) --- */

/* One sentence of what was found. */
__attribute__((format(printf, 3, 4))) void
doctor_tell(struct doctor *doctor, enum doctor_verdict verdict, const char *fmt, ...);
/* What to do about what was told last: a sentence, or a command. */
__attribute__((format(printf, 2, 3))) void doctor_advise(struct doctor *doctor, const char *fmt,
							 ...);
/* The same, COMMAND with PATH as its last word, as a shell wants it. */
void doctor_advise_path(struct doctor *doctor, const char *command, const char *path);

/* False, and told as skipped, without a daemon to ask. */
bool doctor_has_daemon(struct doctor *doctor);

/* Runs CHECK: what it told, or that it had nothing to tell, is in DOCTOR's findings. */
void doctor_run(struct doctor *doctor, const struct doctor_check *check);
size_t doctor_count(const struct doctor *doctor, enum doctor_verdict verdict);
/* Adds the findings for a person; ALL: what is well as well, a line each. */
void doctor_print(const struct doctor *doctor, bool all, struct pxs_buf *out);
void doctor_print_json(const struct doctor *doctor, struct pxs_buf *out);

/* --- Looking (doctor_look.c) --- */

/* Never hangs, whatever is mounted at PATH: at most 5 s. */
void doctor_look(const char *path, struct doctor_look *ret_look);
/* WORK in a process of its own, whose RESULT (at most 4096 bytes) is handed back. -ETIMEDOUT: it
 * took longer than 5 s and was ended. */
int doctor_apart(void (*work)(const void *context, void *result), const void *context, void *result,
		 size_t size);
/* Adds the file at PATH, up to 1 MB. For files of the system, which never hang. */
int doctor_read(const char *path, struct pxs_buf *buf);
/* The number behind KEY at the beginning of a line of TEXT, as "MemTotal:  123 kB"; or FALLBACK. */
long long doctor_number(const char *text, const char *key, long long fallback);
/* Whether PATH is FOLDER or lies below it. */
bool doctor_is_inside(const char *path, const char *folder);

/* Whether a kernel's RELEASE ("6.1.0-18-amd64") is MAJOR.MINOR or later. */
bool doctor_is_kernel_since(const char *release, long major, long minor);
/* What the file system TYPE (statfs(2)) is called where other machines may write to it, or NULL. */
const char *doctor_remote_name(long type);
/* The setting in TEXT, a systemd unit, that gives it a mount namespace of its own, or NULL. */
const char *doctor_unit_hides(const char *text);
/* Whether updatedb keeps out of our mounts, by TEXT, its configuration (updatedb.conf(5)). */
bool doctor_updatedb_prunes(const char *text);
/* Tells what is wrong with the shares of our mounts in Samba's configuration at PATH. */
void doctor_look_at_shares(struct doctor *doctor, const char *path);

/* The value of a key in the configuration that counts, or NULL. */
const char *doctor_setting(const struct doctor *doctor, const char *key);

#endif
