#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 the koi contributors
"""Manual pages and bash completion of koi and koictl: from their --help and from cli_cmds.def.

    cmd_doc.py man-koi|bash-koi KOI
    cmd_doc.py man-koictl|bash-koictl KOICTL CLI_CMDS_DEF
"""

import os
import re
import subprocess
import sys

ROW = re.compile(
    r'^MGMT_(?:SHOW|DO)\(\s*"([^"]+)",\s*\w+,\s*(?:-?\w+,\s*)?((?:"(?:\\.|[^"\\])*"\s*)+),\s*"([^"]+)"\)',
    re.MULTILINE,
)
STRING = re.compile(r'"((?:\\.|[^"\\])*)"')
#: "  --check [FILE]        check the configuration ..."
OPTION = re.compile(r"^  (--[a-z-]+)(?: (\[?[A-Z]+\]?))?  +(\S.*)$", re.MULTILINE)

HASH = "# SPDX-License-Identifier: BSD-3-Clause\n# Copyright (c) 2026 the koi contributors\n"
MADE = "Made from %s; do not edit."


def commands(text):
    """cli_cmds.def -> (grammar, help, example) of each row, in its order."""
    found = []
    for grammar, said, example in ROW.findall(text):
        said = "".join(STRING.findall(said)).replace('\\"', '"')
        found.append((grammar, said, example))
    rows = len(re.findall(r"^MGMT_(?:SHOW|DO)\(", text, re.MULTILINE))
    if rows != len(found) or not rows:
        raise SystemExit(f"cli_cmds.def: {rows} rows, {len(found)} of them understood")
    return found


def options(text, program):
    """--help -> (name, value, help) of each option."""
    found = OPTION.findall(text)
    if not found:
        raise SystemExit(f"{program} --help names no options")
    return found


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text.startswith((".", "'")) else text


def head(name, section, title, said, source):
    lines = ['.\\" ' + line[2:] for line in HASH.splitlines()]
    lines += ['.\\" ' + MADE % source, f'.TH {name.upper()} {section} "" koi "{title}"']
    return lines + [".SH NAME", f"{name} \\- {roff(said)}"]


def option_lines(found):
    lines = []
    for name, value, said in found:
        shown = f".BI {roff(name)} \\  {roff(value)}" if value else f".B {roff(name)}"
        lines += [".TP", shown.replace("\\  ", '" " '), roff(said) + "."]
    return lines


def man_koi(help_text):
    lines = head("koi", 8, "System administration", "firewall cluster on DPDK, with CARP",
                 "koi --help")
    lines += [
        ".SH SYNOPSIS",
        ".B koi\n.RI [ EAL\\ options\n.BR \\-\\- ]\n.RI [ options ]",
        ".SH DESCRIPTION",
        "Boxes that run\n.B koi\nshare IP addresses by CARP, the Common Address Redundancy\n"
        "Protocol: one is master and forwards, the others wait.\n.B koi\nstays in the foreground\n"
        "and logs to standard error; as a service it is\n.IR koi.service .\n"
        "It is looked at and commanded by\n.BR koictl (1).",
        ".PP\nOptions of the DPDK environment stand before\n.BR \\-\\- ,\n"
        "or in the configuration's\n.IR eal .",
        ".SH OPTIONS",
        *option_lines(options(help_text, "koi")),
        ".SH SIGNALS",
        ".TP\n.BR SIGTERM ,\\  SIGINT\nBow out of every group, hand over, stop.",
        ".TP\n.B SIGHUP\nLoad the configuration anew, all of it or nothing; the log says what became of it.\n"
        ".B koictl reload\nand\n.B systemctl reload koi\nsay so themselves, and fail where it is refused.",
        ".SH EXIT STATUS",
    ]
    codes = re.search(r"^exit codes: (.*)$", help_text, re.MULTILINE)
    for code in codes[1].split(", "):
        number, said = code.split(" ", 1)
        lines += [".TP", f".B {number}", roff(said)]
    lines += [
        ".SH ENVIRONMENT",
        ".TP\n.BR NOTIFY_SOCKET ,\\  WATCHDOG_USEC ,\\  WATCHDOG_PID\n"
        "of the service manager, see\n.BR sd_notify (3):\n"
        "it is told when everything runs, of the roles, and that the control lcore turns.",
        ".SH FILES",
        ".TP\n.I /etc/koi/koi.json\nconfiguration, see\n.BR koi.json (5)",
        ".TP\n.I /run/koi/NODE/cli.sock\nsocket of the command line",
        ".TP\n.I /run/dpdk/koi\\-NODE/dpdk_telemetry.v2\nsocket of DPDK's telemetry",
        ".SH SEE ALSO",
        ".BR koictl (1),\n.BR koi.json (5),\n.BR dpdk\\-devbind (1)",
    ]
    return "\n".join(lines) + "\n"


def man_koictl(help_text, rows):
    lines = head("koictl", 1, "User commands", "look at koi and command it",
                 "koictl --help and lib/mgmt/cli_cmds.def")
    lines += [
        ".SH SYNOPSIS",
        ".B koictl\n.RI [ options ]\n.RI [ command ...]",
        ".SH DESCRIPTION",
        "One command, or without one a session with prompt and completion.",
        ".SH OPTIONS",
        *option_lines(options(help_text, "koictl")),
        ".SH COMMANDS",
        "GROUP and IF stand for names of the configuration, A\\-B for a number, KEY for a path or\n"
        ".B hex:\nand 40 digits. Brackets hold options: each at most once, in any order.",
    ]
    for grammar, said, example in rows:
        lines += [".TP", f".B {roff(grammar)}", roff(said[0].upper() + said[1:]) + "."]
        if example != grammar:
            lines += [f".br\nExample: {roff(example)}"]
    lines += [".SH EXIT STATUS"]
    codes = re.search(r"Exit codes: (.*)\.$", help_text, re.MULTILINE)
    for code in codes[1].split(", "):
        number, said = code.split(" ", 1)
        lines += [".TP", f".B {number}", roff(said)]
    lines += [".SH SEE ALSO", ".BR koi (8),\n.BR koi.json (5)"]
    return "\n".join(lines) + "\n"


def completion_head(program, source):
    return f"# bash completion for {program}\n{HASH}# {MADE % source}\n\n"


def completion_koi(help_text):
    found = options(help_text, "koi")
    names = " ".join(name for name, _, _ in found)
    files = "|".join(n for n, v, _ in found if v.strip("[]") in ("FILE", "PATH"))
    folders = "|".join(n for n, v, _ in found if v == "DIR")
    return completion_head("koi", "koi --help") + f"""_koi()
{{
	local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD - 1]}}

	case $prev in
	{files})
		[[ $cur == -* ]] || {{ mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return; }}
		;;
	{folders})
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "{names}" -- "$cur")
}}
complete -o filenames -F _koi koi
"""


def completion_koictl(help_text, rows):
    names = " ".join(name for name, _, _ in options(help_text, "koictl"))
    # options by themselves, behind what they belong to
    grammar = "\n".join(
        f"\t'{words}'" for row in rows
        for words in [row[0].split(" [")[0], *(row[0].split(" [")[0] + " " + o for o in
                                              re.findall(r"\[([^]]*)\]", row[0]))])
    source = "koictl --help and lib/mgmt/cli_cmds.def"
    return completion_head("koictl", source) + f"""_koictl_commands=(
{grammar}
)

# Names of the koi that runs; none where it does not.
_koictl_names()
{{
	"${{_koictl_program[@]}}" --json show "$1" all 2>/dev/null |
		grep -o '"name": *"[^"]*"' | cut -d '"' -f 4
}}

_koictl()
{{
	local cur=${{COMP_WORDS[COMP_CWORD]}} at=1 command word i words=() row
	local _koictl_program=("${{COMP_WORDS[0]}}")

	while ((at < COMP_CWORD)); do
		case ${{COMP_WORDS[at]}} in
		--socket | --node)
			_koictl_program+=("${{COMP_WORDS[at]}}" "${{COMP_WORDS[at + 1]}}")
			at=$((at + 2))
			;;
		-*) at=$((at + 1)) ;;
		*) break ;;
		esac
	done
	if ((at > COMP_CWORD)); then
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
	fi
	if [[ $cur == -* && $at == "$COMP_CWORD" ]]; then
		mapfile -t COMPREPLY < <(compgen -W "{names}" -- "$cur")
		return
	fi
	[[ ${{COMP_WORDS[at]}} == help && $at -lt $COMP_CWORD ]] && at=$((at + 1))
	for command in "${{_koictl_commands[@]}}"; do
		read -ra row <<<"$command"
		((${{#row[@]}} > COMP_CWORD - at)) || continue
		for ((i = at; i < COMP_CWORD; i++)); do
			word=${{row[i - at]}}
			# a name, a number or a path: anything goes, koi itself says what is wrong
			[[ $word == "${{COMP_WORDS[i]}}" || $word =~ ^([A-Z]+|[0-9]+-[0-9]+)$ ]] || continue 2
		done
		word=${{row[COMP_CWORD - at]}}
		case $word in
		GROUP) mapfile -t -O "${{#words[@]}}" words < <(_koictl_names carp) ;;
		ADDRESS) ;;
		IF) mapfile -t -O "${{#words[@]}}" words < <(_koictl_names interface) ;;
		[A-Z]*) mapfile -t -O "${{#words[@]}}" words < <(compgen -f -- "$cur") ;;
		[0-9]*) ;;
		*) words+=("$word") ;;
		esac
	done
	mapfile -t COMPREPLY < <(compgen -W "${{words[*]}}" -- "$cur" | sort -u)
}}
complete -F _koictl koictl
"""


MODES = {
    "man-koi": man_koi,
    "bash-koi": completion_koi,
    "man-koictl": man_koictl,
    "bash-koictl": completion_koictl,
}


def main():
    mode, program, *tables = sys.argv[1:]
    program = os.path.abspath(program)
    done = subprocess.run([program, "--help"], stdout=subprocess.PIPE, check=True)
    help_text = done.stdout.decode().replace(program, os.path.basename(program))
    rows = []
    for table in tables:
        with open(table, encoding="utf-8") as f:
            rows.append(commands(f.read()))
    sys.stdout.write(MODES[mode](help_text, *rows))


if __name__ == "__main__":
    main()
