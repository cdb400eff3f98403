/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "mgmt_cli_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmdline.h>

#include "conf.h"
#include "ctl.h"
#include "fib_builder.h"
#include "port.h"

#include "mgmt_capture_priv.h"
#include "mgmt_change_priv.h"
#include "mgmt_drain_priv.h"
#include "mgmt_json_priv.h"
#include "mgmt_marks_priv.h"
#include "mgmt_metrics_priv.h"
#include "mgmt_priv.h"
#include "mgmt_text_priv.h"

/* What rdline keeps of a line; it drops the rest without a word. */
#define LINE_MAX_BYTES 512

static _Thread_local struct mgmt_session *current;

#define MGMT_SHOW(grammar, view, help, example)
#define MGMT_DO(grammar, handler, request, help, example) \
	static void do_##handler(                         \
		struct mgmt_session *s, const struct mgmt_cli_row *row, struct mgmt_args *a);
#include "cli_cmds.def"
#undef MGMT_SHOW
#undef MGMT_DO

const struct mgmt_cli_row mgmt_cli_rows[] = {
#define MGMT_SHOW(grammar, view, help, example) \
	{grammar, mgmt_view_##view, mgmt_text_##view, NULL, -1, help, example},
#define MGMT_DO(grammar, handler, request, help, example) \
	{grammar, NULL, NULL, do_##handler, (int)(request), help, example},
#include "cli_cmds.def"
#undef MGMT_SHOW
#undef MGMT_DO
};
const unsigned int mgmt_cli_n_rows = sizeof(mgmt_cli_rows) / sizeof(mgmt_cli_rows[0]);

struct mgmt_session *
mgmt_cli_current(void)
{
	return current;
}

static const char *
request_error(int rc)
{
	switch (-rc) {
	case EINVAL:
		return "value out of range";
	case EAGAIN:
		return "the group is in INIT";
	case ENOTSUP:
		return "not supported";
	case ETIMEDOUT:
		return "the control lcore did not answer within 2 s; it may still do it";
	case EBUSY:
		return "too many requests at once, try again";
	default:
		return strerror(-rc);
	}
}

int
mgmt_cli_post(struct mgmt_session *s, const struct ctl_request *req)
{
	char note[256] = "";
	int rc = ctl_request(s->config->ctl, req, note, sizeof(note));

	if (rc != 0) {
		s->status = MGMT_CLI_REFUSED;
		fprintf(s->out, "refused: %s\n", note[0] != '\0' ? note : request_error(rc));
	} else if (note[0] != '\0') {
		fprintf(s->out, "%s\n", note);
	}
	return rc;
}

static void
do_request(struct mgmt_session *s, const struct mgmt_cli_row *row, struct mgmt_args *a)
{
	struct ctl_request req = {
		.type = (enum ctl_request_type)row->request,
		.group = a->has_group ? a->group : ELECTION_NONE,
		.value = a->value,
	};

	(void)mgmt_cli_post(s, &req);
}

static void
do_neighbor(struct mgmt_session *s, const struct mgmt_cli_row *row, struct mgmt_args *a)
{
	struct ctl_request req = {
		.type = (enum ctl_request_type)row->request,
		.group = ELECTION_NONE,
		.if_index = a->has_if ? a->if_index : ELECTION_NONE,
		.addr = a->addr,
	};

	memcpy(req.mac, a->mac, sizeof(req.mac));
	(void)mgmt_cli_post(s, &req);
}

static void
do_interface(struct mgmt_session *s, const struct mgmt_cli_row *row, struct mgmt_args *a)
{
	struct ctl_request req = {
		.type = (enum ctl_request_type)row->request,
		.group = ELECTION_NONE,
		.if_index = a->if_index,
	};

	(void)mgmt_cli_post(s, &req);
}

void
mgmt_cli_prompt(const struct mgmt_config *c, char prompt[MGMT_CLI_PROMPT])
{
	snprintf(prompt, MGMT_CLI_PROMPT, "%.*s> ", MGMT_CLI_PROMPT - 3, mgmt_file_read(c)->node);
	mgmt_file_read_end(c);
}

static uint8_t
hex_digit(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

static void
do_key(struct mgmt_session *s, const struct mgmt_cli_row *row, struct mgmt_args *a)
{
	struct ctl_request req = {
		.type = (enum ctl_request_type)row->request,
		.group = a->group,
		.value = a->value,
	};
	char err[256] = "";
	int rc = 0;

	if (a->text[0] == '/') {
		rc = conf_pass_file_read(a->text, req.key, err, sizeof(err));
	} else {
		/* the token made sure of hex: and 40 digits */
		for (size_t i = 0; i < AUTH_KEY_LEN; i++)
			req.key[i] = (uint8_t)(hex_digit(a->text[4 + 2 * i]) << 4 |
				hex_digit(a->text[5 + 2 * i]));
	}
	if (rc != 0) {
		s->status = MGMT_CLI_REFUSED;
		fprintf(s->out, "refused: \"%s\" %s\n", a->text,
			err[0] != '\0' ? err : strerror(rc < 0 ? -rc : rc));
	} else {
		(void)mgmt_cli_post(s, &req);
	}
	explicit_bzero(req.key, sizeof(req.key));
	explicit_bzero(a->text, sizeof(a->text));
}

static void
do_decide(struct mgmt_session *s, const struct mgmt_cli_row *row, struct mgmt_args *a)
{
	struct ctl_request req = {
		.type = (enum ctl_request_type)row->request,
		.group = a->has_group ? a->group : ELECTION_NONE,
		.value = strstr(row->grammar, "now") != NULL,
	};

	if (!mgmt_change_begin(s->config, req.group)) {
		s->status = MGMT_CLI_REFUSED;
		fputs("refused: a reload has just taken the group away\n", s->out);
	} else if (mgmt_cli_post(s, &req) == 0 && !mgmt_change_apply(s->config, s->out)) {
		s->status = MGMT_CLI_REFUSED;
	}
	mgmt_change_done(s->config);
}

static void
do_drain(struct mgmt_session *s, const struct mgmt_cli_row *row, struct mgmt_args *a)
{
	mgmt_drain(s, (uint32_t)a->value, strstr(row->grammar, "--persist") != NULL);
}

static void
do_undrain(struct mgmt_session *s, const struct mgmt_cli_row *row, struct mgmt_args *a)
{
	(void)row;
	(void)a;
	mgmt_undrain(s);
}

static void
do_clear_ports(struct mgmt_session *s, const struct mgmt_cli_row *row, struct mgmt_args *a)
{
	(void)row;
	for (uint16_t i = 0; i < port_set_count(s->config->ports); i++) {
		bool meant = !a->has_if || s->config->if_port[a->if_index] == i;
		int rc = meant ? mgmt_clear_port(s->config, i) : 0;
		struct port_info info = {0};

		if (rc == 0)
			continue;
		port_set_info(s->config->ports, i, &info);
		s->status = MGMT_CLI_REFUSED;
		fprintf(s->out, "refused: %s: %s\n", info.device, strerror(-rc));
	}
}

/* "metrics text": the older format, as node_exporter's textfile collector reads it. */
static void
do_metrics(struct mgmt_session *s, const struct mgmt_cli_row *row, struct mgmt_args *a)
{
	(void)a;
	mgmt_metrics_write(s->config,
		strstr(row->grammar, "text") ? MGMT_METRICS_TEXT : MGMT_METRICS_OPENMETRICS,
		s->out);
}

/* The server goes on with it, on the client's own socket. */
static void
do_watch(struct mgmt_session *s, const struct mgmt_cli_row *row, struct mgmt_args *a)
{
	if (!s->may_watch) {
		s->status = MGMT_CLI_REFUSED;
		fputs("refused: events are watched by koictl: koictl watch\n", s->out);
		return;
	}
	s->watch = (struct mgmt_watch){
		.on = true,
		.has_group = a->has_group,
		.group = a->group,
		.has_after = strstr(row->grammar, "after") != NULL,
		.after = (uint64_t)a->value,
	};
}

static void
do_ping(struct mgmt_session *s, const struct mgmt_cli_row *row, struct mgmt_args *a)
{
	mgmt_ping_begin(s, a, row->request == -2);
}

/* A route by its words, checked as one of the file is. */
static void
route_set(struct mgmt_session *s, const struct mgmt_args *a, const char *via,
	enum conf_route_type type)
{
	const struct mgmt_config *c = s->config;
	struct fib_change change = {.op = FIB_SET, .runtime = true};
	struct conf_hop hops[CONF_HOPS_MAX];
	struct fib_nh paths[CONF_HOPS_MAX];
	struct conf_route route;
	char err[256] = "";

	if (conf_route_parse(c->conf, a->prefix_text, via, type,
		    a->has_if ? mgmt_if_name(c, a->if_index) : NULL, &route, hops, err,
		    sizeof(err)) == 0) {
		mgmt_route_make(&route, paths, &change.route);
		if (fib_builder_change(c->routes, &change, 1, err, sizeof(err)) == 0)
			return;
	}
	s->status = MGMT_CLI_REFUSED;
	fprintf(s->out, "refused: %s\n", err);
}

static void
do_route_via(struct mgmt_session *s, const struct mgmt_cli_row *row, struct mgmt_args *a)
{
	(void)row;
	route_set(s, a, a->text, CONF_ROUTE_VIA);
}

static void
do_route_nowhere(struct mgmt_session *s, const struct mgmt_cli_row *row, struct mgmt_args *a)
{
	route_set(s, a, NULL, (enum conf_route_type) - row->request);
}

static void
do_route_del(struct mgmt_session *s, const struct mgmt_cli_row *row, struct mgmt_args *a)
{
	struct fib_change change = {.op = FIB_REMOVE, .route.prefix = a->prefix};
	char err[256] = "";

	(void)row;
	if (a->is_address)
		snprintf(err, sizeof(err), "%s has no prefix length", a->prefix_text);
	else if (fib_builder_change(s->config->routes, &change, 1, err, sizeof(err)) == 0)
		return;
	s->status = MGMT_CLI_REFUSED;
	fprintf(s->out, "refused: %s\n", err);
}

static void
do_capture_start(struct mgmt_session *s, const struct mgmt_cli_row *row, struct mgmt_args *a)
{
	enum mgmt_capture_scope scope = MGMT_CAPTURE_GROUPS;

	if (a->has_if)
		scope = MGMT_CAPTURE_INTERFACE;
	else if (strstr(row->grammar, " all") != NULL)
		scope = MGMT_CAPTURE_ALL;
	mgmt_file_read_end(s->config);
	mgmt_capture_start(s, a->text, scope, a->has_if ? a->if_index : UINT16_MAX);
	mgmt_file_read(s->config);
}

static void
do_capture_stop(struct mgmt_session *s, const struct mgmt_cli_row *row, struct mgmt_args *a)
{
	(void)row;
	(void)a;
	mgmt_file_read_end(s->config);
	mgmt_capture_stop(s);
	mgmt_file_read(s->config);
}

/* "set capture WHICH ..." */
static void
do_capture_limit(struct mgmt_session *s, const struct mgmt_cli_row *row, struct mgmt_args *a)
{
	char which[16];

	if (sscanf(row->grammar, "set capture %15s", which) == 1)
		mgmt_capture_limit(s, which, (uint64_t)a->value);
}

static void
do_capture_dump(struct mgmt_session *s, const struct mgmt_cli_row *row, struct mgmt_args *a)
{
	(void)row;
	mgmt_file_read_end(s->config);
	mgmt_capture_dump(s, a->text);
	mgmt_file_read(s->config);
}

static void
do_reload(struct mgmt_session *s, const struct mgmt_cli_row *row, struct mgmt_args *a)
{
	unsigned int flags = (row->request == -2 ? MGMT_FILE_PLAN : 0) |
		(strstr(row->grammar, " now") != NULL ? MGMT_FILE_NOW : 0);

	mgmt_file_read_end(s->config);
	if (!mgmt_file_load(s->config, a->text[0] != '\0' ? a->text : NULL, flags, s->out))
		s->status = MGMT_CLI_REFUSED;
	mgmt_file_read(s->config);
}

static void
do_save(struct mgmt_session *s, const struct mgmt_cli_row *row, struct mgmt_args *a)
{
	(void)row;
	mgmt_file_read_end(s->config);
	if (!mgmt_file_save(s->config, a->text[0] != '\0' ? a->text : NULL, s->out))
		s->status = MGMT_CLI_REFUSED;
	mgmt_file_read(s->config);
}

static void
do_clear_drops(struct mgmt_session *s, const struct mgmt_cli_row *row, struct mgmt_args *a)
{
	(void)row;
	(void)a;
	mgmt_clear_drops(s->config);
}

static void
do_clear_lcores(struct mgmt_session *s, const struct mgmt_cli_row *row, struct mgmt_args *a)
{
	(void)row;
	(void)a;
	mgmt_clear_lcores(s->config);
}

static void
do_help(struct mgmt_session *s, const struct mgmt_cli_row *row, struct mgmt_args *a)
{
	(void)row;
	if (mgmt_cli_help(a->text, s->out))
		return;
	s->status = MGMT_CLI_USAGE;
	mgmt_cli_explain(s->cli, s->config, a->text, s->out);
}

static void
do_quit(struct mgmt_session *s, const struct mgmt_cli_row *row, struct mgmt_args *a)
{
	(void)row;
	(void)a;
	s->quit = true;
}

static void
show(struct mgmt_session *s, const struct mgmt_cli_row *row, const struct mgmt_args *a)
{
	json_t *v = row->view(s->config, a);

	if (!v) {
		s->status = MGMT_CLI_REFUSED;
		fputs("refused: out of memory\n", s->out);
	} else if (s->json) {
		s->view = v;
		return;
	} else {
		row->print(s->out, v);
	}
	json_decref(v);
}

static void
write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t did = write(fd, p, n);

		if (did < 0 && errno == EINTR)
			continue;
		if (did <= 0)
			return;
		p += did;
		n -= (size_t)did;
	}
}

/* A key, or what was meant to be one: anything but a path where a path or a key belongs. */
static bool
holds_secret(const char *line)
{
	static const char word[] = "pass-file";
	const char *p = strstr(line, word);

	if (!p)
		return strstr(line, "hex:") != NULL;
	p += strlen(word);
	p += strspn(p, " \t");
	return *p != '/';
}

/*
 * cmdline keeps a line for the arrow keys after it was run, unless it is empty. The line is
 * rdline's own buffer, whole because mgmt_cli_feed() put the cursor at its end.
 */
static void
forget_secret(const struct mgmt_session *s)
{
	if (s->out_fd >= 0 && holds_secret(s->line))
		explicit_bzero((char *)(uintptr_t)s->line, strlen(s->line));
}

/*
 * Text goes to the session's descriptor by our own write: cmdline_printf() takes a partial write
 * for a whole one.
 */
void
mgmt_cli_dispatch(void *args, struct cmdline *cl, void *data)
{
	struct mgmt_session *s = current;
	const struct mgmt_cli_row *row = data;
	struct mgmt_args *a = args;

	if (!a) /* cmdline asks an instance without tokens for them this way; ours have some */
		return;
	mgmt_cli_clear(s);
	s->status = MGMT_CLI_DONE;
	s->out = open_memstream(&s->text, &s->text_len);
	if (!s->out) {
		s->status = MGMT_CLI_REFUSED;
		return;
	}
	if (s->dropped_bytes || (s->out_fd >= 0 && strcspn(s->line, "\r\n") >= LINE_MAX_BYTES)) {
		s->status = MGMT_CLI_USAGE;
		fprintf(s->out, "%s, nothing was done\n",
			s->dropped_bytes ? "only ASCII characters are understood"
					 : "the line is too long");
	} else if (!row) {
		s->status = MGMT_CLI_USAGE;
		mgmt_cli_explain(s->cli, s->config, s->line, s->out);
	} else if (row->view) {
		show(s, row, a);
	} else {
		row->run(s, row, a);
	}
	fclose(s->out);
	s->out = NULL;
	if (s->out_fd >= 0) {
		/* a terminal may be stopped */
		mgmt_file_read_end(s->config);
		write_all(s->out_fd, s->text, s->text_len);
		mgmt_file_read(s->config);
		mgmt_cli_clear(s);
	}
	forget_secret(s);
	if (s->quit)
		cmdline_quit(cl);
}

void
mgmt_cli_clear(struct mgmt_session *s)
{
	free(s->text);
	s->text = NULL;
	s->text_len = 0;
	json_decref(s->view);
	s->view = NULL;
}

bool
mgmt_cli_feed(struct mgmt_session *s, struct cmdline *cl, const char *bytes, size_t n)
{
	static const char to_end[] = "\005"; /* ^E: rdline keeps what is behind the cursor apart */
	bool alive = true;

	current = s;
	mgmt_file_read(s->config);
	for (size_t i = 0; i < n && alive; i++) {
		/* rdline drops what is not ASCII: the command would run without it */
		if ((unsigned char)bytes[i] >= 0x80)
			s->dropped_bytes = true;
		if (bytes[i] == '\n' || bytes[i] == '\r')
			cmdline_in(cl, to_end, 1);
		alive = cmdline_in(cl, &bytes[i], 1) >= 0 && !s->quit;
		if (bytes[i] == '\n' || bytes[i] == '\r')
			s->dropped_bytes = false;
	}
	mgmt_file_read_end(s->config);
	current = NULL;
	return alive;
}

static bool
printable(const char *line)
{
	for (; *line != '\0'; line++)
		if ((unsigned char)*line < 0x20 || (unsigned char)*line > 0x7e)
			return false;
	return true;
}

/* Neither a command nor an error of a token: leave a message in the session. */
static void
refuse(struct mgmt_session *s, const char *text)
{
	s->status = MGMT_CLI_USAGE;
	if (asprintf(&s->text, "%s\n", text) < 0)
		s->text = NULL;
	s->text_len = s->text ? strlen(s->text) : 0;
}

void
mgmt_cli_run(struct mgmt_session *s, const char *line)
{
	struct cmdline *cl;
	char *buf = NULL;
	int rc;

	mgmt_cli_clear(s);
	if (!printable(line)) {
		refuse(s, "a command is one line of ASCII characters");
		return;
	}
	line += strspn(line, " ");
	if (*line == '\0' || *line == '#') {
		refuse(s, "empty command");
		return;
	}
	cl = cmdline_new(mgmt_cli_ctx((struct mgmt_cli *)(uintptr_t)s->cli), "", -1, -1);
	if (!cl || asprintf(&buf, "%s\n", line) < 0) {
		refuse(s, "out of memory");
		s->status = MGMT_CLI_REFUSED;
		goto out;
	}
	current = s;
	mgmt_file_read(s->config);
	rc = cmdline_parse(cl, buf);
	mgmt_file_read_end(s->config);
	current = NULL;
	if (rc < 0 && !s->text)
		refuse(s, "not understood");
	explicit_bzero(buf, strlen(buf)); /* it may hold a key */
out:
	free(buf);
	if (cl)
		cmdline_free(cl);
}
