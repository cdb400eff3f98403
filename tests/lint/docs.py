# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""What the documents name exists: files and headings behind links, commands of the CLI, options of
koi, targets of make.

And the other way round: every key of the configuration is told of in config/README.md, every reason
to drop a frame in docs/drops.md, and no other; every document in docs/README.md. Sections of the
protocol note that comments name are in docs/protocol.md. Documents of the package koi-doc lead to
nothing that is not in it.
"""

import functools
import os
import re
import sys

import lintlib

KEYS = "lib/conf/conf_keys.def"
KEYS_DOC = "config/README.md"
PROTOCOL = "docs/protocol.md"
INDEX = "docs/README.md"
DROPS = "lib/dp/drops.def"
DROPS_DOC = "docs/drops.md"
COMMANDS = "lib/mgmt/cli_cmds.def"
ARGS = "app/koi/args.c"
MAKEFILE = "GNUmakefile"
PACKAGED = "debian/koi-doc.install"

LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
KEY = re.compile(r'^CONF_(?:VALUE|PART)\(\w+, \w+, "([^"]+)"', re.MULTILINE)
DROP = re.compile(r'^DP_DROP\(\w+, "([^"]+)"', re.MULTILINE)
# The first cell of a row.
DROP_ROW = re.compile(r"^\| (`.*?) \|", re.MULTILINE)
GRAMMAR = re.compile(r'^MGMT_(?:SHOW|DO)\(\s*"([^"]+)"', re.MULTILINE)
OPTION = re.compile(r"(?:^|\s)(--[a-z-]+)")
# On a line of its own, after a prompt or none, up to a comment or what else the shell is to do; or in
# backticks, where the last words may be left out.
PROMPT = r"^(?:(?:[a-z0-9]+)?[#$] )?(?:sudo )?"
KOICTL = r"koictl(?: --(?:node|socket) [^\s`]+| --json)* "
TYPED = re.compile(PROMPT + KOICTL + r"((?!-)[^#|>&;]+?)\s*(?:[#|>&;]|$)")
# Quoted without koictl before them; ping and route begin commands of other systems as well.
VERBS = "show|explain|set|clear|carp|interface|neighbor|reload|save|drain|watch|commit|abort|metrics|traceroute"
QUOTED = re.compile(r"`(?:" + KOICTL + r"([^`]+)|((?:" + VERBS + r") [^`]+))`")
RUN = re.compile(PROMPT + r"koi (--?[^#|>&;]+?)\s*(?:[#|>&;]|$)")
# "note 5.2", "notes 4 and 5", in comments.
NOTE = re.compile(r"\b[Nn]otes? (\d+(?:\.\d+)?)(?: and (\d+(?:\.\d+)?))?")
SECTION = re.compile(r"^##+ (\d+(?:\.\d+)?)\.? ", re.MULTILINE)
TARGET = re.compile(r"(?:^(?:sudo )?|`)make ([a-z-]+)")


def read(root, name):
    """Text of a file, "" where there is none."""
    if not os.path.exists(os.path.join(root, name)):
        return ""
    return "\n".join(lintlib.lines_of(root, name) or [])


def fits(word, grammar):
    """One word of a document for one of the grammar; in a document upper case stands for anything."""
    span = re.fullmatch(r"(\d+)-(\d+)", grammar)
    if not span and not grammar.isupper():
        return word == grammar
    if word.isupper():
        return True
    if span:
        return word.isdigit() and int(span[1]) <= int(word) <= int(span[2])
    if grammar == "KEY":
        return word.startswith(("/", "hex:"))
    if grammar == "FILE":
        return word.startswith("/")
    if grammar in ("ADDRESS", "PREFIX", "HOPS", "MAC"):
        return bool(re.fullmatch(r"[0-9a-f.:/,]+", word))
    return True


def options_fit(words, options, whole):
    """Pairs of a word and its value, as the grammar has them in brackets, in any order."""
    names = {o[0]: o[1] for o in (pair.split() for pair in options)}
    pairs = [words[i:i + 2] for i in range(0, len(words), 2)]
    return all(p[0] in names and (len(p) == 2 and fits(p[1], names[p[0]]) or len(p) == 1 and not whole)
               for p in pairs)


def is_command(words, grammars, whole):
    """Whether the words are a command, or its beginning; "help" is followed by one of another, and a|b
    stands for two commands."""
    for at, word in enumerate(words):
        if "|" in word:
            return all(is_command(words[:at] + [w] + words[at + 1:], grammars, whole)
                       for w in word.split("|"))
    if words[0] == "help" and len(words) > 1:
        return is_command(words[1:], grammars, False)
    return any(
        (len(words) >= len(g) or not whole) and all(fits(w, x) for w, x in zip(words, g))
        and options_fit(words[len(g):], options, whole)
        for g, options in grammars)


@functools.lru_cache(maxsize=None)
def anchors(path):
    """What a link into a document may name: its headings, as their pages call them."""
    with open(path, encoding="utf-8", errors="replace") as f:
        headings = HEADING.findall(FENCED.sub("", f.read()))
    plain = [re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings]
    return {p if plain[:i].count(p) == 0 else "%s-%d" % (p, plain[:i].count(p))
            for i, p in enumerate(plain)}


def packaged(root, name):
    """Whether a file or folder is in the package of the documents."""
    rows = [line.split() for line in read(root, PACKAGED).split("\n")]
    return any((name + "/").startswith(row[0] + "/") for row in rows if row)


def check_links(root, name, line):
    """Where the links of a line lead to nothing."""
    found = []
    for target, anchor in LINK.findall(line):
        if "://" in target:
            continue
        path = os.path.join(root, os.path.dirname(name), target) if target else os.path.join(root, name)
        if not os.path.exists(path):
            found.append("there is no %s" % target)
        elif anchor and path.endswith(".md") and anchor not in anchors(path):
            found.append("%s has no heading for #%s" % (target or name, anchor))
        elif packaged(root, name) and not packaged(root, os.path.relpath(path, root)):
            found.append("the package koi-doc has no %s: name it without a link" % target)
    return found


def check_line(root, name, line, grammars, targets):
    """What is wrong with one line of a document."""
    found = check_links(root, name, line)
    typed = TYPED.match(line)
    for whole, command in [(True, typed[1])] if typed else [
            (False, a or b) for a, b in QUOTED.findall(line)]:
        if command != "..." and not is_command(command.split(), grammars, whole):
            found.append("koictl knows no '%s'" % command)
    run = RUN.match(line)
    for option in OPTION.findall(run[1].partition(" -- ")[2] or run[1]) if run else []:
        if '"%s"' % option not in read(root, ARGS):
            found.append("koi knows no %s" % option)
    for target in TARGET.findall(line):
        if target not in targets:
            found.append("make knows no '%s'" % target)
    return found


def check_notes(root):
    """Comments that name a section of the protocol note which there is not."""
    sections = set(SECTION.findall(read(root, PROTOCOL)))
    for name in lintlib.tracked(root):
        if not name.endswith((".c", ".h", ".def")):
            continue
        for number, line in enumerate(lintlib.lines_of(root, name) or [], 1):
            for found in NOTE.findall(line):
                for section in set(found) - {""} - sections:
                    yield "%s:%d: %s has no section %s" % (name, number, PROTOCOL, section)


def check(root):
    """All findings below root."""
    grammars = [(g.split("[")[0].split(), re.findall(r"\[([^]]*)\]", g))
                for g in GRAMMAR.findall(read(root, COMMANDS))]
    targets = set(re.findall(r"^([a-z-]+):", read(root, MAKEFILE), re.MULTILINE))
    findings = []
    for name in lintlib.tracked(root):
        if not name.endswith(".md"):
            continue
        for number, line in enumerate(lintlib.lines_of(root, name) or [], 1):
            findings += ["%s:%d: %s" % (name, number, f)
                         for f in check_line(root, name, line, grammars, targets)]
    told = set(re.findall(r"`([^`]+)`", read(root, KEYS_DOC)))
    for key in sorted(set(KEY.findall(read(root, KEYS)))):
        if key not in told and key not in ("interfaces", "carp", "groups", "routes"):
            findings.append("%s:1: nothing about the key `%s`" % (KEYS_DOC, key))
    findings += check_notes(root)
    listed = {target for target, _ in LINK.findall(read(root, INDEX))}
    findings += ["%s:1: nothing about %s" % (INDEX, name) for name in lintlib.tracked(root)
                 if re.fullmatch(r"docs/[^/]+\.md", name)
                 and os.path.basename(name) not in listed | {os.path.basename(INDEX)}]
    drops = set(DROP.findall(read(root, DROPS)))
    rows = {n for row in DROP_ROW.findall(read(root, DROPS_DOC)) for n in re.findall("`([^`]+)`", row)}
    findings += ["%s:1: no row for the drop `%s`" % (DROPS_DOC, d) for d in sorted(drops - rows)]
    findings += ["%s:1: nothing is dropped as `%s`" % (DROPS_DOC, d) for d in sorted(rows - drops)]
    return findings


if __name__ == "__main__":
    lintlib.finish(check(sys.argv[1]))
