import CorvidTensors
import CorvidText

/// Reads llama.cpp's adapters: LoRA (`general.type` adapter, `adapter.type` lora) and control vectors
/// (`general.architecture` controlvector).
///
/// Source: how llama.cpp applies them. A product's factor is alpha / rank, or 1 if alpha is 0; `direction.N` is
/// added to the output of block N.
struct GGUFAdapterImport {
    private let gguf: GGUFFile
    private let file: AdapterFile
    private let model: Model

    init(_ gguf: GGUFFile, for model: Model) {
        self.gguf = gguf
        file = AdapterFile(source: gguf, path: gguf.path)
        self.model = model
    }

    /// Whether a GGUF file is an adapter rather than a model.
    static func isAdapter(_ gguf: GGUFFile) throws -> Bool {
        try gguf.string("general.type") == "adapter" || isControlVector(gguf)
    }

    private static func isControlVector(_ gguf: GGUFFile) throws -> Bool {
        try gguf.string("general.architecture") == "controlvector"
    }

    /// - Throws: ``AdapterError``, ``FormatError``.
    func patch(name: String) throws -> Patch {
        let isVector = try Self.isControlVector(gguf)
        var header = PatchHeader(name: name, method: isVector ? "control-vector" : "lora")
        header.data = [.init(name: "adapter", digest: try Digest(fileAt: gguf.path))]
        return try Patch(header, isVector ? directions() : lora())
    }

    private func directions() throws -> [Patch.Change] {
        let layers = model.configuration.layers
        let changes = try gguf.names.sorted().map { name -> Patch.Change in
            guard name.hasPrefix("direction."), let layer = Int(name.dropFirst("direction.".count)),
                layer >= 1
            else {
                throw AdapterError.tensor(
                    file: file.path, name: name, reason: "is no direction.N with N from 1")
            }
            guard layer < layers else {
                throw AdapterError.tensor(
                    file: file.path, name: name,
                    reason: "is for a block that the model, which has \(layers), has not")
            }
            let vector = try file.numbers(name, axes: 1)
            return try file.change(name) { .addition(try SiteAddition(vector, at: .output(of: layer))) }
        }
        guard !changes.isEmpty else { throw AdapterError.missing(file: file.path, name: "any direction.N") }
        return changes
    }

    private func lora() throws -> [Patch.Change] {
        let c = model.configuration
        let type = try gguf.string("adapter.type") ?? ""
        guard type == "lora" else {
            throw AdapterError.field(file: file.path, name: "adapter.type", found: type)
        }
        let architecture = try gguf.string("general.architecture") ?? ""
        let expected = c.family.gguf?.architecture ?? "of a family without GGUF files"
        guard architecture == expected else {
            throw AdapterError.architecture(file: file.path, found: architecture, expected: expected)
        }
        let alpha = try gguf.float("adapter.lora.alpha") ?? 0
        let names = ModuleNames(c, isGGUF: true)
        var changes: [Patch.Change] = []
        for name in gguf.names.sorted() {
            if name.hasSuffix(".weight.lora_b") { continue }
            guard let module = name.without(".weight.lora_a"), let target = names.target(of: module) else {
                throw AdapterError.module(file: file.path, name: name, family: c.family.name)
            }
            var down = try file.matrix(name)
            var up = try file.matrix(module + ".weight.lora_b")
            // A table's first factor is looked up by rows.
            if target.role.isTable { down = try down.transposed() }
            if let order = GGUFRows.order(target, c, rows: up.rows) { up = try up.ordered(order) }
            let scale = alpha == 0 ? 1 : Float(alpha / Double(max(1, down.rows)))
            let (a, b) = (down, up)
            changes.append(
                try file.change(name) {
                    target.role.isTable
                        ? .tableLowRank(try TableLowRank(target, down: a, up: b, scale: scale))
                        : .lowRank(try LowRankDelta(target, down: a, up: b, scale: scale))
                })
        }
        guard !changes.isEmpty else {
            throw AdapterError.missing(file: file.path, name: "any tensor of an adapter")
        }
        return changes
    }
}

/// Rows of queries and keys as GGUF stores them, where they differ from Hugging Face's.
enum GGUFRows {
    /// The row of GGUF that stands at each place of Hugging Face; nil if they are the same.
    static func order(_ target: WeightTarget, _ c: ModelConfiguration, rows: Int) -> [Int]? {
        guard target.role == .query || target.role == .key, let pairs = c.family.gguf?.rotaryPairs,
            case .rotary(let declared) = c.family.positions, pairs != declared, declared == .halves,
            let rotary = c.rotary, c.headWidth > 0, rows % c.headWidth == 0
        else { return nil }
        let half = rotary.width / 2
        return (0..<rows / c.headWidth).flatMap { head in
            (0..<c.headWidth).map { dimension in
                let place =
                    dimension < half
                    ? 2 * dimension : dimension < 2 * half ? 2 * (dimension - half) + 1 : dimension
                return head * c.headWidth + place
            }
        }
    }
}

extension Tensor {
    /// The rows in another order, in f32; the row at each place is that of `order`.
    func ordered(_ order: [Int]) throws -> Tensor {
        let values = try floats()
        var result: [Float] = []
        result.reserveCapacity(values.count)
        for row in order { result += values[row * columns..<(row + 1) * columns] }
        return try Tensor(result, shape: [order.count, columns])
    }
}
