/* pxs-auth: asks PAM whether somebody has a password and may come in; started by the daemon.
 *
 *	pxs-auth SERVICE	questions on standard input, a socket (pam_wire.h)
 *
 * Whoever wants it may make it block or crash: it is one of several, and is replaced. It ends when
 * the daemon does. No file of its memory is ever written, as passwords pass through it. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <security/pam_appl.h>

#include "auth/pam_wire.h"
#include "base/macros.h"

struct question {
	char *user;
	char *from;
	char *password;
};

static int
answer_messages(int n, const struct pam_message **messages, struct pam_response *answers,
		const char *password)
{
	for (int i = 0; i < n; i++) {
		if (messages[i]->msg_style == PAM_ERROR_MSG ||
		    messages[i]->msg_style == PAM_TEXT_INFO)
			continue;
		if (messages[i]->msg_style != PAM_PROMPT_ECHO_OFF)
			return PAM_CONV_ERR; /* anything but a password: a second factor */
		answers[i].resp = strdup(password);
		if (!answers[i].resp)
			return PAM_BUF_ERR;
	}
	return PAM_SUCCESS;
}

static int
converse(int n, const struct pam_message **messages, struct pam_response **ret_answers,
	 void *password)
{
	struct pam_response *answers;
	int r;

	if (n <= 0 || n > PAM_MAX_NUM_MSG)
		return PAM_CONV_ERR;
	answers = calloc((size_t)n, sizeof(*answers));
	if (!answers)
		return PAM_BUF_ERR;
	r = answer_messages(n, messages, answers, password);
	if (r != PAM_SUCCESS) {
		for (int i = 0; i < n; i++)
			free(answers[i].resp);
		free(answers);
		return r;
	}
	*ret_answers = answers;
	return PAM_SUCCESS;
}

/* The daemon holds a wrong answer back by itself, for as long as it wants to. */
static void
no_delay(int result, unsigned int delay_us, void *context)
{
	(void)result;
	(void)delay_us;
	(void)context;
}

static bool
is_welcome(const char *service, const struct question *question)
{
	const struct pam_conv conversation = { converse, question->password };
	/* pam_set_item(3): a function as a pointer to data, which POSIX allows. */
	void (*delay)(int, unsigned int, void *) = no_delay;
	pam_handle_t *pam = NULL;
	int r = pam_start(service, question->user, &conversation, &pam);

	if (r == PAM_SUCCESS)
		r = pam_set_item(pam, PAM_RHOST, question->from);
	if (r == PAM_SUCCESS)
		r = pam_set_item(pam, PAM_FAIL_DELAY, *(void **)&delay);
	if (r == PAM_SUCCESS)
		r = pam_authenticate(pam, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
	/* Also who has the right password may have expired, or may not come at this hour. */
	if (r == PAM_SUCCESS)
		r = pam_acct_mgmt(pam, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
	if (pam)
		(void)pam_end(pam, r);
	return r == PAM_SUCCESS;
}

/* The next of the NUL-ended texts before END; NULL: there is none. */
static char *
next_text(char **at, const char *end)
{
	char *text = *at;
	char *nul = text < end ? memchr(text, '\0', (size_t)(end - text)) : NULL;

	if (!nul)
		return NULL;
	*at = nul + 1;
	return text;
}

static bool
read_question(char *packet, size_t len, struct question *question)
{
	char *at = packet;
	const char *end = packet + len;

	question->user = next_text(&at, end);
	question->from = next_text(&at, end);
	question->password = next_text(&at, end);
	return question->password && at == end;
}

int
main(int argc, char **argv)
{
	char packet[PAM_WIRE_MAX];
	struct question question;
	ssize_t len;

	if (argc != 2)
		return 2;
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)prctl(PR_SET_NAME, "pxs-auth");
	while ((len = recv(STDIN_FILENO, packet, sizeof(packet), 0)) > 0) {
		bool yes = read_question(packet, (size_t)len, &question) &&
			   is_welcome(argv[1], &question);
		char answer = yes ? PAM_WIRE_YES : PAM_WIRE_NO;

		explicit_bzero(packet, sizeof(packet));
		if (send(STDIN_FILENO, &answer, 1, MSG_NOSIGNAL) != 1)
			return 1;
	}
	return 0;
}
