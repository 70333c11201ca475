import ArgumentParser
import CorvidModels
import CorvidText

/// Shows which models run.
struct FamiliesCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "families",
        abstract: "List the model families that run.",
        discussion: """
            A model's config.json names its class under "architectures"; a .gguf file names its family under \
            general.architecture.

            Example: corvid families
            """)

    @OptionGroup var output: OutputOptions

    func report(to console: Console) async throws -> FamiliesReport { FamiliesReport(families: Family.all) }
}

struct FamiliesReport: Report {
    let families: [Family]

    var json: JSON {
        [
            "families": .array(
                families.map { family in
                    [
                        "name": .string(family.name), "kind": .string(Self.kind(family)),
                        "architectures": .array(family.architectures.map { .string($0.name) }),
                        "gguf": family.gguf.map { .string($0.architecture) } ?? .null,
                    ]
                })
        ]
    }

    var lines: String {
        var table = TextTable(.left, .left, .left, .left)
        table.add("family", "kind", "GGUF", "architectures")
        for family in families {
            table.add(
                family.name, Self.kind(family), family.gguf?.architecture ?? "-",
                family.architectures.map(\.name).joined(separator: ", "))
        }
        return table.lines
    }

    private static func kind(_ family: Family) -> String {
        if !family.encoder.isEmpty { return "encoder-decoder" }
        return family.sees == .earlier ? "decoder" : "encoder"
    }
}
