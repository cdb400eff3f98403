/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef CONF_DOC_H
#define CONF_DOC_H

#include <jansson.h>

#include "conf_keys_priv.h"

/** An object of the configuration as documents call it. */
struct conf_doc_object {
	const char *id;
	const char *title;
	const char *where;
	const char *rules; /**< JSON Schema of what holds between its keys */
};
extern const struct conf_doc_object conf_doc_objects[];
extern const unsigned int conf_doc_n_objects;

/** What a change of a key needs, in a word or two. */
const char *conf_doc_reload(enum conf_reload r);
/** The default as it would be written, "required", or words. @return malloced */
char *conf_doc_default(const struct conf_key *k);

/** Write docs/config.md, or the page koi.json(5), to stdout. @return exit code */
int conf_doc_markdown(void);
int conf_doc_man(const char *example);

#endif
