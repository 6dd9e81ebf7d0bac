#include "cli/secret.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"

#define LINE_MAX_BYTES 4096

void
secret_free(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

static int
first_line(FILE *file, const char *name, char **ret_text, struct pxs_error *err)
{
	char line[LINE_MAX_BYTES];
	size_t len;
	int r = 0;

	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	len = strcspn(line, "\r\n");
	if (len == 0 || len + 1 == sizeof(line))
		return pxs_error_set(err, -EINVAL, -1, "the first line of %s must be the password",
				     name);
	line[len] = '\0';
	*ret_text = strdup(line);
	if (!*ret_text)
		r = -ENOMEM;
	explicit_bzero(line, sizeof(line));
	return r;
}

/* As getpass(3) does, which is obsolete. */
static int
ask(char **ret_text, struct pxs_error *err)
{
	CLEANUP(fclose) FILE *terminal = fopen("/dev/tty", "r+e");
	struct termios shown;
	struct termios hidden;
	int r;

	if (!terminal || tcgetattr(fileno(terminal), &shown) < 0)
		return pxs_error_set(err, -EINVAL, -1,
				     "there is no terminal to ask for the password; use "
				     "--password-file");
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	(void)fputs("Password: ", terminal);
	(void)fflush(terminal);
	(void)tcsetattr(fileno(terminal), TCSAFLUSH, &hidden);
	r = first_line(terminal, "what you type", ret_text, err);
	(void)tcsetattr(fileno(terminal), TCSAFLUSH, &shown);
	(void)fputs("\n", terminal);
	return r;
}

int
secret_read(const char *path, char **ret_text, struct pxs_error *err)
{
	CLEANUP(fclose) FILE *file = NULL;

	if (!path)
		return ask(ret_text, err);
	if (strcmp(path, "-") == 0)
		return first_line(stdin, "standard input", ret_text, err);
	file = fopen(path, "re");
	if (!file)
		return pxs_error_set(err, -errno, -1, "cannot read %s: %m", path);
	return first_line(file, path, ret_text, err);
}
