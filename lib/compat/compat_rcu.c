/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "compat_rcu.h"

#include <errno.h>

#include <rte_errno.h>
#include <rte_hash.h>

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
