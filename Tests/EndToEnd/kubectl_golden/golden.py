"""Golden files: one per command, with a block for every group of kubectl versions that say the same."""

import re
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "golden"
BLOCK = re.compile(r"^=== (.*)\n", re.MULTILINE)

RULES = [(re.compile(pattern, re.MULTILINE), text) for pattern, text in (
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UID"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( [+-]\d{4})?( UTC)?Z?", "TIME"),
    (r"(resourceVersion\\?\"?[:=] ?\\?\"?)\d{3,}", r"\1RV"),
    (r"(Resource Version: +)\d{3,}", r"\1RV"),
    (r"continue=[A-Za-z0-9_%-]+", "continue=TOKEN"),
    (r"timeoutSeconds=\d+", "timeoutSeconds=N"),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
    (r"\b1[0-9a-z]{15}\b", "RUN"),
    (r"gen-[bcdfghjklmnpqrstvwxz2456789]{5}\b", "gen-SUFFIX"),
    (r"/\S*/(LIVE|MERGED)-\d+/", r"/\1/"),
    (r"/\S*/kubectl-edit-\d+\.yaml", "/kubectl-edit.yaml"),
    (r"(?<=  )\d+(ms|s|m|h)(\d+s)?(?=\s|$)", "AGE"),
    (r"(?<=\S) {3,}", "   "),
    (r"[ \t]+$", ""))]


def normalised(text):
    # kubectl builds it from a map.
    text = re.sub(r"(?<=fieldSelector=)involved[^&\n]*", lambda found: "%2C".join(sorted(found[0].split("%2C"))), text)
    for pattern, replacement in RULES:
        text = pattern.sub(replacement, text)
    return text


def read(name):
    """kubectl version → text."""
    path = FOLDER / f"{name}.txt"
    if not path.exists():
        return {}
    parts = BLOCK.split(path.read_text())
    return {version: body for versions, body in zip(parts[1::2], parts[2::2]) for version in versions.split()}


def write(name, line, texts):
    """`texts`: kubectl version → text."""
    groups = {}
    for version, text in texts.items():
        groups.setdefault(text, []).append(version)
    FOLDER.mkdir(exist_ok=True)
    blocks = "".join(f"=== {' '.join(versions)}\n{text}" for text, versions in groups.items())
    (FOLDER / f"{name}.txt").write_text(f"$ {line}\n{blocks}")
