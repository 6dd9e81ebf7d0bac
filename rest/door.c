#include "rest/door.h"

#include <errno.h>
#include <string.h>

#include <microhttpd.h>

#include "auth/auth.h"
#include "base/error.h"
#include "rest/reply.h"
#include "rest/request.h"
#include "rest/server.h"

#define REALM "Bearer realm=\"pxs\""

static int
refuse_stranger(const struct request *request, struct reply *reply, struct pxs_error *err)
{
	reply->refusal = request->rest->rfc6750 ? MHD_HTTP_UNAUTHORIZED : MHD_HTTP_FORBIDDEN;
	reply->challenge = REALM;
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

int
door_admit(struct request *request, unsigned int rights, struct reply *reply, struct pxs_error *err)
{
	int r = identify_peer(request);

	if (r < 0 && !rights)
		return 0;
	if (r < 0)
		return refuse_stranger(request, reply, err);
	return door_check(request, rights, reply, err);
}
