/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "conf_cases.h"

/* A text that is not JSON is reported alone, at the first character that cannot stand there. */
static const struct conf_case cases[] = {
	{"empty", "", "t:1:1: the file is empty, expected an object in braces\n", 0},
	{"blanks only",
		" \n"
		"\n",
		"t:1:1: the file is empty, expected an object in braces\n", 0},
	{"byte order mark", "\357\273\277{}",
		"t:1:1: the file begins with a byte order mark, save it as UTF-8 without "
		"one\n",
		0},
	{"text after the document",
		"{}\n"
		"{}",
		"t:2:1: expected nothing after the end of the document, found '{'\n", 0},
	{"comma before brace",
		"{\"node\": \"a\",\n"
		"}",
		"t:2:1: a comma before '}' is not allowed\n", 0},
	{"comma before bracket", "{\"eal\": [\"a\",]}",
		"t:1:14: a comma before ']' is not allowed\n", 0},
	{"missing comma",
		"{\"node\": \"a\"\n"
		"\"eal\": []}",
		"t:2:1: expected ',' or '}', found '\"'\n", 0},
	{"missing colon", "{\"node\" \"a\"}", "t:1:9: expected ':' after the key, found '\"'\n", 0},
	{"missing value", "{\"node\": }", "t:1:10: expected a value, found '}'\n", 0},
	{"missing closing brace", "{\"node\": \"a\"\n",
		"t:2:1: expected ',' or '}', found the end of the file\n", 0},
	{"unquoted key", "{node: \"a\"}",
		"t:1:2: expected a key in double quotes or '}', found 'n'\n", 0},
	{"single quotes", "{'node': 1}",
		"t:1:2: expected a key in double quotes or '}', found ''' (strings stand "
		"in double quotes)\n",
		0},
	{"single quoted value", "{\"node\": 'a'}",
		"t:1:10: expected a value, found ''' (strings stand in double quotes)\n", 0},
	{"comment",
		"{\n"
		"// the name\n"
		"\"node\": \"a\"}",
		"t:2:1: expected a key in double quotes or '}', found '/' (JSON has no "
		"comments)\n",
		0},
	{"bare word", "{\"node\": yes}",
		"t:1:10: expected a value, found yes (words stand in double quotes, but "
		"for true, false and null)\n",
		0},
	{"wrong bracket", "{\"eal\": [\"a\"}", "t:1:13: expected ',' or ']', found '}'\n", 0},
	{"string without end",
		"{\"node\": \"a\n"
		"}",
		"t:1:10: this string has no closing quote on its line\n", 0},
	{"unknown escape", "{\"node\": \"a\\x\"}",
		"t:1:12: unknown escape in a string, allowed are \\\" \\\\ \\/ \\b \\f \\"
		"n \\r \\t and \\uXXXX\n",
		0},
	{"short unicode escape", "{\"node\": \"\\u12\"}",
		"t:1:11: expected four hexadecimal digits after \\u\n", 0},
	{"escaped NUL", "{\"node\": \"\\u0000\"}", "t:1:11: \\u0000 is not allowed in a string\n",
		0},
	{"lone surrogate", "{\"node\": \"\\ud800\"}",
		"t:1:11: half of a surrogate pair without its other half\n", 0},
	{"tab inside a string", "{\"node\": \"a\tb\"}",
		"t:1:12: the control character U+0009 inside a string, write it as \\"
		"u0009\n",
		0},
	{"invalid UTF-8 in a string", "{\"node\": \"a\377\"}",
		"t:1:12: invalid UTF-8 (byte 0xff) inside a string\n", 0},
	{"overlong UTF-8", "{\"node\": \"\300\257\"}",
		"t:1:11: invalid UTF-8 (byte 0xc0) inside a string\n", 0},
	{"invalid UTF-8 outside", "{\376}",
		"t:1:2: expected a key in double quotes or '}', found invalid UTF-8 "
		"(byte 0xfe)\n",
		0},
	{"NUL byte", "{\000}", "t:1:2: expected a key in double quotes or '}', found a NUL byte\n",
		3},
	{"NUL byte in a string", "{\"node\": \"a\000\"}", "t:1:12: a NUL byte inside a string\n",
		14},
	{"number with leading zero", "{\"node\": 01}", "t:1:11: a number may not begin with 0\n",
		0},
	{"number without digits", "{\"node\": -}", "t:1:11: expected a digit, found '}'\n", 0},
	{"number ending in a point", "{\"node\": 1.}", "t:1:12: expected a digit, found '}'\n", 0},
	{"nested too deep",
		"{\"a\": "
		"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}",
		"t:1:38: nested more than 32 deep\n", 0},
};

static void
syntax_errors_alone(void **state)
{
	(void)state;
	CONF_CASES_RUN(cases);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syntax_errors_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
