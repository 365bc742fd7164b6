"""§0 of the wire document: the URL space."""

import pytest

from stack import API, GROUP
from wire import WORKFLOWS, is_status, names


@pytest.mark.parametrize("path", [
    "/apis", "/apis/", f"/apis/{GROUP}", f"/apis/{GROUP}/", API, f"{API}/", f"{WORKFLOWS}/", f"{API}/workflows/", "/healthz/", "/openapi/v2/",
    "/openapi/v3/", f"/openapi/v3{API}?hash=00000000", "/version/", "/", "//apis", f"/apis//{GROUP}", "/api/", "/metrics/", "/foo"])
def test_U1_nothing_redirects(wire, path):
    """Never redirect: no trailing slash, no https, no OpenAPI hash. The aggregator turns each 3xx into a 502."""
    answer = wire.get(path)
    assert not 300 <= answer.status < 400 and "Location" not in answer.headers, (path, answer.status)


@pytest.mark.parametrize("path", ["/apis", f"/apis/{GROUP}", API])
def test_U1_discovery_with_a_trailing_slash_is_the_same(wire, path):
    """Discovery documents are served with and without a trailing slash."""
    assert wire.get(path).json() == wire.get(path + "/").json()


@pytest.mark.parametrize("value, watches", [("true", True), ("1", True), ("zork", True), ("True", True), ("", True), ("FALSE", False), ("False", False), ("false", False), ("0", False)])
def test_U2_booleans_are_true_unless_absent_0_or_false(wire, shared, value, watches):
    """Boolean parameters: absent, 0 and false in any case are false, anything else is true, the empty text, too (as seen of a real server)."""
    with wire.stream(f"{WORKFLOWS}?fieldSelector=metadata.name%3D{shared.names[0]}&timeoutSeconds=30&watch={value}") as stream:
        assert stream.status == 200 and stream.next().get("type") == ("ADDED" if watches else None)


def test_U2_plus_is_a_space_and_order_does_not_matter(wire, shared):
    """The query arrives sorted by key and re-encoded; + is a space."""
    for query in (f"labelSelector={shared.selector.replace('=', '%3D')},app+in+(x,y)&limit=500", f"limit=500&labelSelector=app%20in%20(x%2Cy),{shared.selector}"):
        answer = wire.get(f"{WORKFLOWS}?{query}")
        assert answer.status == 200 and names(answer.json()["items"]) == shared.names[:2], query


def test_U2_values_are_case_sensitive(wire):
    """Values are case-sensitive."""
    is_status(wire.post(WORKFLOWS, {"metadata": {"name": "x"}, "spec": {}}, dryRun="all"), 422, "Invalid", 'dryRun: Unsupported value: ["all"]: supported values: "All"')


@pytest.mark.parametrize("parameter", ["limit", "timeoutSeconds"])
@pytest.mark.parametrize("watch", [None, "true"])
@pytest.mark.parametrize("value", ["zork", ""])
def test_U3_integers_that_do_not_parse_are_400(wire, parameter, watch, value):
    """Integers that do not parse, empty ones as well: 400 with strconv's text."""
    is_status(wire.get(WORKFLOWS, watch=watch, **{parameter: value}), 400, "BadRequest", f'strconv.ParseInt: parsing "{value}": invalid syntax')


def test_U3_a_negative_limit_is_none(wire, shared):
    """A negative limit is treated as none."""
    answer = wire.get(WORKFLOWS, limit=-1, labelSelector=shared.selector)
    assert names(answer.json()["items"]) == shared.names and "continue" not in answer.json()["metadata"]


@pytest.mark.parametrize("value", ["32s", "6m13s", "1h0m0s", "500ms", "-1s"])
def test_U4_timeout_is_accepted(wire, value):
    """Every client-go request may carry timeout=, a Go duration."""
    assert wire.get(WORKFLOWS, timeout=value).status == 200


@pytest.mark.parametrize("value, text", [("zz", 'invalid duration "zz"'), ("5", 'missing unit in duration "5"'), ("5S", 'unknown unit "S" in duration "5S"')])
def test_U4_a_bad_timeout_is_400(wire, value, text):
    """A bad timeout is 400 with Go's text."""
    is_status(wire.get(WORKFLOWS, timeout=value), 400, "BadRequest", f"invalid timeout specified in the request URL - time: {text}")


def test_U4_a_watch_ignores_timeout(server, shared):
    """timeout= does not bound a watch."""
    with server.wire.stream(WORKFLOWS, watch="true", timeout="1s", fieldSelector=f"metadata.name={shared.names[0]}") as stream:
        assert stream.next()["type"] == "ADDED"
        with pytest.raises(TimeoutError):
            stream.next(2)


@pytest.mark.parametrize("path", ["//", f"/apis//{GROUP}/v1alpha1", f"{API}//workflows", f"{API}/namespaces//workflows"])
def test_U5_doubled_slashes_are_404(wire, path):
    """Doubled slashes are 404."""
    is_status(wire.get(path), 404, "NotFound")


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("name, text", [("%2e%2e", '"..": may not be \'..\''), (".", '".": may not be \'.\''), ("w%252Da", '"w%2Da": may not contain \'%\''),
                                        ("a%2Fb", '"a/b": may not contain \'/\'')])
def test_U5_names_that_no_segment_may_have_are_400(wire, method, name, text):
    """A name that is `.` or `..`, or has a slash or a percent sign in it, is 400 as with every kube-apiserver (seen there; not 404)."""
    is_status(wire.request(method, f"{WORKFLOWS}/{name}"), 400, "BadRequest", f"Name parameter invalid: {text}")


@pytest.mark.parametrize("method, path, allowed", [
    ("POST", f"{API}/workflows", "GET"), ("PUT", WORKFLOWS, "POST"), ("PATCH", WORKFLOWS, "POST"), ("POST", f"{WORKFLOWS}/x", "DELETE"),
    ("DELETE", f"{WORKFLOWS}/x/log", "GET"), ("POST", f"{API}/namespaces/default/workflowtemplates", "GET"), ("DELETE", f"{API}/workflowbackends/x", "GET")])
def test_U6_a_verb_that_there_is_not_is_405(wire, method, path, allowed):
    """The URL table: other methods are 405, with what is allowed."""
    answer = wire.request(method, path, {} if method != "DELETE" else None)
    is_status(answer, 405, "MethodNotAllowed")
    assert allowed in answer.headers["Allow"]


@pytest.mark.parametrize("prefix", [f"{API}/watch/workflows", f"{API}/watch/namespaces/default/workflows"])
def test_U6_the_deprecated_watch_prefix_is_a_watch(wire, shared, prefix):
    """The watch prefix, deprecated, is a watch; a name behind it a field selector."""
    name = shared.names[0]
    for path, query in [(prefix, {"fieldSelector": f"metadata.name={name}"}), *([(f"{prefix}/{name}", {})] if "namespaces" in prefix else [])]:
        with wire.stream(path, timeoutSeconds=30, **query) as stream:
            event = stream.next()
            assert stream.status == 200 and (event["type"], event["object"]["metadata"]["name"]) == ("ADDED", name)
    with wire.stream(f"{API}/watch/workflowbackends", timeoutSeconds=30) as stream:
        assert stream.next()["object"]["kind"] == "WorkflowBackend"
    is_status(wire.get(f"{API}/watch/namespaces/default/workflows/{name}/status"), 404, "NotFound")


@pytest.mark.parametrize("path", [WORKFLOWS, f"{WORKFLOWS}/x"])
def test_U2_export_is_refused(wire, path):
    """export=true, which is gone, is 400."""
    is_status(wire.get(path, export="true"), 400, "BadRequest", "the export parameter, deprecated since v1.14, is no longer supported")


def test_U6_head_is_as_get(wire, shared):
    """HEAD is answered as GET, without the body."""
    answer = wire.request("HEAD", f"{WORKFLOWS}/{shared.names[0]}")
    assert answer.status == 200 and answer.body == b"" and answer.headers["Content-Type"] == "application/json"
    assert wire.request("HEAD", f"{WORKFLOWS}/no-such").status == 404
