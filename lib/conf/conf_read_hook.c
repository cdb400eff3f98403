/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf_parts_priv.h"

/*
 * A box must not stay down for a hook, so what cannot be run is a warning; a file is often checked
 * on another machine than it is for, too.
 */
static void
check_program(struct conf_reader *r, uint32_t node, const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		conf_warning(r, node, "there is no hook to run: %s", strerror(errno));
	else if (!S_ISREG(st.st_mode) || (st.st_mode & 0111) == 0)
		conf_warning(
			r, node, "the hook cannot be run: it is no file with execute permission");
}

void
conf_part_on_change(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	struct conf *c = o->base;
	char buf[CONF_ECHO];

	if (!conf_is_array(r, k, at))
		return;
	c->on_change = conf_calloc(r, json_array_size(at.v) + 1, sizeof(*c->on_change));
	if (c->on_change == NULL)
		return;
	for (struct conf_at e = conf_first_element(r, at); e.v != NULL;
		e = conf_next_element(r, at, e)) {
		const char *s = json_string_value(e.v);

		if (s == NULL) {
			conf_error(r, e.node, "expected a string, found %s",
				conf_found(r, e.node, buf));
			continue;
		}
		if (c->n_on_change == 0 && s[0] != '/') {
			conf_error(r, e.node, "expected an absolute path, found %s",
				conf_echo(r, e.node, buf));
			return;
		}
		if (c->n_on_change == 0)
			check_program(r, e.node, s);
		c->on_change[c->n_on_change] = strdup(s);
		if (c->on_change[c->n_on_change++] == NULL)
			r->out_of_memory = true;
	}
}

static bool
user_ok(const char *s)
{
	if (*s == '\0' || *s == '-' || strcmp(s, "root") == 0)
		return false;
	while (isalnum((unsigned char)*s) || *s == '_' || *s == '.' || *s == '-')
		s++;
	return *s == '\0';
}

void
conf_part_on_change_user(struct conf_reader *r, const struct conf_key *k, struct conf_at at,
	struct conf_object_at *o)
{
	conf_read_text(r, k, at, ((struct conf *)o->base)->on_change_user, user_ok);
}
