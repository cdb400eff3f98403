# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Each lint is shown what it is there to refuse, and what it must let pass.

usage: selftest.py COMPILER [ARG...]
"""

import os
import subprocess
import sys
import tempfile
import unittest

import docs
import headers
import includes
import purity
import text

COMPILER = sys.argv[1:] or ["cc"]
TOP_C = "/* SPDX-License-Identifier: BSD-3-Clause\n * Copyright (c) 2026 the koi contributors\n */\n"
TOP_PY = "# SPDX-License-Identifier: BSD-3-Clause\n# Copyright (c) 2026 the koi contributors\n"


class Tree(unittest.TestCase):
    """A small source tree that each test fills."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()  # pylint: disable=consider-using-with
        self.addCleanup(folder.cleanup)
        self.root = folder.name

    def put(self, name, content):
        """Write a file."""
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(content)
        return path

    def archive(self, name, source):
        """Compile source with debug information into an archive."""
        c = self.put(name + ".c", source)
        obj, lib = c[:-2] + ".o", os.path.join(self.root, "lib%s.a" % name)
        subprocess.run(COMPILER + ["-g", "-O1", "-c", c, "-o", obj], check=True)
        subprocess.run(["ar", "rcs", lib, obj], check=True)
        return lib


class Purity(Tree):
    """purity.py"""

    def test_clock_is_refused(self):
        lib = self.archive("clock", "#include <time.h>\n"
                           "long f(void);\nlong\nf(void)\n{\n"
                           "\tstruct timespec t;\n\tclock_gettime(CLOCK_MONOTONIC, &t);\n"
                           "\treturn t.tv_nsec;\n}\n")
        found = purity.check([lib])
        self.assertEqual(len(found), 1, found)
        self.assertIn("calls clock_gettime,", found[0])
        self.assertRegex(found[0], r"^\S*clock\.\w+:\S+: ")

    def test_io_allocation_and_dpdk_are_refused(self):
        for call in ("int puts(const char *); int f(void) { return puts(\"x\"); }",
                     "void *malloc(unsigned long); void *f(void) { return malloc(9); }",
                     "int rte_lcore_count(void); int f(void) { return rte_lcore_count(); }",
                     "int memcpyx(void); int f(void) { return memcpyx(); }"):
            self.assertEqual(len(purity.check([self.archive("x", call + "\n")])), 1, call)

    def test_own_and_compiler_symbols_pass(self):
        one = self.archive("one", "#include <string.h>\n#include <assert.h>\n"
                           "int two(int); void f(char *p, const char *q, unsigned long n);\n"
                           "void f(char *p, const char *q, unsigned long n)\n"
                           "{ assert(two(1)); memcpy(p, q, n); memset(p, two(2), n); }\n")
        two = self.archive("two", "int two(int); int two(int i) { return i + 1; }\n")
        self.assertEqual(purity.check([one, two]), [])
        self.assertEqual(len(purity.check([one])), 1)


class Includes(Tree):
    """includes.py"""

    def setUp(self):
        super().setUp()
        for header in ("base/base_x.h", "wire/wire.h", "auth/auth.h", "election/election.h",
                       "conf/conf.h", "compat/compat_x.h", "port/port.h", "fib/fib.h",
                       "fib/fib_priv.h", "dp/dp.h", "dp/drops.def", "ctl/ctl.h", "mgmt/mgmt.h"):
            self.put("lib/" + header, TOP_C)

    def findings(self, name, line):
        """Findings with one file of one line added."""
        path = self.put(name, line + "\n")
        found = includes.check(self.root)
        os.unlink(path)
        return found

    def test_downwards_passes(self):
        for name, header in (("lib/election/a.c", "base_x.h"), ("lib/conf/a.c", "auth.h"),
                             ("lib/dp/a.c", "fib.h"), ("lib/dp/a.c", "drops.def"),
                             ("lib/fib/a.c", "fib_priv.h"), ("lib/fib/a.c", "compat_x.h"),
                             ("lib/ctl/a.h", "dp.h"), ("lib/mgmt/a.c", "ctl.h"),
                             ("app/koi/a.c", "mgmt.h"), ("tests/unit/x/a.c", "fib_priv.h")):
            self.assertEqual(self.findings(name, '#include "%s"' % header), [], (name, header))

    def test_upwards_and_sideways_is_refused(self):
        for name, header in (("lib/base/a.c", "wire.h"), ("lib/wire/a.c", "auth.h"),
                             ("lib/election/a.h", "conf.h"), ("lib/conf/a.c", "compat_x.h"),
                             ("lib/fib/a.c", "dp.h"), ("lib/port/a.c", "fib.h"),
                             ("lib/dp/a.c", "ctl.h"), ("lib/ctl/a.c", "mgmt.h")):
            found = self.findings(name, '#include "%s"' % header)
            self.assertEqual(len(found), 1, (name, header))
            self.assertRegex(found[0], r"^%s:1: .* must not include" % name)

    def test_other_slips_are_refused(self):
        for name, line, message in (
                ("lib/dp/a.c", '#include "fib_priv.h"', "is private to fib"),
                ("app/koi/a.c", '#include "fib_priv.h"', "is private to fib"),
                ("lib/dp/a.c", '#include "nobody.h"', "is no header of ours"),
                ("lib/dp/a.c", "#include <fib.h>", "is a header of ours"),
                ("lib/wire/a.c", "#include <rte_ether.h>", "must not know DPDK"),
                ("lib/port/a.c", "#define ALLOW_EXPERIMENTAL_API", "belongs into lib/compat"),
                ("lib/dp/meson.build", "a = '-DALLOW_EXPERIMENTAL_API'", "into lib/compat"),
                ("app/koi/a.c", "#if RTE_VERSION > 3", "belongs into lib/compat"),
                ("lib/new/a.c", "", "has no layer")):
            found = self.findings(name, line)
            self.assertEqual(len(found), 1, (line, found))
            self.assertRegex(found[0], r"^%s:1: .*%s" % (name, message))
        self.assertEqual(self.findings("lib/compat/a.c", "#define ALLOW_EXPERIMENTAL_API"), [])


class Headers(Tree):
    """headers.py"""

    def test_header_that_needs_another_is_refused(self):
        self.put("lib/base/base_x.h", "#include <stdint.h>\n#ifndef X\n#define X\n"
                 "struct x {\n\tuint8_t a;\n};\n#endif\n")
        self.put("lib/wire/wire.h", "uint8_t wire_y(struct x *x);\n")
        self.put("lib/wire/wire_b.h", '#include "base_x.h"\nuint8_t wire_y(struct x *x);\n')
        found = headers.check(self.root, COMPILER)
        self.assertTrue(found)
        for finding in found:
            self.assertRegex(finding, r"^lib/wire/wire\.h:1:")

    def test_header_without_guard_is_refused(self):
        self.put("lib/base/base_x.h", "struct x {\n\tint a;\n};\n")
        self.assertRegex(headers.check(self.root, COMPILER)[0], r"^lib/base/base_x\.h:1:.*redef")


class Text(Tree):
    """text.py"""

    def one(self, name, content, message):
        """Exactly one finding, this one."""
        path = self.put(name, content)
        found = text.check(self.root)
        os.unlink(path)
        self.assertEqual(len(found), 1, found)
        self.assertRegex(found[0], message)

    def test_clean_files_pass(self):
        self.put("lib/x/a.c", TOP_C + "int a;\n")
        self.put("tests/a.py", "#!/usr/bin/env python3\n" + TOP_PY + "A = 1\n")
        self.put("tests/__init__.py", "")
        self.put("README.md", "# koi\nsee lib/work/ and $HOME/root/, mktemp XXXXXX\n")
        self.put("tests/data/theirs.json", "{} \n" + "TO" "DO")
        self.assertEqual(text.check(self.root), [])

    def test_licence(self):
        self.one("a.c", TOP_C.replace("BSD-3-Clause", "MIT"), r"^a\.c:1: no line 'SPDX")
        self.one("a.py", TOP_PY.replace("the koi contributors", "me"), r"^a\.py:2: no line 'Copy")
        self.one("ci/run", "#!/bin/sh\n" + TOP_PY.replace("BSD-3-Clause", "MIT"), r"^ci/run:2: ")
        self.one("meson.build", TOP_PY.replace("2026", "now"), r"^meson\.build:2: ")

    def test_blanks_and_columns(self):
        self.one("a.c", TOP_C + "int a; \n", r"^a\.c:4: blanks at the end of the line")
        self.one("a.md", "text\t\n", r"^a\.md:1: blanks")
        self.one("a.md", "text", r"^a\.md:1: no newline at the end")
        self.one("a.md", "text\n\n", r"^a\.md:2: blank line at the end")
        self.one("a.c", TOP_C + "\t" * 12 + "12345\n", r"^a\.c:4: 101 columns")

    def test_words(self):
        for word in ("TO" "DO", "fix" "me", "X" "XX", "/wo" "rk/x", "'/ro" "ot/x"):
            self.one("a.md", "one\nsome %s: this\n" % word, r"^a\.md:2: .* has no place here")

    def test_long_files(self):
        long_c = TOP_C + "/* */\n" * 598
        self.one("a.c", long_c, r"^a\.c:601: 601 lines, at most 600")
        self.put("a.c", long_c)
        self.put(text.LONG_FILES, "# why\na.c: one table\n")
        self.assertEqual(text.check(self.root), [])
        self.put(text.LONG_FILES, "a.c\n")
        self.assertRegex(text.check(self.root)[0], r":1: needs 'path: reason'")
        self.put("a.c", TOP_C)
        self.put(text.LONG_FILES, "a.c: one table\n")
        self.assertRegex(text.check(self.root)[0], r":1: a\.c is not long")


class Docs(Tree):
    """docs.py"""

    def setUp(self):
        super().setUp()
        self.put(docs.COMMANDS, 'MGMT_SHOW("show carp all", carp_all, "x", "y")\n'
                 'MGMT_DO("set carp GROUP advskew 0-254", request, X, "x",\n\t"y")\n'
                 'MGMT_DO("carp GROUP up", request, X, "x", "y")\n'
                 'MGMT_DO("carp GROUP down", request, X, "x", "y")\n')
        self.put(docs.MAKEFILE, "demo:\n\t@true\n")
        self.put(docs.ARGS, '{"--check", VALUE_OPTIONAL, "FILE", "x"},\n')
        self.put(docs.KEYS, 'CONF_VALUE(CARP, DSCP, "dscp", INT, dscp)\n')
        self.put(docs.KEYS_DOC, "| `dscp` | carp |\n")
        self.put(docs.DROPS, 'DP_DROP(TTL, "ttl", "used up")\nDP_DROP(A, "a", "x")\n'
                 'DP_DROP(B, "b", "y")\n')
        self.put(docs.DROPS_DOC, "| name | what |\n| --- | --- |\n| `ttl` | `x` |\n| `a`, `b` | |\n")
        self.put(docs.INDEX, "[drops.md](drops.md) [a.md](a.md)\n")
        self.put("docs/a.md", "\n")

    def test_what_exists_passes(self):
        self.put("docs/a.md", "[a](a.md) [b](../GNUmakefile#x) [c](https://example.org/)\n"
                 "koictl show carp all    # all\n`set carp NAME advskew` and `koictl show carp`\n"
                 "koictl set carp carp0 advskew 254\nkoictl help show\nmake demo\nthey make up, `make demo`\n"
                 "fw1# koictl --node fw1 --json show carp all | jq .\nkoi -l 1 --no-huge -- --check\n"
                 "## A heading, *here*\n## A heading, here\n[d](#a-heading-here) [e](a.md#a-heading-here-1)\n"
                 "`koictl --node NAME set carp GROUP advskew V` `carp NAME up|down` `carp NAME up`\n")
        self.assertEqual(docs.check(self.root), [])

    def test_what_does_not_exist_is_refused(self):
        for line, message in (("[a](gone.md)", "there is no gone.md"),
                              ("![a](gone.svg)", "there is no gone.svg"),
                              ("[a](a.md#gone)", "a.md has no heading for #gone"),
                              ("[a](#gone)", "docs/a.md has no heading for #gone"),
                              ("fw1# koictl show carp", "koictl knows no 'show carp'"),
                              ("koictl --node fw1 show", "koictl knows no 'show'"),
                              ("koictl help shwo", "koictl knows no 'help shwo'"),
                              ("see `koictl stop`", "koictl knows no 'stop'"),
                              ("sudo koi --chek", "koi knows no --chek"),
                              ("koi --no-huge -- --no-huge", "koi knows no --no-huge"),
                              ("koictl show carp  # all", "koictl knows no 'show carp'"),
                              ("koictl set carp carp0 advskew 255", "koictl knows no"),
                              ("x `show drops` y", "koictl knows no 'show drops'"),
                              ("x `carp NAME upp` y", "koictl knows no 'carp NAME upp'"),
                              ("x `carp NAME up|dwn` y", "koictl knows no 'carp NAME up.dwn'"),
                              ("make dmeo    # x", "make knows no 'dmeo'"),
                              ("- `make all`", "make knows no 'all'")):
            self.put("docs/a.md", "one\n" + line + "\n")
            found = docs.check(self.root)
            self.put("docs/a.md", "\n")
            self.assertEqual(len(found), 1, (line, found))
            self.assertRegex(found[0], r"^docs/a\.md:2: %s" % message)

    def test_link_out_of_the_package_is_refused(self):
        self.put(docs.PACKAGED, "docs usr/share/doc/koi-doc\n")
        self.put("docs/a.md", "[a](a.md)\n[b](../GNUmakefile)\n[c](../docs) [d](#e)\n# E\n")
        self.assertEqual(docs.check(self.root), [
            "docs/a.md:2: the package koi-doc has no ../GNUmakefile: name it without a link"])

    def test_unlisted_document_is_refused(self):
        self.put("docs/b.md", "b\n")
        self.assertEqual(docs.check(self.root), ["docs/README.md:1: nothing about docs/b.md"])

    def test_section_that_is_not_there_is_refused(self):
        self.put(docs.PROTOCOL, "## 4. Timers\n### 5.2 Election\n")
        self.put(docs.INDEX, "[](protocol.md) [](a.md) [](drops.md)\n")
        self.put("lib/a.c", "/* (protocol note 5.2), notes 4 and 5.2; a note 7 of */\n/* notes 4 and 6.1 */\n")
        self.assertEqual(docs.check(self.root),
                         ["lib/a.c:1: docs/protocol.md has no section 7",
                          "lib/a.c:2: docs/protocol.md has no section 6.1"])

    def test_untold_key_is_refused(self):
        self.put(docs.KEYS_DOC, "dscp\n")
        self.assertEqual(docs.check(self.root),
                         ["config/README.md:1: nothing about the key `dscp`"])

    def test_untold_drop_is_refused(self):
        self.put(docs.DROPS_DOC, "| `ttl` | `a` |\n| `b`, `c` | |\n")
        self.assertEqual(docs.check(self.root),
                         ["docs/drops.md:1: no row for the drop `a`",
                          "docs/drops.md:1: nothing is dropped as `c`"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
