/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "compat_rcu.h"

#include <errno.h>
#include <time.h>

#include <rte_errno.h>
#include <rte_hash.h>
#include <rte_rcu_qsbr.h>

#include "base_time.h"

#define POLL_NS (100 * BASE_NS_PER_US)

int
compat_hash_rcu_qsbr_add(struct rte_hash *h, struct rte_rcu_qsbr *qsbr)
{
	struct rte_hash_rcu_config cfg = {
		.v = qsbr,
		.mode = RTE_HASH_QSBR_MODE_DQ,
	};

	rte_errno = 0;
	if (rte_hash_rcu_qsbr_add(h, &cfg) == 0)
		return 0;
	return rte_errno != 0 ? -rte_errno : -EINVAL;
}

void
compat_rcu_wait(struct rte_rcu_qsbr *qsbr)
{
	const struct timespec pause = {.tv_nsec = POLL_NS};
	uint64_t token;

	if (qsbr == NULL)
		return;
	token = rte_rcu_qsbr_start(qsbr);
	while (rte_rcu_qsbr_check(qsbr, token, false) != 1)
		nanosleep(&pause, NULL);
}
