/* handlers.h - one function for each thing that can be asked; the table in route.c says when. */
#ifndef PXS_REST_HANDLERS_H
#define PXS_REST_HANDLERS_H

struct pxs_buf;
struct pxs_error;
struct pxs_json;
struct reply;
struct request;
struct rest;
struct search;

/* Fills REPLY and returns 0, or returns a negative errno, mostly with a sentence in ERR, which the
 * dispatcher makes a reply of. */
typedef int (*handler)(struct request *request, struct reply *reply, struct pxs_error *err);

int handle_home(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_version(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_files(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_explain(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_item(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_patch(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_delete(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_undelete(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_purge(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_saved(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_saved_put(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_saved_remove(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_removed(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_changes(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_content(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_metrics(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_health(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_ready(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_openapi(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_schema(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_status(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_failures(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_check(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_repair(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_jobs(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_job(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_job_submit(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_sync(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_sync_now(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_mounts(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_mount(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_unmount(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_token(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_token_info(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_token_revoke(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_oauth_metadata(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_users(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_user_add(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_user_change(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_user_remove(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_tokens(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_token_create(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_token_remove(struct request *request, struct reply *reply, struct pxs_error *err);
int handle_certificate(struct request *request, struct reply *reply, struct pxs_error *err);

#endif
