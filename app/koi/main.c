/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * koi: the appliance. Configuration first, then EAL, then everything that runs; undone backwards.
 */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_version.h>

#include "args.h"
#include "check.h"
#include "compat_thread.h"
#include "conf.h"
#include "doctor.h"
#include "dp.h"
#include "eal_args.h"
#include "lcore_plan.h"
#include "mgmt.h"
#include "notify.h"
#include "privileges.h"
#include "wire_up.h"

struct prompt {
	struct wire_up *w;
	bool started;
	pthread_t thread;
};

/* Everybody but the waiting main thread leaves these alone: masked before EAL makes threads. */
static void
signals_block(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* systemd reads "<N>" at the start of a line when stderr goes to the journal. */
static bool
stderr_is_journal(void)
{
	return getenv("JOURNAL_STREAM") != NULL;
}

static int
machine_read(struct lcore_machine *m, struct lcore_cpu *cpus, int *nodes, const struct conf *conf)
{
	int n = lcore_system_cpus(cpus);

	if (n < 0)
		return n;
	for (uint16_t i = 0; i < conf->n_devices; i++)
		nodes[i] = lcore_system_device_node(conf->ifs[conf->device_if[i]].device);
	*m = (struct lcore_machine){
		.n_cpus = (uint16_t)n,
		.cpus = cpus,
		.n_devices = conf->n_devices,
		.device_node = nodes,
	};
	return 0;
}

static struct lcore_given
given_lcore(unsigned int id)
{
	rte_cpuset_t set = rte_lcore_cpuset(id);
	struct lcore_given g = {
		.lcore = (uint16_t)id,
		.cpu = LCORE_CPU_FLOAT,
		.node = (int)rte_lcore_to_socket_id(id),
	};

	for (unsigned int cpu = 0; CPU_COUNT(&set) == 1 && cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set))
			g.cpu = (int)cpu;
	return g;
}

/* The user chose lcores by EAL's own options; what they are is known once EAL has run. */
static int
plan_adopt(struct lcore_plan *plan, const struct conf *conf, char *err, size_t err_len)
{
	struct lcore_given given[LCORE_ROLE_MAX + 1];
	uint16_t n = 0;
	unsigned int id;

	given[n++] = given_lcore(rte_get_main_lcore());
	for (id = rte_get_next_lcore(UINT32_MAX, 1, 0); id < RTE_MAX_LCORE && n < RTE_DIM(given);
		id = rte_get_next_lcore(id, 1, 0))
		given[n++] = given_lcore(id);
	return lcore_plan_adopt(plan, &conf->lcores, given, n, err, err_len);
}

static void
check_numa(struct lcore_plan *plan, const struct conf *conf)
{
	const char *device[CONF_PORT_MAX];
	int node[CONF_PORT_MAX];
	uint16_t id;

	for (uint16_t i = 0; i < conf->n_devices; i++) {
		device[i] = conf->ifs[conf->device_if[i]].device;
		node[i] = rte_eth_dev_get_port_by_name(device[i], &id) == 0
			? rte_eth_dev_socket_id(id)
			: LCORE_NODE_ANY;
	}
	lcore_plan_check_numa(plan, device, node, conf->n_devices);
}

static void
on_quit(void *arg)
{
	struct prompt *p = arg;

	wire_up_shutdown(p->w);
}

static void *
prompt_main(void *arg)
{
	struct prompt *p = arg;

	wire_up_prompt(p->w);
	wire_up_shutdown(p->w);
	return NULL;
}

static void
prompt_start(struct prompt *p)
{
	p->started = pthread_create(&p->thread, NULL, prompt_main, p) == 0;
	if (!p->started)
		fprintf(stderr, "koi: the prompt could not be started\n");
}

static void
prompt_stop(struct prompt *p)
{
	if (!p->started)
		return;
	wire_up_prompt_end(p->w);
	pthread_join(p->thread, NULL);
}

static struct notify_state
state_of(const struct wire_up *w)
{
	struct ctl_box_view v;

	wire_up_view(w, &v);
	return (struct notify_state){
		.beat = v.published_at,
		.masters = v.masters,
		.backups = v.backups,
		.inits = v.inits,
		.demotion = v.demotion,
	};
}

/*
 * A reload by signal. It may take seconds, in which the service manager wants to hear of the
 * control lcore, and SIGTERM is to be obeyed: so it has a thread.
 */
struct sighup {
	struct wire_up *w;
	pthread_t thread;
	bool running;
	bool again;    /* one more signal came meanwhile */
	uint32_t done; /* atomic */
};

static void *
sighup_main(void *arg)
{
	struct sighup *r = arg;

	wire_up_reload(r->w);
	__atomic_store_n(&r->done, 1, __ATOMIC_RELEASE);
	return NULL;
}

static void
sighup_begin(struct sighup *r, struct notify *n)
{
	int ret;

	r->again = r->running;
	if (r->running)
		return;
	notify_reloading(n);
	r->done = 0;
	ret = pthread_create(&r->thread, NULL, sighup_main, r);
	r->running = ret == 0;
	if (ret != 0)
		fprintf(stderr, "koi: not reloaded, no thread for it: %s\n", strerror(ret));
}

static void
sighup_end(struct sighup *r)
{
	if (r->running)
		pthread_join(r->thread, NULL);
	r->running = false;
}

static void
wait_for_end(struct wire_up *w, const sigset_t *set, struct notify *n)
{
	const struct timespec poll = {.tv_nsec = 20 * 1000 * 1000};
	struct notify_state state = state_of(w);
	struct sighup reload = {.w = w};
	bool ending = false;

	notify_ready(n, dp_clock(), &state);
	while (!wire_up_finished(w)) {
		int sig = sigtimedwait(set, NULL, &poll);
		bool reloading = reload.running;

		if (sig == SIGTERM || sig == SIGINT) {
			ending = true;
			notify_stopping(n);
			wire_up_shutdown(w);
		} else if (sig == SIGHUP && !ending) {
			reloading = true;
			sighup_begin(&reload, n);
		}
		if (reload.running && __atomic_load_n(&reload.done, __ATOMIC_ACQUIRE) != 0)
			sighup_end(&reload);
		state = state_of(w);
		if (reloading && !reload.running && !ending)
			notify_ready(n, dp_clock(), &state);
		else
			notify_turn(n, dp_clock(), &state);
		if (reload.again && !reload.running && !ending)
			sighup_begin(&reload, n);
	}
	notify_stopping(n);
	sighup_end(&reload);
}

/* Less than all of it is no reason not to run, but one to say so. */
static void
drop_privileges(void)
{
	int ret = privileges_drop(rte_eal_iova_mode() == RTE_IOVA_PA);

	if (ret != 0)
		fprintf(stderr, "koi: warning: capabilities could not be given up: %s\n",
			strerror(-ret));
}

static int
serve(const struct args *a, const struct conf *conf, const struct lcore_plan *plan, int hook_fd,
	const sigset_t *set, struct notify *manager)
{
	char err[512] = "";
	char socket_path[128], drained_path[512];
	struct prompt prompt = {0};
	struct wire_up_config config = {
		.conf = conf,
		.plan = plan,
		.cli_socket = a->cli_socket,
		.drained_path = drained_path,
		.hook_fd = hook_fd,
		.syslog_prefix = stderr_is_journal(),
		.on_quit = on_quit,
		.arg = &prompt,
	};

	if (a->state_dir != NULL)
		snprintf(drained_path, sizeof(drained_path), "%s/drained", a->state_dir);
	else
		snprintf(drained_path, sizeof(drained_path), "/var/lib/koi/%s/drained", conf->node);
	if (config.cli_socket == NULL) {
		snprintf(socket_path, sizeof(socket_path), "/run/koi/%s/cli.sock", conf->node);
		config.cli_socket = socket_path;
	}
	prompt.w = wire_up_start(&config, err, sizeof(err));
	if (prompt.w == NULL) {
		fprintf(stderr, "koi: %s\n", err);
		return ARGS_EXIT_EAL;
	}
	drop_privileges();
	if (a->interactive)
		prompt_start(&prompt);
	wait_for_end(prompt.w, set, manager);
	prompt_stop(&prompt);
	wire_up_stop(prompt.w);
	return ARGS_EXIT_OK;
}

/* EAL's own lines name the step that failed; this names what to do, where that is known. */
static void
tell_why_no_eal(const char *node, int err)
{
	/* before its options are read EAL does not know by which file to ask */
	if (err != EINVAL && rte_eal_primary_proc_alive(NULL) != 0)
		fprintf(stderr,
			"koi: EAL could not be initialised: another process runs as node \"%s\"\n",
			node);
	else if (err == EACCES && rte_eal_has_hugepages() != 0)
		fprintf(stderr,
			"koi: EAL could not be initialised: there are no hugepages: reserve some "
			"(dpdk-hugepages.py --setup 256M), or do without: "
			"\"eal\": [\"--no-huge\", \"-m\", \"128\", ...]\n");
	else if (err != 0)
		fprintf(stderr, "koi: EAL could not be initialised: %s\n", rte_strerror(err));
	else
		fprintf(stderr, "koi: EAL could not be initialised, for the reason above\n");
}

static int
with_eal(const struct args *a, const struct conf *conf, struct lcore_plan *plan, int hook_fd,
	const sigset_t *set, struct notify *manager)
{
	char err[512] = "";
	struct eal_args eal;
	const char *devices[CONF_PORT_MAX];
	int code = ARGS_EXIT_EAL;

	for (uint16_t i = 0; i < conf->n_devices; i++)
		devices[i] = conf->ifs[conf->device_if[i]].device;
	if (eal_args_build(&eal, a->program, plan->lcores[0] ? plan->lcores : NULL, conf->node,
		    devices, conf->n_devices, conf->eal, conf->n_eal, a->eal, a->n_eal, err,
		    sizeof(err)) != 0) {
		fprintf(stderr, "koi: %s\n", err);
		return ARGS_EXIT_USAGE;
	}
	if (rte_eal_init(eal.argc, eal.argv) < 0) {
		tell_why_no_eal(conf->node, rte_errno);
		goto out;
	}
	if (eal.lcores_given && plan_adopt(plan, conf, err, sizeof(err)) != 0) {
		fprintf(stderr, "koi: %s\n", err);
		code = ARGS_EXIT_USAGE;
	} else {
		check_numa(plan, conf);
		for (uint16_t i = 0; i < plan->n_warnings; i++)
			fprintf(stderr, "koi: warning: %s\n", plan->warning[i]);
		code = serve(a, conf, plan, hook_fd, set, manager);
	}
	rte_eal_cleanup();
out:
	eal_args_free(&eal);
	return code;
}

static int
run(const struct args *a)
{
	struct conf_issues issues;
	struct conf *conf = conf_load(a->config, 0, &issues);
	static struct lcore_cpu cpus[LCORE_CPU_MAX];
	static struct lcore_plan plan;
	int nodes[CONF_PORT_MAX];
	struct lcore_machine machine;
	struct mgmt_hook_process hook;
	struct notify manager;
	char err[512] = "";
	sigset_t set;
	int code = ARGS_EXIT_USAGE;

	conf_issues_print(&issues, stderr);
	conf_issues_free(&issues);
	if (conf == NULL)
		return code;
	/* before there are children and threads, which may be reading the environment */
	if (notify_open(&manager) != 0)
		fprintf(stderr, "koi: warning: the service manager's socket cannot be used\n");
	/* now, while there are no threads, descriptors, signal masks and devices to inherit */
	if (mgmt_hook_fork(conf, &hook, err, sizeof(err)) != 0) {
		fprintf(stderr, "koi: %s\n", err);
		notify_close(&manager);
		conf_free(conf);
		return code;
	}
	signals_block(&set);
	int ret = machine_read(&machine, cpus, nodes, conf);

	if (ret != 0) {
		fprintf(stderr, "koi: the CPUs of this process are not known: %s\n",
			strerror(-ret));
		code = ARGS_EXIT_INTERNAL;
	} else if (!eal_args_choose_lcores(conf->eal, conf->n_eal) &&
		!eal_args_choose_lcores(a->eal, a->n_eal) &&
		lcore_plan_make(&plan, &conf->lcores, &machine, err, sizeof(err)) != 0) {
		fprintf(stderr, "koi: %s: /lcores: %s\n", a->config, err);
	} else {
		code = with_eal(a, conf, &plan, hook.fd, &set, &manager);
	}
	mgmt_hook_end(&hook);
	notify_close(&manager);
	conf_free(conf);
	return code;
}

int
main(int argc, char **argv)
{
	struct args a;

	conf_json_wipe();
	if (args_parse(argc, argv, &a, stderr) != 0)
		return ARGS_EXIT_USAGE;
	if (a.help) {
		args_help(&a, stdout);
		return ARGS_EXIT_OK;
	}
	if (a.version) {
		/* the latter begins with "DPDK" */
		printf("koi %s, %s\n", KOI_VERSION, rte_version());
		return ARGS_EXIT_OK;
	}
	if (a.check)
		return check_run(&a);
	if (a.doctor)
		return doctor_run(&a);
	return run(&a);
}
