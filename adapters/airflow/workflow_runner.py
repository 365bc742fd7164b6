"""Runs the steps that a Workflow carries in its spec, one after another, each as a process on the worker.

Copy this file into the DAGs folder of the Airflow that may run inline steps; only bindings that say `inlineSteps: true` use it. Whoever may
trigger this DAG may run any command as the user of the workers, so give that right (`can trigger` on it) to nobody else.

The run's conf carries `steps`: [{"name", "image", "command": [...], "args": [...], "env": [{"name", "value"}]}]. Task `plan` checks them; the
mapped task `step` runs them, with the step's name as its rendered map index. A step that follows a failed one is skipped. What became of a step
is also its XCom `result`: {"phase": "succeeded" | "failed", "message": "..."}.
"""

import ctypes
import hashlib
import os
import shlex
import shutil
import signal
import subprocess
import tempfile

from airflow.sdk import Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

STRINGS = {"type": "array", "items": {"type": "string"}}
STEPS = {
    "type": "array",
    "minItems": 1,
    "maxItems": 100,
    "items": {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "minLength": 1, "maxLength": 63},
            "image": {"type": ["string", "null"]},
            "command": STRINGS,
            "args": STRINGS,
            "env": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["name", "value"],
                    "properties": {"name": {"type": "string", "minLength": 1}, "value": {"type": "string"}},
                },
            },
        },
    },
}


def words(step):
    """The command line: command, then args, as in a Kubernetes container."""
    return [*(step.get("command") or []), *(step.get("args") or [])]


def variables(step):
    """The worker's environment with the step's own on top, and without what Airflow keeps there for itself."""
    # AIRFLOW__* may hold the connection to Airflow's own database and its signing keys.
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW__", "_AIRFLOW", "AIRFLOW_CONN_", "AIRFLOW_VAR_"))}
    mine.update({entry["name"]: entry["value"] for entry in step.get("env") or []})
    return mine


def die_with_parent():
    """Linux: the process is killed when the task's process is, however that happens."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def folder(run_id):
    """The working folder that the steps of one run share. They see each other's files only where all of them run on the same worker."""
    return os.path.join(tempfile.gettempdir(), "workflow-runner-" + hashlib.sha256(run_id.encode()).hexdigest()[:16])


def run(step, at):
    """Runs one step in folder `at` and prints what it says, line by line. Returns None, or why it failed."""
    line = words(step)
    if step.get("image"):
        print(f"image {step['image']} is not used: this Airflow runs steps as processes on its worker", flush=True)
    if not (step.get("command") or []):
        return "it has no command, and the entry point of an image is not known here"
    os.makedirs(at, mode=0o700, exist_ok=True)
    print("+ " + shlex.join(line), flush=True)
    try:
        process = subprocess.Popen(
            line, cwd=at, env=variables(step), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", start_new_session=True, preexec_fn=die_with_parent)
    except FileNotFoundError:
        return f"command not found on the worker: {line[0]}"
    except OSError as error:
        return f"{line[0]}: {error.strerror}"

    def stop(number, frame):
        # Cancelled. The whole process group ends, politely first.
        for way in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, way)
                process.wait(timeout=3)
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
        shutil.rmtree(at, ignore_errors=True)
        raise SystemExit(143)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        for text in process.stdout:
            print(text, end="", flush=True)
        status = process.wait()
    finally:
        signal.signal(signal.SIGTERM, before)
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    if status < 0:
        return f"it was ended by signal {signal.Signals(-status).name}"
    return None if status == 0 else f"exit status {status}"


@dag(
    dag_id="workflow_runner",
    description="Runs the steps of a Workflow",
    schedule=None,
    catchup=False,
    is_paused_upon_creation=False,
    max_active_runs=64,
    tags=["workflow-runner"],
    params={"steps": Param(description="What to run", **STEPS)},
    doc_md=__doc__,
)
def workflow_runner():
    @task(retries=0)
    def plan():
        dag_run = get_current_context()["dag_run"]
        steps = dag_run.conf["steps"]
        names = [step["name"] for step in steps]
        # A run that is repeated begins with nothing.
        shutil.rmtree(folder(dag_run.run_id), ignore_errors=True)
        print("steps: " + ", ".join(names))
        return list(range(len(steps)))

    # Only the number is mapped: a mapped value may be rendered as a template, and a command must reach the worker as it was written.
    # One at a time makes a row of them, because the scheduler takes the lowest map index first.
    @task(task_id="step", retries=0, max_active_tis_per_dagrun=1, map_index_template="{{ dag_run.conf['steps'][ti.map_index]['name'] }}")
    def run_step(number):
        context = get_current_context()
        steps, instance = context["dag_run"].conf["steps"], context["ti"]
        if number > 0:
            before = instance.xcom_pull(task_ids="step", map_indexes=number - 1, key="result")
            if before is None or before["phase"] != "succeeded":
                raise AirflowSkipException(f"not run, because {steps[number - 1]['name']} did not succeed")
        at = folder(context["dag_run"].run_id)
        why = run(steps[number], at)
        if why or number == len(steps) - 1:
            shutil.rmtree(at, ignore_errors=True)
        instance.xcom_push(key="result", value={"phase": "failed" if why else "succeeded", "message": why or ""})
        if why:
            raise AirflowFailException(f"step {steps[number]['name']}: {why}")

    run_step.expand(number=plan())


workflow_runner()
