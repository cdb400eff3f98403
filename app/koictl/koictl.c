/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * koictl: a thin client of koi's CLI socket. One command goes framed, as JSON; without a command
 * the terminal is relayed to a session with prompt and completion.
 */
#include <errno.h>
#include <getopt.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include <jansson.h>

#define RUN_DIR	     "/run/koi"
#define SOCKET_NAME  "cli.sock"
#define ANSWER_MAX_S 10
#define DRAIN_MAX_S  660 /* "drain" waits for peers, at most 600 s when asked so */
#define LOAD_MAX_S   120 /* many routes take a while; so long "systemctl reload" waits, too */
#define REPLY_MAX    (64u << 20)

enum {
	EXIT_DONE = 0,
	EXIT_REFUSED = 1,
	EXIT_USAGE = 2,
	EXIT_NO_DAEMON = 3,
};

static const char usage[] =
	"usage: koictl [--socket PATH] [--node NAME] [--json] [COMMAND...]\n"
	"\n"
	"  --socket PATH  socket of the daemon, default " RUN_DIR "/NODE/" SOCKET_NAME "\n"
	"  --node NAME    node to talk to; found by itself when only one runs here\n"
	"  --json         print JSON instead of text\n"
	"  --version      print the version\n"
	"  --help         print this\n"
	"\n"
	"COMMAND is one line of koi's CLI; 'koictl help' lists them. Without a command koictl is\n"
	"interactive. Exit codes: 0 done, 1 refused, 2 usage, 3 no daemon.\n";

static struct termios saved_tty;
static bool tty_changed;

static int __attribute__((format(printf, 2, 3))) fail(int code, const char *fmt, ...)
{
	va_list ap;

	fputs("koictl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return code;
}

static int
several_nodes(const glob_t *g)
{
	fail(EXIT_USAGE, "several nodes run here, choose one with --node:");
	for (size_t i = 0; i < g->gl_pathc; i++) {
		const char *node = g->gl_pathv[i] + strlen(RUN_DIR "/");

		fprintf(stderr, "  %.*s\n", (int)strcspn(node, "/"), node);
	}
	return EXIT_USAGE;
}

/* @return 0 and the path of the socket, or an exit code */
static int
find_socket(const char *socket_path, const char *node, char *path, size_t len)
{
	glob_t g = {0};
	int n, rc = 0;

	if (socket_path || node) {
		n = socket_path ? snprintf(path, len, "%s", socket_path)
				: snprintf(path, len, RUN_DIR "/%s/" SOCKET_NAME, node);
		return n < (int)len ? 0 : fail(EXIT_USAGE, "the path of the socket is too long");
	}
	if (glob(RUN_DIR "/*/" SOCKET_NAME, 0, NULL, &g) != 0 || g.gl_pathc == 0)
		rc = fail(EXIT_NO_DAEMON, "no koi runs here: no " RUN_DIR "/*/" SOCKET_NAME);
	else if (g.gl_pathc > 1)
		rc = several_nodes(&g);
	else if (snprintf(path, len, "%s", g.gl_pathv[0]) >= (int)len)
		rc = fail(EXIT_USAGE, "the path of the socket is too long");
	globfree(&g);
	return rc;
}

static int
connect_to(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	fail(EXIT_NO_DAEMON, "no daemon answers at %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool
write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t did = write(fd, p, n);

		if (did < 0 && errno == EINTR)
			continue;
		if (did <= 0)
			return false;
		p += did;
		n -= (size_t)did;
	}
	return true;
}

/* @return the words of the command in one line */
static char *
join(char **words, int n)
{
	size_t len = 1;
	char *line;

	for (int i = 0; i < n; i++)
		len += strlen(words[i]) + 1;
	line = calloc(1, len);
	for (int i = 0; line && i < n; i++) {
		strcat(line, words[i]);
		if (i + 1 < n)
			strcat(line, " ");
	}
	return line;
}

static bool
send_request(int fd, const char *cmd, bool as_json)
{
	json_t *req = json_pack("{s:s, s:b}", "cmd", cmd, "json", as_json);
	char *text = req ? json_dumps(req, JSON_COMPACT) : NULL;
	bool ok = text && write_all(fd, text, strlen(text)) && write_all(fd, "\n", 1);

	free(text);
	json_decref(req);
	return ok;
}

/* @return the reply line, NULL when none came; errno says why */
static char *
read_reply(int fd)
{
	size_t have = 0, cap = 16384;
	char *buf = malloc(cap), *more;

	while (buf && have < REPLY_MAX) {
		ssize_t n = read(fd, buf + have, cap - have - 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			if (n == 0)
				errno = ECONNRESET;
			break;
		}
		have += (size_t)n;
		buf[have] = '\0';
		if (buf[have - 1] == '\n')
			return buf;
		if (cap - have < 4096) {
			cap *= 2;
			more = realloc(buf, cap);
			if (!more)
				break;
			buf = more;
		}
	}
	free(buf);
	return NULL;
}

/* Events as they come, line by line; what came together with the reply is first. */
static int
relay_events(int fd, const char *first)
{
	const struct timeval forever = {0};
	char buf[4096];
	ssize_t n = (ssize_t)strlen(first);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &forever, sizeof(forever));
	if (!write_all(STDOUT_FILENO, first, (size_t)n))
		return EXIT_DONE;
	for (;;) {
		n = read(fd, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail(EXIT_NO_DAEMON, "the daemon ended the stream");
		/* who reads us has gone: no error to talk about */
		if (!write_all(STDOUT_FILENO, buf, (size_t)n))
			return EXIT_DONE;
	}
}

/* @param parted  it is the end of an output, which belongs where the rest went */
static int
print_reply(const char *text, bool as_json, bool parted)
{
	const size_t style = parted ? JSON_COMPACT : JSON_INDENT(2);
	/* On a machine so busy that the request came late, a prompt stands before the reply. */
	const char *start = strchr(text, '{');
	/* behind it events may stand already */
	json_t *reply = start ? json_loads(start, JSON_DISABLE_EOF_CHECK, NULL) : NULL, *output;
	FILE *to = stdout;
	int status;

	/* the socket is done with; a pager that leaves early is no error to talk about */
	signal(SIGPIPE, SIG_DFL);
	if (!json_is_object(reply)) {
		json_decref(reply);
		return fail(EXIT_NO_DAEMON, "%.*s", (int)strcspn(text, "\r\n"), text);
	}
	status = (int)json_integer_value(json_object_get(reply, "status"));
	output = json_object_get(reply, "output");
	if (status != EXIT_DONE && !parted)
		to = stderr;
	if (as_json && (status == EXIT_DONE || parted)) {
		json_dumpf(output, to, style | JSON_ENCODE_ANY);
		fputc('\n', to);
	} else if (json_is_string(output)) {
		fputs(json_string_value(output), to);
	} else {
		json_dumpf(output, to, JSON_INDENT(2) | JSON_ENCODE_ANY);
		fputc('\n', to);
	}
	json_decref(reply);
	if (fflush(to) != 0)
		return fail(EXIT_REFUSED, "cannot write: %s", strerror(errno));
	return status >= EXIT_DONE && status <= EXIT_USAGE ? status : EXIT_REFUSED;
}

/* How long a command may take, in s. */
static time_t
answer_max(const char *cmd)
{
	static const char *const loads[] = {"reload", "save", "commit", "abort"};

	if (strncmp(cmd, "drain", 5) == 0)
		return DRAIN_MAX_S;
	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++)
		if (strncmp(cmd, loads[i], strlen(loads[i])) == 0)
			return LOAD_MAX_S;
	return strstr(cmd, " commit") != NULL || strstr(cmd, " abort") != NULL ? LOAD_MAX_S
									       : ANSWER_MAX_S;
}

static volatile sig_atomic_t interrupted;

static void
on_interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

/*
 * Parts of a reply, a line each, that come before its end as they are made. An interrupt asks for
 * the end, the second one does not wait for it.
 * @param text  what was read so far: whole lines and maybe a begun one; freed
 * @return the last line of the reply, or NULL: it did not come
 */
static char *
read_parts(int fd, char *text, bool as_json)
{
	const struct timespec forever = {0};
	const struct sigaction sa = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
	size_t have = strlen(text);
	char *nl, *more;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &forever, sizeof(forever));
	sigaction(SIGINT, &sa, NULL);
	for (;;) {
		while ((nl = strchr(text, '\n')) != NULL) {
			json_t *o = json_loadb(text, (size_t)(nl - text), 0, NULL), *output;

			if (!json_is_true(json_object_get(o, "more"))) {
				json_decref(o);
				return text;
			}
			output = json_object_get(o, "output");
			if (as_json)
				json_dumpf(output, stdout, JSON_COMPACT | JSON_ENCODE_ANY);
			else
				fputs(json_string_value(output), stdout);
			if (as_json)
				fputc('\n', stdout);
			fflush(stdout);
			json_decref(o);
			have -= (size_t)(nl + 1 - text);
			memmove(text, nl + 1, have + 1);
		}
		more = realloc(text, have + 4096);
		if (!more)
			break;
		text = more;
		ssize_t n = read(fd, text + have, 4095);

		if (interrupted) {
			interrupted = 0;
			shutdown(fd, SHUT_WR);
		}
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			break;
		have += (size_t)n;
		text[have] = '\0';
	}
	free(text);
	errno = ECONNRESET;
	return NULL;
}

static bool
is_part(const char *line)
{
	json_t *o = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
	bool part = json_is_true(json_object_get(o, "more"));

	json_decref(o);
	return part;
}

static int
one_command(int fd, char **words, int n, bool as_json)
{
	char *cmd = join(words, n), *reply;
	const time_t max_s = cmd ? answer_max(cmd) : ANSWER_MAX_S;
	const struct timeval tv = {.tv_sec = max_s};
	const bool watching = cmd && strncmp(cmd, "watch", 5) == 0;
	bool parted = false;
	int rc;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	if (!cmd || !send_request(fd, cmd, as_json)) {
		/* a refused session says why before it is closed */
		reply = read_reply(fd);
		rc = reply ? print_reply(reply, as_json, false)
			   : fail(EXIT_NO_DAEMON, "cannot send the command");
	} else {
		reply = read_reply(fd);
		parted = reply && is_part(reply);
		if (parted)
			reply = read_parts(fd, reply, as_json);
		if (reply) {
			rc = print_reply(reply, as_json && !watching, parted);
			if (rc == EXIT_DONE && watching)
				rc = relay_events(fd, strchr(reply, '\n') + 1);
		} else if (errno == EAGAIN) {
			rc = fail(EXIT_NO_DAEMON, "no answer within %d s", (int)max_s);
		} else {
			rc = fail(EXIT_NO_DAEMON, "the daemon ended the session: %s",
				strerror(errno));
		}
	}
	free(reply);
	free(cmd);
	return rc;
}

static void
restore_tty(void)
{
	if (tty_changed)
		tcsetattr(STDIN_FILENO, TCSANOW, &saved_tty);
	tty_changed = false;
}

static void
on_signal(int sig)
{
	/* tcsetattr() may be called here, and nothing else has to be put in order */
	tcsetattr(STDIN_FILENO, TCSANOW, &saved_tty);
	_exit(128 + sig);
}

/* Keys go to the session as they are typed; what it prints still gets its carriage returns. */
static void
raw_tty(void)
{
	struct sigaction sa = {.sa_handler = on_signal};
	struct termios raw;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &saved_tty) != 0)
		return;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	atexit(restore_tty);
	raw = saved_tty;
	raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO | ISIG);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	tty_changed = true;
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

static int
interactive(int fd)
{
	struct pollfd p[2] = {
		{.fd = STDIN_FILENO, .events = POLLIN},
		{.fd = fd, .events = POLLIN},
	};
	char buf[4096];
	ssize_t n;

	raw_tty();
	/* The newline says that a person is here, so the prompt comes at once. */
	if (!write_all(fd, "\n", 1))
		return fail(EXIT_NO_DAEMON, "the daemon ended the session");
	while (true) {
		if (poll(p, 2, -1) < 0)
			continue;
		if (p[1].revents) {
			n = read(fd, buf, sizeof(buf));
			if (n <= 0)
				break;
			if (!write_all(STDOUT_FILENO, buf, (size_t)n))
				break;
		}
		if (p[0].revents) {
			n = read(STDIN_FILENO, buf, sizeof(buf));
			if (n > 0) {
				if (!write_all(fd, buf, (size_t)n))
					p[0].fd = -1; /* read what it still has to say */
			} else {
				shutdown(fd, SHUT_WR);
				p[0].fd = -1;
			}
		}
	}
	restore_tty();
	return EXIT_DONE;
}

int
main(int argc, char **argv)
{
	enum { OPT_SOCKET = 1, OPT_NODE, OPT_JSON, OPT_HELP, OPT_VERSION };
	static const struct option options[] = {
		{"socket", required_argument, NULL, OPT_SOCKET},
		{"node", required_argument, NULL, OPT_NODE},
		{"json", no_argument, NULL, OPT_JSON},
		{"help", no_argument, NULL, OPT_HELP},
		{"version", no_argument, NULL, OPT_VERSION},
		{NULL, 0, NULL, 0},
	};
	const char *socket_path = NULL, *node = NULL;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	bool as_json = false;
	int opt, fd, rc;

	/* "+": options end where the command begins */
	while ((opt = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		switch (opt) {
		case OPT_SOCKET:
			socket_path = optarg;
			break;
		case OPT_NODE:
			node = optarg;
			break;
		case OPT_JSON:
			as_json = true;
			break;
		case OPT_HELP:
			fputs(usage, stdout);
			return EXIT_DONE;
		case OPT_VERSION:
			puts("koictl " KOI_VERSION);
			return EXIT_DONE;
		default:
			fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
	if (as_json && optind == argc)
		return fail(EXIT_USAGE, "--json needs a command");
	signal(SIGPIPE, SIG_IGN);
	rc = find_socket(socket_path, node, path, sizeof(path));
	if (rc != 0)
		return rc;
	fd = connect_to(path);
	if (fd < 0)
		return EXIT_NO_DAEMON;
	if (optind < argc)
		rc = one_command(fd, argv + optind, argc - optind, as_json);
	else
		rc = interactive(fd);
	close(fd);
	return rc;
}
