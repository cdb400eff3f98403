/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * What commands changed, written back into the file. The file's own document is changed where
 * something differs and nowhere else: its keys keep their order, and what is not koi's to know,
 * such as a pass-file's name, stays as it was written.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "conf_plan.h"
#include "ctl.h"

#include "mgmt_json_priv.h"
#include "mgmt_priv.h"
#include "mgmt_view_priv.h"

struct save {
	const struct mgmt_config *c;
	FILE *to;
	json_t *doc;
	char real[PATH_MAX]; /* the file behind the name */
	struct stat st;	     /* whose mode and owner the new one gets */
	unsigned int changes;
};

static json_t *
find(json_t *list, const char *key, const char *name)
{
	json_t *o;
	size_t i;

	json_array_foreach (list, i, o)
		if (strcmp(get_str(o, key), name) == 0)
			return o;
	return NULL;
}

/* A member, or an empty one that is kept when something comes of it. A new reference. */
static json_t *
member(const json_t *o, const char *key, json_t *(*make)(void))
{
	json_t *v = json_object_get(o, key);

	return v != NULL ? json_incref(v) : make();
}

/* Gives back the reference. */
static void
keep(json_t *o, const char *key, json_t *v)
{
	if (json_object_get(o, key) == NULL && json_object_size(v) + json_array_size(v) > 0)
		json_object_set(o, key, v);
	json_decref(v);
}

/* Set where it differs. Takes the value. */
static void
set(struct save *s, json_t *o, const char *key, bool differs, json_t *value)
{
	if (!differs) {
		json_decref(value);
		return;
	}
	json_object_set_new(o, key, value);
	s->changes++;
}

static void
save_switches(struct save *s)
{
	const struct conf *conf = s->c->conf;
	struct ctl_box_view box;
	json_t *carp = member(s->doc, "carp", json_object);

	ctl_box_view(s->c->ctl, &box);
	set(s, carp, "allow", box.allow != conf->allow, json_boolean(box.allow));
	set(s, carp, "preempt", box.preempt != conf->preempt, json_boolean(box.preempt));
	set(s, carp, "log", box.log != conf->log, json_integer(box.log));
	set(s, carp, "arpbalance", box.arpbalance != conf->arpbalance,
		json_boolean(box.arpbalance));
	keep(s->doc, "carp", carp);
}

/* @return false when something of it cannot be saved, which was told */
static bool
save_groups(struct save *s)
{
	const struct conf *conf = s->c->conf;
	json_t *groups = json_object_get(json_object_get(s->doc, "carp"), "groups");
	struct ctl_group_view v;

	for (uint16_t i = 0; i < conf->n_groups; i++) {
		const struct conf_group *g = &conf->groups[i];
		json_t *o = g->unused ? NULL : find(groups, "name", g->name);

		if (o == NULL || ctl_group_view(s->c->ctl, i, &v) != 0)
			continue;
		if (v.key_set || v.stage.phase != AUTH_STAGE_NONE) {
			fprintf(s->to,
				v.key_set
					? "refused: the password of %s was set by a command, and koi "
					  "keeps no text of it: write it to the file's pass or "
					  "pass-file, and reload\n"
					: "refused: a change of %s is staged: commit or abort first\n",
				g->name);
			return false;
		}
		set(s, o, "advbase", v.info.advbase != g->advbase, json_integer(v.info.advbase));
		set(s, o, "advskew", v.info.advskew != g->advskew, json_integer(v.info.advskew));
	}
	return true;
}

/* The entry of an array of objects whose address this is; SIZE_MAX: none. */
static size_t
address_index(const json_t *list, const struct base_addr *addr)
{
	const json_t *o;
	struct base_addr a;
	size_t i;

	json_array_foreach (list, i, o) {
		const char *text = get_str(o, "address");

		if (mgmt_addr_parse(text, strlen(text), &a) && memcmp(&a, addr, sizeof(a)) == 0)
			return i;
	}
	return SIZE_MAX;
}

static void
add_neighbor(struct save *s, json_t *list, const json_t *row)
{
	const char *text = get_str(row, "address");
	struct base_addr addr;
	uint8_t now[BASE_MAC_LEN], was[BASE_MAC_LEN];
	const char *mac = get_str(row, "mac");
	json_t *o;
	size_t i;

	if (!mgmt_addr_parse(text, strlen(text), &addr) || !mgmt_mac_parse(mac, strlen(mac), now))
		return;
	i = address_index(list, &addr);
	o = i != SIZE_MAX ? json_array_get(list, i) : NULL;
	if (o != NULL && mgmt_mac_parse(get_str(o, "mac"), strlen(get_str(o, "mac")), was) &&
		memcmp(now, was, sizeof(now)) == 0)
		return;
	s->changes++;
	if (o != NULL) {
		put_str(o, "mac", mac);
		return;
	}
	o = json_object();
	put_str(o, "address", text);
	put_str(o, "mac", mac);
	json_array_append_new(list, o);
}

/* Static ones of an interface as they are now. */
static void
save_neighbors(struct save *s, uint16_t if_index)
{
	const struct conf_if *ifc = &s->c->conf->ifs[if_index];
	const struct mgmt_args a = {.has_if = true, .if_index = if_index};
	json_t *v = mgmt_view_neighbors(s->c, &a), *rows = json_object_get(v, "neighbors"), *row;
	json_t *o = find(json_object_get(s->doc, "interfaces"), "name", ifc->name), *list;
	char text[CONF_ADDR_STR];
	unsigned int n_static = 0;
	size_t i;

	json_array_foreach (rows, i, row)
		n_static += get_bool(row, "static");
	if (o != NULL && (n_static > 0 || ifc->n_neighbors > 0)) {
		list = member(o, "neighbors", json_array);
		for (uint16_t n = 0; n < ifc->n_neighbors; n++) {
			row = find(rows, "address", conf_addr_str(&ifc->neighbors[n].addr, text));
			i = address_index(list, &ifc->neighbors[n].addr);
			if ((row != NULL && get_bool(row, "static")) || i == SIZE_MAX)
				continue;
			json_array_remove(list, i);
			s->changes++;
		}
		json_array_foreach (rows, i, row)
			if (get_bool(row, "static"))
				add_neighbor(s, list, row);
		keep(o, "neighbors", list);
	}
	json_decref(v);
}

/* @return false, told */
static bool
failed(struct save *s, const char *what, const char *path)
{
	fprintf(s->to, "refused: %s: %s: %s; nothing was changed\n", path, what, strerror(errno));
	return false;
}

/* Beside the file, then in its place, so that there is a whole one at any time. */
static bool
write_file(struct save *s, const char *text, size_t len)
{
	char temp[PATH_MAX + 16], *slash;
	bool ok = false;
	int fd, dir;

	snprintf(temp, sizeof(temp), "%s.XXXXXX", s->real);
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		return failed(s, "cannot be written", s->real);
	if ((fchown(fd, s->st.st_uid, s->st.st_gid) != 0 && errno != EPERM) ||
		fchmod(fd, s->st.st_mode & 07777) != 0)
		goto out;
	for (size_t did = 0; did < len;) {
		ssize_t n = write(fd, text + did, len - did);

		if (n < 0 && errno != EINTR)
			goto out;
		did += n > 0 ? (size_t)n : 0;
	}
	ok = fsync(fd) == 0 && rename(temp, s->real) == 0;
out:
	if (!ok) {
		failed(s, "cannot be written", s->real);
		unlink(temp);
	}
	close(fd);
	/* the name is on the disk as well */
	slash = strrchr(temp, '/');
	*slash = '\0';
	dir = ok ? open(temp[0] != '\0' ? temp : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (dir >= 0) {
		(void)fsync(dir);
		close(dir);
	}
	return ok;
}

/* Interfaces by name: their order may be another. */
static bool
same_route(const struct conf *ca, const struct conf_route *a, const struct conf *cb,
	const struct conf_route *b)
{
	bool same = memcmp(&a->prefix, &b->prefix, sizeof(a->prefix)) == 0 && a->type == b->type &&
		a->n_hops == b->n_hops;

	for (unsigned int i = 0; same && i < a->n_hops; i++)
		same = memcmp(&a->hops[i].via, &b->hops[i].via, sizeof(a->hops[i].via)) == 0 &&
			strcmp(ca->ifs[a->hops[i].if_index].name,
				cb->ifs[b->hops[i].if_index].name) == 0;
	return same;
}

/* Does the file say what koi runs on? Else what it says besides would be taken for running. */
static bool
is_current(const struct conf *now, const struct conf *file)
{
	struct conf_plan plan = {0};
	bool same = conf_plan_make(&plan, now, file) == 0 && plan.n_kept == plan.n &&
		file->n_routes == now->n_routes;

	for (uint32_t i = 0; same && i < file->n_routes; i++)
		same = same_route(file, &file->routes[i], now, &now->routes[i]);
	conf_plan_free(&plan);
	return same;
}

/* The document of what koi runs on, of the very bytes that were compared. NULL: it is not, told */
static json_t *
load_current(struct save *s, const char *path)
{
	struct conf_issues issues;
	size_t len = 0;
	char *text = conf_file_read(path, &len, &issues);
	struct conf *file = NULL;
	json_error_t error;
	json_t *doc = NULL;
	bool current;

	if (text != NULL) {
		conf_issues_free(&issues);
		file = conf_parse(text, len, path, 0, &issues);
	}
	if (file == NULL)
		conf_issues_print(&issues, s->to);
	conf_issues_free(&issues);
	current = file != NULL && is_current(s->c->conf, file);
	conf_free(file);
	if (!current)
		fprintf(s->to,
			"refused: %s is not what koi runs on: reload it first (reload plan says "
			"what differs); nothing was changed\n",
			path);
	else if ((doc = json_loadb(text, len, 0, &error)) == NULL)
		fprintf(s->to, "refused: %s:%d:%d: %s\n", path, error.line, error.column,
			error.text);
	if (text != NULL)
		explicit_bzero(text, len);
	free(text);
	return doc;
}

/* Valid, and written. @return what it is read as, or NULL, told */
static struct conf *
finish(struct save *s, const char *path)
{
	char *text = json_dumps(s->doc, JSON_INDENT(2));
	size_t len = text != NULL ? strlen(text) : 0;
	struct conf_issues issues;
	struct conf *next = NULL;

	if (text == NULL) {
		fprintf(s->to, "refused: out of memory\n");
		return NULL;
	}
	text[len] = '\n'; /* instead of the end; the length counts */
	next = conf_parse(text, len + 1, path, 0, &issues);
	if (next == NULL) {
		conf_issues_print(&issues, s->to);
		fprintf(s->to, "refused: what runs is no valid file; nothing was changed\n");
	} else if (!write_file(s, text, len + 1)) {
		conf_free(next);
		next = NULL;
	}
	conf_issues_free(&issues);
	explicit_bzero(text, len + 1);
	free(text);
	return next;
}

bool
mgmt_save(const struct mgmt_config *c, const char *source, const char *path, FILE *to,
	struct conf **next)
{
	const bool same = strcmp(source, path) == 0;
	struct save s = {.c = c, .to = to};
	json_t *routes;
	bool ok = false;

	*next = NULL;
	s.doc = load_current(&s, source);
	if (s.doc == NULL)
		return false;
	if (realpath(path, s.real) == NULL)
		snprintf(s.real, sizeof(s.real), "%s", path);
	if (stat(s.real, &s.st) != 0) {
		s.st.st_mode = S_IRUSR | S_IWUSR; /* it may hold secrets */
		s.st.st_uid = geteuid();
		s.st.st_gid = getegid();
	}
	save_switches(&s);
	for (uint16_t i = 0; i < c->conf->n_ifs; i++)
		save_neighbors(&s, i);
	if (save_groups(&s)) {
		routes = member(s.doc, "routes", json_array);
		s.changes += mgmt_routes_save(c, routes);
		keep(s.doc, "routes", routes);
		/* a file without a change stays as it is, blanks and all */
		if (s.changes > 0 || !same)
			*next = finish(&s, path);
		ok = *next != NULL || (s.changes == 0 && same);
	}
	json_decref(s.doc);
	if (ok)
		fprintf(to, "saved to %s: %u %s\n", path, s.changes,
			s.changes == 1 ? "change" : "changes");
	return ok;
}
