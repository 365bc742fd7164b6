"""The commands, in their order: each finds what the ones before have left. `before` brings the server to rest first."""

import dataclasses
import json
from collections.abc import Callable

from stack import API, eventually, workflow

WORKFLOWS = f"{API}/namespaces/default/workflows"


@dataclasses.dataclass
class Command:
    """One shell line. `name` is the golden file's."""

    name: str
    line: str
    before: Callable | None = None
    # False where the number of requests depends on time.
    requests: bool = True
    # One command that never ends by itself: it is ended when its watch has been asked for.
    watches: bool = False
    # Lines of the output whose order or number depends on time are sorted and made unique.
    unordered: bool = False
    since: str = "1.27"


def settled(*names, phase="Succeeded"):
    def before(stack, _):
        for name in names:
            stack.phase(name, phase)
    return before


def running(name):
    return settled(name, phase="Running")


def created(*manifests, wait="Succeeded"):
    """Objects that another client makes."""
    def before(stack, _):
        for manifest in manifests:
            answer = stack.create(manifest)
            assert answer.status == 201, answer.body
        for manifest in manifests:
            stack.phase(manifest["metadata"]["name"], wait)
    return before


def labelled(name, *commands, labels=None, **spec):
    manifest = workflow(name, *commands, **spec)
    manifest["metadata"]["namespace"] = "default"
    if labels:
        manifest["metadata"]["labels"] = labels
    return manifest


def released(name):
    """What the garbage collector does: takes its finalizers away."""
    def before(stack, _):
        stack.gateway.raw("PATCH", f"{WORKFLOWS}/{name}", b'{"metadata":{"finalizers":null}}', {"Content-Type": "application/merge-patch+json"})
        eventually(lambda: stack.gateway.raw("GET", f"{WORKFLOWS}/{name}").status == 404, what=f"{name} gone")
    return before


# Files in the folder in which the commands run.
FILES = {
    "a.yaml": labelled("a", "echo hello", labels={"app": "x"}), "a-labelled.yaml": labelled("a", "echo hello", labels={"app": "x", "more": "1"}),
    "a-changed.yaml": labelled("a", "false", labels={"app": "x"}),
    "generate.yaml": {**labelled("x", "true"), "metadata": {"generateName": "gen-", "namespace": "default"}},
    "unknown.yaml": {**labelled("unknown", "true"), "spec": {**labelled("unknown", "true")["spec"], "nope": 1}},
    "invalid.yaml": labelled("Invalid", timeout="zork"),
    "side.yaml": labelled("side", "true", labels={"owner": "one"}), "side-two.yaml": labelled("side", "true", labels={"owner": "two"}),
    "side-less.yaml": labelled("side", "true"),
}

COMMANDS = [
    # Issue 3, verbatim.
    Command("issue-1-api-versions", "kubectl api-versions | grep workflow"),
    Command("issue-2-apply", "kubectl apply -f example-workflow.yaml"),
    Command("issue-3-get", "kubectl get workflows", running("example-workflow")),
    Command("issue-4-get-yaml", "kubectl get workflow example-workflow -o yaml"),
    Command("issue-5-patch-status", "kubectl patch workflow example-workflow --type=merge --subresource=status "
            """-p '{"status":{"phase":"Running","startTime":"2024-01-15T10:30:00Z"}}'"""),
    Command("issue-6-get-watch", "kubectl get workflows -w", watches=True),
    Command("issue-7-delete", "kubectl delete workflow example-workflow", requests=False),
    # What there is.
    Command("api-resources", "kubectl api-resources --api-group=workflow.example.com"),
    Command("api-resources-wide", "kubectl api-resources --api-group=workflow.example.com -o wide"),
    Command("explain", "kubectl explain workflow"),
    Command("explain-recursive", "kubectl explain workflow --recursive"),
    Command("explain-field", "kubectl explain workflow.spec.steps.env"),
    Command("explain-status", "kubectl explain wf.status"),
    Command("explain-template", "kubectl explain workflowtemplate.spec"),
    Command("explain-backend", "kubectl explain workflowbackend.status.conditions"),
    Command("get-templates", "kubectl get wftmpl"),
    Command("get-backends", "kubectl get wfb"),
    # create
    Command("get-none", "kubectl get workflows"),
    Command("create", "kubectl create -f a.yaml"),
    Command("create-exists", "kubectl create -f a.yaml", settled("a")),
    Command("create-generate-name", "kubectl create -f generate.yaml"),
    Command("create-dry-run", "kubectl create -f unknown.yaml --dry-run=server --validate=warn -o name"),
    Command("create-strict", "kubectl create -f unknown.yaml"),
    Command("create-ignore", "kubectl create -f unknown.yaml --validate=ignore --dry-run=server"),
    Command("create-invalid", "kubectl create -f invalid.yaml"),
    Command("delete-generated", "kubectl delete wf -l '!app'", lambda stack, _: stack.wait_for_the_end()),
    # get
    Command("get", "kubectl get workflows", created(labelled("b", "true", labels={"app": "y"}), labelled("c", "true"))),
    Command("get-all-namespaces", "kubectl get wf -A"),
    Command("get-name", "kubectl get wf a"),
    Command("get-wide", "kubectl get wf a -o wide"),
    Command("get-names", "kubectl get wf -o name"),
    Command("get-json", "kubectl get wf a -o json"),
    Command("get-list-yaml", "kubectl get wf -l app=x -o yaml"),
    Command("get-show-labels", "kubectl get wf a --show-labels"),
    Command("get-label-columns", "kubectl get wf -L app --no-headers"),
    Command("get-jsonpath", "kubectl get wf a -o jsonpath='{.status.phase}{\"\\n\"}'"),
    Command("get-custom-columns", "kubectl get wf -o custom-columns=NAME:.metadata.name,PHASE:.status.phase"),
    Command("get-selector", "kubectl get wf -l 'app in (x,y)'"),
    Command("get-field-selector", "kubectl get wf --field-selector metadata.name=a,status.phase=Succeeded"),
    Command("get-field-selector-unknown", "kubectl get wf --field-selector spec.nope=1"),
    Command("get-chunks", "kubectl get wf --chunk-size=2"),
    Command("get-sorted", "kubectl get wf --sort-by=.metadata.labels.app"),
    Command("get-missing", "kubectl get wf no-such"),
    Command("get-missing-ignored", "kubectl get wf no-such --ignore-not-found"),
    Command("get-bad-resource", "kubectl get workflowz"),
    Command("get-raw", f"kubectl get --raw '{WORKFLOWS}/a/log'"),
    Command("get-subresource", "kubectl get wf a --subresource=status"),
    Command("get-watch-name", "kubectl get wf a -w", watches=True),
    Command("get-watch-only", "kubectl get wf --watch-only", watches=True),
    Command("describe", "kubectl describe wf a"),
    # apply
    Command("apply-created-without", "kubectl apply -f a.yaml"),
    Command("apply-unchanged", "kubectl apply -f a.yaml"),
    Command("apply-label", "kubectl apply -f a-labelled.yaml"),
    Command("apply-spec-refused", "kubectl apply -f a-changed.yaml"),
    Command("apply-dry-run", "kubectl apply -f a.yaml --dry-run=server"),
    Command("diff", "kubectl diff -f a.yaml"),
    Command("diff-none", "kubectl diff -f a-labelled.yaml"),
    Command("diff-server-side", "kubectl diff --server-side -f side.yaml"),
    Command("apply-server-side", "kubectl apply --server-side -f side.yaml"),
    Command("apply-server-side-again", "kubectl apply --server-side -f side.yaml", settled("side")),
    Command("apply-server-side-conflict", "kubectl apply --server-side --field-manager=two -f side-two.yaml"),
    Command("apply-server-side-forced", "kubectl apply --server-side --field-manager=two --force-conflicts -f side-two.yaml"),
    Command("apply-server-side-removed", "kubectl apply --server-side --field-manager=two -f side-less.yaml && kubectl get wf side -o jsonpath='{.metadata.labels.owner}'"),
    Command("apply-server-side-over-client-side", "kubectl apply --server-side -f a-labelled.yaml"),
    Command("get-managed-fields", "kubectl get wf side -o yaml --show-managed-fields"),
    # change
    Command("label", "kubectl label wf b team=one"),
    Command("label-same", "kubectl label wf b team=one"),
    Command("label-exists", "kubectl label wf b team=two"),
    Command("label-overwrite", "kubectl label wf b team=two --overwrite"),
    Command("label-remove", "kubectl label wf b team-"),
    Command("annotate", "kubectl annotate wf b note='two words'"),
    Command("patch-merge", """kubectl patch wf b --type=merge -p '{"metadata":{"labels":{"patched":"merge"}}}'"""),
    Command("patch-nothing", """kubectl patch wf b --type=merge -p '{"metadata":{"labels":{"patched":"merge"}}}'"""),
    Command("patch-json", """kubectl patch wf b --type=json -p '[{"op":"replace","path":"/metadata/labels/patched","value":"json"}]'"""),
    Command("patch-json-fails", """kubectl patch wf b --type=json -p '[{"op":"test","path":"/metadata/labels/patched","value":"other"}]'"""),
    Command("patch-strategic", """kubectl patch wf b -p '{"metadata":{"labels":{"patched":"strategic"}}}'"""),
    Command("patch-spec-refused", """kubectl patch wf b --type=merge -p '{"spec":{"timeout":"1h"}}'"""),
    Command("patch-dry-run", """kubectl patch wf b --type=merge --dry-run=server -p '{"metadata":{"labels":{"patched":"dry"}}}'"""),
    Command("edit", "KUBE_EDITOR='sed -i s/\"patched: json\"/\"patched: edited\"/' kubectl edit wf b"),
    Command("edit-nothing", "KUBE_EDITOR=true kubectl edit wf b"),
    Command("edit-refused", "KUBE_EDITOR='sed -i s/step-0/other/' kubectl edit wf b"),
    Command("replace", "kubectl get wf b -o json | sed 's/\"patched\": \"edited\"/\"patched\": \"replaced\"/' | kubectl replace -f -"),
    Command("replace-conflict", "kubectl get wf b -o json > old.json; kubectl label wf b moved=on >/dev/null; kubectl replace -f old.json"),
    Command("set-of-changes", "kubectl get wf b -o jsonpath='{.metadata.labels}'"),
    # wait
    Command("wait-condition", "kubectl wait --for=condition=Complete --timeout=60s wf/a"),
    Command("wait-jsonpath", "kubectl wait --for=jsonpath='{.status.phase}'=Succeeded --timeout=60s wf/a"),
    Command("wait-create", "kubectl wait --for=create --timeout=60s wf/a", since="1.31"),
    Command("wait-timeout", "kubectl wait --for=condition=Failed --timeout=8s wf/a"),
    Command("wait-missing", "kubectl wait --for=condition=Complete --timeout=8s wf/no-such"),
    Command("wait-delete", "(sleep 4; kubectl delete wf w >/dev/null) & kubectl wait --for=delete --timeout=60s wf/w; wait", created(labelled("w", "sleep 300"), wait="Running"),
            requests=False),
    # what a Workflow has not got
    Command("logs", "kubectl logs wf/a"),
    Command("scale", "kubectl scale wf/a --replicas=2"),
    Command("rollout", "kubectl rollout status wf/a"),
    # delete
    Command("delete-dry-run", "kubectl delete wf c --dry-run=server"),
    Command("delete", "kubectl delete wf c"),
    Command("delete-missing", "kubectl delete wf c"),
    Command("delete-missing-ignored", "kubectl delete wf c --ignore-not-found"),
    Command("delete-forced", "kubectl delete wf f --force --grace-period=0", created(labelled("f", "true"))),
    Command("delete-foreground", "kubectl delete wf f --cascade=foreground --wait=false && kubectl get wf f -o jsonpath='{.metadata.finalizers}'",
            created(labelled("f", "true"))),
    Command("delete-orphan", "kubectl delete wf o --cascade=orphan --wait=false && kubectl get wf o -o jsonpath='{.metadata.finalizers}'",
            lambda stack, folder: (released("f")(stack, folder), created(labelled("o", "true"))(stack, folder))),
    Command("delete-running", "kubectl delete wf r", lambda stack, folder: (released("o")(stack, folder), created(labelled("r", "sleep 300"), wait="Running")(stack, folder)),
            requests=False),
    Command("delete-selector", "kubectl delete wf -l app=y"),
    Command("delete-file", "kubectl delete -f side.yaml"),
    Command("delete-all", "kubectl delete wf --all"),
    Command("get-after-all", "kubectl get wf"),
]


def write_files(folder):
    for name, manifest in FILES.items():
        (folder / name).write_text(json.dumps(manifest, indent=2) + "\n")
