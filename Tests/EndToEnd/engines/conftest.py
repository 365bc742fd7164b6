import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from stack import ROOT, Stack, free_port  # noqa: E402


@pytest.fixture(scope="session")
def airflow():
    """URL of a real Airflow from PyPI; AIRFLOW_URL names one that runs already."""
    if os.environ.get("AIRFLOW_URL"):
        yield os.environ["AIRFLOW_URL"]
        return
    folder, port = ROOT / ".build" / "airflow", free_port()
    done = subprocess.run([str(ROOT / "hack" / "airflow" / "up"), str(folder), str(port)], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    yield f"http://127.0.0.1:{port}"
    subprocess.run([str(ROOT / "hack" / "airflow" / "down"), str(folder)], check=False)


class AirflowStack(Stack):
    """The gateway on Airflow; the methods of Stack that need the built-in engine do not apply."""

    def __init__(self, url, **binding):
        self.folder = Path(tempfile.mkdtemp(prefix="workflow-e2e-"))
        (self.folder / "username").write_text("op")
        (self.folder / "password").write_text("oppw")
        self.engine = Nothing()
        from stack import Gateway
        self.gateway = Gateway(self.folder / "gateway", {
            "backends": [{"name": "airflow", "adapter": "airflow", "url": url, "credentials": {
                "username": {"file": str(self.folder / "username")}, "password": {"file": str(self.folder / "password")}}}],
            "bindings": [{"backend": "airflow", "namespace": "default", "scope": {"tags": ["gateway"]}, "inlineSteps": True,
                          "poll": {"interval": "1s"}, **binding}]})
        self.gateway.patient = True  # as client-go is: 429 is repeated
        self.wait_for_sweep()


class Nothing:
    def stop(self):
        pass


@pytest.fixture(scope="session")
def stack(airflow):
    with AirflowStack(airflow) as running:
        running.airflow = airflow
        yield running
