"""Everything that a user can get wrong, one test each: a Status (or one clear line at start) that says what, where and what to do."""

import json
import subprocess

import pytest

from stack import API, BIN, GROUP, ROOT, workflow

WORKFLOWS = f"{API}/namespaces/default/workflows"


def status(answer, code, reason, *texts):
    """The answer is a Status with that code, reason and all of the texts in its message."""
    body = answer.json()
    assert answer.status == code, body
    assert (body["kind"], body["apiVersion"], body["status"], body["code"], body["reason"]) == ("Status", "v1", "Failure", code, reason), body
    for text in texts:
        assert text in body["message"], body["message"]
    assert answer.headers["Content-Type"] == "application/json"


def post(stack, body, query="", **headers):
    return stack.gateway.raw("POST", WORKFLOWS + query, body, headers)


def test_malformed_json(stack):
    status(post(stack, b'{"kind": "Workflow",'), 400, "BadRequest")


def test_wrong_kind(stack):
    manifest = {**workflow("a", "true"), "kind": "Zork", "apiVersion": "v1"}
    status(post(stack, manifest), 400, "BadRequest", "Zork", "cannot be handled as a Workflow")


@pytest.mark.parametrize("name", ["Bad_Name", "-a", "a..b", "x" * 254])
def test_bad_names(stack, name):
    why = "no more than 253" if len(name) > 253 else "a lowercase RFC 1123 subdomain must"
    status(post(stack, workflow(name, "true")), 422, "Invalid", "metadata.name", why)


def test_no_name(stack):
    manifest = workflow("a", "true")
    del manifest["metadata"]["name"]
    status(post(stack, manifest), 422, "Invalid", "name or generateName is required")


def test_generate_name(stack):
    manifest = workflow("a", "true")
    manifest["metadata"] = {"generateName": "generated-"}
    first, second = post(stack, manifest).json(), post(stack, manifest).json()
    assert first["metadata"]["name"].startswith("generated-") and len(first["metadata"]["name"]) == len("generated-") + 5
    assert first["metadata"]["name"] != second["metadata"]["name"]


def test_namespace_of_the_object_differs(stack):
    manifest = workflow("a", "true")
    manifest["metadata"]["namespace"] = "other"
    status(post(stack, manifest), 400, "BadRequest", "the namespace of the provided object does not match the namespace sent on the request")


def unknown(stack, name, mode):
    manifest = workflow(name, "true")
    manifest["spec"]["foo"] = 1
    manifest["spec"]["steps"][0]["nope"] = 2
    return post(stack, manifest, "" if mode is None else f"?fieldValidation={mode}")


def test_unknown_fields_strict(stack):
    answer = unknown(stack, "strict", "Strict")
    status(answer, 400, "BadRequest", "strict decoding error", 'unknown field "spec.foo"', 'unknown field "spec.steps[0].nope"')


@pytest.mark.parametrize("mode", ["Warn", None])
def test_unknown_fields_warn(stack, mode):
    answer = unknown(stack, f"warn-{mode}".lower(), mode)
    assert answer.status == 201
    assert '299 - "unknown field \\"spec.foo\\""' in answer.headers.get_all("Warning")
    assert "foo" not in answer.json()["spec"] and "nope" not in answer.json()["spec"]["steps"][0]


def test_unknown_fields_ignore(stack):
    answer = unknown(stack, "ignore", "Ignore")
    assert answer.status == 201 and answer.headers["Warning"] is None and "foo" not in answer.json()["spec"]


def test_unknown_field_validation(stack):
    status(unknown(stack, "zork", "Zork"), 422, "Invalid", "fieldValidation", "Zork")


def test_unknown_dry_run(stack):
    status(post(stack, workflow("zork", "true"), "?dryRun=Zork"), 422, "Invalid", "dryRun", "supported values")


@pytest.mark.parametrize("selector", ["a=b=c", "a in (b", "!", "a in b", "=x"])
def test_bad_label_selectors(stack, selector):
    from urllib.parse import quote
    status(stack.gateway.raw("GET", f"{WORKFLOWS}?labelSelector={quote(selector)}"), 400, "BadRequest", "expected")


def test_bad_field_selector(stack):
    status(stack.gateway.raw("GET", f"{WORKFLOWS}?fieldSelector=spec.nope%3Dx"), 400, "BadRequest", "spec.nope")


@pytest.mark.parametrize("watch", ["", "&watch=true"])
def test_bad_resource_version(stack, watch):
    status(stack.gateway.raw("GET", f"{WORKFLOWS}?resourceVersion=zork{watch}"), 400, "BadRequest", "zork")


def test_resource_version_of_another_life(stack):
    status(stack.gateway.raw("GET", f"{WORKFLOWS}?resourceVersion=5&resourceVersionMatch=Exact"), 410, "Expired")
    answer = stack.gateway.raw("GET", f"{WORKFLOWS}?watch=true&resourceVersion=5&timeoutSeconds=5")
    event = json.loads(answer.body.splitlines()[0])
    assert answer.status == 200, "kopf lists again after an ERROR event, and gives up at a 410 in the status line"
    assert event["type"] == "ERROR" and event["object"]["code"] == 410 and event["object"]["reason"] == "Expired"


def test_bad_continue(stack):
    status(stack.gateway.raw("GET", f"{WORKFLOWS}?limit=1&continue=zork"), 400, "BadRequest", "continue")


def test_bad_limit(stack):
    status(stack.gateway.raw("GET", f"{WORKFLOWS}?limit=zork"), 400, "BadRequest", "strconv.ParseInt")


def test_template_and_steps(stack):
    status(post(stack, workflow("both", "true", templateRef={"name": "hello"})), 422, "Invalid", "templateRef and steps exclude each other")


def test_neither_template_nor_steps(stack):
    status(post(stack, workflow("none")), 422, "Invalid", "exactly one of templateRef and steps")


def test_unknown_template(stack):
    status(post(stack, workflow("lost", templateRef={"name": "no-such"})), 422, "Invalid", 'spec.templateRef.name: Not found: "no-such"')


def test_parameter_of_the_wrong_type(stack):
    manifest = workflow("typed", templateRef={"name": "hello"}, parameters={"who": "x", "times": "many"})
    status(post(stack, manifest), 422, "Invalid", "spec.parameters.times", "must be of type integer")


def test_missing_parameter(stack):
    status(post(stack, workflow("missing", templateRef={"name": "hello"})), 422, "Invalid", "spec.parameters.who: Required value")


def test_field_of_the_wrong_type(stack):
    manifest = workflow("typed", "true")
    manifest["spec"]["steps"][0]["command"] = "true"
    answer = post(stack, manifest)
    assert answer.status in (400, 422) and "command" in answer.json()["message"]


def test_bad_timeout_and_schedule(stack):
    answer = post(stack, workflow("both-bad", "true", timeout="soon", schedule="never"))
    status(answer, 422, "Invalid", "spec.timeout", "spec.schedule")
    assert {cause["field"] for cause in answer.json()["details"]["causes"]} == {"spec.timeout", "spec.schedule"}


def test_body_over_3_mib(stack):
    big = json.dumps(workflow("big", "true")).encode()
    status(post(stack, big + b" " * (3 * 1024 * 1024 + 1 - len(big))), 413, "RequestEntityTooLarge", "3145728")


def test_unsupported_content_type(stack):
    status(post(stack, b"<xml/>", **{"Content-Type": "text/xml"}), 415, "UnsupportedMediaType")


def test_strategic_merge_patch(stack):
    stack.create(workflow("patched", "true"))
    answer = stack.gateway.raw("PATCH", f"{WORKFLOWS}/patched", b"{}", {"Content-Type": "application/strategic-merge-patch+json"})
    status(answer, 415, "UnsupportedMediaType", "application/merge-patch+json")


def test_unacceptable(stack):
    status(stack.gateway.raw("GET", WORKFLOWS, headers={"Accept": "text/html"}), 406, "NotAcceptable", "application/json")


def test_unknown_paths(stack):
    for path in ("/nope", "/apis/other.example.com/v1", f"{API}/zorks", f"{WORKFLOWS}/a/b/c", "//apis"):
        answer = stack.gateway.raw("GET", path)
        assert answer.status == 404 and answer.json()["kind"] == "Status", path


def test_wrong_method(stack):
    status(stack.gateway.raw("POST", f"{API}/workflows", workflow("a", "true")), 405, "MethodNotAllowed")


def test_taken_name(stack):
    assert post(stack, workflow("taken", "true")).status == 201
    answer = post(stack, workflow("taken", "true"))
    status(answer, 409, "AlreadyExists", f'workflows.{GROUP} "taken" already exists')


def test_impersonation_is_refused(stack):
    answer = stack.gateway.raw("GET", WORKFLOWS, headers={"Impersonate-User": "root"})
    assert answer.status == 403


def serve(config, *flags):
    return subprocess.run(
        [str(BIN / "workflow-apiserver"), "--config", str(config), "--adapters-dir", str(ROOT / "adapters"), "--authorization-mode", "AlwaysAllow",
         *flags], capture_output=True, text=True, timeout=60)


GOOD = """
backends:
- {name: ci, adapter: local, url: "http://127.0.0.1:1", credentials: {token: {file: /nowhere}}}
bindings:
- {backend: ci, namespace: default}
"""


@pytest.mark.parametrize("text, expected", [
    ("backends: [", "is not YAML"),
    (GOOD.replace("namespace: default", "namespace: default, colour: red"), "bindings[0].colour: unknown field"),
    (GOOD.replace("adapter: local", "adapter: jenkinz"), 'there is no adapter "jenkinz"'),
    (GOOD.replace("backend: ci", "backend: other"), '"other" is none of the backends (ci)'),
    (GOOD.replace("namespace: default}", "namespace: default, scope: {zork: 1}}"), "zork"),
    (GOOD.replace("/nowhere}}", "/nowhere}}, settings: {graceSeconds: many}"), "graceSeconds"),
])
def test_bad_config_file(tmp_path, text, expected):
    config = tmp_path / "gateway.yaml"
    config.write_text(text)
    done = serve(config)
    assert done.returncode == 1 and expected in done.stderr, done.stderr
    assert str(config) in done.stderr or "adapter.yaml" in done.stderr


def check(config):
    return subprocess.run(
        [str(BIN / "workflow-apiserver"), "check", "--config", str(config), "--adapters-dir", str(ROOT / "adapters")], capture_output=True, text=True)


def test_check_asks_no_engine_and_ends(tmp_path):
    config = tmp_path / "gateway.yaml"
    config.write_text(GOOD)
    done = check(config)
    assert done.returncode == 0 and "binding " in done.stdout, done
    config.write_text(GOOD.replace("adapter: local", "adapter: lokal"))
    done = check(config)
    assert done.returncode == 1 and "there is no adapter \"lokal\"" in done.stderr, done


def test_missing_config_file():
    done = serve("/no/such/file.yaml")
    assert done.returncode == 1 and "cannot read the configuration /no/such/file.yaml" in done.stderr


def test_other_addresses_than_loopback_are_refused(tmp_path):
    config = tmp_path / "gateway.yaml"
    config.write_text(GOOD)
    done = serve(config, "--bind-address", "0.0.0.0")
    assert done.returncode != 0 and "not loopback" in done.stderr


@pytest.mark.parametrize("change, expected", [
    (("format: 1", "format: 99"), "format"), (("engine: workflow-engine", "engin: workflow-engine"), "engin"),
    (("id: ${row.id}", "id: ${row.id"), "id"), (("state: ${row.state}", "state: ${rov.state}"), "rov"),
    (("queued: Pending", "queued: Waiting"), "runs.states.queued: must be one of Pending, Running, Succeeded, Failed"),
])
def test_bad_adapter_files_name_file_line_and_field(tmp_path, change, expected):
    text = (ROOT / "adapters" / "local" / "adapter.yaml").read_text()
    assert change[0] in text
    broken = text.replace(*change, 1)
    line = next(i for i, (a, b) in enumerate(zip(text.splitlines(), broken.splitlines()), 1) if a != b)
    (tmp_path / "local").mkdir()
    path = tmp_path / "local" / "adapter.yaml"
    path.write_text(broken)
    done = subprocess.run([str(BIN / "workflow-apiserver"), "adapter", "lint", str(path)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert f"{path}:{line}" in done.stdout + done.stderr and expected in done.stdout + done.stderr, done.stdout + done.stderr
