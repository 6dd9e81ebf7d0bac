/* peer.h - where a request comes from. */
#ifndef PXS_REST_PEER_H
#define PXS_REST_PEER_H

struct request;

#define PEER_SIZE 64

/* The client's address as text; of IPv6 the network (/64), as one client has all of it; "local" for
 * a Unix socket. */
void peer_address(const struct request *request, char text[PEER_SIZE]);

#endif
