/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef COMPAT_RCU_H
#define COMPAT_RCU_H

/**
 * @file
 * Waiting for the readers' quiescence: deleted slots of hash tables, and who may sleep.
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

/**
 * Sleep until every reader was quiescent once; rte_rcu_qsbr_synchronize() is a busy loop.
 * @param qsbr  NULL: there are no readers
 * @thread any that may wait
 */
void compat_rcu_wait(struct rte_rcu_qsbr *qsbr);

#endif
