/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* The socket of the command line. */
#include <ctype.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>

#include "conf_parts_priv.h"

void
conf_part_cli(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	struct conf_object_at cli = {.base = &((struct conf *)o->base)->cli};

	(void)k;
	if (conf_is_object(r, at))
		conf_read_object(r, CONF_OBJECT_CLI, at, &cli);
}

/* Nobody executes a socket, and koi itself must be able to serve it. */
void
conf_part_cli_mode(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	const char *s = json_string_value(at.v);
	char phrase[CONF_PHRASE], buf[CONF_ECHO];
	unsigned long mode = 0;

	if (s != NULL && strlen(s) == 4 && strspn(s, "01234567") == 4)
		mode = strtoul(s, NULL, 8);
	if ((mode & ~0066ul) == 0600)
		((struct conf_cli *)o->base)->mode = (uint16_t)mode;
	else
		conf_error(r, at.node, "expected %s, found %s",
			conf_key_allowed(k, phrase, sizeof(phrase)), conf_echo(r, at.node, buf));
}

static bool
group_ok(const char *s)
{
	if (*s == '\0' || *s == '-')
		return false;
	while (isalnum((unsigned char)*s) || *s == '_' || *s == '.' || *s == '-')
		s++;
	return *s == '\0';
}

/* A file is often checked on another machine than it is for. */
void
conf_part_cli_group(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	struct conf_cli *cli = o->base;
	char buf[CONF_ECHO];

	conf_read_text(r, k, at, cli->group, group_ok);
	if (cli->group[0] != '\0' && getgrnam(cli->group) == NULL)
		conf_warning(r, at.node, "there is no group %s on this machine: koi will not start",
			conf_echo(r, at.node, buf));
}
