/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * A tap: made, given the interface's MAC, MTU and addresses, and taken away.
 *
 * It has no ARP (IFF_NOARP): the kernel neither asks nor answers, does no duplicate address
 * detection, and sends every packet to the tap's own MAC; koi finds the neighbours and answers for
 * the addresses. Each own address and VIP has a rule that has its answers leave by this tap,
 * whatever the table main says of the management network: koi routes them.
 */
#include "host_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_tun.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire6.h"

#define TUN	   "/dev/net/tun"
#define TABLE_BASE UINT32_C(0x6b6f0000) /* "ko", and the number of the netdev */

/* koi forwards, the kernel does not; and nothing but koi's configuration gives it addresses. */
static const struct host_setting settings[] = {
	{"ipv4", "forwarding", "0"},
	{"ipv4", "accept_redirects", "0"},
	{"ipv4", "send_redirects", "0"},
	{"ipv4", "promote_secondaries", "1"}, /* an address that goes takes no other along */
	{"ipv6", "disable_ipv6", "0"},
	{"ipv6", "addr_gen_mode", "1"}, /* no link-local address of the kernel's choice */
	{"ipv6", "accept_ra", "0"},
	{"ipv6", "accept_redirects", "0"},
	{"ipv6", "forwarding", "0"},
};

/*
 * Where the kernel has the device as well (af_packet), it would take what is for the addresses of
 * the tap there too, and answer ARP for them: an answer only for addresses of that very netdev, of
 * which there are none; no packet whose answer would leave by the tap; no IPv6.
 */
static const struct host_setting quiet[HOST_QUIET_MAX] = {
	{"ipv4", "arp_ignore", "1"},
	{"ipv4", "rp_filter", "1"},
	{"ipv6", "disable_ipv6", "1"},
};

void
host_quiet(const char *netdev, struct host_quiet *q)
{
	for (unsigned int i = 0; i < HOST_QUIET_MAX; i++)
		q->changed[i] =
			host_setting_write(&quiet[i], netdev, quiet[i].value, q->old[i]) == 0 &&
			strcmp(q->old[i], quiet[i].value) != 0;
}

void
host_quiet_undo(const char *netdev, const struct host_quiet *q)
{
	for (unsigned int i = 0; i < HOST_QUIET_MAX; i++)
		if (q->changed[i])
			(void)host_setting_write(&quiet[i], netdev, q->old[i], NULL);
}

static int __attribute__((format(printf, 4, 5)))
fail(const struct host_if *f, char *err, unsigned int err_len, const char *fmt, ...)
{
	char why[192];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	snprintf(err, err_len, "interface %s: host: %s", f->conf->name, why);
	return -1;
}

/* A request about the tap, its name filled in. @return 0 or -errno */
static int
ask(const struct host_if *f, unsigned long request, struct ifreq *r)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), ret = 0;

	if (fd < 0)
		return -errno;
	snprintf(r->ifr_name, sizeof(r->ifr_name), "%s", f->conf->host.tap);
	if (ioctl(fd, request, r) != 0)
		ret = -errno;
	close(fd);
	return ret;
}

static int
make(struct host_if *f, char *err, unsigned int err_len)
{
	struct ifreq r = {.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_TUN_EXCL)};

	f->fd = open(TUN, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (f->fd < 0)
		return fail(f, err, err_len,
			"%s cannot be opened: %s; the kernel needs its module tun, a container the "
			"device",
			TUN, strerror(errno));
	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", f->conf->host.tap);
	if (ioctl(f->fd, TUNSETIFF, &r) != 0)
		return fail(f, err, err_len, "no tap %s to be had: %s%s", f->conf->host.tap,
			strerror(errno),
			errno == EBUSY		 ? "; there is a netdev of that name already"
				: errno == EPERM ? "; that takes CAP_NET_ADMIN"
						 : "");
	memset(&r, 0, sizeof(r));
	if (ask(f, SIOCGIFINDEX, &r) != 0)
		return fail(f, err, err_len, "%s is gone again", f->conf->host.tap);
	f->netdev = (unsigned int)r.ifr_ifindex;
	f->table = TABLE_BASE | (f->netdev & 0xffff);
	return 0;
}

static int
shape(struct host_if *f, const uint8_t mac[BASE_MAC_LEN], char *err, unsigned int err_len)
{
	struct ifreq r = {.ifr_hwaddr.sa_family = ARPHRD_ETHER};
	int ret;

	memcpy(r.ifr_hwaddr.sa_data, mac, BASE_MAC_LEN);
	ret = ask(f, SIOCSIFHWADDR, &r);
	if (ret != 0)
		return fail(f, err, err_len, "%s does not take the interface's MAC: %s",
			f->conf->host.tap, strerror(-ret));
	memset(&r, 0, sizeof(r));
	r.ifr_mtu = f->conf->mtu;
	ret = ask(f, SIOCSIFMTU, &r);
	if (ret != 0)
		return fail(f, err, err_len, "%s does not take an MTU of %u: %s", f->conf->host.tap,
			f->conf->mtu, strerror(-ret));
	/* A kernel without IPv6 has none of its settings. */
	f->ip6 = f->conf->mtu >= CONF_MTU_MIN_IP6;
	for (unsigned int i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		ret = host_setting_write(&settings[i], f->conf->host.tap, settings[i].value, NULL);
		if (ret != 0 && strcmp(settings[i].family, "ipv6") == 0)
			f->ip6 = f->ip6 && ret != -ENOENT;
		else if (ret != 0)
			return fail(f, err, err_len, "net.%s.conf.%s.%s cannot be set: %s",
				settings[i].family, f->conf->host.tap, settings[i].key,
				strerror(-ret));
	}
	memset(&r, 0, sizeof(r));
	r.ifr_flags = IFF_UP | IFF_NOARP | IFF_BROADCAST | IFF_MULTICAST;
	ret = ask(f, SIOCSIFFLAGS, &r);
	if (ret != 0)
		return fail(f, err, err_len, "%s does not come up: %s", f->conf->host.tap,
			strerror(-ret));
	return 0;
}

int
host_tap_give(
	struct host_if *f, int net, const struct base_prefix *p, char *err, unsigned int err_len)
{
	char text[CONF_ADDR_STR];
	int ret;

	/* after a change whose end failed both sets are kept */
	if (f->n_own == sizeof(f->own) / sizeof(f->own[0]))
		return fail(f, err, err_len,
			"no room for %s beside those that are to be taken away",
			conf_addr_str(&p->addr, text));
	if (p->addr.family == BASE_FAMILY_IP6 && !f->ip6)
		return fail(f, err, err_len, "this kernel has no IPv6, for %s",
			conf_addr_str(&p->addr, text));
	/* One that was left by a koi that did not end by itself leads to a table that is gone. */
	while (host_net_rule(net, &p->addr, 0, false) == 0)
		;
	ret = host_net_address(net, f->netdev, &p->addr, p->plen, false, true);
	if (ret == 0) {
		ret = host_net_rule(net, &p->addr, f->table, true);
		if (ret != 0)
			(void)host_net_address(net, f->netdev, &p->addr, p->plen, false, false);
	}
	if (ret != 0)
		return fail(f, err, err_len, "the kernel does not take %s on %s: %s",
			conf_addr_str(&p->addr, text), f->conf->host.tap, strerror(-ret));
	f->own[f->n_own++] = *p;
	return 0;
}

void
host_tap_take(struct host_if *f, int net, uint16_t i)
{
	(void)host_net_address(net, f->netdev, &f->own[i].addr, f->own[i].plen, false, false);
	(void)host_net_rule(net, &f->own[i].addr, f->table, false);
	f->own[i] = f->own[--f->n_own];
}

static int
furnish(struct host_if *f, int net, char *err, unsigned int err_len)
{
	const struct base_addr ll = base_addr_from_ip6(f->link_local);
	int ret = host_net_table(net, f->netdev, AF_INET, f->table);

	if (ret == 0 && f->ip6)
		ret = host_net_table(net, f->netdev, AF_INET6, f->table);
	if (ret == 0 && f->ip6)
		ret = host_net_address(net, f->netdev, &ll, 64, false, true);
	if (ret != 0)
		return fail(f, err, err_len,
			"the kernel does not take routes or link-local address "
			"of %s: %s",
			f->conf->host.tap, strerror(-ret));
	for (uint16_t i = 0; i < f->conf->n_addresses; i++)
		if (host_tap_give(f, net, &f->conf->addresses[i], err, err_len) != 0)
			return -1;
	return 0;
}

int
host_tap_open(struct host_if *f, const uint8_t mac[BASE_MAC_LEN], int net, char *err,
	unsigned int err_len)
{
	f->fd = -1;
	wire_ip6_link_local(mac, f->link_local);
	if (make(f, err, err_len) != 0 || shape(f, mac, err, err_len) != 0)
		goto fail;
	if (f->below[0] != '\0')
		host_quiet(f->below, &f->quiet);
	if (furnish(f, net, err, err_len) != 0)
		goto fail;
	return 0;
fail:
	host_tap_close(f, net);
	return -1;
}

void
host_tap_carrier(const struct host_if *f, int on)
{
	(void)ioctl(f->fd, TUNSETCARRIER, &on);
}

void
host_tap_close(struct host_if *f, int net)
{
	if (f->fd < 0)
		return;
	if (f->below[0] != '\0')
		host_quiet_undo(f->below, &f->quiet);
	for (uint16_t i = 0; i < f->n_own; i++)
		(void)host_net_rule(net, &f->own[i].addr, f->table, false);
	/* Addresses, routes and the table go with it. */
	close(f->fd);
	f->fd = -1;
}
