#include "rest/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include <microhttpd.h>

#include "rest/request.h"

#define NETWORK_BYTES 8

void
peer_address(const struct request *request, char text[PEER_SIZE])
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *address = info ? info->client_addr : NULL;
	struct in6_addr six = { 0 };

	(void)stpcpy(text, "local");
	if (address && address->sa_family == AF_INET)
		(void)inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, text,
				PEER_SIZE);
	if (!address || address->sa_family != AF_INET6)
		return;
	six = ((const struct sockaddr_in6 *)address)->sin6_addr;
	if (!IN6_IS_ADDR_V4MAPPED(&six))
		memset(six.s6_addr + NETWORK_BYTES, 0, sizeof(six) - NETWORK_BYTES);
	(void)inet_ntop(AF_INET6, &six, text, PEER_SIZE);
}
