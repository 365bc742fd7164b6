import concurrent.futures
import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import golden  # noqa: E402
from commands import COMMANDS  # noqa: E402
from sessions import VERSIONS, Session  # noqa: E402


@pytest.fixture(scope="session")
def outputs(request, tmp_path_factory):
    """kubectl version → command → text. Several versions run side by side, each against an engine and a gateway of its own."""
    tools = tmp_path_factory.mktemp("tools")
    # The example's toolchain, so that its run neither ends nor depends on what the machine has.
    (tools / "go").write_text("#!/bin/sh\nexec sleep 300\n")
    (tools / "go").chmod(0o755)
    before = os.environ["PATH"]
    os.environ["PATH"] = f"{tools}:{before}"
    try:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            found = dict(zip(VERSIONS, pool.map(lambda version: Session(version, tools).run(), VERSIONS)))
    finally:
        os.environ["PATH"] = before
    if request.config.getoption("--update-golden"):
        for command in COMMANDS:
            golden.write(command.name, command.line, {version: texts[command.name] for version, texts in found.items() if command.name in texts})
    return found
