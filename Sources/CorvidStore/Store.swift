import Foundation

/// The folder in which models and the history of the chat lie.
public struct Store: Sendable, Equatable {
    /// Absolute path of the folder; it need not exist.
    public let root: String
    /// Where models of the Hugging Face hub were put by other programs.
    public let hubCache: HuggingFaceCache

    /// Name of the model that a command runs when none is named.
    public static let defaultModel = "SmolLM2-135M-Instruct"

    public init(root: String, hubCache: HuggingFaceCache) {
        self.root = root
        self.hubCache = hubCache
    }

    /// `$CORVID_HOME`, else `$XDG_DATA_HOME/corvid`, else `~/.local/share/corvid`.
    /// - Throws: ``StoreError/noHome`` when none of these variables nor `HOME` is set.
    public init(environment: [String: String] = ProcessInfo.processInfo.environment) throws {
        func variable(_ name: String) -> String? {
            guard let value = environment[name], !value.isEmpty else { return nil }
            return value
        }
        if let folder = variable("CORVID_HOME") {
            root = folder
        } else if let data = variable("XDG_DATA_HOME") {
            root = data + "/corvid"
        } else if let home = variable("HOME") {
            root = home + "/.local/share/corvid"
        } else {
            throw StoreError.noHome
        }
        hubCache = HuggingFaceCache(environment: environment)
    }

    /// The folder that holds one folder for each model.
    public var models: String { root + "/models" }

    /// Lines typed into the chat.
    public var chatHistory: String { root + "/chat-history" }

    /// The database of all runs.
    public var runs: String { root + "/runs.sqlite" }

    /// Names of the models in the store, in alphabetical order.
    public var modelNames: [String] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: models)) ?? []
        return entries.filter { name in
            ModelName.isComponent(name) && holdsModel(models + "/" + name)
        }.sorted()
    }

    /// Whether a folder has the look of a model: a configuration, or a GGUF file.
    func holdsModel(_ folder: String) -> Bool {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return entries.contains { $0 == "config.json" || ($0.hasSuffix(".gguf") && !$0.hasPrefix(".")) }
    }
}

extension Store {
    /// Makes the folder of the store, if there is none.
    public func prepare() throws {
        try FileManager.default.createDirectory(
            atPath: root, withIntermediateDirectories: true)
    }
}
