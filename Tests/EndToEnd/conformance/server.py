"""The server under test: on the built-in engine, or on the Airflow that AIRFLOW_URL names. Tests see the same object."""

import itertools
import tempfile
import time
import uuid
from pathlib import Path

from stack import API, Gateway, Stack, eventually, workflow
from wire import WORKFLOWS, Wire

# What a test may need of the engine, and why a test without it is skipped. `@needs("overlay")`.
ABILITIES = {
    "overlay": "the engine keeps no document of ours that can change",
    "suspend": "the engine cannot hold a single run",
    "setState": "the engine takes no state from outside",
    "delete": "the engine cannot delete a run",
    "schedules": "the engine keeps no schedules of ours",
    "inlineSteps": "spec.steps is not taken by this engine",
    "faults": "faults can be injected into the built-in engine only",
    "quick": "the engine starts runs too slowly for a test with many of them",
    "restart": "the server under test is not ours to restart",
}


class Server:
    """What every test uses: `wire` as an administrator, and objects made on demand."""

    numbers = itertools.count(1)

    def connect(self):
        return Wire(self.gateway.port, self.gateway.tls)

    def unique(self, base="w"):
        return f"{base}-{self.run}-{next(self.numbers)}"

    def create(self, base="w", labels=None, annotations=None, seconds=0, **more):
        """A new Workflow, as the create answered it. `seconds`: how long it runs."""
        manifest = self.manifest(self.unique(base), seconds)
        for key, value in (("labels", labels), ("annotations", annotations), *more.pop("metadata", {}).items()):
            if value:
                manifest["metadata"][key] = value
        manifest["spec"].update(more)
        answer = self.wire.post(WORKFLOWS, manifest)
        assert answer.status == 201, answer.body
        return answer.json()

    def finished(self, base="w", labels=None, **more):
        """A Workflow that has Succeeded: nothing but its users changes it any more."""
        name = self.create(base, labels, **more)["metadata"]["name"]
        return self.settled(name)

    def settled(self, name, phases=("Succeeded", "Failed"), seconds=120):
        def look():
            found = self.read(name)
            return found if found.get("status", {}).get("phase") in phases else None
        return eventually(look, seconds, f"{name} in {phases}")

    def running(self, base="w", labels=None, **more):
        name = self.create(base, labels, seconds=300, **more)["metadata"]["name"]
        return self.settled(name, ("Running",))

    def read(self, name):
        return self.wire.get(f"{WORKFLOWS}/{name}").json()

    def gone(self, name, seconds=60):
        eventually(lambda: self.wire.get(f"{WORKFLOWS}/{name}").status == 404, seconds, f"{name} gone")


class LocalServer(Server):
    abilities = set(ABILITIES)
    run = "c"

    def __init__(self, *gateway_flags):
        poll = {"interval": "250ms", "sweepInterval": "5s"}
        self.stack = Stack(
            bindings=[{"backend": "ci", "namespace": "default", "poll": poll}], engine_flags=["--max-parallel-jobs", "64"],
            gateway_flags=("--authorization-mode", "AlwaysAllow", *gateway_flags))
        self.engine, self.gateway = self.stack.engine, self.stack.gateway
        self.wire = self.connect()

    def manifest(self, name, seconds=0):
        return workflow(name, f"sleep {seconds}" if seconds else "true")

    def stop(self):
        self.stack.stop()


class PatientWire(Wire):
    """Repeats what was turned away with Retry-After, as client-go does. Waits longer than the server does, whose answer says what the engine lacks."""

    def request(self, *arguments, patience=75, **query):
        deadline = time.monotonic() + 30
        while True:
            answer = super().request(*arguments, patience=patience, **query)
            if answer.status != 429 or time.monotonic() > deadline:
                return answer
            time.sleep(0.2)


class AirflowServer(Server):
    """A run takes ten seconds: those without wishes are made at the beginning, side by side."""

    abilities = {"overlay", "delete", "inlineSteps"}
    spares = 25

    def __init__(self, url):
        self.run = uuid.uuid4().hex[:6]
        folder = Path(tempfile.mkdtemp(prefix="workflow-conformance-"))
        (folder / "username").write_text("op")
        (folder / "password").write_text("oppw")
        self.gateway = Gateway(folder / "gateway", {
            "backends": [{"name": "airflow", "adapter": "airflow", "url": url, "credentials": {
                "username": {"file": str(folder / "username")}, "password": {"file": str(folder / "password")}}}],
            "bindings": [{"backend": "airflow", "namespace": "default", "scope": {"tags": ["gateway"]}, "inlineSteps": True,
                          "poll": {"interval": "1s"}}]})
        self.wire = self.connect()
        eventually(lambda: self.wire.get(f"{API}/workflows").status == 200, 180, "the first sweep")
        self.templates = eventually(self.dags, 120, "example_etl and example_slow among the templates")
        self.spare = [self.create("spare")["metadata"]["name"] for _ in range(self.spares)]

    def dags(self):
        answer = self.wire.get(f"{API}/namespaces/default/workflowtemplates")
        found = {item["spec"]["engineName"]: item["metadata"]["name"] for item in answer.json()["items"]}
        return found if {"example_etl", "example_slow"} <= set(found) else None

    def finished(self, base="w", labels=None, **more):
        if self.spare and not labels and not more:
            return self.settled(self.spare.pop(0))
        return super().finished(base, labels, **more)

    def settled(self, name, phases=("Succeeded", "Failed"), seconds=300):
        """The tasks of a run are known a little after its end."""
        super().settled(name, phases, seconds)

        def complete():
            found = self.read(name)
            done, _, total = found["status"].get("progress", "").partition("/")
            return found if "Running" in phases or total and done == total else None
        return eventually(complete, 240, f"the tasks of {name}")

    def connect(self):
        return PatientWire(self.gateway.port, self.gateway.tls)

    def manifest(self, name, seconds=0):
        dag, parameters = ("example_slow", {"seconds": seconds}) if seconds else ("example_etl", {"rows": 1, "message": "x"})
        return workflow(name, templateRef={"name": self.templates[dag]}, parameters=parameters)

    def stop(self):
        self.gateway.stop()


