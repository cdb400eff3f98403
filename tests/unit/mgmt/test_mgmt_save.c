/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* What commands changed, written back: what is in the file then, and what stays as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "mgmt_fake.h"
#include "mgmt_json_priv.h"
#include "mgmt_priv.h"
#include "mgmt_session.h"

/* As mgmt_fake.c has it, and as an operator may have written it. */
static const char text[] =
	"{\"node\": \"fw1\",   \"eal\": [\"--no-pci\"],\n"
	"\"interfaces\": [\n"
	" {\"device\": \"net_null0\", \"name\": \"lan\", \"addresses\": [\"192.0.2.2/24\"]},\n"
	" {\"name\": \"wan\", \"device\": \"net_null1\", \"addresses\": [\"198.51.100.2/24\"]}],\n"
	"\"carp\": {\"groups\": [\n"
	" {\"name\": \"carp1\", \"vhid\": 2, \"pass\": \"wanpasswd\", \"advskew\": 100,\n"
	"  \"addresses\": [\"198.51.100.1/24\"]},\n"
	" {\"name\": \"carp0\", \"carpdev\": \"lan\", \"vhid\": 1, \"pass\": \"lanpasswd\",\n"
	"  \"addresses\": [\"192.0.2.1/24\"]}], \"preempt\": true},\n"
	"\"routes\": [{\"prefix\": \"0.0.0.0/0\", \"via\": \"198.51.100.254\"}]}\n";

static char dir[] = "/tmp/koi-save-XXXXXX";
static char path[64], other[64];

static void
write_text(const char *s)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(s, f);
	fclose(f);
}

static const char *
run(const char *command, const char *file, enum mgmt_cli_status status)
{
	char line[128];

	snprintf(line, sizeof(line), "%s %s", command, file);
	return session_say(line, status);
}

/* koi runs on the file. */
static int
before(void **state)
{
	int ret = session_before(state);

	fake.config.file = mgmt_file_new(&fake.config);
	memcpy(dir + strlen(dir) - 6, "XXXXXX", 6);
	if (mkdtemp(dir) == NULL || ret != 0)
		return -1;
	snprintf(path, sizeof(path), "%s/koi.json", dir);
	snprintf(other, sizeof(other), "%s/other.json", dir);
	write_text(text);
	run("reload", path, MGMT_CLI_DONE);
	return 0;
}

static int
after(void **state)
{
	unlink(path);
	unlink(other);
	/* nothing else is left there */
	int ret = rmdir(dir);

	mgmt_file_free(fake.config.file);
	session_after(state);
	return ret;
}

static void
assert_file(const char *file, const char *want)
{
	char buf[4096];
	FILE *f = fopen(file, "r");

	assert_non_null(f);
	buf[fread(buf, 1, sizeof(buf) - 1, f)] = '\0';
	fclose(f);
	assert_string_equal(buf, want);
}

static json_t *
load(const char *file)
{
	json_t *doc = json_load_file(file, 0, NULL);

	assert_non_null(doc);
	return doc;
}

static void
changes_go_where_they_belong(void **state)
{
	struct stat st;
	json_t *doc, *carp, *g;

	(void)state;
	assert_int_equal(chmod(path, 0640), 0);
	fake.box.preempt = false;
	fake.groups[1].info.advskew = 7;
	mgmt_cli_run(&session, "show config diff");
	assert_string_equal(session.text, "set carp preempt 0\nset carp carp1 advskew 7\n");
	assert_non_null(strstr(run("save", path, MGMT_CLI_DONE), ": 2 changes\n"));
	doc = load(path);
	carp = json_object_get(doc, "carp");
	assert_true(json_is_false(json_object_get(carp, "preempt")));
	/* the file's order of groups and keys, secrets as they were written, nothing new */
	g = json_array_get(json_object_get(carp, "groups"), 0);
	assert_string_equal(get_str(g, "name"), "carp1");
	assert_int_equal(get_u64(g, "advskew"), 7);
	assert_string_equal(get_str(g, "pass"), "wanpasswd");
	assert_string_equal(json_object_iter_key(json_object_iter(doc)), "node");
	assert_string_equal(json_object_iter_key(json_object_iter(
				    json_array_get(json_object_get(doc, "interfaces"), 0))),
		"device");
	assert_null(json_object_get(carp, "log"));
	assert_int_equal(json_object_size(g), 5);
	json_decref(doc);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	/* koi runs on it now */
	mgmt_cli_run(&session, "show config diff");
	assert_string_equal(session.text, "as in the file\n");
	assert_non_null(strstr(run("reload plan", path, MGMT_CLI_DONE), "7 of 7 objects kept: "));
	assert_non_null(strstr(run("save", path, MGMT_CLI_DONE), ": 0 changes\n"));
}

static void
without_changes_the_file_is_not_touched(void **state)
{
	(void)state;
	assert_non_null(strstr(run("save", path, MGMT_CLI_DONE), ": 0 changes\n"));
	assert_file(path, text);
	assert_int_equal(fake.n_reloads, 1);
}

static void
another_file_is_private(void **state)
{
	struct stat st;
	json_t *doc;

	(void)state;
	fake.box.log = 2;
	assert_non_null(strstr(run("save", other, MGMT_CLI_DONE), ": 1 change\n"));
	assert_file(path, text);
	assert_int_equal(stat(other, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	doc = load(other);
	assert_int_equal(get_u64(json_object_get(doc, "carp"), "log"), 2);
	json_decref(doc);
	/* koi does not run on that one */
	mgmt_cli_run(&session, "show config diff");
	assert_string_equal(session.text, "set carp log 2\n");
}

static void
routes_and_neighbors_are_saved(void **state)
{
	const uint8_t mac[BASE_MAC_LEN] = {2, 0, 0, 0, 0, 9};
	json_t *doc, *list, *o;
	struct fib_route routes[2], *file = fake.routes;

	(void)state;
	assert_int_equal(fake.n_routes, 1);
	routes[0] = file[0];
	routes[1] =
		(struct fib_route){.prefix = {.addr = base_addr_from_ip4(0xcb007100), .plen = 24},
			.nh = {.type = FIB_NH_GATEWAY, .if_index = 1, .gateway = 0xc63364fd}};
	fake.routes = routes;
	fake.n_routes = 2;
	fake.n_runtime = 1;
	fake.nbrs[0] = (struct fib_nbr_row){
		.if_index = 0, .addr = base_addr_from_ip4(0xc0000209), .state = FIB_NBR_STATIC};
	memcpy(fake.nbrs[0].mac, mac, sizeof(mac));
	fake.n_nbrs = 1;
	assert_non_null(strstr(run("save", path, MGMT_CLI_DONE), ": 2 changes\n"));
	doc = load(path);
	list = json_object_get(doc, "routes");
	assert_int_equal(json_array_size(list), 2);
	o = json_array_get(list, 1);
	assert_string_equal(get_str(o, "prefix"), "203.0.113.0/24");
	assert_string_equal(get_str(o, "via"), "198.51.100.253");
	list = json_object_get(json_array_get(json_object_get(doc, "interfaces"), 0), "neighbors");
	assert_int_equal(json_array_size(list), 1);
	o = json_array_get(list, 0);
	assert_string_equal(get_str(o, "address"), "192.0.2.9");
	assert_string_equal(get_str(o, "mac"), "02:00:00:00:00:09");
	json_decref(doc);
	/* taken out again */
	fake.n_nbrs = 0;
	fake.n_runtime = 0;
	fake.n_routes = 1;
	fake.routes = file;
	assert_non_null(strstr(run("save", path, MGMT_CLI_DONE), ": 2 changes\n"));
	doc = load(path);
	assert_int_equal(json_array_size(json_object_get(doc, "routes")), 1);
	o = json_array_get(json_object_get(doc, "interfaces"), 0);
	assert_int_equal(json_array_size(json_object_get(o, "neighbors")), 0);
	json_decref(doc);
}

static struct fib_route
via_wan(uint32_t prefix, uint8_t plen, uint32_t gateway)
{
	return (struct fib_route){.prefix = {.addr = base_addr_from_ip4(prefix), .plen = plen},
		.nh = {.type = FIB_NH_GATEWAY, .if_index = 1, .gateway = gateway}};
}

static void
routes_keep_their_places(void **state)
{
	static const char *const want[][2] = {
		{"10.0.0.0/8", "198.51.100.254"},
		{"172.16.0.0/12", "198.51.100.253"},
		{"203.0.113.0/24", "198.51.100.253"},
	};
	char edited[sizeof(text) + 256];
	/* one as in the file, one changed and one added; one of the file is taken out */
	struct fib_route routes[] = {
		via_wan(0x0a000000, 8, 0xc63364fe),
		via_wan(0xac100000, 12, 0xc63364fd),
		via_wan(0xcb007100, 24, 0xc63364fd),
	};
	struct fib_route *file = fake.routes;
	json_t *doc, *list;

	(void)state;
	snprintf(edited, sizeof(edited),
		"%.*s{\"prefix\": \"10.0.0.0/8\", \"via\": \"198.51.100.254\"},\n"
		"{\"prefix\": \"192.168.0.0/16\", \"via\": \"198.51.100.254\"},\n"
		"{\"prefix\": \"172.16.0.0/12\", \"via\": \"198.51.100.254\"}]}\n",
		(int)(strstr(text, "{\"prefix\"") - text), text);
	write_text(edited);
	run("reload", path, MGMT_CLI_DONE);
	fake.routes = routes;
	fake.n_routes = 3;
	fake.n_runtime = 2;
	assert_non_null(strstr(run("save", path, MGMT_CLI_DONE), ": 3 changes\n"));
	fake.routes = file;
	doc = load(path);
	list = json_object_get(doc, "routes");
	assert_int_equal(json_array_size(list), 3);
	for (unsigned int i = 0; i < 3; i++) {
		assert_string_equal(get_str(json_array_get(list, i), "prefix"), want[i][0]);
		assert_string_equal(get_str(json_array_get(list, i), "via"), want[i][1]);
	}
	json_decref(doc);
}

static void
what_cannot_be_saved_is_refused(void **state)
{
	(void)state;
	fake.groups[0].key_set = true;
	assert_non_null(strstr(run("save", path, MGMT_CLI_REFUSED),
		"refused: the password of carp0 was set by a command"));
	fake.groups[0].key_set = false;
	auth_stage_begin(&fake.groups[1].stage, true, BASE_NS_PER_S, FAKE_NOW);
	assert_string_equal(run("save", path, MGMT_CLI_REFUSED),
		"refused: a change of carp1 is staged: commit or abort first\n");
	fake.groups[1].stage.phase = AUTH_STAGE_NONE;
	fake.box.log = 2;
	assert_non_null(strstr(run("save", "/proc/no/koi.json", MGMT_CLI_REFUSED),
		"refused: /proc/no/koi.json: cannot be written: "));
	assert_file(path, text);
	/* edited meanwhile */
	write_text("{\"node\": \"fw2\"}");
	assert_non_null(strstr(run("save", path, MGMT_CLI_REFUSED), " is not what koi runs on"));
	assert_file(path, "{\"node\": \"fw2\"}");
	/* by nothing but where a route leads */
	char *edited = strdup(text), *via = strstr(edited, "198.51.100.254");

	assert_non_null(via);
	via[strlen("198.51.100.25")] = '3';
	write_text(edited);
	assert_non_null(strstr(run("save", path, MGMT_CLI_REFUSED), " is not what koi runs on"));
	assert_file(path, edited);
	free(edited);
	write_text("{\"node\": ");
	assert_non_null(strstr(run("save", path, MGMT_CLI_REFUSED), "koi.json:1:"));
	assert_file(path, "{\"node\": ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, before, after)
		T(changes_go_where_they_belong),
		T(without_changes_the_file_is_not_touched),
		T(another_file_is_private),
		T(routes_and_neighbors_are_saved),
		T(routes_keep_their_places),
		T(what_cannot_be_saved_is_refused),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
