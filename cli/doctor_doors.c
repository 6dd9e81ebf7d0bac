/* The doors: the socket, the addresses, the certificate that clients see. */
#include "cli/doctor.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/answer.h"
#include "cli/client.h"

#define DAY_S ((json_int_t)24 * 3600)
#define CERTIFICATE_MIN_S (30 * DAY_S)

static void
check_socket(struct doctor *doctor)
{
	const char *socket = doctor_setting(doctor, "socket");

	if (!socket || strlen(socket) < sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return;
	doctor_tell(doctor, DOCTOR_FAULT, "the path of the socket is too long, %zu bytes: %s",
		    strlen(socket), socket);
	doctor_advise(doctor, "a shorter one in the configuration, as socket = /run/pxs/pxs.sock");
}

struct door {
	const char *address;
	bool connect; /* else bind */
};

static int
try_address(const struct addrinfo *info, bool connects)
{
	CLEANUP(close)
	int fd = socket(info->ai_family, info->ai_socktype | SOCK_CLOEXEC, info->ai_protocol);
	int on = 1;

	if (fd < 0)
		return -errno;
	if (connects)
		return connect(fd, info->ai_addr, info->ai_addrlen) < 0 ? -errno : 0;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	return bind(fd, info->ai_addr, info->ai_addrlen) < 0 ? -errno : 0;
}

/* Apart, as names may take long. RESULT: 0 or -errno. */
static void
try_door(const void *context, void *result)
{
	const struct door *door = context;
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
				  .ai_flags = door->connect ? 0 : AI_PASSIVE };
	struct addrinfo *all = NULL;
	char address[512];
	int *r = result;
	char *port;
	char *host = address;

	(void)snprintf(address, sizeof(address), "%s", door->address);
	port = strrchr(address, ':');
	*r = -EINVAL;
	if (!port)
		return;
	*port++ = '\0';
	if (host[0] == '[' && strchr(host, ']')) {
		*strchr(host, ']') = '\0';
		host++;
	}
	*r = -EADDRNOTAVAIL;
	if (getaddrinfo(*host ? host : NULL, port, &hints, &all) != 0)
		return;
	/* Any of a name's addresses will do, as for the daemon. */
	for (const struct addrinfo *info = all; info && *r < 0; info = info->ai_next)
		*r = try_address(info, door->connect);
	freeaddrinfo(all);
}

/* With a daemon somebody must listen there, without one nobody. Port 0 is a free one. */
static void
check_door(struct doctor *doctor, const char *key)
{
	struct door door = { doctor_setting(doctor, key), doctor->client != NULL };
	const char *port;
	int answer = 0;
	int r;

	port = door.address ? strrchr(door.address, ':') : NULL;
	if (!door.address || (port && strcmp(port, ":0") == 0))
		return;
	r = doctor_apart(try_door, &door, &answer, sizeof(answer));
	if (r == 0)
		r = answer;
	if (r == 0)
		return;
	if (r == -EADDRINUSE) {
		doctor_tell(doctor, DOCTOR_FAULT, "%s = %s: another program listens there", key,
			    door.address);
		doctor_advise(doctor, "ss -ltnp tells which; end it, or give pxs another port");
	} else {
		doctor_tell(doctor, DOCTOR_FAULT, "%s = %s: %s", key, door.address, strerror(-r));
		doctor_advise(doctor, door.connect ? "systemctl restart pxs"
						   : "give it an address of this machine, as "
						     "localhost:5000");
	}
}

static void
check_rest(struct doctor *doctor)
{
	check_door(doctor, "rest");
}

static void
check_auth(struct doctor *doctor)
{
	check_door(doctor, "auth");
}

/* NULL where no door has one; told where it cannot be asked. The caller's to decref. */
static json_t *
ask_certificate(struct doctor *doctor)
{
	json_t *certificate = NULL;

	if (doctor_has_daemon(doctor))
		(void)client_get(doctor->client, "/certificate", &certificate, NULL);
	return certificate;
}

static void
check_certificate_end(struct doctor *doctor)
{
	CLEANUP(json_decref) json_t *certificate = ask_certificate(doctor);
	const char *path = json_string_value(json_object_get(certificate, "path"));
	json_int_t left_s;

	if (!certificate)
		return;
	left_s = json_integer_value(json_object_get(certificate, "not_after")) - time(NULL);
	if (left_s >= CERTIFICATE_MIN_S)
		return;
	if (left_s < 0)
		doctor_tell(doctor, DOCTOR_FAULT, "the certificate %s ended %lld days ago",
			    path ? path : "", (long long)(-left_s / DAY_S));
	else
		doctor_tell(doctor, DOCTOR_DOUBT, "the certificate %s ends in %lld days",
			    path ? path : "", (long long)(left_s / DAY_S));
	doctor_advise(doctor, "renew it, then systemctl reload pxs (SIGHUP)");
}

static void
check_certificate_names(struct doctor *doctor)
{
	CLEANUP(json_decref) json_t *certificate = ask_certificate(doctor);
	const char *names = json_string_value(json_object_get(certificate, "names"));
	char host[256] = "";

	if (!names || !*names || gethostname(host, sizeof(host) - 1) < 0 ||
	    strcasestr(names, host) || strchr(names, '*'))
		return;
	doctor_tell(doctor, DOCTOR_DOUBT,
		    "the certificate is not for this machine's name, %s, but "
		    "for %s",
		    host, names);
	doctor_advise(doctor, "let clients use one of those names, or get a certificate for %s",
		      host);
}

const struct doctor_check DOCTOR_DOORS[] = {
	{ "doors", "socket", "the socket's path is short enough", check_socket },
	{ "doors", "door-rest", "the address of the REST API is its own", check_rest },
	{ "doors", "door-auth", "the address for log-ins is its own", check_auth },
	{ "doors", "certificate-end", "the certificate is valid for a while",
	  check_certificate_end },
	{ "doors", "certificate-names", "it is for this machine", check_certificate_names },
	{ 0 },
};
