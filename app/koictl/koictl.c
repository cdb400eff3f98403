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

/* How long to wait for what is read; 0 s: forever. */
static void
set_patience(int fd, time_t s)
{
	const struct timeval tv = {.tv_sec = s};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
}

/* Events as they come, line by line; what came together with the reply is first. */
static int
relay_events(int fd, const char *first)
{
	char buf[4096];
	ssize_t n = (ssize_t)strlen(first);

	set_patience(fd, 0);
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

/* @return the first reply of what was read, or NULL: there is none */
static json_t *
parse_reply(const char *text)
{
	/* On a machine so busy that the request came late, a prompt stands before the reply. */
	const char *start = strchr(text, '{');

	/* behind it events may stand already */
	return start ? json_loads(start, JSON_DISABLE_EOF_CHECK, NULL) : NULL;
}

static bool
is_part(const json_t *reply)
{
	return json_is_true(json_object_get(reply, "more"));
}

static void
print_output(FILE *to, const json_t *output, bool as_json, size_t style)
{
	if (!as_json && json_is_string(output)) {
		fputs(json_string_value(output), to);
	} else {
		json_dumpf(output, to, style | JSON_ENCODE_ANY);
		fputc('\n', to);
	}
}

/*
 * @param text    what the reply was parsed from
 * @param parted  it is the end of an output, which belongs where the rest went
 */
static int
print_reply(const json_t *reply, const char *text, bool as_json, bool parted)
{
	FILE *to = stdout;
	int status;

	/* the socket is done with; a pager that leaves early is no error to talk about */
	signal(SIGPIPE, SIG_DFL);
	if (!json_is_object(reply))
		return fail(EXIT_NO_DAEMON, "%.*s", (int)strcspn(text, "\r\n"), text);
	status = (int)json_integer_value(json_object_get(reply, "status"));
	if (status != EXIT_DONE && !parted)
		to = stderr;
	print_output(to, json_object_get(reply, "output"),
		as_json && (status == EXIT_DONE || parted), parted ? JSON_COMPACT : JSON_INDENT(2));
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
	const struct sigaction sa = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
	size_t have = strlen(text);
	char *nl, *more;

	set_patience(fd, 0);
	sigaction(SIGINT, &sa, NULL);
	for (;;) {
		while ((nl = strchr(text, '\n')) != NULL) {
			json_t *o = parse_reply(text);
			const bool part = is_part(o);

			if (part)
				print_output(stdout, json_object_get(o, "output"), as_json,
					JSON_COMPACT);
			json_decref(o);
			if (!part)
				return text;
			fflush(stdout);
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

static int
one_command(int fd, char **words, int n, bool as_json)
{
	char *cmd = join(words, n), *text;
	json_t *reply;
	const time_t max_s = cmd ? answer_max(cmd) : ANSWER_MAX_S;
	bool sent, watching, parted;
	int rc;

	set_patience(fd, max_s);
	sent = cmd && send_request(fd, cmd, as_json);
	watching = sent && strncmp(cmd, "watch", 5) == 0;
	/* a refused session says why before it is closed */
	text = read_reply(fd);
	reply = text ? parse_reply(text) : NULL;
	parted = sent && is_part(reply);
	if (parted) {
		json_decref(reply);
		text = read_parts(fd, text, as_json);
		reply = text ? parse_reply(text) : NULL;
	}
	if (text) {
		rc = print_reply(reply, text, as_json && !watching, parted);
		if (rc == EXIT_DONE && watching)
			rc = relay_events(fd, strchr(text, '\n') + 1);
	} else if (!sent) {
		rc = fail(EXIT_NO_DAEMON, "cannot send the command");
	} else if (errno == EAGAIN) {
		rc = fail(EXIT_NO_DAEMON, "no answer within %d s", (int)max_s);
	} else {
		rc = fail(EXIT_NO_DAEMON, "the daemon ended the session: %s", strerror(errno));
	}
	json_decref(reply);
	free(text);
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
