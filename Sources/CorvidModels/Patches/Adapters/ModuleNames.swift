/// What other programs call the weights of a model: the names of its family's declaration, with layers.
struct ModuleNames {
    private var targets: [String: WeightTarget] = [:]
    private var names: [WeightTarget: String] = [:]
    private let prefix: String

    /// - Parameter isGGUF: names in GGUF files; else in Hugging Face's.
    init(_ configuration: ModelConfiguration, isGGUF: Bool = false) {
        let family = configuration.family
        prefix = isGGUF ? "" : family.optionalPrefix
        for (role, declared) in family.names(isGGUF: isGGUF) {
            let layers: [Int?] = role.isPerLayer ? Array(0..<configuration.layers) : [nil]
            for layer in layers {
                let target = WeightTarget(role, layer: layer)
                for template in declared.all {
                    let name = template.replacing("{layer}", with: layer.map(String.init) ?? "")
                    if targets[name] == nil { targets[name] = target }
                    if names[target] == nil { names[target] = name }
                }
            }
        }
    }

    /// The weight of a module; nil if there is none. A prefix that some programs leave out may be missing.
    func target(of module: String) -> WeightTarget? { targets[module] ?? targets[prefix + module] }

    /// The first name of a weight; nil if it has none.
    func name(of target: WeightTarget) -> String? { names[target] }
}
