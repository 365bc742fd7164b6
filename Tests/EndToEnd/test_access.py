"""What `access` permits."""

from stack import API, Stack, eventually, workflow

WORKFLOWS = f"{API}/namespaces/default/workflows"


def binding(**more):
    return [{"backend": "ci", "namespace": "default", "poll": {"interval": "500ms"}, **more}]


def foreign_run(stack, command="true"):
    job = stack.engine.call("POST", "/v1/jobs", {"steps": [{"name": "a", "command": ["sh", "-c", command]}]})["id"]

    def find():
        for item in stack.gateway.raw("GET", WORKFLOWS).json()["items"]:
            if item["status"]["backend"]["id"] == job:
                return item["metadata"]["name"]
    return job, eventually(find, what="the foreign run")


def test_observe_refuses_every_write_naming_the_setting():
    with Stack(bindings=binding(access="Observe")) as stack:
        job, name = foreign_run(stack)
        attempts = [
            stack.create(workflow("no", "true")), stack.gateway.raw("DELETE", f"{WORKFLOWS}/{name}"), stack.gateway.raw("DELETE", WORKFLOWS),
            stack.gateway.raw("POST", f"{WORKFLOWS}/{name}/cancel", {}), stack.gateway.raw("POST", f"{WORKFLOWS}/{name}/retry", {}),
        ]
        for answer in attempts:
            assert answer.status == 403 and "access: Observe" in answer.json()["message"], answer.json()
        assert [entry["id"] for entry in stack.engine.call("GET", "/v1/jobs")["items"]] == [job]


def test_manage_acts_on_foreign_runs():
    with Stack(bindings=binding(access="Manage")) as stack:
        job, name = foreign_run(stack, "sleep 60")
        assert stack.gateway.raw("POST", f"{WORKFLOWS}/{name}/cancel", {}).status in (200, 201)
        found = stack.phase(name, "Failed")
        assert found["status"]["reason"] == "Cancelled"
        assert stack.gateway.raw("DELETE", f"{WORKFLOWS}/{name}").status == 200
        assert stack.engine.call("GET", "/v1/jobs")["items"] == []


def test_retain_hides_and_keeps_the_run():
    with Stack(bindings=binding(deletionPolicy="Retain")) as stack:
        stack.create(workflow("retained", "true"))
        stack.phase("retained", "Succeeded")
        assert stack.gateway.raw("DELETE", f"{WORKFLOWS}/retained").status == 200
        assert stack.gateway.raw("GET", f"{WORKFLOWS}/retained").status == 404
        assert len(stack.engine.call("GET", "/v1/jobs")["items"]) == 1


def test_inline_steps_can_be_switched_off():
    with Stack(bindings=binding(inlineSteps=False)) as stack:
        refused = stack.create(workflow("inline", "true"))
        assert refused.status == 422 and "inlineSteps: true" in refused.json()["message"]


def test_a_namespace_without_binding():
    with Stack() as stack:
        listed = stack.gateway.raw("GET", f"{API}/namespaces/other/workflows")
        assert listed.status == 200 and listed.json()["items"] == [] and "default" in listed.headers["Warning"]
        refused = stack.create(workflow("lost", "true"), namespace="other")
        assert refused.status == 422 and "default" in refused.json()["message"]
