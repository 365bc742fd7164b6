// swift-tools-version: 6.1
import PackageDescription

/// The three flags under which a dependency that leaks into an API is visible as `public import`.
let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

let collections = Target.Dependency.product(name: "OrderedCollections", package: "swift-collections")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let nio: [Target.Dependency] = [
  .product(name: "NIOCore", package: "swift-nio"),
  .product(name: "NIOPosix", package: "swift-nio"),
  .product(name: "NIOHTTP1", package: "swift-nio"),
]
let nioTLS: [Target.Dependency] = [
  .product(name: "NIOTLS", package: "swift-nio"),
  .product(name: "NIOHTTP2", package: "swift-nio-http2"),
  .product(name: "NIOHPACK", package: "swift-nio-http2"),
  .product(name: "NIOSSL", package: "swift-nio-ssl"),
]

func library(_ name: String, _ dependencies: [Target.Dependency] = [], path: String? = nil) -> Target {
  .target(name: name, dependencies: dependencies, path: path, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = [], path: String? = nil) -> Target {
  .testTarget(name: name + "Tests", dependencies: [.byName(name: name)] + dependencies, path: path, swiftSettings: strict)
}

let package = Package(
  name: "workflow-apiserver",
  products: [
    .executable(name: "workflow-apiserver", targets: ["workflow-apiserver"]),
    .executable(name: "workflow-engine", targets: ["workflow-engine"]),
    .executable(name: "kubectl-workflow", targets: ["kubectl-workflow"]),
    .library(name: "AdapterKit", targets: ["AdapterKit"]),
    .library(name: "AdapterConformance", targets: ["AdapterConformance"]),
    .library(name: "CEL", targets: ["CEL"]),
    .library(name: "JSON", targets: ["JSON"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // Leaves: values, no input or output.
    library("JSON", [collections]),
    library("CEL", ["JSON", collections]),
    library("KubeWire", ["JSON", collections]),
    library("HTTPMessage"),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    library("Compression", ["CZlib"]),
    library("YAMLText", ["JSON", collections, yams]),

    // The seam to the engines, and what implements it.
    library("AdapterKit", ["JSON", collections]),
    library("AdapterConformance", ["AdapterKit", "JSON", collections]),
    library("DeclarativeAdapter", ["AdapterKit", "CEL", "JSON", "Certificates", "YAMLText", collections, yams]),
    library("InMemoryAdapter", ["AdapterKit", "JSON", collections], path: "adapters/InMemory/Sources"),
    .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    library("CurlTransport", ["AdapterKit", "CCurl"]),

    // The gateway.
    .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
    library("Certificates", ["COpenSSL"]),
    library("Translation", ["KubeWire", "AdapterKit", "JSON", "Certificates", collections]),
    library(
      "APIServer", ["Translation", "KubeWire", "AdapterKit", "JSON", "HTTPMessage", "YAMLText", "Compression", collections, logging]),
    library("HTTPServer", ["HTTPMessage", "Certificates", logging] + nio + nioTLS),

    // What the gateway asks its cluster.
    library("KubeClient", ["AdapterKit", "CurlTransport", "JSON", "KubeWire", "YAMLText", collections, logging]),
    library(
      "Delegation", ["APIServer", "HTTPMessage", "JSON", "KubeClient", "KubeWire", "Certificates", "Translation", collections, logging]),
    library("ClusterEvents", ["JSON", "KubeClient", "KubeWire", "Translation", collections, logging]),
    library(
      "Admission", ["AdapterKit", "CEL", "CurlTransport", "JSON", "KubeClient", "KubeWire", "Translation", collections, logging]),
    library("Configuration", ["AdapterKit", "JSON", "KubeWire", "YAMLText", collections, yams]),
    .executableTarget(
      name: "workflow-apiserver",
      dependencies: [
        "APIServer", "HTTPServer", "HTTPMessage", "Translation", "KubeWire", "AdapterKit", "DeclarativeAdapter", "CurlTransport",
        "Configuration", "Certificates", "JSON", "KubeClient", "Delegation", "Admission", "ClusterEvents", logging, argumentParser,
      ],
      path: "Sources/Serve", swiftSettings: strict),

    .executableTarget(
      name: "kubectl-workflow", dependencies: [argumentParser], path: "Sources/KubectlWorkflow", swiftSettings: strict),

    // The built-in engine, a program of its own.
    library(
      "EngineCore",
      [
        "JSON", collections, logging,
        .product(name: "Subprocess", package: "swift-subprocess"),
        .product(name: "SystemPackage", package: "swift-system"),
      ] + nio),
    .executableTarget(
      name: "workflow-engine", dependencies: ["EngineCore", logging, argumentParser], path: "Sources/Engine", swiftSettings: strict),

    // Tests, one target per target.
    library("TestSupport", ["JSON"]),
    tests("JSON", ["TestSupport", collections]),
    tests("AdapterKit", ["JSON", "TestSupport"]),
    tests("CEL", ["JSON", "TestSupport", collections]),
    tests("KubeWire", ["JSON", "TestSupport", collections]),
    tests("Certificates"),
    tests("CurlTransport", ["AdapterKit", "TestSupport"]),
    tests("DeclarativeAdapter", ["AdapterKit", "CEL", "CurlTransport", "JSON", "TestSupport", collections, yams]),
    tests(
      "AdapterConformance", ["AdapterKit", "CurlTransport", "DeclarativeAdapter", "InMemoryAdapter", "JSON", "TestSupport", collections]),
    tests("Configuration", ["JSON"]),
    tests("Translation", ["AdapterKit", "JSON", "KubeWire", collections]),
    tests(
      "APIServer", ["AdapterKit", "HTTPMessage", "InMemoryAdapter", "JSON", "KubeWire", "Translation", "YAMLText", collections, logging]),
    tests("HTTPServer", ["Certificates", "HTTPMessage", logging, .product(name: "NIOEmbedded", package: "swift-nio")] + nio + nioTLS),
    tests("EngineCore", ["JSON", collections, logging]),
    tests("ClusterEvents", ["AdapterKit", "InMemoryAdapter", "JSON", "KubeClient", "KubeWire", "Translation", collections, logging]),
    tests("Compression"),
    tests("YAMLText", ["JSON", "TestSupport", collections, yams]),
    tests("KubeClient", ["AdapterKit", "CurlTransport", "JSON", "KubeWire", "TestSupport", collections, logging]),
    tests(
      "Delegation",
      ["APIServer", "Certificates", "HTTPMessage", "JSON", "KubeClient", "KubeWire", "TestSupport", "Translation", collections, logging]),
    tests("Admission", ["AdapterKit", "CEL", "JSON", "KubeClient", "KubeWire", "TestSupport", "Translation", collections, logging]),
  ]
)
