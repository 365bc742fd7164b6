"""Who may do what: by the cluster's RBAC, whether the kube-apiserver asks or the gateway itself."""

import pytest

from stack import API, eventually, workflow

WORKFLOWS = f"{API}/namespaces/team-a/workflows"


@pytest.fixture(scope="module", autouse=True)
def users(world):
    """alice edits, vera looks on, carol edits by the built-in role, the robot is a service account; bob may nothing."""
    cluster = world.cluster
    for name in ("alice", "vera", "carol", "bob"):
        cluster.add_user(name, "people")
    for user, role in (("alice", "workflow-editor"), ("vera", "workflow-viewer"), ("carol", "edit")):
        cluster.kubectl("create", "rolebinding", user, "-n", "team-a", f"--clusterrole={role}", f"--user={user}")
    cluster.kubectl("create", "serviceaccount", "robot", "-n", "team-a")
    cluster.kubectl("create", "rolebinding", "robot", "-n", "team-a", "--clusterrole=workflow-viewer", "--serviceaccount=team-a:robot")


def test_an_editor_works_in_the_namespace(world):
    world.create(workflow("alices", "true"), user="alice")
    world.phase("alices", "Succeeded")
    assert "alices" in world.cluster.kubectl("get", "wf", "-n", "team-a", user="alice").out
    refused = world.cluster.kubectl("get", "wf", "-n", "doomed", user="alice", check=False)
    assert refused.code == 1 and "Forbidden" in refused.err
    world.cluster.kubectl("delete", "wf", "alices", "-n", "team-a", user="alice")


def test_nobody_without_a_role_gets_in(cluster):
    for arguments in (["get", "wf", "-n", "team-a"], ["delete", "wf", "--all", "-n", "team-a"], ["get", "wf", "-A"]):
        refused = cluster.kubectl(*arguments, user="bob", check=False)
        assert refused.code == 1 and 'User "bob" cannot' in refused.err and '"workflow.example.com"' in refused.err, refused
    refused = cluster.kubectl("create", "-n", "team-a", "-f", "-", stdin=workflow("bobs", "true"), user="bob", check=False)
    print(refused.err)
    assert 'cannot create resource "workflows" in API group "workflow.example.com" in the namespace "team-a"' in refused.err


def test_a_viewer_reads_and_writes_nothing(cluster):
    cluster.kubectl("get", "wf", "-n", "team-a", user="vera")
    refused = cluster.kubectl("create", "-n", "team-a", "-f", "-", stdin=workflow("veras", "true"), user="vera", check=False)
    assert refused.code == 1 and 'User "vera" cannot create' in refused.err


def test_the_built_in_roles_cover_workflows(world, controllers):
    """deploy's roles are aggregated into view, edit and admin."""
    allowed = ("auth", "can-i", "create", "workflows.workflow.example.com", "-n", "team-a")
    eventually(lambda: world.cluster.kubectl(*allowed, user="carol", check=False).out.strip() == "yes", 30, "carol's permission")
    world.create(workflow("carols", "true"), user="carol")
    world.cluster.kubectl("delete", "wf", "carols", "-n", "team-a", user="carol")


def test_the_gateway_itself_asks_the_cluster(world):
    """Past the kube-apiserver, with certificates of the cluster's CA, which the gateway learned from kube-system."""
    assert world.direct(WORKFLOWS, user="alice").status == 200
    refused = world.direct(WORKFLOWS, user="bob")
    assert refused.status == 403 and refused.json()["reason"] == "Forbidden", refused.body
    assert refused.json()["message"].startswith('workflows.workflow.example.com is forbidden: User "bob" cannot list resource "workflows"')
    assert world.direct(WORKFLOWS, user="vera", method="POST", body=workflow("no", "true")).status == 403
    assert world.direct(WORKFLOWS, user="admin").status == 200


def test_tokens_of_the_cluster_are_taken(world):
    token = world.account_token("robot", "team-a")
    assert world.cluster.request(WORKFLOWS, token=token).status == 200
    assert world.direct(WORKFLOWS, token=token).status == 200
    assert world.direct(WORKFLOWS, token=token, method="POST", body=workflow("no", "true")).status == 403
    refused = world.direct(WORKFLOWS, token=token[:-4] + "AAAA")
    assert refused.status == 401 and refused.json()["reason"] == "Unauthorized"


def test_an_unknown_visitor_may_see_the_health_only(world):
    assert world.direct("/readyz", user=None).status == 200
    refused = world.direct(WORKFLOWS, user=None)
    assert refused.status == 403 and 'User "system:anonymous"' in refused.json()["message"]


def test_only_the_front_proxy_may_name_another_user(world):
    forged = {"X-Remote-User": "admin", "X-Remote-Group": "system:masters"}
    assert world.direct(WORKFLOWS, user="bob", headers=forged).status == 403
    assert world.direct(WORKFLOWS, user=None, headers=forged).status in (401, 403)
    stranger = world.cluster.front_proxy.issue("stranger", "stranger")
    assert world.direct(WORKFLOWS, certificate=stranger, headers=forged).status in (401, 403), "its name is not among the allowed ones"
    proxy = world.cluster.front_proxy.issue("second", "front-proxy-client")
    assert world.direct(WORKFLOWS, certificate=proxy, headers={"X-Remote-User": "vera"}).status == 200
    assert world.direct(WORKFLOWS, certificate=proxy, headers={"X-Remote-User": "bob"}).status == 403


def test_metrics_are_for_those_whom_rbac_lets(world):
    refused = world.direct("/metrics", user="bob")
    assert refused.status == 403 and 'cannot get path "/metrics"' in refused.json()["message"]
    world.cluster.kubectl("create", "clusterrole", "scraper", "--verb=get", "--non-resource-url=/metrics")
    world.cluster.kubectl("create", "clusterrolebinding", "scraper", "--clusterrole=scraper", "--user=scraper")
    world.cluster.add_user("scraper")
    assert b"apiserver_request_total" in world.direct("/metrics", user="scraper").body


def test_impersonation_goes_through_the_kube_apiserver(cluster):
    refused = cluster.kubectl("get", "wf", "-n", "team-a", "--as=bob", check=False)
    assert 'User "bob" cannot list' in refused.err
    cluster.kubectl("get", "wf", "-n", "team-a", "--as=vera")


def test_the_user_is_written_into_the_run(world):
    world.cluster.kubectl("create", "-n", "team-a", "-f", "-", stdin=workflow("whose", "true"), user="alice")
    assert '"alice"' in str(world.jobs()["team-a.whose"]["envelope"]).replace("'", '"')
    world.cluster.kubectl("delete", "wf", "whose", "-n", "team-a")
