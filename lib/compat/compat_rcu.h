/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef COMPAT_RCU_H
#define COMPAT_RCU_H

/**
 * @file
 * Hash tables whose deleted slots wait for the readers' quiescence.
 */

struct rte_hash;
struct rte_rcu_qsbr;

/**
 * Let deleted entries of h wait in the table's defer queue until every reader of qsbr was
 * quiescent; nobody waits for them, a later add or delete reclaims them.
 * @return 0, or -errno: -EINVAL, -EEXIST when h has one already, -ENOMEM.
 * @thread main, before readers run
 */
int compat_hash_rcu_qsbr_add(struct rte_hash *h, struct rte_rcu_qsbr *qsbr);

#endif
