/* secret.h - passwords that verbs are given: from a file, never from the command line, which
 * everybody can read. */
#ifndef PXS_CLI_SECRET_H
#define PXS_CLI_SECRET_H

struct pxs_error;

/* The first line of the file at PATH ("-": standard input; NULL: asked for on the terminal, where
 * it is not shown), without its end; the caller's to free. -EINVAL: it is empty or too long. */
int secret_read(const char *path, char **ret_text, struct pxs_error *err);
/* Overwrites, then frees; NULL is allowed. */
void secret_free(char *text);
static inline void
secret_cleanup(char **text)
{
	secret_free(*text);
}

#endif
