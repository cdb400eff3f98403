/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#define ALLOW_EXPERIMENTAL_API

#include "compat_removal.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_pause.h>

struct compat_removal {
	compat_removal_fn fn;
	void *arg;
	bool monitors;
	char name[RTE_DEV_NAME_MAX_LEN];
};

static void
device_event(const char *device, enum rte_dev_event_type type, void *arg)
{
	const struct compat_removal *w = arg;

	(void)device;
	if (type == RTE_DEV_EVENT_REMOVE)
		w->fn(w->arg);
}

int
compat_removal_watch(
	const struct rte_device *dev, compat_removal_fn fn, void *arg, struct compat_removal **out)
{
	struct compat_removal *w;
	int ret;

	*out = NULL;
	if (dev == NULL || strcmp(rte_bus_name(rte_dev_bus(dev)), "pci") != 0)
		return -ENOTSUP;
	w = calloc(1, sizeof(*w));
	if (w == NULL)
		return -ENOMEM;
	w->fn = fn;
	w->arg = arg;
	memcpy(w->name, rte_dev_name(dev), strnlen(rte_dev_name(dev), sizeof(w->name) - 1));
	ret = rte_dev_event_callback_register(w->name, device_event, w);
	if (ret != 0) {
		free(w);
		return ret;
	}
	/* Without these vfio-pci's requests are heard all the same. */
	w->monitors = rte_dev_event_monitor_start() == 0;
	if (w->monitors)
		(void)rte_dev_hotplug_handle_enable();
	*out = w;
	return 0;
}

void
compat_removal_unwatch(struct compat_removal *w)
{
	if (w == NULL)
		return;
	if (w->monitors)
		(void)rte_dev_event_monitor_stop();
	/* It is refused while the callback runs, which takes no time. */
	while (rte_dev_event_callback_unregister(w->name, device_event, w) == -EAGAIN)
		rte_pause();
	free(w);
}
