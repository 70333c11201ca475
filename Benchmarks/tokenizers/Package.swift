// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "tokenizers",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "Corvid", path: "../..")],
    targets: [
        .executableTarget(
            name: "tokenizer-bench", dependencies: [.product(name: "Corvid", package: "Corvid")])
    ]
)
