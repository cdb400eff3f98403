/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef CONF_POS_PRIV_H
#define CONF_POS_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Positions of a JSON text. Jansson keeps none after parsing, and drops duplicate keys; this
 * scanner goes over the same text and keeps, for every value, where it and its key stand. It
 * accepts exactly what RFC 8259 allows (the fuzz target holds it against Jansson).
 */

#define CONF_POS_NONE	   UINT32_MAX
#define CONF_POS_MAX_NODES (1u << 23) /**< twice what the limits of conf.h can fill */
#define CONF_POS_MAX_DEPTH 32
#define CONF_POS_MAX_KEY   256 /**< bytes of a key as written */

enum conf_pos_type {
	CONF_POS_OBJECT = 0,
	CONF_POS_ARRAY,
	CONF_POS_STRING,
	CONF_POS_INTEGER,
	CONF_POS_REAL,
	CONF_POS_TRUE,
	CONF_POS_FALSE,
	CONF_POS_NULL,
};

/** One value. Offsets are bytes; lines and columns count from 1, columns in code points. */
struct conf_pos_node {
	uint8_t type;	       /**< enum conf_pos_type */
	uint32_t parent;       /**< CONF_POS_NONE for the document */
	uint32_t first, last;  /**< children in the order of the text, or CONF_POS_NONE */
	uint32_t next;	       /**< next sibling, or CONF_POS_NONE */
	uint32_t index;	       /**< among its siblings, from 0 */
	uint32_t n;	       /**< children */
	uint32_t start, end;   /**< the value's text */
	uint32_t line, column; /**< of its first character */
	uint32_t key, key_len; /**< text of the key between its quotes; members of objects only */
	uint32_t key_hash;     /**< of the key with escapes resolved */
	uint32_t key_line, key_column; /**< of the key's opening quote */
};

struct conf_pos {
	const char *text; /**< borrowed */
	size_t len;
	uint32_t n, cap;
	struct conf_pos_node *node; /**< in the order of the text; 0 is the document */
};

struct conf_pos_error {
	uint32_t line, column;
	char text[160];
};

/** Bytes of the UTF-8 sequence at p, or 0 when it is not one (RFC 3629). @param left  > 0 */
size_t conf_utf8_len(const uint8_t *p, size_t left);
/** Code point of a sequence of n bytes that conf_utf8_len() found. */
uint32_t conf_utf8_code(const uint8_t *p, size_t n);

/**
 * Scan a whole text.
 * @param p    filled; free with conf_pos_free() in every case
 * @param err  filled when the return is not 0
 * @return 0; -EINVAL not JSON or over a limit; -ENOMEM.
 */
int conf_pos_scan(struct conf_pos *p, const char *text, size_t len, struct conf_pos_error *err);
void conf_pos_free(struct conf_pos *p);

/** A decoded copy of the text of a string between its quotes. @return malloced, or NULL */
char *conf_pos_decode(const char *raw, size_t len);
/** What key_hash is made of. */
uint32_t conf_pos_hash(const char *s, size_t len);

/** The member of this name, the last when there are several (as in Jansson), or CONF_POS_NONE. */
uint32_t conf_pos_member(const struct conf_pos *p, uint32_t object, const char *key);

/** A member's key with escapes resolved. @return malloced, NULL without memory */
char *conf_pos_key(const struct conf_pos *p, uint32_t node);

/** RFC 6901 pointer of a value. @return malloced, NULL without memory */
char *conf_pos_pointer(const struct conf_pos *p, uint32_t node);

/**
 * Call found(arg, first, again) for each key that is given again in the same object.
 * @return 0 or -ENOMEM.
 */
int conf_pos_duplicates(const struct conf_pos *p,
	void (*found)(void *arg, uint32_t first, uint32_t again), void *arg);

#endif
