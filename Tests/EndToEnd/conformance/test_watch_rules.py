"""§6: watch, and the streaming list."""

import concurrent.futures
import json
import socket
import threading
import time

import pytest

from stack import API, GROUP
from wire import METADATA, TEMPLATES, WORKFLOWS, is_status, names, version

INITIAL = {"allowWatchBookmarks": "true", "sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
OTHERS = [TEMPLATES, f"{API}/workflowbackends", f"{API}/workflows"]


def only(name):
    return {"fieldSelector": f"metadata.name={name}"}


def newest(wire):
    return wire.get(WORKFLOWS).json()["metadata"]["resourceVersion"]


def test_W1_headers_come_at_once(server, wire):
    """200, chunked, JSON, headers without waiting for an event."""
    begun = time.monotonic()
    with wire.stream(WORKFLOWS, watch="true", resourceVersion=newest(wire), timeoutSeconds=300) as stream:
        assert time.monotonic() - begun < 30 and stream.status == 200
        assert stream.headers["Content-Type"] == "application/json" and stream.headers["Transfer-Encoding"] == "chunked"


def test_W1_one_line_per_event(wire, shared):
    """One JSON object per line, each followed by a newline, nothing pretty, no commas, also for curl."""
    answer = wire.request("GET", WORKFLOWS, headers={"User-Agent": "curl/8"}, watch="true", timeoutSeconds=1, labelSelector=shared.selector, pretty="true")
    lines = answer.body.split(b"\n")
    assert lines[-1] == b"" and len(lines) == 4
    assert [json.loads(line)["type"] for line in lines[:-1]] == ["ADDED"] * 3


@pytest.mark.parametrize("headers", [{"User-Agent": "curl/8"}, {"Accept": "application/yaml, application/json"}])
def test_W1_also_an_error_is_one_line(wire, headers):
    """A watch that ends with a 410 is framed as every other one, also for curl and for who would take YAML."""
    answer = wire.request("GET", WORKFLOWS, headers=headers, watch="true", resourceVersion="1", pretty="true")
    assert answer.headers["Content-Type"] == "application/json" and answer.body.count(b"\n") == 1 and answer.body.endswith(b"\n"), answer.body
    assert json.loads(answer.body)["type"] == "ERROR" and json.loads(answer.body)["object"]["code"] == 410


def test_W2_events_are_whole_objects(wire, shared):
    """type and object; the object has kind, apiVersion and a version, and is what a GET shows."""
    events = wire.events(WORKFLOWS, labelSelector=shared.selector, count=3)
    assert [event["object"] for event in events] == [shared.a, shared.b, shared.c] and all(set(event) == {"type", "object"} for event in events)


@pytest.mark.parametrize("path", OTHERS)
def test_W2_every_kind_can_be_watched(wire, shared, path):
    """WorkflowTemplate and WorkflowBackend are watched as well."""
    listed = wire.get(path).json()
    with wire.stream(path, watch="true") as stream:
        events = [stream.next() for _ in listed["items"]]
    found = {event["object"]["metadata"]["uid"] for event in events}
    assert {item["metadata"]["uid"] for item in listed["items"]} <= found and all(event["object"]["kind"] + "List" == listed["kind"] for event in events)


def test_W3_from_a_version_all_changes_in_order(server, wire):
    """N: every change above N, in order, none lost, none twice."""
    start = newest(wire)
    name = server.settled(server.create("from")["metadata"]["name"])["metadata"]["name"]
    wire.patch(f"{WORKFLOWS}/{name}", {"metadata": {"labels": {"step": "1"}}})
    wire.patch(f"{WORKFLOWS}/{name}", {"metadata": {"labels": {"step": "2"}}})
    last = server.read(name)["metadata"]["resourceVersion"]
    with wire.stream(WORKFLOWS, watch="true", resourceVersion=start, **only(name)) as stream:
        events = stream.until(lambda event: event["object"]["metadata"]["resourceVersion"] == last)
        assert stream.pause(0.2) is None
    versions = [version(event["object"]) for event in events]
    assert events[0]["type"] == "ADDED" and {event["type"] for event in events[1:]} == {"MODIFIED"}
    assert versions == sorted(set(versions)) and versions[0] > int(start) and events[-1]["object"] == server.read(name)
    for i, event in enumerate(events):
        left = events[i + 1:]
        rest = wire.events(WORKFLOWS, resourceVersion=event["object"]["metadata"]["resourceVersion"], count=len(left), **only(name))
        assert rest == left, "each version is a start that repeats nothing and misses nothing"


@pytest.mark.parametrize("start", [None, "", "0"])
def test_W3_from_nothing_everything_is_added(wire, shared, start):
    """"" and 0: ADDED for every object now, then the changes."""
    events = wire.events(WORKFLOWS, resourceVersion=start, labelSelector=shared.selector, count=3)
    assert [event["type"] for event in events] == ["ADDED"] * 3 and sorted(event["object"]["metadata"]["name"] for event in events) == shared.names


@pytest.mark.parametrize("path", [WORKFLOWS, *OTHERS])
@pytest.mark.parametrize("form", ["plain", "metadata"])
def test_W4_a_version_older_than_the_window_is_410(wire, path, form):
    """One ERROR event with reason Expired and code 410, then the end; or a 410."""
    answer = wire.get(path, METADATA if form == "metadata" else None, watch="true", resourceVersion="1", timeoutSeconds=20)
    if answer.status == 200:
        event, = [json.loads(line) for line in answer.body.splitlines()]
        status = event["object"]
        assert event["type"] == "ERROR"
    else:
        status = answer.json()
        assert answer.status == 410
    assert (status["kind"], status["apiVersion"], status["code"], status["reason"]) == ("Status", "v1", 410, "Expired")
    assert status["message"].startswith("too old resource version: 1 (")


def test_W5_a_version_of_another_history_is_410(wire):
    """N newer than anything known: waits until it is reached, or, of another history, 410. Never silence for ever: here far in the future."""
    begun = time.monotonic()
    answer = wire.get(WORKFLOWS, watch="true", resourceVersion=str(int(newest(wire)) + 10 ** 18), timeoutSeconds=25)
    text = answer.body.decode()
    assert time.monotonic() - begun < 20, "it was silent"
    assert '"code":410' in text or '"code":504' in text, text


def test_W6_a_version_that_is_no_number(wire):
    """Not a number: a Status, not silence."""
    is_status(wire.get(WORKFLOWS, watch="true", resourceVersion="zork", timeoutSeconds=5), 400, "BadRequest", 'strconv.ParseUint: parsing "zork": invalid syntax')


def test_W6_limit_is_ignored(wire, shared):
    """limit on a watch is ignored."""
    assert len(wire.events(WORKFLOWS, labelSelector=shared.selector, limit=1, count=3)) == 3


@pytest.mark.needs("overlay")
def test_W7_leaving_and_entering_a_selector(server, wire):
    """An object that stops matching is DELETED with its old labels and the new version; one that begins to match is ADDED."""
    mark = server.unique("sel")
    name = server.finished("sel", {"sel": mark})["metadata"]["name"]
    start = newest(wire)
    left = wire.patch(f"{WORKFLOWS}/{name}", {"metadata": {"labels": {"sel": "other"}}}).json()
    back = wire.patch(f"{WORKFLOWS}/{name}", {"metadata": {"labels": {"sel": mark}}}).json()
    deleted, added = wire.events(WORKFLOWS, labelSelector=f"sel={mark}", resourceVersion=start, count=2)
    assert deleted["type"] == "DELETED" and version(deleted["object"]) == version(left) and deleted["object"]["metadata"]["labels"]["sel"] == mark
    assert added["type"] == "ADDED" and added["object"] == back


def test_W7_leaving_a_field_selector(server, wire):
    """The same for field selectors: a run that ends leaves status.phase=Running."""
    start = newest(wire)
    name = server.create("short", seconds=1)["metadata"]["name"]
    server.settled(name)
    events = wire.events(WORKFLOWS, resourceVersion=start, fieldSelector=f"metadata.name={name},status.phase=Running")
    assert [events[0]["type"], events[-1]["type"]] == ["ADDED", "DELETED"], [event["type"] for event in events]
    assert version(events[-1]["object"]) > version(events[0]["object"])


@pytest.mark.needs("delete")
def test_W7_a_deletion_has_a_version_of_its_own(server, wire):
    """DELETED carries the last state with the deletion's own, greater version; a watch from there does not see it again."""
    made = server.finished("del")
    name, start = made["metadata"]["name"], newest(wire)
    assert wire.delete(f"{WORKFLOWS}/{name}").status == 200
    server.gone(name)
    events = wire.events(WORKFLOWS, resourceVersion=start, **only(name))
    assert events[-1]["type"] == "DELETED" and version(events[-1]["object"]) > version(made)
    assert events[-1]["object"]["metadata"]["uid"] == made["metadata"]["uid"] and events[-1]["object"]["spec"] == made["spec"]
    assert wire.events(WORKFLOWS, resourceVersion=events[-1]["object"]["metadata"]["resourceVersion"], count=0, **only(name)) == []


@pytest.mark.needs("overlay", "delete")
def test_W7_a_finalizer_makes_two_steps(server, wire):
    """Finalizer: MODIFIED with a deletionTimestamp, later DELETED."""
    made = server.finished("fin", metadata={"finalizers": ["example.com/hold"]})
    name, start = made["metadata"]["name"], newest(wire)
    assert wire.delete(f"{WORKFLOWS}/{name}").status == 200
    assert server.read(name)["metadata"]["deletionTimestamp"]
    assert wire.patch(f"{WORKFLOWS}/{name}", {"metadata": {"finalizers": None}}).status == 200
    server.gone(name)
    events = wire.events(WORKFLOWS, resourceVersion=start, **only(name))
    assert events[0]["type"] == "MODIFIED" and events[0]["object"]["metadata"]["deletionTimestamp"] and events[-1]["type"] == "DELETED"


@pytest.mark.needs("quick")
def test_W8_versions_are_unique_and_watch_starts(server, wire):
    """No two events of a watch share a version; each is a valid start."""
    start = newest(wire)
    for _ in range(5):
        server.create("many")
    time.sleep(1)
    events = wire.events(f"{API}/workflows", resourceVersion=start)
    versions = [version(event["object"]) for event in events]
    assert len(events) >= 5 and versions == sorted(set(versions))


@pytest.mark.parametrize("seconds", [1, 2])
def test_W9_timeout_seconds_ends_cleanly(wire, seconds):
    """timeoutSeconds: a clean end of the body after so long, no ERROR."""
    begun = time.monotonic()
    assert wire.events(WORKFLOWS, resourceVersion=newest(wire), seconds=seconds, **only("no-such")) == []
    assert seconds - 0.2 <= time.monotonic() - begun < seconds + 30


def test_W9_less_than_no_time(wire):
    """timeoutSeconds below zero: over at once (as seen of a real server)."""
    begun = time.monotonic()
    answer = wire.get(WORKFLOWS, watch="true", resourceVersion=newest(wire), timeoutSeconds=-1)
    assert answer.status == 200 and answer.body == b"" and time.monotonic() - begun < 30


def test_W10_bookmarks(server, wire):
    """Bookmarks only with allowWatchBookmarks=true: one about 2 s before the timeout; their object has kind, apiVersion and the version only."""
    cases = [(WORKFLOWS, "Workflow", None, True), (WORKFLOWS, "PartialObjectMetadata", METADATA, True), (TEMPLATES, "WorkflowTemplate", None, True),
             (TEMPLATES, "PartialObjectMetadata", METADATA, True), (WORKFLOWS, "Workflow", None, False)]
    start = newest(wire)

    def watch(case):
        path, _, accept, allowed = case
        return server.connect().events(path, accept, resourceVersion=start, seconds=3, allowWatchBookmarks="true" if allowed else None, **only("no-such"))
    with concurrent.futures.ThreadPoolExecutor(len(cases)) as pool:
        answers = list(pool.map(watch, cases))
    for (_, kind, accept, allowed), events in zip(cases, answers):
        if not allowed:
            assert events == []
            continue
        assert events and events[-1]["type"] == "BOOKMARK", (kind, events)
        mark = events[-1]["object"]
        assert (mark["kind"], mark["apiVersion"]) == (kind, "meta.k8s.io/v1" if accept else f"{GROUP}/v1alpha1")
        assert int(mark["metadata"]["resourceVersion"]) >= int(start) and set(mark["metadata"]) <= {"resourceVersion", "creationTimestamp"}, mark


@pytest.mark.needs("restart")
def test_W11_a_shutdown_ends_watches_cleanly():
    """On shutdown all watches end at once with a clean end of body."""
    from server import LocalServer
    running = LocalServer("--shutdown-grace", "60")
    try:
        streams = [running.wire.stream(WORKFLOWS, watch="true", resourceVersion=newest(running.wire)) for _ in range(5)]
        running.gateway.process.terminate()
        begun = time.monotonic()
        assert [stream.next() for stream in streams] == [None] * 5 and time.monotonic() - begun < 40
    finally:
        running.stop()


def test_W12_an_idle_watch_is_not_cut(wire):
    """No idle time-out below ten minutes; here: four seconds without an event, and TCP keep-alive on the server's side."""
    with wire.stream(WORKFLOWS, watch="true", resourceVersion=newest(wire), **only("no-such")) as stream:
        with pytest.raises((TimeoutError, socket.timeout)):
            stream.next(4)


@pytest.mark.parametrize("start", [None, "", "0", "CURRENT"])
@pytest.mark.parametrize("form", ["plain", "metadata"])
def test_W13_send_initial_events_is_never_ignored(wire, shared, start, form):
    """ADDED for everything, then the bookmark that says so, or a refusal; a plain watch would leave the informer waiting for ever."""
    start = newest(wire) if start == "CURRENT" else start
    events = wire.events(WORKFLOWS, METADATA if form == "metadata" else None, labelSelector=shared.selector, resourceVersion=start, count=4, **INITIAL)
    assert [event["type"] for event in events] == ["ADDED", "ADDED", "ADDED", "BOOKMARK"]


@pytest.mark.parametrize("path, kind", [(WORKFLOWS, "Workflow"), (f"{API}/workflows", "Workflow"), (TEMPLATES, "WorkflowTemplate"), (f"{API}/workflowbackends", "WorkflowBackend")])
def test_W14_the_bookmark_of_the_initial_events(wire, shared, path, kind):
    """One bookmark with k8s.io/initial-events-end, its version not below any that was sent; then live events."""
    with wire.stream(path, watch="true", **INITIAL) as stream:
        events = stream.until(lambda event: event["type"] == "BOOKMARK")
        after = stream.pause(0.2)
    assert after is None or after["type"] != "BOOKMARK"
    marks = [i for i, event in enumerate(events) if event["type"] == "BOOKMARK" and "annotations" in event["object"]["metadata"]]
    assert len(marks) == 1
    mark = events[marks[0]]["object"]
    assert mark["kind"] == kind and mark["apiVersion"] == f"{GROUP}/v1alpha1" and mark["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert "uid" not in mark["metadata"] and "name" not in mark["metadata"]
    sent = events[:marks[0]]
    assert {event["type"] for event in sent} <= {"ADDED"} and int(mark["metadata"]["resourceVersion"]) >= max([version(event["object"]) for event in sent], default=0)
    assert sorted(names(event["object"] for event in sent)) == sorted(names(wire.get(path).json()["items"]))


def test_W14_no_gap_between_the_snapshot_and_the_stream(server, wire):
    """Objects that are made while streaming lists begin are seen exactly once by each."""
    stop, seen, mark = threading.Event(), [], server.unique("gap")

    def watch():
        mine = server.connect()
        while not stop.is_set():
            found = mine.events(WORKFLOWS, labelSelector=f"gap={mark}", **INITIAL)
            seen.append([event["object"]["metadata"]["name"] for event in found if event["type"] == "ADDED"])
    threads = [threading.Thread(target=watch) for _ in range(4)]
    for thread in threads:
        thread.start()
    made = [server.create("gap", {"gap": mark})["metadata"]["name"] for _ in range(10 if "quick" in server.abilities else 2)]
    stop.set()
    for thread in threads:
        thread.join()
    for found in seen:
        assert len(found) == len(set(found)) and set(found) <= set(made)
    assert sorted(names(wire.get(WORKFLOWS, labelSelector=f"gap={mark}").json()["items"])) == sorted(made)


@pytest.mark.parametrize("query, text", [
    ({"sendInitialEvents": "true"}, "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"),
    ({"sendInitialEvents": "true", "resourceVersionMatch": "Exact"}, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"),
    ({"resourceVersionMatch": "NotOlderThan"}, "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"),
    ({"resourceVersionMatch": "Exact", "resourceVersion": "5"}, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided")])
def test_W15_refused_combinations(wire, query, text):
    """422 with the exact texts."""
    status = is_status(wire.get(WORKFLOWS, watch="true", timeoutSeconds=1, **query), 422, "Invalid", text)
    assert status["message"].startswith('ListOptions.meta.k8s.io "" is invalid: ')


def test_W15_without_allowed_bookmarks_none_is_sent(wire, shared):
    """Without allowWatchBookmarks the bookmark of the end is not sent."""
    events = wire.events(WORKFLOWS, labelSelector=shared.selector, sendInitialEvents="true", resourceVersionMatch="NotOlderThan", count=3)
    assert [event["type"] for event in events] == ["ADDED"] * 3


@pytest.mark.parametrize("start", [None, "", "0"])
def test_W15_a_watch_from_the_present_state_is_a_streaming_list(wire, shared, start):
    """From "" or 0, with nothing said of initial events: as with sendInitialEvents=true (as seen of a real server, 1.36)."""
    query = {"labelSelector": shared.selector, "resourceVersion": start}
    events = wire.events(WORKFLOWS, allowWatchBookmarks="true", count=4, **query)
    assert [event["type"] for event in events] == ["ADDED"] * 3 + ["BOOKMARK"]
    assert events[-1]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert [event["type"] for event in wire.events(WORKFLOWS, count=3, **query)] == ["ADDED"] * 3
    is_status(wire.get(WORKFLOWS, watch="true", resourceVersion=start, **{"continue": "abc"}), 422, "Invalid",
              'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided')


def test_W15_send_initial_events_false_is_a_plain_watch(wire, shared):
    """sendInitialEvents=false: a plain watch."""
    events = wire.events(WORKFLOWS, labelSelector=shared.selector, sendInitialEvents="false", resourceVersionMatch="NotOlderThan", resourceVersion=newest(wire),
                         allowWatchBookmarks="true")
    assert [event["type"] for event in events if event["type"] != "BOOKMARK"] == []


def test_W16_a_streaming_list_from_an_old_version_is_410(wire):
    """410 while streaming makes the client begin with version ""."""
    answer = wire.get(WORKFLOWS, watch="true", timeoutSeconds=5, resourceVersion="1", **INITIAL)
    if answer.status == 200 and b'"code":410' not in answer.body:
        events = [json.loads(line) for line in answer.body.splitlines()]
        assert any(event["type"] == "BOOKMARK" for event in events), "at least version 1 is satisfied by everything"
    else:
        assert b'"code":410' in answer.body and b'"reason":"Expired"' in answer.body


def test_W7_a_watch_of_one_object(server, wire):
    """kubectl get -w NAME and kubectl wait: one object by fieldSelector, from version 0."""
    name = server.create("one", seconds=1)["metadata"]["name"]
    with wire.stream(WORKFLOWS, watch="true", resourceVersion="0", timeoutSeconds=60, **only(name)) as stream:
        events = stream.until(lambda event: event["object"]["status"]["phase"] == "Succeeded", 60)
    assert events[0]["type"] == "ADDED" and {event["object"]["metadata"]["name"] for event in events} == {name}


