import ArgumentParser

/// What is done with tokenizers as such; turning text into ids is `tokenize`.
struct TokenizerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenizer",
        abstract: "Learn a tokenizer from text.",
        discussion: "Example: corvid tokenizer train --file corpus.txt --output words",
        subcommands: [TokenizerTrainCommand.self])
}
