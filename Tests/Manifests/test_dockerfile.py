"""The Dockerfile is clean, pinned, and has what the programs load."""

import re
import subprocess

import pytest

from rendering import ENGINE, GATEWAY, HADOLINT, ROOT, container, rendered, run

TEXT = (ROOT / "Dockerfile").read_text()
# Shared library: the Debian package that has it, or the base image for what apt itself needs.
LIBRARIES = {
    "libcurl.so.4": "libcurl4", "libssl.so.3": "libssl3", "libcrypto.so.3": "libssl3", "libz.so.1": "zlib1g",
    "libstdc++.so.6": None, "libgcc_s.so.1": None, "libm.so.6": None, "libc.so.6": None,
    "ld-linux-x86-64.so.2": None, "ld-linux-aarch64.so.1": None,
}


def test_hadolint():
    if not HADOLINT.exists():
        pytest.skip("hadolint is not installed: hack/test-tools")
    run(HADOLINT, ROOT / "Dockerfile")


def test_bases_are_pinned():
    bases = dict(re.findall(r"^ARG (\w+_IMAGE)=(\S+)$", TEXT, re.M))
    assert set(bases) == {"SWIFT_IMAGE", "RUNTIME_IMAGE"}
    for image in bases.values():
        assert re.search(r":\d+\.\d+", image), image
    known = set(bases) | set(re.findall(r" AS (\w+)$", TEXT, re.M))
    for base in re.findall(r"^FROM (\S+)", TEXT, re.M):
        assert base.strip("${}") in known, base


@pytest.mark.parametrize("program", [GATEWAY, ENGINE], ids=lambda path: path.name)
def test_the_runtime_has_every_shared_library(program):
    if not program.exists():
        pytest.skip("no binary: run hack/build first")
    needed = set(re.findall(r"NEEDED.*\[(.+)\]", run("readelf", "-d", program)))
    # Those of Swift and Foundation are linked in by --static-swift-stdlib.
    swift = {library for library in needed if re.match(r"lib(swift|_?Foundation|dispatch|BlocksRuntime)", library)}
    assert needed - swift <= set(LIBRARIES), "a new library: add its package to the Dockerfile"
    installed = re.findall(r"--no-install-recommends ([^\\\n]+)", TEXT.split(" AS runtime")[1])[0].split()
    assert {LIBRARIES[library] for library in needed - swift} - {None} <= set(installed)


def test_the_image_is_what_the_manifests_expect():
    assert re.search(r"^USER 65532:65532$", TEXT, re.M)
    assert 'ENTRYPOINT ["/usr/bin/workflow-apiserver"]' in TEXT
    assert TEXT.rstrip().endswith('ENTRYPOINT ["/usr/bin/workflow-apiserver"]'), "the gateway is the default target"
    assert "--adapters-dir=/usr/share/workflow-apiserver/adapters" in container(rendered("kustomize:base"))["args"]
    assert "EXPOSE 6443" in TEXT


def test_the_build_sees_what_it_copies():
    """.dockerignore leaves out everything that it does not name."""
    shown = {line[1:].split("/")[0] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {source.rstrip("*") for line in re.findall(r"^COPY (?!--from)(.+)$", TEXT, re.M) for source in line.split()[:-1]}
    assert copied <= shown
    paths = set(re.findall(r'path: "(\w+)', (ROOT / "Package.swift").read_text())) | {"Sources", "Tests"}
    assert paths <= shown, "Package.swift has targets in folders that the image's build does not see"
    tracked = subprocess.run(["git", "ls-files", "Package.swift"], cwd=ROOT, capture_output=True, text=True).stdout
    assert tracked.strip() in ("Package.swift", "")
