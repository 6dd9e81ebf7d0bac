/* cli.h - the verbs of the command line, as clients of the REST API. */
#ifndef PXS_CLI_H
#define PXS_CLI_H

struct argp_option;
struct pxs_error;

/* Exit codes (research/reliability.md 3.2). */
enum cli_exit {
	CLI_OK = 0,
	CLI_NOTHING = 1, /* nothing found; or a failure without a code of its own */
	CLI_USAGE = 2,	 /* bad usage or bad query */
	CLI_PARTIAL = 3,
	CLI_DAMAGED = 4,
	CLI_NO_INDEX = 10,
	CLI_BUSY = 11,
	CLI_AUTH = 12,
	CLI_UNREACHABLE = 13,
	CLI_INTERRUPTED = 130,
	CLI_PIPE_CLOSED = 141, /* whoever read our output left; as a shell shows SIGPIPE */
};

/* Starts an engine inside this process, for verbs that need an index when no daemon answers. */
struct cli_local {
	/* Serve the index in INDEX_DIR (made if CREATE) at a private socket; *RET_SOCKET is the
	 * caller's to free, *RET_ENGINE goes to stop(). 0 or -errno with ERR. */
	int (*start)(const char *index_dir, int create, char **ret_socket, void **ret_engine,
		     struct pxs_error *err);
	void (*stop)(void *engine);
};

/* For pxs doctor: what is known below the REST API, and must be known without a daemon. */
struct cli_examine {
	/* Would a daemon take the configuration at PATH? 0 or -errno with ERR. */
	int (*config)(const char *path, struct pxs_error *err);
	/* Does this program find what the index needs? */
	int (*program)(struct pxs_error *err);
	/* Does the record in INDEX_DIR look like one that we know? -ENOENT: there is none. */
	int (*record)(const char *index_dir, struct pxs_error *err);
	/* The process that has the index open; 0: none. */
	int (*owner)(const char *index_dir, int *ret_pid);
	/* Where a helper of ours ("auth/pxs-auth") should be; the caller's to free. */
	int (*helper)(const char *built, char **ret_path);
};

struct cli_verb;

struct cli_program {
	const struct cli_verb *const *verbs; /* in the order of the help; NULL ends them */
	const struct cli_local *local;
	const struct cli_examine *examine;
};

/* One verb. The table of them, in main.c, is also the help, the completion and the manual. */
struct cli_verb {
	const char *name;
	const char *arguments;		   /* "[QUERY]", as in a usage line */
	const char *summary;		   /* one line */
	const struct argp_option *options; /* its own; an empty one ends them */
	unsigned int shared; /* which of the options that several verbs have: CLI_SHARED_* */
	/* ARGV[0] is "pxs VERB", for messages; the exit code. */
	int (*run)(int argc, char **argv, const struct cli_program *program);
};

#define CLI_SHARED_PLACE 1u   /* --index, --socket */
#define CLI_SHARED_JSON 2u    /* --json */
#define CLI_SHARED_COLOR 4u   /* --color */
#define CLI_SHARED_QUERY 8u   /* --where, --path, --sort */
#define CLI_SHARED_SERVER 16u /* --server, --token-file, --cacert */
#define CLI_SHARED_CLIENT (CLI_SHARED_PLACE | CLI_SHARED_SERVER)

extern const struct cli_verb CLI_MOUNT;
extern const struct cli_verb CLI_UMOUNT;
extern const struct cli_verb CLI_INGEST;
extern const struct cli_verb CLI_FIND;
extern const struct cli_verb CLI_EXPLAIN;
extern const struct cli_verb CLI_GET;
extern const struct cli_verb CLI_SET;
extern const struct cli_verb CLI_RM;
extern const struct cli_verb CLI_UNDELETE;
extern const struct cli_verb CLI_FACETS;
extern const struct cli_verb CLI_SAVED;
extern const struct cli_verb CLI_STATUS;
extern const struct cli_verb CLI_SYNC;
extern const struct cli_verb CLI_SCHEMA;
extern const struct cli_verb CLI_CHECK;
extern const struct cli_verb CLI_REPAIR;
extern const struct cli_verb CLI_DOCTOR;
extern const struct cli_verb CLI_USER;
extern const struct cli_verb CLI_TOKEN;
extern const struct cli_verb CLI_CERT;
extern const struct cli_verb CLI_VERSION;
extern const struct cli_verb CLI_MANUAL;
extern const struct cli_verb CLI_COMPLETION;
extern const struct cli_verb CLI_HELP;

/* Run the verb that ARGV[1] names: the exit code. */
int cli_main(int argc, char **argv, const struct cli_program *program);

#endif
