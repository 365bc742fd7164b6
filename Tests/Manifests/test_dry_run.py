"""A real kube-apiserver takes every object, also the Pod of the Deployment under the standard `restricted`. Needs KUBEBUILDER_ASSETS, as
`make test-cluster` does."""

import sys

import pytest
import yaml

from rendering import NAMESPACE, RENDERINGS, ROOT, only, pod, rendered

sys.path.append(str(ROOT / "Tests" / "Cluster"))
import cluster as real  # noqa: E402

if real.missing():
    pytest.skip(real.missing(), allow_module_level=True)

FOREIGN = ("cert-manager.io/", "monitoring.coreos.com/")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    running = real.Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        # What the objects of the first rendering need to be dry-run in.
        base = rendered("kustomize:base")
        team = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team-a"}}
        needed = [only(base, "Namespace"), team, only(base, "ServiceAccount")]
        running.kubectl("apply", "-f", "-", stdin=needed)
        account = {**only(rendered("chart:everything"), "ServiceAccount")}
        running.kubectl("apply", "-f", "-", stdin=[account])
        yield running
    finally:
        running.stop()


@pytest.mark.parametrize("name", RENDERINGS)
def test_a_real_kube_apiserver_takes_every_object(name, cluster):
    things = [thing for thing in rendered(name) if not thing["apiVersion"].startswith(FOREIGN)]
    done = cluster.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=things)
    assert len(done.out.splitlines()) == len(things)
    # PodSecurity and deprecations speak by warnings.
    assert "Warning" not in done.err.replace("missing the kubectl.kubernetes.io/last-applied-configuration", ""), done.err


@pytest.mark.parametrize("name", RENDERINGS)
def test_the_pod_is_admitted_as_restricted(name, cluster):
    template = pod(rendered(name))
    thing = {"apiVersion": "v1", "kind": "Pod", "metadata": {**template["metadata"], "name": "probe", "namespace": NAMESPACE}, "spec": template["spec"]}
    thing["spec"] = {part: value for part, value in thing["spec"].items() if part != "priorityClassName"}
    made = cluster.kubectl("create", "--dry-run=server", "-o", "yaml", "-f", "-", stdin=[thing])
    assert "Warning" not in made.err, made.err
    # Nothing was dropped or mounted besides: the token is where the template says.
    spec = yaml.safe_load(made.out)["spec"]
    assert {volume["name"] for volume in spec["volumes"]} == {volume["name"] for volume in template["spec"]["volumes"]}


def test_the_namespace_would_refuse_a_careless_pod(cluster):
    careless = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "careless", "namespace": NAMESPACE},
                "spec": {"serviceAccountName": "workflow-apiserver", "containers": [{"name": "a", "image": "a:1"}]}}
    refused = cluster.kubectl("create", "--dry-run=server", "-f", "-", stdin=[careless], check=False)
    assert refused.code != 0 and "violates PodSecurity" in refused.err, refused
