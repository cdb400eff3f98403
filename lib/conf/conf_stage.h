/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef CONF_STAGE_H
#define CONF_STAGE_H

#include "conf.h"

/**
 * @file
 * Configurations in which a change of addresses or password of a group is staged: the group has
 * the old ones and the new ones, of which one set is in use. The control lcore says which is to
 * be; a configuration is then made in which the two have changed places.
 * @thread any, one at a time for one configuration
 */

/** Of a group, borrowed. */
struct conf_digest conf_digest_of(const struct conf_group *g);
/** Adverts of both have the same digest: password and addresses, in whatever order. */
bool conf_digest_same(const struct conf_digest *a, const struct conf_digest *b);

enum conf_stage {
	CONF_STAGE_NOTHING, /**< the digest stays, nothing is staged */
	CONF_STAGE_BEGUN,   /**< the group goes on as it runs; what the file says is staged */
	CONF_STAGE_KEPT,    /**< what is staged goes on: the file has the old or the new one */
	CONF_STAGE_OTHER,   /**< it has neither: refused, and nothing was changed */
	CONF_STAGE_FAMILY,  /**< no family of addresses stays: refused the same way */
	CONF_STAGE_MEMORY,
};
/**
 * A group that stays, of a configuration that is to be loaded.
 * @param next  of the file; what is in use becomes what is in use now
 * @param open  a change of it is under way
 */
enum conf_stage conf_stage_group(struct conf_group *next, const struct conf_group *now, bool open);

/** Prefixes of router advertisements, where they are not given: of the addresses in use. */
void conf_ra_subnets(struct conf *c);

/**
 * Whether the addresses, old and new, of groups with a staged change are at the same time those of
 * another group or of an interface.
 * @return 0; -EADDRINUSE with the address and who has it in err; -ENOMEM
 */
int conf_stage_check(const struct conf *c, char *err, size_t err_len);

/** What a staged change is: "addresses +192.0.2.9 -192.0.2.7, pass". @return buf */
#define CONF_STAGE_STR 320
const char *conf_stage_str(const struct conf_group *g, char buf[CONF_STAGE_STR]);
/** The keys of it: "addresses, pass". */
const char *conf_stage_keys(const struct conf_group *g);

/**
 * A configuration in which what is in use and what is staged have changed places.
 * @param turn  by group: which ones
 * @return NULL without memory; it shares most with the one before: free one of both with
 *         conf_stage_leave(), and the other one as any
 */
struct conf *conf_stage_turn(const struct conf *now, const bool *turn);
/** Free what of one of the two is not the other's. @param turn  as of conf_stage_turn() */
void conf_stage_leave(struct conf *c, const bool *turn);

/** A change of the group is staged, and not over. */
static inline bool
conf_stage_is_on(const struct conf_group *g)
{
	return g->staged != NULL && !g->staged->over;
}

/** Nothing is staged for the group any more: what is in use stays. */
void conf_stage_over(struct conf_group *g);

void conf_staged_free(struct conf_staged *s);

#endif
