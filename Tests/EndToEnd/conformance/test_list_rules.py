"""§5: get and list."""

import base64
import concurrent.futures
import json
import re

import pytest

from stack import API, GROUP
from wire import TEMPLATES, WORKFLOWS, is_status, names, version


def test_L1_objects_say_what_they_are(wire, shared):
    """kind, apiVersion and the metadata that every client reads; lists with items, never absent."""
    found = wire.get(f"{WORKFLOWS}/{shared.names[0]}").json()
    assert (found["kind"], found["apiVersion"]) == ("Workflow", f"{GROUP}/v1alpha1")
    assert all(found["metadata"].get(field) for field in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp", "generation"))
    listed = wire.get(WORKFLOWS, labelSelector=shared.selector).json()
    assert (listed["kind"], listed["apiVersion"]) == ("WorkflowList", f"{GROUP}/v1alpha1")
    assert listed["items"][0] == found, "the items of a list are the objects, with kind and apiVersion"
    assert wire.get(WORKFLOWS, labelSelector="no=such").json()["items"] == []


@pytest.mark.parametrize("plural", ["workflowtemplates", "workflowbackends"])
def test_L1_the_other_kinds(wire, plural):
    """The same for the read-only kinds."""
    listed = wire.get(f"{API}/{plural}").json()
    assert listed["kind"].endswith("List") and listed["metadata"]["resourceVersion"] and listed["items"]
    for item in listed["items"]:
        assert item["kind"] + "List" == listed["kind"]
        assert all(item["metadata"].get(field) for field in ("name", "uid", "resourceVersion", "creationTimestamp", "generation"))
        place = f"{API}/namespaces/{item['metadata']['namespace']}/{plural}" if plural == "workflowtemplates" else f"{API}/{plural}"
        assert wire.get(f"{place}/{item['metadata']['name']}").json()["metadata"]["uid"] == item["metadata"]["uid"]


def nulls(value, path=""):
    if isinstance(value, dict):
        return [found for key, one in value.items() for found in nulls(one, f"{path}.{key}")]
    if isinstance(value, list):
        return [found for i, one in enumerate(value) for found in nulls(one, f"{path}[{i}]")]
    return [path] if value is None else []


def test_L2_times_and_empty_fields(wire, shared):
    """Times are RFC 3339 in UTC, whole seconds, Z; no selfLink; nothing is null."""
    for found in (shared.a, wire.get(TEMPLATES).json(), wire.get(f"{API}/workflowbackends").json()):
        text = json.dumps(found)
        assert "selfLink" not in text and nulls(found) == []
        for key, value in re.findall(r'"(\w+(?:Time|Timestamp))": "([^"]*)"', text):
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value), (key, value)


def test_L3_the_version_of_a_list_is_a_watch_start(wire, shared):
    """A watch from the list's version repeats nothing of it; it is set for empty lists as well."""
    for selector in (shared.selector, "no=such"):
        listed = wire.get(WORKFLOWS, labelSelector=selector).json()["metadata"]["resourceVersion"]
        assert int(listed) > 0
        assert wire.events(WORKFLOWS, labelSelector=selector, resourceVersion=listed, count=0) == []
    assert int(wire.get(WORKFLOWS, labelSelector=shared.selector).json()["metadata"]["resourceVersion"]) >= max(map(version, (shared.a, shared.b, shared.c)))


def test_L4_ascending_by_namespace_and_name(wire, shared):
    """Order by key, bytewise."""
    found = [(item["metadata"]["namespace"], item["metadata"]["name"]) for item in wire.get(f"{API}/workflows").json()["items"]]
    assert found == sorted(found) and len(found) >= 3


# (resourceVersion, limit, match, code, text); CURRENT is the list's own version.
TABLE_OF_VERSIONS = [
    (None, None, None, 200, None), ("", None, None, 200, None), ("0", None, None, 200, None), ("0", 1, None, 200, None), ("CURRENT", None, None, 200, None),
    ("CURRENT", 1, None, 200, None), ("OLD", None, None, 200, None), ("OLD", None, "NotOlderThan", 200, None), ("OLD", 1, "NotOlderThan", 200, None),
    ("0", None, "NotOlderThan", 200, None), ("0", 1, "NotOlderThan", 200, None), ("CURRENT", None, "NotOlderThan", 200, None),
    ("CURRENT", 1, "NotOlderThan", 200, None), ("CURRENT", None, "Exact", 200, None), ("CURRENT", 1, "Exact", 200, None),
    ("1", None, "Exact", 410, "The resourceVersion for the provided list is too old."),
    ("1", 1, "Exact", 410, "The resourceVersion for the provided list is too old."), ("1", 1, None, 410, "The resourceVersion for the provided list is too old."),
    (None, None, "NotOlderThan", 422, "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"),
    (None, None, "Exact", 422, "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"),
    ("", None, "Exact", 422, "resourceVersionMatch is forbidden unless resourceVersion is provided"),
    ("0", None, "Exact", 422, 'resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"'),
    ("CURRENT", None, "Zork", 422, 'resourceVersionMatch: Unsupported value: "Zork": supported values: "Exact", "NotOlderThan", ""'),
    ("zork", None, None, 400, 'invalid resource version: resourceVersion: Invalid value: "zork": strconv.ParseUint: parsing "zork": invalid syntax'),
    ("-1", None, None, 400, "invalid resource version"), ("1.5", None, None, 400, "invalid resource version")]


@pytest.mark.parametrize("resource_version, limit, match, code, text", TABLE_OF_VERSIONS)
@pytest.mark.parametrize("plural", ["workflows", "workflowtemplates"])
def test_L3_resource_version_on_lists(wire, shared, plural, resource_version, limit, match, code, text):
    """The whole table of resourceVersion, limit and resourceVersionMatch."""
    path = f"{API}/namespaces/default/{plural}"
    selector = shared.selector if plural == "workflows" else None
    resource_version = {"CURRENT": lambda: wire.get(path).json()["metadata"]["resourceVersion"], "OLD": lambda: shared.a["metadata"]["resourceVersion"]}.get(
        resource_version, lambda: resource_version)()
    answer = wire.get(path, labelSelector=selector, resourceVersion=resource_version, limit=limit, resourceVersionMatch=match)
    if code == 200:
        assert answer.status == 200, answer.body
        limit = None if resource_version == "0" else limit
        expected = shared.names[:limit] if selector else names(wire.get(path).json()["items"])[:limit]
        assert names(answer.json()["items"]) == expected
        assert limit or "continue" not in answer.json()["metadata"], "a limit at version 0 is ignored"
        if match == "Exact":
            assert answer.json()["metadata"]["resourceVersion"] == resource_version
        elif resource_version not in (None, "", "0"):
            assert int(answer.json()["metadata"]["resourceVersion"]) >= int(resource_version)
    else:
        status = is_status(answer, code, {422: "Invalid", 400: "BadRequest", 410: "Expired"}[code], text)
        if code == 422:
            assert status["message"].startswith('ListOptions.meta.k8s.io "" is invalid: ')
            assert status["details"]["causes"][0]["field"] == "resourceVersionMatch" and status["details"]["kind"] == "ListOptions"


def test_L3_send_initial_events_is_forbidden_for_lists(wire):
    """sendInitialEvents belongs to watches."""
    is_status(wire.get(WORKFLOWS, sendInitialEvents="true"), 422, "Invalid", "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list")


def test_L5_a_version_in_the_future_makes_clients_begin_anew(server, wire, shared):
    """N above the newest: 504 with the cause ResourceVersionTooLarge and Retry-After, or, of another history, 410. Never 400 or 500, and never an answer."""
    newest, near, far = int(wire.get(f"{API}/workflows").json()["metadata"]["resourceVersion"]), 10 ** 13, 10 ** 18
    one = f"{WORKFLOWS}/{shared.names[0]}"
    cases = [(WORKFLOWS, ahead, limit, match) for ahead in (near, far) for limit, match in ((None, None), (1, None), (None, "NotOlderThan"), (None, "Exact"), (1, "NotOlderThan"))]
    cases += [(path, ahead, None, None) for path in (one, f"{API}/workflows", TEMPLATES, f"{API}/workflowbackends") for ahead in (near, far)]

    def ask(case):
        path, ahead, limit, match = case
        return server.connect().get(path, resourceVersion=newest + ahead, limit=limit, resourceVersionMatch=match)
    with concurrent.futures.ThreadPoolExecutor(len(cases)) as pool:
        answers = list(pool.map(ask, cases))
    wrong = []
    for (path, ahead, limit, match), answer in zip(cases, answers):
        status = answer.json()
        if answer.status == 410 and status["reason"] == "Expired":
            continue
        text = rf"Timeout: Too large resource version: {newest + ahead}, current: \d+$"
        right = (answer.status == 504 and status["reason"] == "Timeout" and re.match(text, status["message"]) and answer.headers["Retry-After"] == "1"
                 and status["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge" and status["details"]["retryAfterSeconds"] == 1)
        if not right:
            wrong.append((path, ahead, limit, match, answer.status, answer.body[:300]))
    assert not wrong, wrong


def test_L6_exact_at_an_unavailable_version_is_410(server, wire, shared):
    """410 Expired, with the text."""
    old = wire.get(WORKFLOWS).json()["metadata"]["resourceVersion"]
    server.create("later")
    answer = wire.get(WORKFLOWS, resourceVersion=old, resourceVersionMatch="Exact", labelSelector=shared.selector)
    if answer.status == 200:
        assert answer.json()["metadata"]["resourceVersion"] == old, "a snapshot that is kept is fine, too"
    else:
        is_status(answer, 410, "Expired", "The resourceVersion for the provided list is too old.")


@pytest.mark.parametrize("resource_version", ["", "0", "OWN"])
def test_L7_get_at_a_version(wire, shared, resource_version):
    """GET: "" is the latest, 0 and N are at least."""
    wanted = shared.a["metadata"]["resourceVersion"] if resource_version == "OWN" else resource_version
    found = wire.get(f"{WORKFLOWS}/{shared.names[0]}", resourceVersion=wanted)
    assert found.status == 200 and found.json()["metadata"]["resourceVersion"] == shared.a["metadata"]["resourceVersion"]
    is_status(wire.get(f"{WORKFLOWS}/{shared.names[0]}", resourceVersion="zork"), 400, "BadRequest", "invalid resource version")


def pages(wire, limit, path=WORKFLOWS, **query):
    found = [wire.get(path, limit=limit, **query).json()]
    while found[-1]["metadata"].get("continue"):
        found.append(wire.get(path, limit=limit, **query, **{"continue": found[-1]["metadata"]["continue"]}).json())
    return found


@pytest.mark.parametrize("limit", [1, 2, 3, 500])
def test_L8_pages_are_one_listing(wire, shared, limit):
    """Same version on all pages, an opaque URL-safe token while there is more, none on the last."""
    found = pages(wire, limit, labelSelector=shared.selector)
    assert [name for page in found for name in names(page["items"])] == shared.names and len(found) == -(-3 // limit)
    assert len({page["metadata"]["resourceVersion"] for page in found}) == 1
    for page in found[:-1]:
        assert re.fullmatch(r"[A-Za-z0-9_\-]+", page["metadata"]["continue"])


def test_L8_writes_between_pages_do_not_disturb(server, wire):
    """The listing is a snapshot: what is created or deleted between pages changes nothing of it, or the rest is 410."""
    mark = server.unique("paged")
    made = [server.finished(f"paged-{i}", {"paged": mark})["metadata"]["name"] for i in range(3)]
    first = wire.get(WORKFLOWS, labelSelector=f"paged={mark}", limit=1).json()
    server.finished("paged-z", {"paged": mark})
    rest = wire.get(WORKFLOWS, labelSelector=f"paged={mark}", **{"continue": first["metadata"]["continue"]})
    if rest.status == 200:
        assert names(first["items"]) + names(rest.json()["items"]) == made
        assert rest.json()["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    else:
        is_status(rest, 410, "Expired")


@pytest.mark.parametrize("query, code, reason, text", [
    ({"resourceVersion": "5"}, 400, "BadRequest", "specifying resource version is not allowed when using continue"),
    ({"resourceVersion": "5", "resourceVersionMatch": "Exact"}, 422, "Invalid", "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided"),
    ({"resourceVersion": "5", "resourceVersionMatch": "NotOlderThan"}, 422, "Invalid", "resourceVersionMatch is forbidden when continue is provided")])
def test_L8_continue_with_a_version(wire, shared, query, code, reason, text):
    """With continue the version must be "" or "0", and no match is allowed."""
    token = wire.get(WORKFLOWS, labelSelector=shared.selector, limit=1).json()["metadata"]["continue"]
    is_status(wire.get(WORKFLOWS, labelSelector=shared.selector, **{"continue": token}, **query), code, reason, text)
    assert wire.get(WORKFLOWS, labelSelector=shared.selector, resourceVersion="0", **{"continue": token}).status == 200


def test_L9_remaining_item_count(wire, shared):
    """Only without selectors, absent on the last page."""
    assert "remainingItemCount" not in wire.get(WORKFLOWS, labelSelector=shared.selector, limit=1).json()["metadata"]
    total = len(wire.get(WORKFLOWS).json()["items"])
    first = wire.get(WORKFLOWS, limit=1).json()["metadata"]
    assert abs(first["remainingItemCount"] - (total - 1)) <= 2
    assert "remainingItemCount" not in wire.get(WORKFLOWS, limit=100000).json()["metadata"]


@pytest.mark.parametrize("token", ["zork", "!!", "e30", base64.urlsafe_b64encode(b'{"v":"v9","rv":1,"start":"a"}').decode().rstrip("=")])
def test_L10_a_bad_token_is_400(wire, token):
    """400 `continue key is not valid`."""
    is_status(wire.get(WORKFLOWS, **{"continue": token}), 400, "BadRequest", "continue key is not valid")


@pytest.mark.parametrize("token, text", [("abc", "invalid character 'i' looking for beginning of value"), ("!!!", "illegal base64 data at input byte 0")])
def test_L10_why_a_token_is_bad(wire, token, text):
    """In Go's words."""
    is_status(wire.get(WORKFLOWS, **{"continue": token}), 400, "BadRequest", f"continue key is not valid: {text}")


@pytest.mark.parametrize("value, text", [("a=b", "unescaped character in value: 61"), ("w\\-a", "invalid escape sequence: \\-")])
def test_L14_values_escape_what_separates(wire, value, text):
    """Backslash, comma and equals sign stand behind a backslash."""
    is_status(wire.get(WORKFLOWS, fieldSelector=f"metadata.name={value}"), 400, "BadRequest", text)


@pytest.mark.parametrize("selector, expected", [("app in ()", ""), ("app notin ()", "abc")])
def test_L13_an_empty_set_holds_the_empty_text(wire, shared, selector, expected):
    """`in ()` and `notin ()` are taken (as seen of a real server)."""
    wanted = [name for name, letter in zip(shared.names, "abc") if letter in expected]
    assert names(wire.get(WORKFLOWS, labelSelector=f"{shared.selector},{selector}").json()["items"]) == wanted


def test_L11_an_expired_token_is_410_with_another(wire, shared):
    """410 Expired, and an inconsistent token with which the client goes on at the latest state."""
    token = wire.get(WORKFLOWS, labelSelector=shared.selector, limit=1).json()["metadata"]["continue"]
    try:
        inner = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except ValueError:
        pytest.skip("the token is opaque: its age cannot be forged (covered by the store's unit tests)")
    inner["rv"] = 1
    old = base64.urlsafe_b64encode(json.dumps(inner).encode()).decode().rstrip("=")
    answer = wire.get(WORKFLOWS, labelSelector=shared.selector, **{"continue": old})
    if answer.status == 400:
        pytest.skip("the token is signed: its age cannot be forged (covered by the store's unit tests)")
    status = is_status(answer, 410, "Expired", "The provided continue parameter is too old to display a consistent list result.")
    rest = wire.get(WORKFLOWS, labelSelector=shared.selector, **{"continue": status["metadata"]["continue"]})
    assert rest.status == 200 and names(rest.json()["items"]) == shared.names[1:]


@pytest.mark.parametrize("path", [TEMPLATES, f"{API}/workflowbackends", f"{API}/workflows"])
def test_L12_limit_is_kept_or_ignored(wire, shared, path):
    """All kinds page, or return everything."""
    whole = names(wire.get(path).json()["items"])
    assert [name for page in pages(wire, 1, path) for name in names(page["items"])] == whole


LABEL_SELECTORS = [
    ("app=x", "a"), ("app==x", "a"), ("app!=x", "bc"), ("app in (x)", "a"), ("app in (x,y)", "ab"), ("app notin (x)", "bc"), ("app notin (x,y)", "c"),
    ("app", "ab"), ("!app", "c"), ("app,tier", "a"), ("app, !tier", "b"), ("app=x,tier=2", ""), ("app in (x, y),tier notin (1)", "b"), ("tier>0", "a"), ("tier<1", ""),
    ("app=", "")]


@pytest.mark.parametrize("selector, expected", LABEL_SELECTORS)
def test_L13_label_selectors(wire, shared, selector, expected):
    """The full grammar, in lists and in watches."""
    wanted = [name for name, letter in zip(shared.names, "abc") if letter in expected]
    assert names(wire.get(WORKFLOWS, labelSelector=f"{shared.selector},{selector}").json()["items"]) == wanted


@pytest.mark.parametrize("selector", ["app!=x", "app in (x,y)", "!app"])
def test_L13_label_selectors_filter_watches(wire, shared, selector):
    """The same selectors in a watch."""
    wanted = names(wire.get(WORKFLOWS, labelSelector=f"{shared.selector},{selector}").json()["items"])
    events = wire.events(WORKFLOWS, labelSelector=f"{shared.selector},{selector}", count=len(wanted))
    assert sorted(event["object"]["metadata"]["name"] for event in events) == wanted


@pytest.mark.parametrize("selector, text", [
    ("a=b=c", "found '=', expected: ',' or 'end of string'"), ("=x", "found '=', expected: !, identifier, or 'end of string'"), ("app in x", "unable to parse requirement"),
    ("app in (x", "unable to parse requirement: found '', expected: ',' or ')'"), ("Bad Key=x", "unable to parse requirement"),
    ("-a=x", 'unable to parse requirement: <nil>: Invalid value: "-a": name part must consist of'),
    ("a/b/c=x", 'unable to parse requirement: <nil>: Invalid value: "a/b/c": a valid label key must consist of'), ("tier>z", "unable to parse requirement")])
@pytest.mark.parametrize("verb", ["list", "watch", "deletecollection"])
def test_L13_bad_label_selectors_are_400(wire, selector, text, verb):
    """400 `unable to parse requirement: …`."""
    answer = wire.delete(WORKFLOWS, labelSelector=selector, dryRun="All") if verb == "deletecollection" else wire.get(
        WORKFLOWS, labelSelector=selector, watch="true" if verb == "watch" else None, timeoutSeconds=1)
    status = is_status(answer, 400, "BadRequest")
    assert text in status["message"], status["message"]


@pytest.mark.parametrize("selector, expected", [
    ("metadata.name={a}", "a"), ("metadata.name=={a}", "a"), ("metadata.name!={a}", "bc"), ("metadata.namespace=default", "abc"), ("metadata.namespace!=default", ""),
    ("metadata.name={a},metadata.namespace=default", "a"), ("status.phase=Succeeded", "abc"), ("status.phase!=Succeeded", ""), ("status.phase=Running", ""),
    ("metadata.name=no-such", "")])
def test_L14_field_selectors(wire, shared, selector, expected):
    """metadata.name, metadata.namespace and ours, with =, == and !=; lists and watches."""
    query = {"labelSelector": shared.selector, "fieldSelector": selector.format(a=shared.names[0])}
    wanted = [name for name, letter in zip(shared.names, "abc") if letter in expected]
    assert names(wire.get(WORKFLOWS, **query).json()["items"]) == wanted
    assert sorted(event["object"]["metadata"]["name"] for event in wire.events(WORKFLOWS, count=len(wanted), **query)) == wanted


def test_L14_our_own_fields(wire, shared):
    """spec.backend and spec.templateRef.name."""
    backend = shared.a["status"]["backend"]["name"]
    assert names(wire.get(WORKFLOWS, labelSelector=shared.selector, fieldSelector=f"spec.backend={backend}").json()["items"]) in (shared.names, [])
    template = shared.a["spec"].get("templateRef", {}).get("name", "")
    assert names(wire.get(WORKFLOWS, labelSelector=shared.selector, fieldSelector=f"spec.templateRef.name={template}").json()["items"]) == shared.names


@pytest.mark.parametrize("selector", ["spec.nope=1", "zork=1", "metadata.uid=1", "metadata.name>a", "metadata.name in (a)"])
@pytest.mark.parametrize("watch", [None, "true"])
def test_L14_other_fields_are_400(wire, selector, watch):
    """Unknown fields and other operators are 400."""
    status = is_status(wire.get(WORKFLOWS, fieldSelector=selector, watch=watch, timeoutSeconds=1), 400, "BadRequest")
    assert "field" in status["message"] or "selector" in status["message"]


def test_L14_the_text_of_an_unknown_field(wire):
    """`field label not supported: spec.nope`."""
    is_status(wire.get(WORKFLOWS, fieldSelector="spec.nope=1"), 400, "BadRequest", "field label not supported: spec.nope")


@pytest.mark.parametrize("plural", ["workflows", "workflowtemplates"])
def test_L15_a_namespace_that_there_is_not_is_an_empty_list(wire, plural):
    """200 with an empty list."""
    answer = wire.get(f"{API}/namespaces/no-such-namespace/{plural}")
    assert answer.status == 200 and answer.json()["items"] == [] and answer.json()["metadata"]["resourceVersion"]
