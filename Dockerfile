# Two images from one build: `gateway` (the default) and `engine`, the built-in engine for trying things out.
#
#   docker build -t workflow-apiserver:0.1.0 .
#   docker build -t workflow-engine:0.1.0 --target engine .
#
# For a build that gives the same image again, pin both bases by digest and name the commit's time and id:
#   --build-arg SWIFT_IMAGE=swift:6.3.1-bookworm@sha256:… --build-arg RUNTIME_IMAGE=debian:12.11-slim@sha256:…
#   --build-arg SOURCE_DATE_EPOCH="$(git log -1 --format=%ct)" --build-arg REVISION="$(git rev-parse HEAD)"
# and have a Package.resolved in the folder.
ARG SWIFT_IMAGE=swift:6.3.1-bookworm
ARG RUNTIME_IMAGE=debian:12.11-slim

FROM ${SWIFT_IMAGE} AS build
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
# Debian keeps one version of a package, the patched one: to pin it here would break the build at the next security fix.
# hadolint ignore=DL3008
RUN apt-get update \
  && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends libcurl4-openssl-dev libssl-dev pkg-config zlib1g-dev \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# The dependencies first: they change less often than the sources.
COPY Package.swift Package.resolved* ./
RUN swift package resolve
COPY Sources Sources
COPY adapters adapters
# SwiftPM wants to see the folders of all targets, also of those that are not built.
COPY Tests Tests
RUN for product in workflow-apiserver workflow-engine; do \
    swift build --configuration release --static-swift-stdlib --product "$product"; \
  done \
  && install -D -t /out/bin .build/release/workflow-apiserver .build/release/workflow-engine \
  && strip /out/bin/* \
  && for file in adapters/*/adapter.yaml; do install -D -m 0644 "$file" "/out/share/workflow-apiserver/$file"; done

# Swift's libraries are in the programs; what they load from the system is the C and C++ libraries and time zones that the base has, and these.
FROM ${RUNTIME_IMAGE} AS runtime
# hadolint ignore=DL3008
RUN apt-get update \
  && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates libcurl4 libssl3 zlib1g \
  && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/log/apt /var/log/dpkg.log
# By number, so that runAsNonRoot can be checked. Nobody of that name is in /etc/passwd, and nobody has to be.
USER 65532:65532

FROM runtime AS engine
COPY --from=build /out/bin/workflow-engine /usr/bin/workflow-engine
ENTRYPOINT ["/usr/bin/workflow-engine"]

FROM runtime AS gateway
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="workflow-apiserver" \
  org.opencontainers.image.description="Shows an existing CI or workflow engine as Kubernetes resources" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"
# The default of --adapters-dir is the folder `adapters` here.
WORKDIR /usr/share/workflow-apiserver
COPY --from=build /out/share/workflow-apiserver /usr/share/workflow-apiserver
COPY --from=build /out/bin/workflow-apiserver /usr/bin/workflow-apiserver
EXPOSE 6443
ENTRYPOINT ["/usr/bin/workflow-apiserver"]
