"""What must be the same after a restart: §11 and §15. One restart for all."""

import pytest

from server import LocalServer
from stack import eventually
from wire import WORKFLOWS, is_status, names, version

pytestmark = pytest.mark.needs("restart")


class Lives:
    """The state before a kill, and the server after it."""

    def __init__(self, server):
        self.server = server
        for i in range(3):
            server.finished("kept", {"i": str(i)})
        server.engine.call("POST", "/v1/jobs", {"steps": [{"name": "a", "command": ["true"]}]})
        eventually(lambda: len(server.wire.get(WORKFLOWS).json()["items"]) == 4, what="the foreign run")
        held = server.finished("held", metadata={"finalizers": ["example.com/hold"]}) if self.finalizers() else None
        self.held = held and held["metadata"]["name"]
        if self.held:
            server.wire.delete(f"{WORKFLOWS}/{self.held}")
        self.page = server.wire.get(WORKFLOWS, limit=1).json()["metadata"]
        self.before, self.newest, self.tag = self.identities(), self.version(), self.etag()
        server.gateway.kill()
        server.gateway.start()
        server.wire = server.connect()
        server.stack.wait_for_sweep()

    def finalizers(self):
        manifest = self.server.manifest("probe")
        manifest["metadata"]["finalizers"] = ["example.com/hold"]
        return self.server.wire.post(WORKFLOWS, manifest, dryRun="All").status == 201

    def identities(self):
        return [(item["metadata"]["name"], item["metadata"]["uid"], item["metadata"]["creationTimestamp"], item["metadata"].get("labels"))
                for item in self.server.wire.get(WORKFLOWS).json()["items"]]

    def version(self):
        return int(self.server.wire.get(WORKFLOWS).json()["metadata"]["resourceVersion"])

    def etag(self):
        return self.server.wire.get("/openapi/v2", "application/json").headers["ETag"]


@pytest.fixture(scope="module")
def lives():
    server = LocalServer()
    yield Lives(server)
    server.stop()


def test_G5_uids_are_permanent(lives):
    """The same names, uids, creation times and labels after a restart, also of runs made elsewhere."""
    assert lives.identities() == lives.before


def test_C17_an_intended_deletion_survives(lives):
    """The two-phase delete: the intention is kept with the engine."""
    assert lives.held, "finalizers are not taken"
    found = lives.server.read(lives.held)
    assert found["metadata"]["deletionTimestamp"] and found["metadata"]["finalizers"] == ["example.com/hold"]
    lives.server.wire.patch(f"{WORKFLOWS}/{lives.held}", {"metadata": {"finalizers": None}})
    lives.server.gone(lives.held)


def test_Z3_versions_only_grow(lives):
    """After a restart versions are above anything that was ever issued."""
    assert lives.version() > lives.newest
    assert all(version(item) > 0 for item in lives.server.wire.get(WORKFLOWS).json()["items"])


def test_Z4_tags_and_tokens_are_the_same(lives):
    """ETags are equal after a restart; a continue token is taken, or 410 with another one."""
    assert lives.etag() == lives.tag
    answer = lives.server.wire.get(WORKFLOWS, limit=1, **{"continue": lives.page["continue"]})
    if answer.status != 200:
        status = is_status(answer, 410, "Expired", "The provided continue parameter is too old")
        assert lives.server.wire.get(WORKFLOWS, **{"continue": status["metadata"]["continue"]}).status == 200


def test_Z8_a_version_of_the_life_before(lives):
    """A watch from before the restart is 410, or goes on without a gap."""
    answer = lives.server.wire.get(WORKFLOWS, watch="true", resourceVersion=lives.newest, timeoutSeconds=3)
    assert b'"code":410' in answer.body or answer.status == 410 or answer.body == b"", answer.body[:500]


def test_Z5_ready_only_when_lists_are_true(lives):
    """What is ready serves the whole truth: the list after /readyz is 200 is complete, or refused, never partial."""
    lives.server.gateway.kill()
    lives.server.gateway.start()
    lives.server.wire = lives.server.connect()
    eventually(lambda: lives.server.wire.get("/readyz").status == 200, what="/readyz")
    expected = [name for name, *_ in lives.identities()] if lives.server.wire.get(WORKFLOWS).status == 200 else None
    if expected is None:
        is_status(lives.server.wire.get(WORKFLOWS), 503, "ServiceUnavailable")
        lives.server.stack.wait_for_sweep()
    known = [name for name, *_ in lives.before if name != lives.held]
    assert [name for name in names(lives.server.wire.get(WORKFLOWS).json()["items"]) if name != lives.held] == known
