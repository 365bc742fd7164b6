// swift-tools-version: 6.1
import PackageDescription

/// Measurements of the target CEL: `swift run -c release` in this folder.
let package = Package(
  name: "cel-benchmark",
  dependencies: [.package(name: "workflow-apiserver", path: "../..")],
  targets: [
    .executableTarget(
      name: "CELBenchmark",
      dependencies: [.product(name: "CEL", package: "workflow-apiserver"), .product(name: "JSON", package: "workflow-apiserver")])
  ]
)
