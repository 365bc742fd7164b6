"""The suite of Tests/EndToEnd/conformance on a real engine: the rules that its abilities allow, the others skipped with the reason."""

import os
import subprocess
import sys

from stack import ROOT


def test_kubernetes_conformance(airflow):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "Tests/EndToEnd/conformance"], cwd=ROOT,
        env={**os.environ, "AIRFLOW_URL": airflow}, capture_output=True, text=True, timeout=1800)
    print(done.stdout[-4000:])
    assert done.returncode == 0, done.stdout[-8000:]
