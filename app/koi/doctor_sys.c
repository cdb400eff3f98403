/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor.h"
#include "eal_args.h"

/* What README advises: buffers of a few interfaces and workers, and room for tables. */
#define HUGE_ADVISED_MB 256

#define PATH_LEN 512

__attribute__((format(printf, 3, 4))) static const char *
path_of(const struct doctor *d, char buf[PATH_LEN], const char *fmt, ...)
{
	int n = snprintf(buf, PATH_LEN, "%s", d->root);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf + n, PATH_LEN - (size_t)n, fmt, ap);
	va_end(ap);
	return buf;
}

/** The first line of a file, without its newline. @return false when there is no such file */
static bool
read_line(const char *path, char *buf, size_t len)
{
	FILE *f = fopen(path, "re");

	buf[0] = '\0';
	if (f == NULL)
		return false;
	if (fgets(buf, (int)len, f) == NULL)
		buf[0] = '\0';
	fclose(f);
	buf[strcspn(buf, "\n")] = '\0';
	return true;
}

static bool
read_number(const char *path, long *v)
{
	char line[64], *end;

	if (!read_line(path, line, sizeof(line)) || line[0] == '\0')
		return false;
	*v = strtol(line, &end, 0);
	return *end == '\0';
}

static bool
exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

/** The last part of what a link names. @return false when there is none */
static bool
link_name(const char *path, char *buf, size_t len)
{
	char target[PATH_LEN];
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	if (n <= 0)
		return false;
	target[n] = '\0';
	snprintf(buf, len, "%s", basename(target));
	return true;
}

/** The first interface of a device, which it is known by here. */
static const struct conf_if *
first_if(const struct doctor *d, uint16_t device)
{
	return &d->conf->ifs[d->conf->device_if[device]];
}

static bool
is_pci(const char *device)
{
	return strchr(device, ':') != NULL && strchr(device, '.') != NULL &&
		strchr(device, '/') == NULL;
}

static bool
hugetlbfs_mounted(const struct doctor *d)
{
	char path[PATH_LEN], line[1024];
	bool found = false;
	FILE *f = fopen(path_of(d, path, "/proc/mounts"), "re");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		found |= strstr(line, " hugetlbfs ") != NULL;
	if (f != NULL)
		fclose(f);
	return found;
}

/** Megabytes of all page sizes below a directory, in total and free. */
static void
sum_pages(const char *dir, uint64_t *total, uint64_t *unused)
{
	DIR *d = opendir(dir);
	const struct dirent *e;

	*total = *unused = 0;
	while (d != NULL && (e = readdir(d)) != NULL) {
		char path[PATH_LEN + 300];
		long kb, n;

		if (sscanf(e->d_name, "hugepages-%ldkB", &kb) != 1)
			continue;
		snprintf(path, sizeof(path), "%s/%s/nr_hugepages", dir, e->d_name);
		if (read_number(path, &n))
			*total += (uint64_t)n * (uint64_t)kb / 1024;
		snprintf(path, sizeof(path), "%s/%s/free_hugepages", dir, e->d_name);
		if (read_number(path, &n))
			*unused += (uint64_t)n * (uint64_t)kb / 1024;
	}
	if (d != NULL)
		closedir(d);
}

/** NUMA node of a PCI device, or LCORE_NODE_ANY. */
static int
device_node(const struct doctor *d, const char *device)
{
	char path[PATH_LEN];
	long node;

	if (!is_pci(device) ||
		!read_number(
			path_of(d, path, "/sys/bus/pci/devices/%s/numa_node", device), &node) ||
		node < 0)
		return LCORE_NODE_ANY;
	return (int)node;
}

void
doctor_hugepages(struct doctor *d)
{
	uint64_t total, unused;
	char path[PATH_LEN];

	if (doctor_eal_has(d, "--no-huge")) {
		doctor_add(d, DOCTOR_NOTE, "hugepages", "",
			"take \"--no-huge\" out of \"eal\" where devices are NICs bound to DPDK",
			"not used, as \"eal\" says (--no-huge)");
		return;
	}
	sum_pages(path_of(d, path, "/sys/kernel/mm/hugepages"), &total, &unused);
	if (total == 0)
		doctor_add(d, DOCTOR_FAILS, "hugepages", "",
			"dpdk-hugepages.py --setup 256M (or at boot: hugepages=128), or do without: "
			"\"eal\": [\"--no-huge\", \"-m\", \"128\"]",
			"none are reserved");
	else if (unused < HUGE_ADVISED_MB)
		doctor_add(d, DOCTOR_WARN, "hugepages", "",
			"dpdk-hugepages.py --setup 256M; those that a koi in service uses are not free",
			"%" PRIu64 " MB of %" PRIu64 " MB are free, advised are %d MB", unused,
			total, HUGE_ADVISED_MB);
	else
		doctor_add(d, DOCTOR_OK, "hugepages", "", NULL,
			"%" PRIu64 " MB of %" PRIu64 " MB are free", unused, total);
	if (total > 0 && !hugetlbfs_mounted(d) && !doctor_eal_has(d, "--in-memory"))
		doctor_add(d, DOCTOR_FAILS, "hugepages", "",
			"mount -t hugetlbfs none /dev/hugepages",
			"no file system of hugepages is mounted");
	for (uint16_t i = 0; total > 0 && i < d->conf->n_devices; i++) {
		const struct conf_if *cif = first_if(d, i);
		int node = device_node(d, cif->device);
		uint64_t there;

		if (node == LCORE_NODE_ANY)
			continue;
		path_of(d, path, "/sys/devices/system/node/node%d/hugepages", node);
		if (!exists(path))
			continue;
		sum_pages(path, &there, &unused);
		if (there == 0)
			doctor_add(d, DOCTOR_WARN, "hugepages", cif->name,
				"dpdk-hugepages.py --node N --setup 256M, N the node of the device",
				"none on NUMA node %d, where %s is: its buffers lie on another node",
				node, cif->device);
	}
}

static void
check_iommu(struct doctor *d, const struct conf_if *i)
{
	char path[PATH_LEN], group[32], unsafe[8];

	if (link_name(path_of(d, path, "/sys/bus/pci/devices/%s/iommu_group", i->device), group,
		    sizeof(group))) {
		doctor_add(d, DOCTOR_OK, "iommu", i->name, NULL, "%s is in IOMMU group %s",
			i->device, group);
		return;
	}
	read_line(path_of(d, path, "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode"),
		unsafe, sizeof(unsafe));
	if (unsafe[0] == 'Y')
		doctor_add(d, DOCTOR_WARN, "iommu", i->name,
			"enable it in the firmware and boot with intel_iommu=on or amd_iommu=on",
			"none, vfio does without: the device can write to all memory");
	else
		doctor_add(d, DOCTOR_FAILS, "iommu", i->name,
			"enable it in the firmware and boot with intel_iommu=on or amd_iommu=on; without "
			"one, bind to uio_pci_generic",
			"none, and vfio-pci needs one");
}

/* Drivers of the kernel that share the device with DPDK's. */
static bool
is_bifurcated(const char *driver)
{
	return strcmp(driver, "mlx5_core") == 0 || strcmp(driver, "mlx4_core") == 0 ||
		strcmp(driver, "mana") == 0;
}

static void
check_pci(struct doctor *d, const struct conf_if *i)
{
	char path[PATH_LEN], driver[64], advice[200];

	if (!exists(path_of(d, path, "/sys/bus/pci/devices/%s", i->device))) {
		doctor_add(d, DOCTOR_FAILS, "driver", i->name,
			"dpdk-devbind.py --status-dev net lists those that are there",
			"there is no PCI device %s", i->device);
		return;
	}
	snprintf(advice, sizeof(advice), "dpdk-devbind.py -b vfio-pci %s, lasting with driverctl",
		i->device);
	path_of(d, path, "/sys/bus/pci/devices/%s/driver", i->device);
	if (!link_name(path, driver, sizeof(driver))) {
		doctor_add(d, DOCTOR_FAILS, "driver", i->name, advice, "%s is bound to none",
			i->device);
	} else if (strcmp(driver, "vfio-pci") == 0) {
		doctor_add(d, DOCTOR_OK, "driver", i->name, NULL, "%s is bound to vfio-pci",
			i->device);
		check_iommu(d, i);
	} else if (strcmp(driver, "uio_pci_generic") == 0 || strcmp(driver, "igb_uio") == 0) {
		doctor_add(d, DOCTOR_NOTE, "driver", i->name,
			"where there is an IOMMU, vfio-pci is safer and needs no root",
			"%s is bound to %s: it can write to all memory", i->device, driver);
	} else if (is_bifurcated(driver)) {
		doctor_add(d, DOCTOR_OK, "driver", i->name, NULL,
			"%s is bound to %s, which DPDK shares", i->device, driver);
	} else {
		doctor_add(d, DOCTOR_FAILS, "driver", i->name, advice,
			"%s is bound to %s, a driver of the kernel's", i->device, driver);
	}
}

/** The value of a --vdev's key for a device: "iface=em0". @return false when it has none */
static bool
vdev_value(const struct doctor *d, const char *device, const char *key, char *buf, size_t len)
{
	const size_t n_device = strlen(device), n_key = strlen(key);

	for (int i = 0; i < d->conf->n_eal + d->n_eal; i++) {
		const char *s = i < d->conf->n_eal ? d->conf->eal[i] : d->eal[i - d->conf->n_eal];

		if (strncmp(s, "--vdev=", 7) == 0)
			s += 7;
		if (strncmp(s, device, n_device) != 0 || s[n_device] != ',')
			continue;
		for (s = strchr(s, ','); s != NULL; s = strchr(s + 1, ',')) {
			if (strncmp(s + 1, key, n_key) != 0 || s[1 + n_key] != '=')
				continue;
			s += n_key + 2;
			snprintf(buf, len, "%.*s", (int)strcspn(s, ","), s);
			return true;
		}
	}
	return false;
}

/** Its flags; of the machine itself by asking, for /sys may be that of another namespace. */
static bool
netdev_flags(const struct doctor *d, const char netdev[IFNAMSIZ], long *flags)
{
	struct ifreq r = {0};
	char path[PATH_LEN];
	int fd, ret;

	if (d->root[0] != '\0')
		return read_number(path_of(d, path, "/sys/class/net/%s/flags", netdev), flags);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	memcpy(r.ifr_name, netdev, IFNAMSIZ);
	ret = ioctl(fd, SIOCGIFFLAGS, &r);
	close(fd);
	*flags = r.ifr_flags;
	return ret == 0;
}

static void
check_netdev(struct doctor *d, const struct conf_if *i)
{
	char netdev[IFNAMSIZ], advice[100];
	long flags;

	if (!vdev_value(d, i->device, "iface", netdev, sizeof(netdev)))
		return;
	if (!netdev_flags(d, netdev, &flags)) {
		doctor_add(d, DOCTOR_FAILS, "netdev", i->name,
			"name one that is there (ip link) as \"iface\" in \"eal\"",
			"%s is made of %s, which is not there", i->device, netdev);
	} else if ((flags & IFF_UP) == 0) {
		snprintf(advice, sizeof(advice), "ip link set %s up", netdev);
		doctor_add(d, DOCTOR_FAILS, "netdev", i->name, advice,
			"%s is made of %s, which is down", i->device, netdev);
	} else {
		doctor_add(d, DOCTOR_OK, "netdev", i->name, NULL, "%s is made of %s, which is up",
			i->device, netdev);
	}
}

void
doctor_devices(struct doctor *d)
{
	for (uint16_t i = 0; i < d->conf->n_devices; i++) {
		const struct conf_if *cif = first_if(d, i);

		if (is_pci(cif->device))
			check_pci(d, cif);
		else
			check_netdev(d, cif);
	}
}

/** True when a list such as "2-5,8" holds a number. */
static bool
in_list(const char *list, unsigned long cpu)
{
	while (*list >= '0' && *list <= '9') {
		char *end;
		unsigned long first = strtoul(list, &end, 10), last = first;

		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		if (cpu >= first && cpu <= last)
			return true;
		list = *end == ',' ? end + 1 : end;
	}
	return false;
}

static int
cpu_node(const struct doctor *d, unsigned int cpu)
{
	char path[PATH_LEN];

	for (int node = 0; node < 64; node++)
		if (exists(path_of(d, path, "/sys/devices/system/cpu/cpu%u/node%d", cpu, node)))
			return node;
	return LCORE_NODE_ANY;
}

/** The CPUs below the root; those of the machine itself less what this process may not use. */
static int
read_cpus(const struct doctor *d, struct lcore_cpu cpus[LCORE_CPU_MAX])
{
	char path[PATH_LEN], online[1024], isolated[1024], siblings[256];
	int n = 0;

	if (d->root[0] == '\0')
		return lcore_system_cpus(cpus);
	read_line(path_of(d, path, "/sys/devices/system/cpu/online"), online, sizeof(online));
	read_line(path_of(d, path, "/sys/devices/system/cpu/isolated"), isolated, sizeof(isolated));
	for (uint16_t cpu = 0; cpu < LCORE_CPU_MAX; cpu++) {
		if (!in_list(online, cpu))
			continue;
		path_of(d, path, "/sys/devices/system/cpu/cpu%u/topology/thread_siblings_list",
			cpu);
		cpus[n++] = (struct lcore_cpu){
			.cpu = cpu,
			.core = read_line(path, siblings, sizeof(siblings)) && siblings[0] != '\0'
				? (uint16_t)strtoul(siblings, NULL, 10)
				: cpu,
			.node = cpu_node(d, cpu),
			.isolated = in_list(isolated, cpu),
		};
	}
	return n;
}

static void
check_isolation(
	struct doctor *d, const struct lcore_plan *plan, const struct lcore_cpu *cpus, int n)
{
	const bool poll = d->conf->lcores.idle == CONF_IDLE_POLL;
	char list[200] = "";
	unsigned int bound = 0;
	size_t at = 0;

	for (uint16_t i = 0; i < plan->n; i++) {
		const struct lcore_seat *s = &plan->seat[i];
		bool isolated = false;

		if (s->role == LCORE_MAIN || s->cpu == LCORE_CPU_FLOAT)
			continue;
		bound++;
		for (int k = 0; k < n; k++)
			isolated |= cpus[k].cpu == s->cpu && cpus[k].isolated;
		if (!isolated && at < sizeof(list))
			at += (size_t)snprintf(
				list + at, sizeof(list) - at, "%s%d", at == 0 ? "" : ",", s->cpu);
	}
	if (bound == 0)
		doctor_add(d, DOCTOR_NOTE, "isolation", "",
			"give koi a CPU for control and one for each worker, and isolate these",
			"lcores share all CPUs with everything else");
	else if (at == 0)
		doctor_add(d, DOCTOR_OK, "isolation", "", NULL,
			"every CPU of control lcore and workers is isolated");
	else
		doctor_add(d, poll ? DOCTOR_WARN : DOCTOR_NOTE, "isolation", "",
			"boot with isolcpus=, nohz_full= and rcu_nocbs= of these CPUs",
			"the kernel puts other work on CPU %s of control lcore and workers%s", list,
			poll ? ", which spin there" : "");
}

void
doctor_lcores(struct doctor *d)
{
	static struct lcore_cpu cpus[LCORE_CPU_MAX];
	static struct lcore_plan plan;
	const char *device[CONF_PORT_MAX];
	int nodes[CONF_PORT_MAX], n = read_cpus(d, cpus);
	struct lcore_machine machine = {
		.n_cpus = (uint16_t)(n < 0 ? 0 : n),
		.cpus = cpus,
		.n_devices = d->conf->n_devices,
		.device_node = nodes,
	};
	char err[256] = "";

	if (eal_args_choose_lcores(d->conf->eal, d->conf->n_eal) ||
		eal_args_choose_lcores(d->eal, d->n_eal)) {
		doctor_add(d, DOCTOR_NOTE, "lcores", "",
			"\"lcores\" of the configuration chooses with the devices in view",
			"chosen by EAL's own options");
		return;
	}
	if (n <= 0) {
		doctor_add(d, DOCTOR_FAILS, "lcores", "", NULL, "the CPUs are not known: %s",
			n < 0 ? strerror(-n) : "none is told of");
		return;
	}
	for (uint16_t i = 0; i < d->conf->n_devices; i++) {
		device[i] = first_if(d, i)->device;
		nodes[i] = device_node(d, device[i]);
	}
	if (lcore_plan_make(&plan, &d->conf->lcores, &machine, err, sizeof(err)) != 0) {
		doctor_add(d, DOCTOR_FAILS, "lcores", "", "change \"lcores\"", "%s", err);
		return;
	}
	for (uint16_t i = 0; i < plan.n; i++) {
		const struct lcore_seat *s = &plan.seat[i];
		char cpu[24] = "any CPU";

		if (s->cpu != LCORE_CPU_FLOAT)
			snprintf(cpu, sizeof(cpu), "CPU %d", s->cpu);
		doctor_add(d, DOCTOR_OK, "lcores", "", NULL, "%s on %s: %s",
			lcore_role_name(s->role), cpu, s->why);
	}
	lcore_plan_check_numa(&plan, device, nodes, d->conf->n_devices);
	for (uint16_t i = 0; i < plan.n_warnings; i++)
		doctor_add(d, DOCTOR_WARN, "lcores", "",
			"\"lcores\" of the configuration chooses CPUs; workers belong on the NUMA node "
			"of the devices",
			"%s", plan.warning[i]);
	check_isolation(d, &plan, cpus, n);
}
