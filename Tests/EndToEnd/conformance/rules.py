"""The rules of the wire document, the tests that are named after them, and the table of both in docs/kubernetes-conformance.md.

Run as a program to write the table anew.
"""

import ast
import functools
import re
import sys
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
WIRE = ROOT.parent / "shared" / "kubernetes-wire.md"
TABLE = ROOT / "docs" / "kubernetes-conformance.md"
SECTIONS = {"U": "URLs", "D": "Discovery", "F": "Front proxy", "A": "Authentication and authorization", "N": "Content negotiation", "T": "Tables", "L": "Get and list",
            "W": "Watch", "C": "Writes", "E": "Errors", "S": "Server-side apply", "K": "Logs", "G": "Controllers of the cluster", "H": "Health, version, metrics",
            "O": "OpenAPI", "X": "Clients", "Z": "Versions and state"}
HEAD = """# Kubernetes conformance

Which rules of the Kubernetes API hold here, and the tests that show it. Rule ids are those of `kubernetes-wire.md`. M: a real client or controller breaks without it;
S: it should be so; -: information. Tests are in [Tests/EndToEnd/conformance](../Tests/EndToEnd/conformance), one or more per rule, each named after it; they run over TLS
against the running server, in CI on the built-in engine, and on Airflow where `AIRFLOW_URL` is set (what an engine cannot do is skipped with the reason). The commands
of kubectl 1.27 to 1.33 are in [Tests/EndToEnd/kubectl_golden](../Tests/EndToEnd/kubectl_golden).

Written by `python Tests/EndToEnd/conformance/rules.py`; a test checks that it is up to date.
"""


@functools.cache
def document():
    """Rule id → M, S or -, in the order of the wire document."""
    found = {}
    for line in WIRE.read_text().splitlines():
        match = re.match(r"- ([A-Z]\d+a?) (\*\*M\*\*|S\b)?", line)
        if match:
            found[match[1]] = {"**M**": "M", "S": "S", None: "-"}[match[2]]
    return found


@functools.cache
def tests():
    """Rule id → [(file, function, docstring)]."""
    found = {}
    for path in sorted(HERE.glob("test_*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and (match := re.match(r"test_([A-Z]\d+a?)_", node.name)):
                found.setdefault(match[1], []).append((path.name, node.name, ast.get_docstring(node) or ""))
    return found


@functools.cache
def elsewhere():
    return yaml.safe_load((HERE / "elsewhere.yaml").read_text())


def table():
    rules, named, other = document(), tests(), elsewhere()
    lines, section = [HEAD], None
    for rule, level in sorted(rules.items(), key=lambda item: list(SECTIONS).index(item[0][0])):
        if rule[0] != section:
            section = rule[0]
            lines += [f"## {SECTIONS[section]}", "", "| Rule | | What is tested | Tests |", "|---|---|---|---|"]
        if rule in named:
            told = dict.fromkeys(" ".join(doc.split()) for _, _, doc in named[rule])
            files = dict.fromkeys(file for file, _, _ in named[rule])
            where = ", ".join(f"[{file}](../Tests/EndToEnd/conformance/{file}) ({sum(one == file for one, _, _ in named[rule])})" for file in files)
            text = " ".join(told)
        else:
            entry = other.get(rule, {"reason": "**no test and no reason**"})
            text, where = entry["reason"], entry.get("where", "")
        lines.append(f"| {rule} | {level} | {text.replace('|', chr(92) + '|')} | {where} |")
        following = [one for one in rules if one[0] == section]
        if rule == following[-1]:
            lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


if __name__ == "__main__":
    if not WIRE.exists():
        sys.exit(f"{WIRE} is missing")
    TABLE.write_text(table())
