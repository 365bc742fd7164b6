"""One server for the whole suite; read-only rules share three objects."""

import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from server import ABILITIES, AirflowServer, LocalServer  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "needs(*abilities): skipped, with the reason, where the engine has not got them")


def pytest_collection_modifyitems(items):
    abilities = AirflowServer.abilities if os.environ.get("AIRFLOW_URL") else LocalServer.abilities
    for item in items:
        for marker in item.iter_markers("needs"):
            for ability in marker.args:
                reason = ABILITIES[ability]
                if ability not in abilities:
                    item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def server():
    url = os.environ.get("AIRFLOW_URL")
    running = AirflowServer(url) if url else LocalServer()
    yield running
    running.stop()


@pytest.fixture
def wire(server):
    return server.wire


class Shared:
    """Three finished Workflows that nobody changes: `a` and `b` with labels, `c` without. All have the label `set`."""

    def __init__(self, server):
        mark = server.unique("set")
        made = [server.create("shared-a", {"set": mark, "app": "x", "tier": "1"}), server.create("shared-b", {"set": mark, "app": "y"}),
                server.create("shared-c", {"set": mark})]
        self.a, self.b, self.c = [server.settled(item["metadata"]["name"]) for item in made]
        self.selector = f"set={mark}"
        self.names = [item["metadata"]["name"] for item in (self.a, self.b, self.c)]


@pytest.fixture(scope="session")
def shared(server):
    return Shared(server)
