#include "auth/pam.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/pam_wire.h"
#include "base/error.h"
#include "base/helper.h"

struct worker {
	struct pxs_helper helper;
	bool busy; /* somebody's, who alone uses it */
};

struct pam {
	char *helper;
	char *service;
	int deadline_s;
	pthread_mutex_t lock; /* of busy */
	pthread_cond_t freed;
	struct worker workers[PAM_WORKERS];
};

int
pam_open(const char *helper, const char *service, int deadline_s, struct pam **ret_pam,
	 struct pxs_error *err)
{
	CLEANUP(pam) struct pam *pam = calloc(1, sizeof(*pam));

	if (!pam)
		return -ENOMEM;
	(void)pthread_mutex_init(&pam->lock, NULL);
	(void)pthread_cond_init(&pam->freed, NULL);
	if (access(helper, X_OK) < 0)
		return pxs_error_set(err, -errno, -1,
				     "cannot run %s, which asks PAM for passwords: %m", helper);
	pam->deadline_s = deadline_s;
	pam->helper = strdup(helper);
	pam->service = strdup(service);
	if (!pam->helper || !pam->service)
		return -ENOMEM;
	*ret_pam = STEAL(pam);
	return 0;
}

void
pam_close(struct pam *pam)
{
	if (!pam)
		return;
	for (int i = 0; i < PAM_WORKERS; i++)
		pxs_helper_stop(&pam->workers[i].helper);
	(void)pthread_cond_destroy(&pam->freed);
	(void)pthread_mutex_destroy(&pam->lock);
	free(pam->helper);
	free(pam->service);
	free(pam);
}

static struct worker *
take_worker(struct pam *pam)
{
	struct worker *worker = NULL;

	(void)pthread_mutex_lock(&pam->lock);
	while (!worker) {
		for (int i = 0; i < PAM_WORKERS && !worker; i++)
			if (!pam->workers[i].busy)
				worker = &pam->workers[i];
		if (!worker)
			(void)pthread_cond_wait(&pam->freed, &pam->lock);
	}
	worker->busy = true;
	(void)pthread_mutex_unlock(&pam->lock);
	return worker;
}

static void
give_back(struct pam *pam, struct worker *worker)
{
	(void)pthread_mutex_lock(&pam->lock);
	worker->busy = false;
	(void)pthread_cond_signal(&pam->freed);
	(void)pthread_mutex_unlock(&pam->lock);
}

static int
put(char **at, const char *end, const char *text)
{
	size_t size = strlen(text) + 1;

	if (size > (size_t)(end - *at))
		return -EMSGSIZE;
	memcpy(*at, text, size);
	*at += size;
	return 0;
}

static int
ask(const struct pam *pam, const struct worker *worker, const char *user, const char *password,
    const char *from)
{
	char question[PAM_WIRE_MAX];
	char *at = question;
	const char *end = question + sizeof(question);
	char answer = PAM_WIRE_NO;
	int r = put(&at, end, user);

	if (r == 0)
		r = put(&at, end, from);
	if (r == 0)
		r = put(&at, end, password);
	if (r == 0)
		r = pxs_helper_ask(&worker->helper, question, (size_t)(at - question), &answer,
				   sizeof(answer), pam->deadline_s);
	explicit_bzero(question, sizeof(question));
	if (r < 0)
		return r;
	return answer == PAM_WIRE_YES ? 0 : -EACCES;
}

int
pam_check(struct pam *pam, const char *user, const char *password, const char *from)
{
	struct worker *worker = take_worker(pam);
	int r = pxs_helper_start(&worker->helper, pam->helper, pam->service);

	if (r == 0)
		r = ask(pam, worker, user, password, from);
	/* One that died before the question came gets a successor at once. */
	if (r == -EPIPE) {
		pxs_helper_stop(&worker->helper);
		r = pxs_helper_start(&worker->helper, pam->helper, pam->service);
		if (r == 0)
			r = ask(pam, worker, user, password, from);
	}
	if (r < 0 && r != -EACCES)
		pxs_helper_stop(&worker->helper);
	give_back(pam, worker);
	return r < 0 ? -EACCES : 0;
}
