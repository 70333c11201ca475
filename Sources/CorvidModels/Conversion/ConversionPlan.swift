import CorvidTensors

/// Which tensors a converted model has, and how each is made.
struct ConversionPlan {
    /// One tensor of the result.
    struct Item {
        let plan: TensorPlan
        /// What it is made from.
        let use: WeightUse
        /// A matrix whose stored axes change places.
        let isTransposed: Bool
        /// The stored row or value at each place, nil for zeros; without it all in their order.
        let order: [Int?]?
        /// The same for the columns of a matrix.
        var places: [Int?]?
        let isMatrix: Bool
        /// The scales of an int8 matrix, which are written as a tensor of their own.
        let scales: TensorPlan?

        /// Whether it is not simply all of what is stored, in its order.
        var isSelected: Bool { order != nil || places != nil }
    }

    let configuration: ModelConfiguration
    let loader: WeightLoader
    let items: [Item]
    let hasHead: Bool
    /// What is done to tensors on the way, by their names in the source.
    var edits: [String: WeightEdit] = [:]

    /// - Parameters:
    ///   - type: for matrices and the token embedding; nil: each keeps its own.
    ///   - layout: of the result; nil plans what is held in memory when a model runs.
    ///   - removal: heads that the result does not have.
    /// - Throws: what loading the model throws, and ``ConversionError``.
    init(
        _ files: ModelFiles, to type: DType?, layout: ModelFiles.Layout?, removing removal: HeadRemoval? = nil
    ) throws {
        let configuration = try files.modelConfiguration()
        if let layout, layout != files.layout { try Self.refuseOtherNames(configuration) }
        let loader = WeightLoader(
            source: files.tensors, configuration: configuration, computeType: nil, file: files.path,
            isGGUF: files.layout == .gguf)
        // Everything that would refuse the model refuses it here.
        _ = try Transformer(loader, cacheType: .f16)
        self.configuration = configuration
        self.loader = loader
        let rules = Rules(
            configuration: configuration, source: files.layout, layout: layout, type: type,
            removal: try removal.map { try HeadPlaces($0, configuration, isGGUF: files.layout == .gguf) })
        var items: [Item] = []
        var seen = Set<String>()
        for use in loader.uses where seen.insert(use.name).inserted {
            guard let role = use.role, let entry = files.tensors.entry(named: use.name) else { continue }
            if let item = try rules.item(use, role, entry) { items.append(item) }
        }
        self.items = items
        hasHead = loader.uses.contains { $0.role == .head && $0.part == "weight" }
    }

    /// Only families whose GGUF files have the common names can change the format.
    private static func refuseOtherNames(_ configuration: ModelConfiguration) throws {
        let family = configuration.family
        guard let naming = family.gguf, family.changesFormat else {
            throw ConversionError.family(
                name: family.name, known: Family.all.filter(\.changesFormat).map(\.name))
        }
        guard configuration.output == naming.output else {
            throw ConversionError.setting(path: family.name, what: "the model gives no logits")
        }
    }

    /// The tensors of the result.
    var tensors: [TensorPlan] { items.flatMap { [$0.plan] + ($0.scales.map { [$0] } ?? []) } }
}

extension ModelFiles {
    /// The types that the tensors of a model have when it runs with weights of `type`: how many there are of
    /// each, and their bytes; most bytes first.
    /// - Throws: what loading the model throws.
    public func types(convertedTo type: DType) throws -> [(type: DType, tensors: Int, bytes: Int)] {
        let plan = try ConversionPlan(self, to: type, layout: nil)
        return ConversionPlan.summary(plan.tensors)
    }
}

extension ConversionPlan {
    static func summary(_ tensors: [TensorPlan]) -> [(type: DType, tensors: Int, bytes: Int)] {
        var counts: [DType: (tensors: Int, bytes: Int)] = [:]
        for plan in tensors {
            let count = counts[plan.type] ?? (0, 0)
            counts[plan.type] = (count.tensors + 1, count.bytes + plan.byteCount)
        }
        return counts.map { ($0.key, $0.value.tensors, $0.value.bytes) }
            .sorted { ($0.2, $1.0.rawValue) > ($1.2, $0.0.rawValue) }
    }

    /// How one tensor becomes another.
    private struct Rules {
        let configuration: ModelConfiguration
        let source: ModelFiles.Layout
        let layout: ModelFiles.Layout?
        let type: DType?
        let removal: HeadPlaces?

        /// nil for what the result does not have.
        func item(_ use: WeightUse, _ role: WeightRole, _ entry: TensorEntry) throws -> Item? {
            let name = try name(of: use, role)
            let ordered = order(use, role)
            let kept = removal?.outputs(role, layer: use.layer)
            let outputs: [Int?]? = kept.map { $0.map { ordered?[$0] ?? $0 } } ?? ordered
            let inputs = use.part == "weight" ? removal?.inputs(role, layer: use.layer) : nil
            guard entry.shape.count == 2, role != .distanceBias else {
                // A bias has a value for each output.
                if outputs?.isEmpty == true { return nil }
                let plan = try TensorPlan(
                    name: name, type: vectorType(entry), shape: outputs.map { [$0.count] } ?? entry.shape)
                return Item(
                    plan: plan, use: use, isTransposed: false, order: outputs, isMatrix: false, scales: nil)
            }
            let wanted = type == nil ? use.orientation : orientation(role)
            let isTransposed = use.orientation != wanted
            var shape = isTransposed ? entry.shape.reversed() : entry.shape
            // Rows of the result are outputs, or inputs where the family stores them so.
            let areOutputs = wanted == .rows
            let (order, places) = areOutputs ? (outputs, inputs) : (inputs, outputs)
            if let order { shape[0] = order.count }
            if let places { shape[1] = places.count }
            guard !shape.contains(0) else { return nil }
            let columns = shape.last ?? 1
            let isKept = role.isSmallTable && type?.isCompact == true
            let matrixType =
                isKept
                ? vectorType(entry) : type?.weightType(columns: columns) ?? entry.type ?? .f32
            let plan = try TensorPlan(name: name, type: matrixType, shape: shape)
            let scales =
                matrixType == .i8
                ? try TensorPlan(name: name + WeightUse.scaleSuffix, type: .f32, shape: [shape[0]]) : nil
            return Item(
                plan: plan, use: use, isTransposed: isTransposed, order: order, places: places,
                isMatrix: true, scales: scales)
        }

        private func name(of use: WeightUse, _ role: WeightRole) throws -> String {
            guard let layout, layout != source else { return use.name }
            let names = configuration.family.names(isGGUF: layout == .gguf)
            guard let template = names[role]?.all.first else {
                throw ConversionError.tensor(file: use.name, name: use.name)
            }
            return template.replacing("{layer}", with: use.layer.map(String.init) ?? "") + "." + use.part
        }

        /// Norms, biases and tables of positions: as they are where the format allows it; GGUF wants f32.
        private func vectorType(_ entry: TensorEntry) -> DType {
            guard let type = entry.type, layout != nil else { return entry.type ?? .f32 }
            if layout == .gguf, source == .gguf { return type }
            return layout == .gguf || type.isBlock ? .f32 : type
        }

        /// Which axis of a matrix runs along the outputs in the result.
        private func orientation(_ role: WeightRole) -> Linear.Orientation {
            let keeps = layout == .huggingFace ? type != .i8 : layout == nil && type?.isCompact != true
            let isFolder = layout == .huggingFace || source == .huggingFace
            return keeps && isFolder && role.isOriented ? configuration.family.orientation : .rows
        }

        /// Queries and keys of families whose GGUF files pair neighbours where Hugging Face pairs halves: value
        /// `2 i + j` of a head in GGUF is value `j D/2 + i` of it there.
        private func order(_ use: WeightUse, _ role: WeightRole) -> [Int]? {
            guard let layout, layout != source, role == .query || role == .key,
                let pairs = configuration.family.gguf?.rotaryPairs,
                case .rotary(let declared) = configuration.family.positions, pairs != declared
            else { return nil }
            let heads = role == .query ? configuration.heads : configuration.keyValueHeads
            let width = configuration.headWidth
            let half = width / 2
            return (0..<heads * width).map { place in
                let head = place / width * width
                let inHead = place % width
                return head
                    + (layout == .gguf
                        ? inHead % 2 * half + inHead / 2 : inHead % half * 2 + inHead / half)
            }
        }
    }
}

extension Family {
    /// Whether there is a form for it both in folders and in GGUF files that are written.
    var changesFormat: Bool {
        guard let gguf, gguf.isWritten else { return false }
        return gguf.weights.isEmpty && gguf.encoder.isEmpty && encoder.isEmpty && sees == .earlier
    }
}
