"""What the manifests must say, whichever tool made them."""

import base64
import re

import pytest
import yaml

from rendering import RENDERINGS, ROOT, container, key, only, pod, rendered

# The targets that ask something of the cluster.
CLUSTER_CODE = ("Admission", "ClusterEvents", "Delegation", "KubeClient")
EVERY = pytest.mark.parametrize("name", RENDERINGS)


@EVERY
def test_images_are_pinned(name):
    for one in pod(rendered(name))["spec"]["containers"]:
        assert re.search(r":[^/:]+$", one["image"]) and not one["image"].endswith(":latest"), one["image"]


@EVERY
def test_pods_are_as_restricted_as_the_standard_asks(name):
    spec = pod(rendered(name))["spec"]
    context = spec["securityContext"]
    assert context["runAsNonRoot"] is True
    if name == "chart:openshift":
        assert not {"runAsUser", "runAsGroup", "fsGroup"} & set(context)
    else:
        assert context["runAsUser"] > 0
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    for unwanted in ("hostNetwork", "hostPID", "hostIPC"):
        assert not spec.get(unwanted)
    for volume in spec["volumes"]:
        assert set(volume) & {"configMap", "secret", "projected", "emptyDir"}, volume
    for one in spec["containers"]:
        assert one["securityContext"] == {
            "allowPrivilegeEscalation": False, "privileged": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
        assert one["resources"]["requests"] and one["resources"]["limits"]["memory"]


@EVERY
def test_only_the_gateway_has_the_token(name):
    spec = pod(rendered(name))["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert only(rendered(name), "ServiceAccount")["automountServiceAccountToken"] is False
    for one in spec["containers"]:
        has = any(mount["mountPath"] == "/var/run/secrets/kubernetes.io/serviceaccount" for mount in one["volumeMounts"])
        assert has == (one["name"] == "workflow-apiserver")


@EVERY
def test_mounts_have_volumes_and_volumes_are_mounted(name):
    spec = pod(rendered(name))["spec"]
    mounted = {mount["name"] for one in spec["containers"] for mount in one["volumeMounts"]}
    assert mounted == {volume["name"] for volume in spec["volumes"]}


@EVERY
def test_probes_and_the_end_of_a_pod(name):
    things = rendered(name)
    one = container(things)
    for probe, path in (("startupProbe", "/livez"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz")):
        assert one[probe]["httpGet"] == {"path": path, "port": "https", "scheme": "HTTPS"}
    pause = int(one["lifecycle"]["preStop"]["exec"]["command"][1])
    grace = int(next(arg for arg in one["args"] if arg.startswith("--shutdown-grace=")).split("=")[1])
    assert pod(things)["spec"]["terminationGracePeriodSeconds"] >= pause + grace + 5


# The engine's jobs are in the Pod of the overlay dev: one after the other.
@pytest.mark.parametrize("name", [name for name in RENDERINGS if name != "kustomize:overlays/dev"])
def test_a_rollout_never_leaves_none(name):
    assert only(rendered(name), "Deployment")["spec"]["strategy"] == {
        "type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}


@EVERY
def test_selectors_find_the_pods(name):
    things = rendered(name)
    labels = pod(things)["metadata"]["labels"].items()
    service = only(things, "Service")
    assert service["spec"]["selector"].items() <= labels
    assert only(things, "Deployment")["spec"]["selector"]["matchLabels"].items() <= labels
    assert only(things, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"].items() <= labels
    for policy in (thing for thing in things if thing["kind"] == "NetworkPolicy"):
        assert policy["spec"]["podSelector"]["matchLabels"].items() <= labels
    for monitor in (thing for thing in things if thing["kind"] == "ServiceMonitor"):
        assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()


@EVERY
def test_the_apiservice_finds_the_gateway(name):
    things = rendered(name)
    spec, service = only(things, "APIService")["spec"], only(things, "Service")
    assert (spec["groupPriorityMinimum"], spec["versionPriority"]) == (1000, 100)
    assert only(things, "APIService")["metadata"]["name"] == f"{spec['version']}.{spec['group']}"
    assert spec["service"] == {
        "name": service["metadata"]["name"], "namespace": service["metadata"]["namespace"], "port": service["spec"]["ports"][0]["port"]}
    ports = {port["name"]: port["containerPort"] for port in container(things)["ports"]}
    assert f"--secure-port={ports[service['spec']['ports'][0]['targetPort']]}" in container(things)["args"]
    if name != "chart:everything":
        assert (service["metadata"]["name"], service["metadata"]["namespace"]) == ("workflow-apiserver", "workflow-system")


@EVERY
def test_the_certificate_is_checked_or_plainly_not(name):
    things = rendered(name)
    apiservice = only(things, "APIService")
    insecure = apiservice["spec"].get("insecureSkipTLSVerify", False)
    injected = "cert-manager.io/inject-ca-from" in apiservice["metadata"].get("annotations", {})
    brought = "caBundle" in apiservice["spec"]
    has_file = any(arg.startswith("--tls-cert-file=") for arg in container(things)["args"])
    assert insecure == (name in ("kustomize:overlays/dev", "chart:self-signed")) == (not has_file)
    if name not in ("kustomize:base", "chart:existing-secret"):
        assert [insecure, injected, brought].count(True) == 1
    if injected:
        namespace, certificate = apiservice["metadata"]["annotations"]["cert-manager.io/inject-ca-from"].split("/")
        spec = only(things, "Certificate", certificate)["spec"]
        assert spec["dnsNames"][0] == f"{apiservice['spec']['service']['name']}.{namespace}.svc"
        volume = next(volume for volume in pod(things)["spec"]["volumes"] if volume["name"] == "tls")
        assert volume["secret"]["secretName"] == spec["secretName"]


@EVERY
def test_dns_is_reached_wherever_its_pods_listen(name):
    policy = next(thing for thing in rendered(name) if thing["kind"] == "NetworkPolicy" and thing["spec"].get("ingress"))
    open_ports = {(port["port"], port["protocol"]) for rule in policy["spec"]["egress"] if "to" not in rule for port in rule["ports"]}
    assert {(53, "UDP"), (53, "TCP"), (5353, "UDP"), (5353, "TCP")} <= open_ports


@EVERY
def test_the_audit_policy_is_of_the_group_that_is_served(name):
    things = rendered(name)
    texts = [thing["data"]["audit-policy.yaml"] for thing in things if thing["kind"] == "ConfigMap" and "audit-policy.yaml" in thing["data"]]
    has_log = any(arg.startswith("--audit-log-path=") for arg in container(things)["args"])
    assert len(texts) == (1 if has_log else 0)
    for text in texts:
        groups = {one["group"] for rule in yaml.safe_load(text)["rules"] for one in rule.get("resources", [])}
        assert groups == {only(things, "APIService")["spec"]["group"]}


@EVERY
def test_the_ca_of_a_service_monitor_is_there(name):
    things = rendered(name)
    for monitor in (thing for thing in things if thing["kind"] == "ServiceMonitor"):
        ca = monitor["spec"]["endpoints"][0]["tlsConfig"]["ca"]
        brought = only(things, "APIService")["spec"].get("caBundle")
        if brought:
            data = only(things, "ConfigMap", ca["configMap"]["name"])["data"]
            assert data[ca["configMap"]["key"]] == base64.b64decode(brought).decode()
        else:
            assert ca["secret"] == {"name": "workflow-apiserver-tls", "key": "ca.crt"}


@EVERY
def test_bindings_bind_what_there_is(name):
    things = rendered(name)
    there = {key(thing) for thing in things}
    given = {"system:auth-delegator", "extension-apiserver-authentication-reader"}
    account = only(things, "ServiceAccount")["metadata"]
    for binding in (thing for thing in things if thing["kind"].endswith("RoleBinding")):
        role = binding["roleRef"]
        assert role["name"] in given or (role["kind"], "", role["name"]) in there, binding
        for subject in binding["subjects"]:
            if subject["kind"] == "ServiceAccount" and subject["namespace"] != "monitoring":
                assert (subject["name"], subject["namespace"]) == (account["name"], account["namespace"])
    reader = next(one for one in things if one["kind"] == "RoleBinding" and one["roleRef"]["name"].startswith("extension-"))
    assert reader["metadata"]["namespace"] == "kube-system"


@EVERY
def test_the_gateway_may_do_no_more_than_it_needs(name):
    things = rendered(name)
    account = only(things, "ServiceAccount")["metadata"]["name"]
    rules = only(things, "ClusterRole", account)["rules"]
    granted = {(group, resource, verb) for rule in rules for group in rule["apiGroups"] for resource in rule["resources"] for verb in rule["verbs"]}
    assert "*" not in {part for triple in granted for part in triple}
    assert {triple for triple in granted if triple[2] not in ("get", "list", "watch")} == {("", "events", "create")}
    assert not {resource for _, resource, _ in granted} & {"secrets", "configmaps", "pods", "serviceaccounts", "leases"}
    # And that there is code that asks for it. Names of policies are put together there.
    sources = "".join(path.read_text() for folder in CLUSTER_CODE for path in (ROOT / "Sources" / folder).rglob("*.swift"))
    for resource in {resource for _, resource, _ in granted}:
        part = re.sub("^(mutating|validating)", "", resource)
        assert f'"{resource}"' in sources or f'/{resource}"' in sources or f"){part}" in sources, resource
    for binding in (thing for thing in things if thing["kind"].endswith("RoleBinding")):
        if any(subject["kind"] == "ServiceAccount" and subject["name"] == account for subject in binding["subjects"]):
            assert binding["roleRef"]["name"] in (account, "system:auth-delegator", "extension-apiserver-authentication-reader")


@EVERY
def test_users_roles_grow_and_reach_nothing_else(name):
    things = rendered(name)
    group = only(things, "APIService")["spec"]["group"]

    def granted(role):
        rules = only(things, "ClusterRole", role)["rules"]
        assert {tuple(rule["apiGroups"]) for rule in rules} == {(group,)}
        return {(resource, verb) for rule in rules for resource in rule["resources"] for verb in rule["verbs"]}

    viewer, editor, admin = granted("workflow-viewer"), granted("workflow-editor"), granted("workflow-admin")
    assert viewer < editor < admin
    assert "*" not in {part for pair in admin for part in pair}
    assert {verb for _, verb in viewer} == {"get", "list", "watch"}
    assert ("workflows", "deletecollection") in admin - editor
    labels = {role: only(things, "ClusterRole", f"workflow-{role}")["metadata"]["labels"] for role in ("viewer", "editor", "admin")}
    for role, built_in in (("viewer", "view"), ("editor", "edit"), ("admin", "admin")):
        aggregated = {label for label in labels[role] if label.startswith("rbac.authorization.k8s.io/")}
        assert aggregated == (set() if name == "chart:everything" else {f"rbac.authorization.k8s.io/aggregate-to-{built_in}"})


def test_viewers_can_be_kept_from_logs():
    rules = only(rendered("chart:everything"), "ClusterRole", "workflow-viewer")["rules"]
    assert not any("workflows/log" in rule["resources"] for rule in rules)


@pytest.mark.parametrize("name", ["kustomize:overlays/monitoring", "chart:monitoring"])
def test_alerts_use_metrics_that_there_are(name):
    # Of kube-aggregator and of Prometheus itself.
    others = {"aggregator_unavailable_apiservice", "up"}
    documented = {row[0]: set(re.findall("`([a-z_]+)`", row[1])) for row in re.findall(
        r"^\| `([a-z_]+)` \| \w+ \| (.*?) \|", (ROOT / "docs" / "metrics.md").read_text(), re.M)}
    assert len(documented) > 10
    rules = only(rendered(name), "PrometheusRule")["spec"]["groups"][0]["rules"]
    assert len(rules) >= 5
    for rule in rules:
        for metric, selector in re.findall(r"([a-z_]+)\{(.*?)\}", rule["expr"]):
            if metric in others:
                continue
            assert metric in documented, f"{rule['alert']}: docs/metrics.md has no {metric}"
            labels = set(re.findall(r"([a-z_]+)[=!]", selector)) - {"job"}
            assert labels <= documented[metric], f"{rule['alert']}: {metric} has no label {labels - documented[metric]}"
        shown = set(re.findall(r"\$labels\.([a-z]+)", rule["annotations"]["summary"]))
        assert all(label in "".join(map(str, documented.values())) for label in shown)
