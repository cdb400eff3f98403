/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * What the kernel is told by rtnetlink and by /proc/sys: addresses, one table of routes per tap and
 * the rules that lead to it, settings.
 */
#include "host_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define REPLY_S 2 /* the kernel answers within the call; this is for a kernel that does not */

struct message {
	struct nlmsghdr h;
	uint8_t body[192];
};

static void
message_begin(struct message *m, uint16_t type, uint16_t flags, const void *head, size_t len)
{
	memset(m, 0, sizeof(*m));
	m->h.nlmsg_type = type;
	m->h.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	m->h.nlmsg_len = (uint32_t)NLMSG_LENGTH(len);
	memcpy(m->body, head, len);
}

/* The messages here are short and known: body has room for the longest. */
static void
message_add(struct message *m, uint16_t type, const void *data, size_t len)
{
	const struct rtattr a = {.rta_len = (uint16_t)RTA_LENGTH(len), .rta_type = type};
	size_t at = NLMSG_ALIGN(m->h.nlmsg_len) - sizeof(m->h);

	memcpy(m->body + at, &a, sizeof(a));
	memcpy(m->body + at + RTA_LENGTH(0), data, len);
	m->h.nlmsg_len = (uint32_t)(sizeof(m->h) + at + RTA_ALIGN(a.rta_len));
}

static int
message_send(int fd, const struct message *m)
{
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
		uint8_t rest[512]; /* what was asked, and the kernel's text */
	} reply;
	ssize_t n = send(fd, m, m->h.nlmsg_len, 0);

	if (n < 0)
		return -errno;
	n = recv(fd, &reply, sizeof(reply), 0);
	if (n < 0)
		return -errno;
	if ((size_t)n < sizeof(reply.h) + sizeof(reply.e) || reply.h.nlmsg_type != NLMSG_ERROR)
		return -EPROTO;
	return reply.e.error;
}

int
host_net_open(void)
{
	const struct timeval wait = {.tv_sec = REPLY_S};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), ret;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) != 0) {
		ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

static uint8_t
family_of(const struct base_addr *a)
{
	return a->family == BASE_FAMILY_IP4 ? AF_INET : AF_INET6;
}

static size_t
length_of(const struct base_addr *a)
{
	return a->family == BASE_FAMILY_IP4 ? 4 : 16;
}

int
host_net_address(int fd, unsigned int netdev, const struct base_addr *a, uint8_t plen,
	bool deprecated, bool add)
{
	const struct ifaddrmsg head = {
		.ifa_family = family_of(a),
		.ifa_prefixlen = plen,
		.ifa_index = netdev,
	};
	const struct ifa_cacheinfo lives = {
		.ifa_prefered = deprecated ? 0 : UINT32_MAX,
		.ifa_valid = UINT32_MAX,
	};
	/* koi answers for it already: no duplicate address detection by the kernel. */
	const uint32_t flags = IFA_F_NODAD;
	struct message m;

	message_begin(&m, add ? RTM_NEWADDR : RTM_DELADDR, add ? NLM_F_CREATE | NLM_F_REPLACE : 0,
		&head, sizeof(head));
	message_add(&m, IFA_LOCAL, a->bytes, length_of(a));
	message_add(&m, IFA_ADDRESS, a->bytes, length_of(a));
	if (add && a->family == BASE_FAMILY_IP6) {
		message_add(&m, IFA_FLAGS, &flags, sizeof(flags));
		message_add(&m, IFA_CACHEINFO, &lives, sizeof(lives));
	}
	return message_send(fd, &m);
}

int
host_net_table(int fd, unsigned int netdev, uint8_t family, uint32_t table)
{
	const struct rtmsg head = {
		.rtm_family = family,
		.rtm_table = RT_TABLE_UNSPEC,
		.rtm_protocol = RTPROT_STATIC,
		.rtm_scope = RT_SCOPE_LINK,
		.rtm_type = RTN_UNICAST,
	};
	const uint32_t out = netdev;
	struct message m;

	message_begin(&m, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &head, sizeof(head));
	message_add(&m, RTA_TABLE, &table, sizeof(table));
	message_add(&m, RTA_OIF, &out, sizeof(out));
	return message_send(fd, &m);
}

int
host_net_rule(int fd, const struct base_addr *from, uint32_t table, bool add)
{
	const struct fib_rule_hdr head = {
		.family = family_of(from),
		.src_len = (uint8_t)(length_of(from) * 8),
		.table = RT_TABLE_UNSPEC,
		.action = FR_ACT_TO_TBL,
	};
	const uint32_t priority = HOST_RULE_PRIORITY;
	struct message m;

	message_begin(&m, add ? RTM_NEWRULE : RTM_DELRULE, add ? NLM_F_CREATE | NLM_F_EXCL : 0,
		&head, sizeof(head));
	message_add(&m, FRA_SRC, from->bytes, length_of(from));
	message_add(&m, FRA_PRIORITY, &priority, sizeof(priority));
	if (table != 0)
		message_add(&m, FRA_TABLE, &table, sizeof(table));
	return message_send(fd, &m);
}

int
host_setting_write(const struct host_setting *s, const char *netdev, const char *value, char *old)
{
	char path[128];
	ssize_t n;
	int fd, ret = 0;

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", s->family, netdev, s->key);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (old != NULL) {
		n = read(fd, old, HOST_VALUE_MAX - 1);
		old[n > 0 ? n : 0] = '\0';
		old[strcspn(old, "\n")] = '\0';
	}
	if (pwrite(fd, value, strlen(value), 0) < 0)
		ret = -errno;
	close(fd);
	return ret;
}
