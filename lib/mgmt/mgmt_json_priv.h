/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef MGMT_JSON_PRIV_H
#define MGMT_JSON_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

/** @file Short words for building and reading the JSON of views. @thread any */

static inline void
put_u64(json_t *o, const char *key, uint64_t v)
{
	json_object_set_new(o, key, json_integer((json_int_t)v));
}

static inline void
put_str(json_t *o, const char *key, const char *v)
{
	json_object_set_new(o, key, json_string(v));
}

static inline void
put_bool(json_t *o, const char *key, bool v)
{
	json_object_set_new(o, key, json_boolean(v));
}

static inline const char *
get_str(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static inline uint64_t
get_u64(const json_t *o, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(o, key));
}

static inline bool
get_bool(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}

#endif
