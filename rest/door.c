#include "rest/door.h"

#include <errno.h>
#include <string.h>

#include <microhttpd.h>

#include "auth/auth.h"
#include "base/error.h"
#include "rest/credentials.h"
#include "rest/reply.h"
#include "rest/request.h"
#include "rest/server.h"

#define REALM "Bearer realm=\"pxs\""

/* RFC 6750 section 3.1: no error is named to whom did not try. */
static int
refuse_stranger(const struct request *request, struct reply *reply, int r, struct pxs_error *err)
{
	unsigned int rfc6750 = r == -EINVAL ? MHD_HTTP_BAD_REQUEST : MHD_HTTP_UNAUTHORIZED;

	reply->refusal = request->rest->rfc6750 ? rfc6750 : MHD_HTTP_FORBIDDEN;
	reply->challenge = REALM ", error=\"invalid_token\"";
	if (r == -ENODATA)
		reply->challenge = REALM;
	else if (r == -EINVAL)
		reply->challenge = REALM ", error=\"invalid_request\"";
	return pxs_error_set(err, -EACCES, -1, "Please provide proper credentials");
}

static int
identify_peer(struct request *request)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	unsigned int others = request->rest->public_readers ? AUTH_READ : 0;
	struct auth_caller caller;
	int r = info ? auth_caller_from_peer(info->connect_fd, &caller) : -EIO;

	if (r == 0)
		auth_principal_from_caller(&caller, others, &request->who);
	return r;
}

/* The lowest of the bits that WANTED has and HELD has not. */
static unsigned int
first_missing(unsigned int wanted, unsigned int held)
{
	unsigned int missing = wanted & ~held;

	return missing & -missing;
}

int
door_check(const struct request *request, unsigned int rights, struct reply *reply,
	   struct pxs_error *err)
{
	unsigned int missing = first_missing(rights, request->who.rights);

	if (!missing)
		return 0;
	reply->refusal = MHD_HTTP_FORBIDDEN;
	reply->challenge = REALM ", error=\"insufficient_scope\"";
	if (request->who.means == AUTH_BY_SOCKET)
		return pxs_error_set(err, -EPERM, -1,
				     "%s right required: only root and the user of the daemon have "
				     "it; others may search if it runs with --public",
				     auth_right_name(missing));
	return pxs_error_set(err, -EPERM, -1, "%s right required", auth_right_name(missing));
}

/* Whoever presents a token is who it says, even where the kernel knows him. */
static int
identify(struct request *request)
{
	CLEANUP(pxs_buf) struct pxs_buf token = PXS_BUF_INIT;
	int r = credentials_read(request_header(request, MHD_HTTP_HEADER_AUTHORIZATION),
				 request_header(request, MHD_HTTP_HEADER_WWW_AUTHENTICATE), &token);

	if (r == -ENODATA)
		return request->server->local ? identify_peer(request) : r;
	if (r == 0 && request->rest->auth)
		r = auth_token_check(request->rest->auth, pxs_buf_text(&token), &request->who,
				     NULL);
	else if (r == 0)
		r = -EACCES;
	if (token.data)
		explicit_bzero(token.data, token.len);
	return r;
}

int
door_admit(struct request *request, unsigned int rights, struct reply *reply, struct pxs_error *err)
{
	int r = identify(request);

	if (r < 0 && !rights)
		return 0;
	if (r < 0)
		return refuse_stranger(request, reply, r, err);
	return door_check(request, rights, reply, err);
}
