/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* What devices tell: links, filters, and that they are to be left alone. */

#include <stdio.h>

#include "ctl_priv.h"

/* An interface serves while it is wanted, has link, and frames to the vMACs reach us. */
static void
feed_usable(struct ctl *c, uint16_t if_id)
{
	const struct ctl_if *f = &c->ifs[if_id];
	struct election_event ev = {
		.type = ELECTION_EV_LINK,
		.if_id = if_id,
		.on = f->link_up && !f->filter_failed && !f->admin_down,
		.asked = f->admin_down,
	};

	ctl_feed(c, &ev);
}

/* Down: bow-outs and last words are sent first. Up: what the first adverts need is there before. */
void
ctl_if_set(struct ctl *c, uint16_t if_id, bool up)
{
	struct ctl_if *f = &c->ifs[if_id];

	f->admin_down = !up;
	if (up) {
		dp_if_set(c->dp, if_id, true);
		ctl_member_join(c, if_id);
	}
	feed_usable(c, if_id);
	if (!up)
		dp_if_set(c->dp, if_id, false);
}

static void
link_changed(struct ctl *c, uint16_t if_id, bool up)
{
	struct ctl_event ev = ctl_event_new(CTL_EVENT_LINK);

	if (c->ifs[if_id].link_up == up)
		return;
	c->ifs[if_id].link_up = up;
	ev.if_id = if_id;
	ev.link_up = up;
	ctl_event_write(c, &ev);
	if (up)
		ctl_member_join(c, if_id);
	feed_usable(c, if_id);
}

static void
filters_changed(struct ctl *c, uint16_t if_id, bool ok, const char *why)
{
	struct ctl_event ev = ctl_event_new(CTL_EVENT_FILTER);

	if (c->ifs[if_id].filter_failed == !ok)
		return;
	c->ifs[if_id].filter_failed = !ok;
	ev.if_id = if_id;
	ev.link_up = ok;
	/* the whole of it stands in "show interface" */
	snprintf(ev.text, sizeof(ev.text), "%.*s", (int)sizeof(ev.text) - 1, why);
	ctl_event_write(c, &ev);
	feed_usable(c, if_id);
}

/* The first interface of a device, which stands for it. */
static struct ctl_if *
device_of(struct ctl *c, uint16_t port_id)
{
	for (uint16_t i = 0; i < c->n_ifs; i++)
		if (c->ifs[i].port_id == port_id)
			return &c->ifs[i];
	return NULL;
}

/* In service or not, a device has the link that it tells of; this is for the data plane. */
static void
device_changed(struct ctl *c, const struct port_event *pe)
{
	struct ctl_if *f = device_of(c, pe->port_id);

	dp_attach(c->dp, pe->port_id, pe->attached);
	if (f != NULL && !pe->attached && !f->leaving) {
		f->leaving = true;
		c->leaving++;
	}
}

static void
service_changed(struct ctl *c, uint16_t if_id, const struct port_event *pe)
{
	struct ctl_event ev = ctl_event_new(CTL_EVENT_DEVICE);

	ev.if_id = if_id;
	ev.link_up = pe->attached;
	snprintf(ev.text, sizeof(ev.text), "%.*s", (int)sizeof(ev.text) - 1, pe->reason);
	ctl_event_write(c, &ev);
}

/* Once the workers have let go of a device its port thread may have it. */
static void
confirm(struct ctl *c)
{
	for (uint16_t i = 0; i < c->n_ifs && c->leaving > 0; i++) {
		struct ctl_if *f = &c->ifs[i];

		if (!f->leaving || !dp_detached(c->dp, f->port_id))
			continue;
		f->leaving = false;
		c->leaving--;
		port_set_detached(c->ports, f->port_id);
	}
}

static void
port_event(struct ctl *c, uint16_t if_id, const struct port_event *pe)
{
	switch (pe->type) {
	case PORT_EV_LINK:
		link_changed(c, if_id, pe->link_up);
		break;
	case PORT_EV_FILTER:
		filters_changed(c, if_id, pe->filter_ok, pe->reason);
		break;
	case PORT_EV_DEVICE:
		service_changed(c, if_id, pe);
		break;
	}
}

void
ctl_ports(struct ctl *c)
{
	struct port_event pe;

	while (port_set_event(c->ports, &pe)) {
		if (pe.type == PORT_EV_LINK)
			dp_link(c->dp, pe.port_id, pe.link_up);
		else if (pe.type == PORT_EV_DEVICE)
			device_changed(c, &pe);
		for (uint16_t i = 0; i < c->n_ifs; i++)
			if (c->ifs[i].port_id == pe.port_id)
				port_event(c, i, &pe);
	}
	if (c->leaving > 0)
		confirm(c);
}
