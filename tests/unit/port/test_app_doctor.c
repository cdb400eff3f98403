/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* koi --doctor on machines that are a few files below a directory. */
#include <errno.h>
#include <ftw.h>
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
#include <jansson.h>

#include "doctor.h"

#define PCI  "0000:03:00.0"
#define DEV  "sys/bus/pci/devices/" PCI
#define HUGE "sys/kernel/mm/hugepages/hugepages-2048kB"
#define CPUS "sys/devices/system/cpu"

struct entry {
	const char *path, *text; /**< text "-> X": a link to X; NULL: a directory */
};

/* A machine on which all is well; cases replace or remove entries. */
static const struct entry good[] = {
	{"proc/mounts", "none /dev/hugepages hugetlbfs rw 0 0\n"},
	{HUGE "/nr_hugepages", "512\n"},
	{HUGE "/free_hugepages", "512\n"},
	{"sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages", "512\n"},
	{DEV "/driver", "-> ../../../../bus/pci/drivers/vfio-pci"},
	{DEV "/iommu_group", "-> ../../../../kernel/iommu_groups/17"},
	{DEV "/numa_node", "0\n"},
	{"sys/class/net/eth1/flags", "0x1003\n"},
	{CPUS "/online", "0-3\n"},
	{CPUS "/isolated", "1-3\n"},
	{CPUS "/cpu0/node0/x", ""},
	{CPUS "/cpu1/node0/x", ""},
	{CPUS "/cpu2/node0/x", ""},
	{CPUS "/cpu3/node1/x", ""},
};

#define CONF(eal, device, lcores)                  \
	"{\"eal\": [" eal "], \"lcores\": " lcores \
	", \"interfaces\": [{\"name\": \"em0\", \"device\": \"" device "\"}]}"
#define ON_NODE0 "{\"control\": 1, \"workers\": [2]}"

struct doctor_case {
	const char *name, *conf;
	struct entry change[3]; /**< text "": taken away */
	enum doctor_level level;
	const char *topic, *found, *advice; /**< parts of the finding that must be there */
};

static const struct doctor_case cases[] = {
	{"all is well", CONF("", PCI, ON_NODE0), {{NULL, NULL}}, DOCTOR_OK, "driver",
		"bound to vfio-pci", ""},
	{"hugepages are there", CONF("", PCI, ON_NODE0), {{NULL, NULL}}, DOCTOR_OK, "hugepages",
		"1024 MB of 1024 MB are free", ""},
	{"no hugepages", CONF("", PCI, ON_NODE0), {{HUGE "/nr_hugepages", "0\n"}}, DOCTOR_FAILS,
		"hugepages", "none are reserved", "dpdk-hugepages.py --setup 256M"},
	{"no files on hugepages", CONF("", PCI, ON_NODE0),
		{{"proc/mounts", "none / ext4 rw 0 0\n"}}, DOCTOR_FAILS, "hugepages",
		"no file system", "mount -t hugetlbfs"},
	{"few hugepages", CONF("", PCI, ON_NODE0), {{HUGE "/free_hugepages", "100\n"}}, DOCTOR_WARN,
		"hugepages", "200 MB of 1024 MB are free, advised are 256 MB", "--setup 256M"},
	{"none on the device's node", CONF("", PCI, ON_NODE0),
		{{"sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages", "0\n"}},
		DOCTOR_WARN, "hugepages", "none on NUMA node 0, where " PCI " is", "--node"},
	{"hugepages not wanted", CONF("\"--no-huge\"", PCI, ON_NODE0),
		{{HUGE "/nr_hugepages", "0\n"}}, DOCTOR_NOTE, "hugepages", "not used", "--no-huge"},
	{"a driver of the kernel's", CONF("", PCI, ON_NODE0),
		{{DEV "/driver", "-> ../../../../bus/pci/drivers/ixgbe"}}, DOCTOR_FAILS, "driver",
		"bound to ixgbe, a driver of the kernel's", "dpdk-devbind.py -b vfio-pci " PCI},
	{"no driver", CONF("", PCI, ON_NODE0), {{DEV "/driver", ""}}, DOCTOR_FAILS, "driver",
		"bound to none", "dpdk-devbind.py -b vfio-pci " PCI},
	{"a shared driver", CONF("", PCI, ON_NODE0),
		{{DEV "/driver", "-> ../../../../bus/pci/drivers/mlx5_core"}}, DOCTOR_OK, "driver",
		"bound to mlx5_core, which DPDK shares", ""},
	{"uio", CONF("", PCI, ON_NODE0),
		{{DEV "/driver", "-> ../../../../bus/pci/drivers/uio_pci_generic"}}, DOCTOR_NOTE,
		"driver", "it can write to all memory", "vfio-pci is safer"},
	{"no such device", CONF("", "0000:04:00.0", ON_NODE0), {{NULL, NULL}}, DOCTOR_FAILS,
		"driver", "there is no PCI device 0000:04:00.0", "dpdk-devbind.py --status"},
	{"no IOMMU", CONF("", PCI, ON_NODE0), {{DEV "/iommu_group", ""}}, DOCTOR_FAILS, "iommu",
		"vfio-pci needs one", "intel_iommu=on"},
	{"no IOMMU, and so be it", CONF("", PCI, ON_NODE0),
		{{DEV "/iommu_group", ""},
			{"sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y\n"}},
		DOCTOR_WARN, "iommu", "vfio does without", "intel_iommu=on"},
	{"a netdev that is up",
		CONF("\"--vdev=net_af_packet0,iface=eth1\"", "net_af_packet0", ON_NODE0),
		{{NULL, NULL}}, DOCTOR_OK, "netdev", "made of eth1, which is up", ""},
	{"a netdev that is down",
		CONF("\"--vdev=net_af_packet0,qpairs=1,iface=eth1\"", "net_af_packet0", ON_NODE0),
		{{"sys/class/net/eth1/flags", "0x1002\n"}}, DOCTOR_FAILS, "netdev", "which is down",
		"ip link set eth1 up"},
	{"a netdev that is not there",
		CONF("\"--vdev\", \"net_af_packet0,iface=eth2\"", "net_af_packet0", ON_NODE0),
		{{NULL, NULL}}, DOCTOR_FAILS, "netdev", "eth2, which is not there", "ip link"},
	{"isolated", CONF("", PCI, ON_NODE0), {{NULL, NULL}}, DOCTOR_OK, "isolation", "is isolated",
		""},
	{"not isolated", CONF("", PCI, ON_NODE0), {{CPUS "/isolated", "2\n"}}, DOCTOR_NOTE,
		"isolation", "on CPU 1 of control lcore", "isolcpus="},
	{"not isolated, and it spins",
		CONF("", PCI, "{\"control\": 1, \"workers\": [2], \"idle\": \"poll\"}"),
		{{CPUS "/isolated", "\n"}}, DOCTOR_WARN, "isolation", "on CPU 1,2 ", "isolcpus="},
	{"a worker on another node", CONF("", PCI, "{\"control\": 1, \"workers\": [3]}"),
		{{NULL, NULL}}, DOCTOR_WARN, "lcores", "polls " PCI " of node 0", "NUMA node"},
	{"a CPU that is not there", CONF("", PCI, "{\"control\": 1, \"workers\": [1023]}"),
		{{NULL, NULL}}, DOCTOR_FAILS, "lcores", "1023", "change \"lcores\""},
	{"lcores by EAL's options", CONF("\"-l\", \"0-2\"", PCI, "\"auto\""), {{NULL, NULL}},
		DOCTOR_NOTE, "lcores", "EAL's own options", ""},
};

static char root[] = "/tmp/koi-doctor-XXXXXX";

static void
put(const struct entry *e)
{
	char path[512], *slash;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", root, e->path);
	for (slash = strchr(path + strlen(root) + 1, '/'); slash != NULL;
		slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
	unlink(path);
	if (strncmp(e->text, "-> ", 3) == 0) {
		assert_int_equal(symlink(e->text + 3, path), 0);
		return;
	}
	if (e->text[0] == '\0' && path[strlen(path) - 2] != '/')
		return;
	f = fopen(path, "we");
	assert_non_null(f);
	fputs(e->text, f);
	assert_int_equal(fclose(f), 0);
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st;
	(void)flag;
	(void)at;
	return remove(path);
}

static struct conf *
read_conf(const char *text)
{
	struct conf_issues issues;
	struct conf *c = conf_parse(text, strlen(text), "t", CONF_CHECK_ONLY, &issues);

	if (c == NULL)
		fail_msg("%s: %s", text, issues.issue[0].text);
	conf_issues_free(&issues);
	return c;
}

static void
examine(struct doctor *d)
{
	doctor_hugepages(d);
	doctor_devices(d);
	doctor_lcores(d);
}

static void
each_lack_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct doctor_case *t = &cases[i];
		struct doctor d = {.root = root, .conf = read_conf(t->conf)};
		bool found = false;

		for (size_t k = 0; k < sizeof(good) / sizeof(good[0]); k++)
			put(&good[k]);
		for (size_t k = 0; k < 3 && t->change[k].path != NULL; k++)
			put(&t->change[k]);
		examine(&d);
		for (unsigned int k = 0; k < d.n; k++) {
			const struct doctor_finding *f = &d.finding[k];

			found |= f->level == t->level && strcmp(f->topic, t->topic) == 0 &&
				strstr(f->found, t->found) != NULL &&
				strstr(f->advice, t->advice) != NULL;
			/* whatever lacks has a remedy */
			if (f->level > DOCTOR_OK && f->advice[0] == '\0')
				fail_msg("%s: no advice for: %s", t->name, f->found);
		}
		if (!found) {
			doctor_print(&d, stderr);
			fail_msg("%s: not found", t->name);
		}
		assert_true(doctor_worst(&d) >= t->level);
		for (size_t k = 0; k < 3 && t->change[k].path != NULL; k++)
			put(&(struct entry){t->change[k].path, ""});
		doctor_free(&d);
		conf_free((struct conf *)(uintptr_t)d.conf);
	}
}

static void
text_and_json_say_the_same(void **state)
{
	struct doctor d = {.root = "/nonexistent", .conf = read_conf(CONF("", PCI, ON_NODE0))};
	char *text = NULL, *json = NULL;
	size_t text_len, json_len, i;
	FILE *f = open_memstream(&text, &text_len);
	json_t *o, *e;

	(void)state;
	examine(&d);
	doctor_print(&d, f);
	assert_int_equal(fclose(f), 0);
	f = open_memstream(&json, &json_len);
	doctor_print_json(&d, f);
	assert_int_equal(fclose(f), 0);
	o = json_loads(json, 0, NULL);
	assert_non_null(o);
	assert_string_equal(json_string_value(json_object_get(o, "worst")), "FAILS");
	assert_int_equal(json_array_size(json_object_get(o, "findings")), d.n);
	json_array_foreach (json_object_get(o, "findings"), i, e) {
		assert_non_null(strstr(text, json_string_value(json_object_get(e, "found"))));
		assert_string_equal(
			json_string_value(json_object_get(e, "topic")), d.finding[i].topic);
	}
	json_decref(o);
	free(text);
	free(json);
	doctor_free(&d);
	conf_free((struct conf *)(uintptr_t)d.conf);
}

static int
make_root(void **state)
{
	(void)state;
	return mkdtemp(root) == NULL ? -1 : 0;
}

static int
drop_root(void **state)
{
	(void)state;
	return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_lack_is_found),
		cmocka_unit_test(text_and_json_say_the_same),
	};

	return cmocka_run_group_tests(tests, make_root, drop_root);
}
