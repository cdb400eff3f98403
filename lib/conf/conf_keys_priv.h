/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef CONF_KEYS_PRIV_H
#define CONF_KEYS_PRIV_H

#include <stddef.h>
#include <stdint.h>

#include "conf.h"

/** The table of keys (conf_keys.def) as data, and the words that errors are made of. */

#define CONF_CPU_MAX  1023
#define CONF_REQUIRED INT64_MIN /**< no default: the key must be there */

#define CONF_NAME_WHAT                                                                         \
	"a name of 1 to 15 characters, a letter first, then letters, digits, \"_\", \".\" or " \
	"\"-\""
#define CONF_VIA_WHAT  "an address without prefix length, or an array of 1 to 16 of them"
#define CONF_PASS_WHAT "a string of at most 19 bytes, or \"hex:\" and 40 hexadecimal digits"

enum conf_object {
	CONF_OBJECT_ROOT = 0,
	CONF_OBJECT_LCORES,
	CONF_OBJECT_METRICS,
	CONF_OBJECT_CLI,
	CONF_OBJECT_IF,
	CONF_OBJECT_HOST,
	CONF_OBJECT_NEIGHBOR,
	CONF_OBJECT_RA,
	CONF_OBJECT_RA_PREFIX,
	CONF_OBJECT_CARP,
	CONF_OBJECT_GROUP,
	CONF_OBJECT_ROUTE,
};

#define CONF_VALUE(object, id, ...) CONF_KEY_##object##_##id,
#define CONF_PART(object, id, ...)  CONF_KEY_##object##_##id,
enum conf_key_id {
#include "conf_keys.def"
	CONF_KEY_N
};
#undef CONF_VALUE
#undef CONF_PART

enum conf_key_type {
	CONF_TYPE_INT = 0,
	CONF_TYPE_BOOL,
	CONF_TYPE_SWITCH,
	CONF_TYPE_WORD,
	CONF_TYPE_PART,
};

enum conf_reload {
	CONF_RELOAD_NONE = 0,
	CONF_RELOAD_TIMERS,
	CONF_RELOAD_DIGEST,
	CONF_RELOAD_GROUP,
	CONF_RELOAD_ROUTES,
	CONF_RELOAD_PROCESS,
};

struct conf_key {
	enum conf_object object;
	enum conf_key_type type;
	const char *name;
	size_t offset, size; /**< of the field in the object's struct; values only */
	const char *unit;
	int64_t min, max;
	int64_t fallback;	   /**< of a value; CONF_REQUIRED = none */
	const char *fallback_text; /**< of a part, JSON or words; NULL = required */
	const char *words;	   /**< what is allowed, see conf_keys.def */
	enum conf_reload reload;
	const char *help;
};

extern const struct conf_key conf_keys[CONF_KEY_N];

/** True for a key without a default. */
bool conf_key_required(const struct conf_key *k);

/** The key of this name in an object, or NULL. */
const struct conf_key *conf_key_find(enum conf_object object, const char *name);

/** The supported key of an object that name may have been meant to be, or NULL. */
const struct conf_key *conf_key_near(enum conf_object object, const char *name);

/** The keys of an object as one text: "a", "b", "c". @return malloced, NULL without memory */
char *conf_key_list(enum conf_object object);

#define CONF_WORD_MAX 40
/** The word of a list separated by blanks that s may have been meant to be. @return false: none */
bool conf_word_near(const char *words, const char *s, char near[CONF_WORD_MAX]);

/** What a key may be: "an integer from 1 to 255". */
const char *conf_key_allowed(const struct conf_key *k, char *buf, size_t len);

#endif
