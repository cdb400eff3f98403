/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef MGMT_CHANGE_PRIV_H
#define MGMT_CHANGE_PRIV_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/**
 * @file
 * Staged changes of addresses and passwords, on the side of the configuration. The control lcore
 * decides which of the two digests runs, by command or by time; whenever the configuration in use
 * has the other one, it is turned and loaded as any: by who gave the command, or by a thread that
 * looks while something is staged, and tries again where it fails.
 */

struct conf;
struct fib_replaced;
struct mgmt_config;
struct mgmt_load;

/** The configuration that runs, and who may change it. */
struct mgmt_file {
	struct mgmt_config *config;
	const struct conf *start;
	pthread_mutex_t loading; /**< one at a time */
	pthread_rwlock_t lock;	 /**< of config->conf */
	struct conf *conf;	 /**< the same, to be freed; NULL: that of the start */
	/** @name The thread that looks after staged changes (mgmt_change.c). @{ */
	pthread_t thread;
	pthread_mutex_t watching; /**< of what follows */
	pthread_cond_t wake;
	bool started, stopping;
	bool staged;	  /**< something is, or was until just now */
	char failed[384]; /**< why what is decided is not applied yet; "": it is; under lock */
			  /** @} */
};

/** @name By who holds `loading`. @{ */
/** Let nobody look at the configuration, for a moment. @return false: somebody still does */
bool mgmt_file_hold(struct mgmt_file *f);
/** Load a configuration that is numbered as the one that runs. @return false with err filled */
bool mgmt_file_carry_out(struct mgmt_file *f, struct conf *next, struct fib_replaced *routes,
	char *err, unsigned int err_len);
/**
 * Have the configuration in use be the one whose digests run.
 * @param to  where is written what changed, or NULL
 * @return false: it could not be; f->failed says why
 */
bool mgmt_change_settle(struct mgmt_file *f, FILE *to);
/** Something may be staged: the thread is to look. */
void mgmt_change_watch(struct mgmt_file *f);
/** @} */

void mgmt_change_init(struct mgmt_file *f);
/** @return 0 or an errno */
int mgmt_change_start(struct mgmt_file *f);
/** Also when it was not started. */
void mgmt_change_end(struct mgmt_file *f);

/**
 * @name A person decides.
 * Who calls holds the configuration, and does so again when a call returns, but not in between.
 * @{
 */
/**
 * Until mgmt_change_done() nobody else applies what is decided, unheard by the person.
 * @param group  that it is about, or ELECTION_NONE
 * @return false: a reload has taken the group away meanwhile
 */
bool mgmt_change_begin(const struct mgmt_config *c, uint16_t group);
/**
 * In between, once it is decided: wait until that is applied, and say so.
 * @return false: it is not yet, which was told
 */
bool mgmt_change_apply(const struct mgmt_config *c, FILE *to);
void mgmt_change_done(const struct mgmt_config *c);
/** @} */

#endif
