import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "EndToEnd"))

from cluster import missing  # noqa: E402 - needs the path above
from world import World  # noqa: E402


@pytest.fixture(scope="session")
def world():
    """One control plane with the gateway for all tests, which use names of their own."""
    if reason := missing():
        pytest.skip(reason)
    running = World()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def cluster(world):
    return world.cluster


@pytest.fixture(scope="session")
def controllers(cluster):
    """kube-controller-manager, where it is there."""
    if not cluster.controllers:
        pytest.skip("the folder KUBEBUILDER_ASSETS has no kube-controller-manager")
    return cluster.controllers
