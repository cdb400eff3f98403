/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "doctor.h"

#include <string.h>

#include <rte_eal.h>
#include <rte_errno.h>

#include "devices.h"
#include "eal_args.h"
#include "port.h"

/* As koi itself asks for; see wire_up.c. */
#define DESCRIPTORS 1024

static enum doctor_level
level_of(enum port_check_level l)
{
	switch (l) {
	case PORT_CHECK_NOTE:
		return DOCTOR_NOTE;
	case PORT_CHECK_WARN:
		return DOCTOR_WARN;
	case PORT_CHECK_FAIL:
		return DOCTOR_FAILS;
	case PORT_CHECK_OK:
		break;
	}
	return DOCTOR_OK;
}

/** What device and driver give, by the table that is shown of a device in service. */
static void
check_device(struct doctor *d, uint16_t device, struct port_config *pc)
{
	static struct port_check check[PORT_CHECKS_MAX];
	char names[64], err[256] = "";
	int n;

	pc->n_rx_desc = DESCRIPTORS;
	pc->n_tx_desc = DESCRIPTORS;
	devices_names(d->conf, device, names, sizeof(names));
	n = port_preflight(pc, check, err, sizeof(err));
	if (n < 0)
		doctor_add(d, DOCTOR_FAILS, "device", names,
			"see \"driver\" above, and what EAL said", "%s", err);
	for (int k = 0; k < n; k++)
		doctor_add(d, level_of(check[k].level), check[k].key, names,
			check[k].level > PORT_CHECK_OK ? check[k].consequence : NULL, "%s: %s",
			check[k].need, check[k].given);
}

static void
check_all_devices(struct doctor *d)
{
	const uint16_t n_workers = d->conf->lcores.n_workers > 0 ? d->conf->lcores.n_workers : 1;
	static struct devices devs;

	if (devices_from_conf(d->conf, n_workers, &devs) != 0) {
		d->out_of_memory = true;
		return;
	}
	for (uint16_t i = 0; i < devs.n; i++)
		check_device(d, i, &devs.config[i]);
	devices_free(&devs);
}

/* EAL as koi would have it, but beside a koi that runs: nothing shared, no lcore but this. */
static void
check_devices_by_eal(struct doctor *d, const struct args *a)
{
	static char quiet[][20] = {"--no-telemetry", "--log-level=error"};
	static char in_memory[] = "--in-memory", no_shconf[] = "--no-shconf";
	char *more[3 + CONF_EAL_ARGS_MAX];
	const char *devices[CONF_PORT_MAX];
	struct eal_args eal;
	char err[256] = "";
	int n = 0;

	for (unsigned int i = 0; i < 2; i++)
		more[n++] = quiet[i];
	/* which does not go with ordinary memory */
	more[n++] = doctor_eal_has(d, "--no-huge") ? no_shconf : in_memory;
	for (int i = 0; i < a->n_eal && n < (int)(sizeof(more) / sizeof(more[0])); i++)
		more[n++] = a->eal[i];
	for (uint16_t i = 0; i < d->conf->n_devices; i++)
		devices[i] = d->conf->ifs[d->conf->device_if[i]].device;
	if (eal_args_build(&eal, a->program, NULL, "doctor", devices, d->conf->n_devices,
		    d->conf->eal, d->conf->n_eal, more, n, err, sizeof(err)) != 0) {
		doctor_add(d, DOCTOR_FAILS, "eal", "", NULL, "%s", err);
		return;
	}
	if (rte_eal_init(eal.argc, eal.argv) < 0) {
		doctor_add(d, DOCTOR_FAILS, "eal", "", "its own lines name the step that failed",
			"EAL could not be initialised: %s", rte_strerror(rte_errno));
	} else {
		check_all_devices(d);
		rte_eal_cleanup();
	}
	eal_args_free(&eal);
}

int
doctor_run(const struct args *a)
{
	struct conf_issues issues;
	struct conf *conf = conf_load(a->config, CONF_CHECK_ONLY, &issues);
	struct doctor d = {
		.root = a->root == NULL ? "" : a->root,
		.conf = conf,
		.eal = a->eal,
		.n_eal = a->n_eal,
	};
	int code = ARGS_EXIT_USAGE;

	conf_issues_print(&issues, stderr);
	conf_issues_free(&issues);
	if (conf == NULL)
		return code;
	doctor_hugepages(&d);
	doctor_devices(&d);
	doctor_lcores(&d);
	if (a->root != NULL)
		doctor_add(&d, DOCTOR_NOTE, "devices", "", "run it there, without --root",
			"not asked for queues, vMAC filters and known faults: this is a copy of "
			"another machine");
	else if (doctor_worst(&d) == DOCTOR_FAILS)
		doctor_add(&d, DOCTOR_NOTE, "devices", "", "mend what fails above, then look again",
			"not asked for queues, vMAC filters and known faults");
	else
		check_devices_by_eal(&d, a);
	if (a->json)
		doctor_print_json(&d, stdout);
	else
		doctor_print(&d, stdout);
	code = doctor_worst(&d) == DOCTOR_FAILS || fflush(stdout) != 0 ? ARGS_EXIT_EAL
								       : ARGS_EXIT_OK;
	doctor_free(&d);
	conf_free(conf);
	return code;
}
