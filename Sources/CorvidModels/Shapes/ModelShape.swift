import CorvidText

/// The sizes of a published model, without its weights: what a machine can be judged by before a download.
///
/// A shape is the `config.json` of its model, so that ``ModelConfiguration`` reads and checks it as any other.
///
///     let shape = ModelShape.named("gpt-j-6b")
///     let configuration = try shape?.configuration(layers: 4)
public struct ModelShape: Sendable {
    public let name: String
    /// Blocks of the published model.
    public let layers: Int
    private let makeConfig: @Sendable (_ layers: Int) -> JSON

    init(_ name: String, layers: Int, config: @escaping @Sendable (_ layers: Int) -> JSON) {
        self.name = name
        self.layers = layers
        makeConfig = config
    }

    /// What the model's `config.json` says of its sizes.
    /// - Parameter layers: blocks; nil: as many as the published model has.
    public func config(layers: Int? = nil) -> JSON { makeConfig(layers ?? self.layers) }

    /// The sizes and choices of a model of this shape.
    /// - Throws: ``ConfigurationError`` for a number of layers that no model has.
    public func configuration(layers: Int? = nil) throws -> ModelConfiguration {
        let layers = layers ?? self.layers
        // Checked before the config is made: it may hold an entry for each layer.
        guard (1...4096).contains(layers) else {
            throw ConfigurationError.setting(
                file: name, key: "layers", found: "\(layers)", expected: "1...4096")
        }
        return try ModelConfiguration(huggingFace: config(layers: layers), file: name)
    }

    /// The shape of that name, in capital or small letters.
    public static func named(_ name: String) -> ModelShape? {
        let name = name.lowercased()
        return all.first { $0.name == name }
    }
}
