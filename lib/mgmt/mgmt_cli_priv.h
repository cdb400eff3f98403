/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef MGMT_CLI_PRIV_H
#define MGMT_CLI_PRIV_H

#include <stdbool.h>
#include <stdio.h>

#include <cmdline_parse.h>
#include <jansson.h>

#include "mgmt_ping_priv.h"
#include "mgmt_view_priv.h"
#include "mgmt_watch_priv.h"

/**
 * @file
 * The CLI: cli_cmds.def made into instances of DPDK's cmdline library. Tokens are of our own
 * type, because only that gives names of existing things, ranges and errors that say what was
 * expected. cmdline hands a token's parser no context, so the session of a thread is current
 * while cmdline runs in it.
 */

struct cmdline;
struct ctl_request;
struct mgmt_cli;

/** What a command line came to, and exit codes of koictl. */
enum mgmt_cli_status {
	MGMT_CLI_DONE = 0,
	MGMT_CLI_REFUSED = 1,
	MGMT_CLI_USAGE = 2,
};

/** One operator's session; used by one thread. */
struct mgmt_session {
	const struct mgmt_cli *cli;
	const struct mgmt_config *config;
	int out_fd;		 /**< text is written here after each command; -1: left in text */
	bool json;		 /**< leave the view in view instead of making text */
	bool may_watch;		 /**< who serves the session can stream events to it */
	struct mgmt_watch watch; /**< "watch" was given */
	struct mgmt_ping ping;	 /**< "ping" or "traceroute" was given */
	bool quit;		 /**< "quit" was given */
	bool dropped_bytes;	 /**< the line being typed held bytes that cmdline ignores */
	const char *line;	 /**< being parsed, ends with a newline */
	enum mgmt_cli_status status; /**< of the last command */
	FILE *out;		     /**< while a command runs */
	char *text;
	size_t text_len;
	json_t *view;
};

struct mgmt_cli_row {
	const char *grammar;
	json_t *(*view)(const struct mgmt_config *, const struct mgmt_args *);
	void (*print)(FILE *, const json_t *);
	void (*run)(struct mgmt_session *, const struct mgmt_cli_row *, struct mgmt_args *);
	int request; /**< enum ctl_request_type, or -1 */
	const char *help;
	const char *example;
};

/** The rows of cli_cmds.def. */
extern const struct mgmt_cli_row mgmt_cli_rows[];
extern const unsigned int mgmt_cli_n_rows;

/** Make the instances. @return NULL without memory */
struct mgmt_cli *mgmt_cli_new(void);
void mgmt_cli_free(struct mgmt_cli *cli);
/** For cmdline_new(). */
cmdline_parse_ctx_t *mgmt_cli_ctx(struct mgmt_cli *cli);

/** Bytes of a prompt with its NUL: as many as cmdline keeps. */
#define MGMT_CLI_PROMPT 32
/** The prompt names the node, since an operator has several open; a very long name is cut. */
void mgmt_cli_prompt(const struct mgmt_config *c, char prompt[MGMT_CLI_PROMPT]);

/** Feed bytes that were typed. @return false when the session has ended */
bool mgmt_cli_feed(struct mgmt_session *s, struct cmdline *cl, const char *bytes, size_t n);
/** Run one command line without a terminal; status, text and view are left in the session. */
void mgmt_cli_run(struct mgmt_session *s, const char *line);
/** Free what the last command left. */
void mgmt_cli_clear(struct mgmt_session *s);

/** Ask the control lcore; what it says is left in the session. @return as ctl_request() */
int mgmt_cli_post(struct mgmt_session *s, const struct ctl_request *req);

/** The session that runs in this thread. */
struct mgmt_session *mgmt_cli_current(void);

/** Index of the row that the whole line matches, -1 if none. */
int mgmt_cli_match(const struct mgmt_cli *cli, const struct mgmt_config *c, const char *line);
/** Why no row matches: names the bad word and what was expected. */
void mgmt_cli_explain(
	const struct mgmt_cli *cli, const struct mgmt_config *c, const char *line, FILE *to);
/** What cmdline calls: data is the row, NULL for a line that no row matches. */
void mgmt_cli_dispatch(void *args, struct cmdline *cl, void *data);
/**
 * "help": a line for each command; or grammar, help and example of those that begin with words,
 * which may be cut short.
 * @param about  the words; empty: all commands
 * @return false: no command begins so, nothing was written
 */
bool mgmt_cli_help(const char *about, FILE *to);
/** Grammar as an operator reads it: NAME for GROUP and IF, "PATH|hex:DIGITS" for KEY. */
void mgmt_cli_usage(const char *grammar, char *buf, size_t len);

#endif
