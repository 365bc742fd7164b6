"""All commands with one kubectl."""

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import golden
from commands import COMMANDS, write_files
from kubectl_recorder import Recorder
from stack import KUBECTLS, ROOT, Stack, eventually

VERSIONS = sorted(KUBECTLS)
# Discovery and OpenAPI come from kubectl's cache at times of its own.
NOT_SHOWN = ("/openapi/", "/api?", "/apis?", "/version")


class Session:
    """All commands with one kubectl against a server of their own, recorded."""

    def __init__(self, version, tools):
        self.version, self.texts = version, {}
        self.folder = Path(tempfile.mkdtemp(prefix="workflow-golden-"))
        write_files(self.folder)
        shutil.copy(ROOT / "examples" / "example-workflow.yaml", self.folder)
        self.environment = {**os.environ, "HOME": str(self.folder / "home"), "KUBECONFIG": str(self.folder / "kubeconfig"), "TERM": "dumb",
                            "PATH": f"{KUBECTLS[version].parent}:{tools}:{os.environ['PATH']}"}
        for variable in ("EDITOR", "KUBE_EDITOR", "KUBECTL_EXTERNAL_DIFF"):
            self.environment.pop(variable, None)

    def run(self):
        with Stack(engine_flags=["--max-parallel-jobs", "16"]) as stack:
            recorder = Recorder(stack.gateway)
            (self.folder / "kubeconfig").write_text(
                f"{{apiVersion: v1, kind: Config, current-context: c, contexts: [{{name: c, context: {{cluster: c, user: u}}}}], "
                f"clusters: [{{name: c, cluster: {{server: '{recorder.url}'}}}}], users: [{{name: u, user: {{}}}}]}}\n")
            self.shell("kubectl api-resources")
            try:
                for command in COMMANDS:
                    if tuple(map(int, command.since.split("."))) <= tuple(map(int, self.version.split("."))):
                        self.texts[command.name] = self.one(command, stack, recorder)
            finally:
                recorder.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        return self.texts

    def one(self, command, stack, recorder):
        try:
            if command.before:
                command.before(stack, self.folder)
        except AssertionError as error:
            return f"before: {error}\n"
        recorder.take()
        done = self.watch(command.line, recorder) if command.watches else self.shell(command.line)
        parts = ["goes on\n" if done.returncode == -signal.SIGKILL else f"exit {done.returncode}\n"]
        if command.requests:
            shown = [request for request in recorder.take() if not request[1].startswith(NOT_SHOWN) and request[1].split("?")[0] not in ("/api", "/apis")]
            lines = [f"{method} {path}{f' {kind}' if kind else ''}\n" for method, path, kind in shown if not self.discovery(path)]
            parts += ["--- requests\n", *lines] if lines else []
        for title, text in (("out", done.stdout), ("err", done.stderr)):
            if text:
                parts += [f"--- {title}\n", text if text.endswith("\n") else text + "\n"]
        return golden.normalised("".join(parts))

    @staticmethod
    def discovery(path):
        """A document of a group, as `/apis/GROUP/VERSION`."""
        return len(path.split("?")[0].strip("/").split("/")) <= 3

    @property
    def surroundings(self):
        return {"cwd": self.folder, "env": self.environment, "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}

    def watch(self, line, recorder):
        """kubectl has printed what is there before it asks for the watch."""
        process = subprocess.Popen(["bash", "-c", f"exec {line}"], **self.surroundings)
        try:
            eventually(lambda: process.poll() is not None or any("watch=true" in path for _, path, _ in recorder.requests), what=f"the watch of {line}")
        finally:
            process.kill()
            out, err = process.communicate()
        return subprocess.CompletedProcess(line, process.returncode, out, err)

    def shell(self, line):
        return subprocess.run(["bash", "-c", line], timeout=120, **self.surroundings)
