"""Renders deploy/ by kustomize and Helm, and says what of both is the same."""

import atexit
import re
import shutil
import subprocess
import sys
import tempfile
from functools import lru_cache
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests" / "EndToEnd"))

from stack import BIN, KUBECTLS, ROOT as SAME_ROOT  # noqa: E402

assert SAME_ROOT == ROOT
DEPLOY = ROOT / "deploy"
CHART = DEPLOY / "chart" / "workflow-apiserver"
KUBECTL = KUBECTLS["1.33"]
HELM = ROOT / ".venv-test" / "helm"
HADOLINT = ROOT / ".venv-test" / "bin" / "hadolint"
GATEWAY = BIN / "workflow-apiserver"
ENGINE = BIN / "workflow-engine"
NAMESPACE = "workflow-system"

# The folders of deploy/ that a user applies, and values under which the chart is rendered.
KUSTOMIZATIONS = ["base", "overlays/cert-manager", "overlays/monitoring", "overlays/own-certificate", "overlays/dev", "example"]
CHART_VALUES = {
    "default": {},
    "existing-secret": {"tls": {"mode": "existingSecret"}},
    "ca-bundle": {"tls": {"mode": "existingSecret", "caBundle": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}},
    "generated": {"tls": {"mode": "generated"}},
    "monitored-ca-bundle": {
        "tls": {"mode": "existingSecret", "caBundle": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
        "serviceMonitor": {"enabled": True}},
    "openshift": {"podSecurityContext": {"runAsUser": None, "runAsGroup": None, "fsGroup": None}},
    "self-signed": {"tls": {"mode": "selfSigned"}, "apiService": {"insecureSkipTLSVerify": True}},
    "monitoring": {"serviceMonitor": {"enabled": True}, "prometheusRule": {"enabled": True}},
    "everything": {
        "config": {
            "group": "ci.example.com",
            "backends": [{"name": "ci", "adapter": "mine", "url": "https://ci.example.com", "credentials": {"token": {"env": "CI_TOKEN"}}}],
            "bindings": [{"backend": "ci", "namespace": "team-a", "access": "Observe"}],
        },
        "adapters": {"mine": "format: 1\nname: mine\n"},
        "audit": {"logPath": ""},
        "credentials": {"existingSecret": "ci", "additionalSecrets": ["ci-two"]},
        "extraArgs": ["--max-requests-inflight=100"],
        "extraEnv": [{"name": "CI_TOKEN", "valueFrom": {"secretKeyRef": {"name": "ci", "key": "token"}}}],
        "extraVolumes": [{"name": "more", "emptyDir": {}}],
        "extraVolumeMounts": [{"name": "more", "mountPath": "/more"}],
        "image": {"repository": "registry.example.com:5000/team/workflow-apiserver", "digest": "sha256:" + "0" * 64},
        "imagePullSecrets": [{"name": "pull"}],
        "nameOverride": "ci-apiserver",
        "networkPolicy": {"extraEgress": [{"ports": [{"port": 8080, "protocol": "TCP"}]}]},
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "podAnnotations": {"a": "b"},
        "podLabels": {"c": "d"},
        "podDisruptionBudget": {"maxUnavailable": "50%"},
        "priorityClassName": "system-cluster-critical",
        "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}},
        "rbac": {"aggregate": False, "viewersReadLogs": False},
        "replicas": 2,
        "serviceAccount": {"annotations": {"e": "f"}},
        "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
        "tls": {"certManager": {"issuerRef": {"group": "cert-manager.io", "kind": "ClusterIssuer", "name": "corporate"}}, "minVersion": "VersionTLS13"},
        "tolerations": [{"key": "infra", "operator": "Exists"}],
        "verbosity": 2,
    },
}
RENDERINGS = [f"kustomize:{name}" for name in KUSTOMIZATIONS] + [f"chart:{name}" for name in CHART_VALUES]


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=120, **options)
    assert done.returncode == 0, f"{command}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def helm(*arguments, values=None, folder=None):
    """One helm command that reads values from standard input."""
    return subprocess.run(
        [str(HELM), *map(str, arguments), "-f", "-"], input=yaml.safe_dump(values or {}), capture_output=True, text=True, timeout=120)


def helm_template(values, *flags):
    done = helm("template", "workflow-apiserver", CHART, "-n", NAMESPACE, *flags, values=values)
    assert done.returncode == 0, done.stderr
    return documents(done.stdout)


def documents(text):
    return [document for document in yaml.safe_load_all(text) if document]


@lru_cache(maxsize=None)
def scratch():
    """A copy of deploy/ with a certificate in overlays/own-certificate, made by its own script."""
    folder = Path(tempfile.mkdtemp(prefix="workflow-deploy-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    shutil.copytree(DEPLOY, folder / "deploy")
    run(folder / "deploy" / "overlays" / "own-certificate" / "make-certificate")
    return folder / "deploy"


@lru_cache(maxsize=None)
def rendered(name):
    """The objects of `kustomize:FOLDER` or `chart:VALUES`."""
    tool, what = name.split(":")
    if tool == "chart":
        return helm_template(CHART_VALUES[what])
    return documents(run(KUBECTL, "kustomize", scratch() / what))


def key(thing):
    return thing["kind"], thing["metadata"].get("namespace", ""), thing["metadata"]["name"]


def only(things, kind, name=None):
    found = [thing for thing in things if thing["kind"] == kind and (name is None or thing["metadata"]["name"] == name)]
    assert len(found) == 1, f"{kind} {name}: {[key(thing) for thing in found]}"
    return found[0]


def pod(things):
    return only(things, "Deployment")["spec"]["template"]


def container(things, name="workflow-apiserver"):
    return next(one for one in pod(things)["spec"]["containers"] if one["name"] == name)


# kustomize puts a hash of the contents behind the names of ConfigMaps that it makes; Helm has an annotation for the same purpose.
HASH = re.compile(r"^(workflow-(?:apiserver-config|engine-templates))-[a-z0-9]{10}$")
HELM_LABELS = {"helm.sh/chart", "app.kubernetes.io/managed-by"}


def comparable(things):
    """The objects by kind, namespace and name, without what only one of the tools writes."""
    found = {}
    for thing in things:
        thing = _stripped(thing)
        if thing["kind"] == "Namespace":  # `helm install --create-namespace` makes it
            continue
        if thing["kind"] == "ConfigMap":
            thing["data"] = {name: yaml.safe_load(text) for name, text in thing["data"].items()}
        found[key(thing)] = thing
    return found


def _stripped(value):
    if isinstance(value, dict):
        return {
            name: _stripped(part) for name, part in value.items() if name not in HELM_LABELS and name != "checksum/config"
        }
    if isinstance(value, list):
        return [_stripped(part) for part in value]
    if isinstance(value, str):
        return HASH.sub(r"\1", value)
    return value
