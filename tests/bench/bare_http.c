/* bare_http.c - the peer for the REST API: libmicrohttpd, and nothing behind it.
 *
 *     bare_http THREADS BYTES
 *
 * Whatever it is asked, it answers with one constant of BYTES bytes, which is made once, by as many
 * threads over epoll as our door has (rest/server.c). What a request costs here is what
 * libmicrohttpd and the kernel cost. It prints its port and ends when its standard input does. */
#include <inttypes.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <microhttpd.h>

#define THREADS_MAX 64
#define BYTES_MAX (64L << 20)

static enum MHD_Result
on_request(void *context, struct MHD_Connection *connection, const char *url, const char *method,
	   const char *version, const char *bytes, size_t *n_bytes, void **slot)
{
	(void)url;
	(void)method;
	(void)version;
	(void)bytes;
	*n_bytes = 0;
	if (!*slot) { /* the header alone is there: answer when all is, as a server must */
		*slot = context;
		return MHD_YES;
	}
	return MHD_queue_response(connection, MHD_HTTP_OK, context);
}

static struct MHD_Response *
make_response(size_t len)
{
	char *body = malloc(len);
	struct MHD_Response *response;

	if (!body)
		return NULL;
	memset(body, 'x', len);
	response = MHD_create_response_from_buffer(len, body, MHD_RESPMEM_MUST_FREE);
	if (!response)
		free(body);
	return response;
}

static struct MHD_Daemon *
start(unsigned int threads, struct MHD_Response *response)
{
	static const struct sockaddr_in LOOPBACK = { .sin_family = AF_INET,
						     .sin_addr.s_addr = 0x0100007f };
	const struct MHD_OptionItem pool[] = {
		{ threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, (intptr_t)threads,
		  NULL },
		{ MHD_OPTION_END, 0, NULL },
	};

	return MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, on_request, response,
				MHD_OPTION_SOCK_ADDR, &LOOPBACK, MHD_OPTION_CONNECTION_LIMIT, 4096U,
				MHD_OPTION_ARRAY, pool, MHD_OPTION_END);
}

static bool
read_number(const char *text, long max, long *ret_number)
{
	char *end;

	*ret_number = strtol(text, &end, 10);
	return !*end && *ret_number >= 1 && *ret_number <= max;
}

int
main(int argc, char **argv)
{
	const union MHD_DaemonInfo *info;
	struct MHD_Response *response;
	struct MHD_Daemon *daemon;
	long threads;
	long len;
	char byte;

	if (argc != 3 || !read_number(argv[1], THREADS_MAX, &threads) ||
	    !read_number(argv[2], BYTES_MAX, &len)) {
		(void)fprintf(stderr, "usage: bare_http THREADS BYTES\n");
		return 2;
	}
	response = make_response((size_t)len);
	daemon = response ? start((unsigned int)threads, response) : NULL;
	info = daemon ? MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT) : NULL;
	if (!info) {
		(void)fprintf(stderr, "bare_http: cannot start\n");
		return 1;
	}
	(void)printf("%u\n", (unsigned int)info->port);
	(void)fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	MHD_stop_daemon(daemon);
	MHD_destroy_response(response);
	return 0;
}
