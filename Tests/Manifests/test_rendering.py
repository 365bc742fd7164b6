"""deploy/ renders, by kustomize and by Helm, into the same valid objects."""

import base64
import json
import re
import shutil
import subprocess
import sys
import textwrap
from functools import lru_cache

import kubernetes_validate
import kubernetes_validate.utils
import pytest
import yaml

from live_objects import LiveObjects
from rendering import (
    CHART, CHART_VALUES, DEPLOY, KUBECTL, RENDERINGS, ROOT, comparable, container, documents, helm, helm_template, key, only, rendered, run,
    scratch,
)

INSTALL = ROOT / "docs" / "install.md"

# The oldest that the chart takes, one in between, the newest that the package knows.
KUBERNETES = ["1.27", "1.30", "1.33", kubernetes_validate.latest_version()]
# Kinds of others; see requirements-crds.txt.
sys.path.append(str(ROOT / ".venv-test" / "crds"))
import cloudcoil.models.cert_manager.v1 as cert_manager  # noqa: E402
import cloudcoil.models.prometheus_operator.v1 as prometheus_operator  # noqa: E402

FOREIGN = {"cert-manager.io/v1": cert_manager, "monitoring.coreos.com/v1": prometheus_operator}


# The package reads the definitions of a version anew for every object.
kubernetes_validate.utils.schema_contents = lru_cache(maxsize=None)(kubernetes_validate.utils.schema_contents)


def is_foreign(thing):
    return thing["apiVersion"] in FOREIGN


@pytest.mark.parametrize("name", RENDERINGS)
def test_every_object_fits_the_schema_of_kubernetes(name):
    things = [thing for thing in rendered(name) if not is_foreign(thing)]
    assert things
    for thing in things:
        for version in KUBERNETES:
            problem = schema_problem(json.dumps(thing, sort_keys=True), version)
            assert not problem, f"{key(thing)} with Kubernetes {version}: {problem}"


@lru_cache(maxsize=None)
def schema_problem(text, version):
    """Many objects are in several renderings; one look is enough."""
    try:
        kubernetes_validate.validate(json.loads(text), version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return f"{list(error.path)}: {error.message}"
    return None


def model_of(thing):
    """The published CRD of a kind of others, as a class; such a class takes unknown fields, but does not give them back."""
    return getattr(FOREIGN[thing["apiVersion"]], thing["kind"])


def through_model(thing):
    return model_of(thing).model_validate(thing).model_dump(mode="json", by_alias=True, exclude_unset=True)


@pytest.mark.parametrize("name", [name for name in RENDERINGS if any(is_foreign(thing) for thing in rendered(name))])
def test_kinds_of_others_fit_their_crd(name):
    for thing in filter(is_foreign, rendered(name)):
        assert through_model(thing) == thing


def test_the_schema_check_can_fail():
    service = json.loads(json.dumps(only(rendered("kustomize:base"), "Service")))
    service["spec"]["ports"][0]["portt"] = 1
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(service, "1.33", strict=True)
    certificate = json.loads(json.dumps(only(rendered("kustomize:overlays/cert-manager"), "Certificate", "workflow-apiserver")))
    certificate["spec"]["dnsName"] = "a"
    assert through_model(certificate) != certificate


@pytest.mark.parametrize("name", RENDERINGS)
def test_no_object_is_there_twice(name):
    keys = [key(thing) for thing in rendered(name)]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(("kustomization", "values"), [
    ("overlays/cert-manager", "default"), ("base", "existing-secret"), ("overlays/monitoring", "monitoring")])
def test_the_chart_and_kustomize_make_the_same_objects(kustomization, values):
    ours, chart = comparable(rendered(f"kustomize:{kustomization}")), comparable(rendered(f"chart:{values}"))
    assert sorted(ours) == sorted(chart)
    for name, thing in ours.items():
        assert thing == chart[name], name


@pytest.mark.parametrize("values", CHART_VALUES)
def test_helm_lint(values):
    done = helm("lint", CHART, "--strict", values=CHART_VALUES[values])
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("values", "message"), [
    ({"colour": "red"}, "colour"),
    ({"replicas": -1}, "/replicas"),
    ({"replicas": "two"}, "/replicas"),
    ({"tls": {"mode": "none"}}, "/tls/mode"),
    ({"tls": {"mode": "existingSecret", "caBundle": "TFM="}}, "/tls/caBundle"),
    ({"image": {"tag": "latest"}}, "/image/tag"),
    ({"image": {"repository": "a:latest"}}, "/image/repository"),
    ({"config": {"group": "nodot"}}, "/config/group"),
    ({"config": {"backends": [{"name": "a", "adapter": "local"}]}}, "url"),
    ({"config": {"backends": [{"name": "a", "adapter": "local", "url": "a.example.com"}]}}, "/config/backends/0/url"),
    ({"config": {"backends": [{"name": "a", "adapter": "local", "url": "http://a", "credentials": {"token": "secret"}}]}}, "credentials/token"),
    ({"config": {"bindings": [{"backend": "a", "namespace": "Team_A"}]}}, "/config/bindings/0/namespace"),
    ({"config": {"bindings": [{"backend": "a", "namespace": "a", "access": "All"}]}}, "access"),
    ({"extraArgs": ["v=4"]}, "/extraArgs/0"),
    ({"audit": {"policy": {"apiVersion": "audit.k8s.io/v1beta1"}}}, "/audit/policy/apiVersion"),
    ({"networkPolicy": {"egressPorts": [70000]}}, "/networkPolicy/egressPorts/0"),
    ({"networkPolicy": {"dnsPorts": [0]}}, "/networkPolicy/dnsPorts/0"),
    ({"podSecurityContext": {"runAsUser": 0}}, "/podSecurityContext/runAsUser"),
    ({"podSecurityContext": {"runAsNonRoot": False}}, "/podSecurityContext/runAsNonRoot"),
    # What a schema cannot say.
    ({"tls": {"mode": "selfSigned"}}, "insecureSkipTLSVerify: true"),
    ({"apiService": {"insecureSkipTLSVerify": True}}, "selfSigned only"),
    ({"tls": {"caBundle": "-----BEGIN CERTIFICATE-----"}}, "existingSecret only"),
])
def test_bad_values_are_refused(values, message):
    done = helm("template", "workflow-apiserver", CHART, values=values)
    assert done.returncode != 0
    # Helm 4 writes /tls/mode, Helm 3 tls.mode.
    assert message.strip("/").replace("/", ".") in done.stderr.replace("/", ".")


def test_a_changed_configuration_rolls_the_deployment():
    def template(values):
        done = helm("template", "workflow-apiserver", CHART, values=values)
        assert done.returncode == 0, done.stderr
        return done.stdout.split("checksum/config: ")[1].split("\n")[0]

    one = template({})
    assert template({"config": {"backends": [{"name": "a", "adapter": "local", "url": "http://a"}]}}) != one
    assert template({"adapters": {"a": "format: 1"}}) != one
    assert template({"audit": {"policy": {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [{"level": "None"}]}}}) != one
    assert template({"verbosity": 2}) == one


def test_the_notes_say_what_is_wrong():
    def notes(values):
        # A dry run on the client's side needs no cluster but for what `lookup` finds, which is nothing.
        done = helm("install", "workflow-apiserver", CHART, "--dry-run=client", "--disable-openapi-validation", values=values)
        if "cluster unreachable" in done.stderr.lower() or "connection refused" in done.stderr.lower():
            pytest.skip("this helm wants a cluster for a dry run")
        assert done.returncode == 0, done.stderr
        return done.stdout.split("NOTES:")[1]

    assert "No engine is configured yet" in notes({})
    assert "2 replicas are of no use yet" in notes({"replicas": 2})
    assert "x509: certificate signed by unknown authority" in notes({"tls": {"mode": "existingSecret"}})
    assert "x509" not in notes(CHART_VALUES["ca-bundle"]) + notes({})


def test_the_ca_of_ones_own_certificate_is_in_the_apiservice():
    folder = scratch() / "overlays" / "own-certificate"
    apiservice = only(rendered("kustomize:overlays/own-certificate"), "APIService")
    assert base64.b64decode(apiservice["spec"]["caBundle"]) == (folder / "ca.crt").read_bytes()
    # What kube-apiserver asks for by SNI, and checks.
    run("openssl", "verify", "-CAfile", folder / "ca.crt", "-purpose", "sslserver", "-verify_hostname",
        "workflow-apiserver.workflow-system.svc", folder / "tls.crt")


def test_a_renewed_certificate_leaves_the_old_one_valid(tmp_path):
    script = scratch() / "overlays" / "own-certificate" / "make-certificate"
    copy = tmp_path / "make-certificate"
    copy.write_bytes(script.read_bytes())
    copy.chmod(0o755)
    for generation in ("first", "second", "third"):
        run(copy)
        (tmp_path / "tls.crt").rename(tmp_path / f"{generation}.crt")
    assert (tmp_path / "ca.crt").read_text().count("BEGIN CERTIFICATE") == 2
    assert (tmp_path / "tls.key").stat().st_mode & 0o077 == 0

    def verify(generation):
        return subprocess.run(["openssl", "verify", "-CAfile", tmp_path / "ca.crt", tmp_path / f"{generation}.crt"], capture_output=True)

    assert verify("third").returncode == verify("second").returncode == 0
    assert verify("first").returncode != 0


def test_the_audit_policy_follows_the_group():
    text = only(helm_template({"config": {"group": "ci.example.com"}}), "ConfigMap")["data"]["audit-policy.yaml"]
    log = [one for rule in yaml.safe_load(text)["rules"] for one in rule.get("resources", [])]
    assert log == [{"group": "ci.example.com", "resources": ["workflows/log"]}]


def test_a_certificate_that_helm_renews_leaves_the_old_one_valid(tmp_path):
    """Until the kubelet has brought the new one, the Pod has the old one."""
    live, values = LiveObjects(rendered("chart:generated")), CHART_VALUES["generated"]

    def upgrade(renew=False):
        if renew:
            live.objects = {path: thing for path, thing in live.objects.items() if thing["kind"] != "Secret"}
        things = helm_template(values, "--dry-run=server", "--kube-apiserver", live.url, "--disable-openapi-validation")
        secret, apiservice = only(things, "Secret"), only(things, "APIService")
        live.put(secret)
        live.put(apiservice)
        assert secret["data"]["ca.crt"] == apiservice["spec"]["caBundle"]
        return base64.b64decode(apiservice["spec"]["caBundle"]), base64.b64decode(secret["data"]["tls.crt"])

    def holds(bundle, certificate):
        (tmp_path / "ca.crt").write_bytes(bundle)
        (tmp_path / "tls.crt").write_bytes(certificate)
        return subprocess.run(["openssl", "verify", "-CAfile", tmp_path / "ca.crt", tmp_path / "tls.crt"], capture_output=True).returncode == 0

    try:
        _, first = upgrade()
        bundle, same = upgrade()
        assert same == first and bundle.count(b"BEGIN CERTIFICATE") == 1
        bundle, second = upgrade(renew=True)
        assert second != first and holds(bundle, first) and holds(bundle, second)
        assert upgrade() == (bundle, second)
        bundle, third = upgrade(renew=True)
        assert holds(bundle, second) and holds(bundle, third) and not holds(bundle, first)
    finally:
        live.stop()


def test_keys_are_not_taken_into_git():
    for secret in ("overlays/own-certificate/tls.key", "example/tls.key", "example/envelope-key"):
        done = subprocess.run(["git", "check-ignore", "-q", f"deploy/{secret}"], cwd=ROOT)
        if done.returncode == 128:
            pytest.skip("this is no git work tree")
        assert done.returncode == 0, secret


@pytest.mark.parametrize("certificate", ["cert-manager", "own"])
def test_the_installation_of_ones_own_that_the_documentation_describes(tmp_path, certificate):
    """A copy of the example beside the checkout, with the parts that docs/install.md gives for it."""
    shutil.copytree(scratch(), tmp_path / "workflow-apiserver" / "deploy", ignore=shutil.ignore_patterns("*.crt", "*.key"))
    ours = tmp_path / "our-workflows"
    shutil.copytree(DEPLOY / "example", ours)
    parts = [yaml.safe_load(textwrap.dedent(block)) for block in re.findall(r"^ *```yaml\n(.*?)^ *```$", INSTALL.read_text(), re.S | re.M)]
    part = next(part for part in parts if "resources" in part and ("secretGenerator" in part) == (certificate == "own"))
    whole = yaml.safe_load((ours / "kustomization.yaml").read_text()) | part
    (ours / "kustomization.yaml").write_text(yaml.safe_dump(whole))
    make_certificate = tmp_path / "workflow-apiserver" / "deploy" / "overlays" / "own-certificate" / "make-certificate"
    if certificate == "own":
        run(make_certificate, ".", cwd=ours)
        assert not (make_certificate.parent / "tls.key").exists()
    things = documents(run(KUBECTL, "kustomize", ours))
    assert container(things)["image"] == "registry.example.com/workflow-apiserver:0.1.0"
    assert "airflow" in only(things, "ConfigMap")["data"]["gateway.yaml"]
    apiservice = only(things, "APIService")
    if certificate == "own":
        assert base64.b64decode(apiservice["spec"]["caBundle"]) == (ours / "ca.crt").read_bytes()
        secret = only(things, "Secret")
        assert secret["metadata"] == {"name": "workflow-apiserver-tls", "namespace": "workflow-system"}
        assert secret["type"] == "kubernetes.io/tls" and base64.b64decode(secret["data"]["tls.crt"]) == (ours / "tls.crt").read_bytes()
    else:
        assert apiservice["metadata"]["annotations"]["cert-manager.io/inject-ca-from"] == "workflow-system/workflow-apiserver"
        assert not [thing for thing in things if thing["kind"] == "Secret"]
