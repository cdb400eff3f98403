/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Devices of the rig whose events are set by hand. */
#include "ctl_fake.h"
#include "port.h"

uint16_t
port_set_count(const struct port_set *s)
{
	(void)s;
	return 2;
}

int
port_set_info(const struct port_set *s, uint16_t i, struct port_info *out)
{
	(void)s;
	*out = (struct port_info){.port_id = i, .link_up = true};
	return 0;
}

bool
port_set_event(struct port_set *s, struct port_event *out)
{
	(void)s;
	if (fake.device_event) {
		fake.device_event = false;
		*out = (struct port_event){.type = PORT_EV_DEVICE,
			.attached = fake.device_attached,
			.reason = "the device was removed"};
		return true;
	}
	if (fake.filter_event) {
		fake.filter_event = false;
		*out = (struct port_event){.type = PORT_EV_FILTER,
			.filter_ok = fake.filter_ok,
			.reason = "the driver says so"};
		return true;
	}
	if (!fake.has_port_event)
		return false;
	fake.has_port_event = false;
	*out = (struct port_event){.type = PORT_EV_LINK, .link_up = fake.port_link_up};
	return true;
}

void
port_set_detached(struct port_set *s, uint16_t port_id)
{
	(void)s;
	(void)port_id;
	fake.n_detached++;
}
