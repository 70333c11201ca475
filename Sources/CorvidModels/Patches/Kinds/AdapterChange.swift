import CorvidTensors
import CorvidText

/// h + scale · (up f(down x + b) + c): a bottleneck adapter (Houlsby et al., 2019; He et al., 2022, where x is
/// another site of the same block).
public struct AdapterChange: PatchChange {
    public let site: Site
    public let positions: Positions
    /// nil: the adapter reads what it changes.
    public let reading: Site.Kind?
    public let activation: Activation
    /// `[bottleneck, width]` and `[width, bottleneck]`.
    public let down, up: Tensor
    /// `[bottleneck]` and `[width]`, or nil.
    public let downBias, upBias: Tensor?
    public let scale: Float

    /// - Throws: ``PatchError/shape(place:reason:)``.
    public init(
        at site: Site, down: Tensor, downBias: Tensor? = nil, up: Tensor, upBias: Tensor? = nil,
        activation: Activation, reading: Site.Kind? = nil, positions: Positions = .all, scale: Float = 1
    ) throws {
        let all = [down, up] + [downBias, upBias].compactMap { $0 }
        try PatchError.require(
            down.shape.count == 2 && up.shape.count == 2 && down.rows == up.columns
                && (reading != nil || down.columns == up.rows) && down.count > 0 && up.count > 0
                && downBias.map { $0.shape == [down.rows] } ?? true
                && upBias.map { $0.shape == [up.rows] } ?? true && all.allSatisfy(\.isPatchType), site,
            "the matrices have shapes \(down.shape) and \(up.shape), expected [bottleneck, width] and its reverse"
        )
        try PatchError.require(
            reading == nil || (site.layer != nil && reading?.isPerLayer == true && down.columns == up.rows),
            site, "an adapter reads a site of the same block and width")
        try SiteRules.check(site, positions, .all)
        try PatchError.require(scale.isFinite, site, "the scale is no finite number")
        self.site = site
        self.positions = positions
        self.reading = reading
        self.activation = activation
        self.down = down
        self.up = up
        self.downBias = downBias
        self.upBias = upBias
        self.scale = scale
    }

    init(_ reader: inout ChangeReader) throws {
        let site = try reader.fields.site()
        let positions = try reader.fields.positions()
        let size = try reader.fields.integers("shape", 1...PatchFile.Limits.position, limit: 2)
        guard size.count == 2 else {
            throw reader.fields.wrong("shape", "\(size)", expected: "[bottleneck, width]")
        }
        let name = try reader.fields.text("activation", limit: 64)
        guard let activation = Activation(rawValue: name) else {
            throw reader.fields.wrong(
                "activation", name, expected: Activation.allCases.map(\.rawValue).joined(separator: ", "))
        }
        var reading: Site.Kind?
        if let value = try reader.fields.value("reading") {
            guard let kind = value.string.flatMap(Site.Kind.init(rawValue:)) else {
                throw reader.fields.wrong("reading", value.kindName, expected: "the kind of a site")
            }
            reading = kind
        }
        let scale = try reader.fields.number("scale")
        try self.init(
            at: site, down: try reader.numbers("down", [size[0], size[1]]),
            downBias: try reader.optionalNumbers("down_bias", [size[0]]),
            up: try reader.numbers("up", [size[1], size[0]]),
            upBias: try reader.optionalNumbers("up_bias", [size[1]]), activation: activation,
            reading: reading, positions: positions, scale: scale)
    }

    var fields: JSONObject {
        var object: JSONObject = ["site": .string("\(site)")]
        if positions != .all { object["positions"] = positions.json }
        object["shape"] = [.integer(Int64(down.rows)), .integer(Int64(up.rows))]
        object["activation"] = .string(activation.rawValue)
        if let reading { object["reading"] = .string(reading.rawValue) }
        object["scale"] = .number(Double(scale))
        return object
    }
    var tensors: [(part: String, tensor: Tensor)] {
        [("down", down)] + (downBias.map { [("down_bias", $0)] } ?? []) + [("up", up)]
            + (upBias.map { [("up_bias", $0)] } ?? [])
    }
    var place: String { "\(site)" }
    var touched: [WeightTarget] { WeightTarget.touched(by: site) }
    /// What is read elsewhere is only added here.
    var order: ChangeOrder { reading == nil ? .sequence : .sum }

    func scaled(by factor: Float) -> Patch.Change? {
        (try? AdapterChange(
            at: site, down: down, downBias: downBias, up: up, upBias: upBias, activation: activation,
            reading: reading, positions: positions, scale: scale * factor)).map { .adapter($0) }
    }

    func check(_ configuration: ModelConfiguration) throws {
        for change in siteChanges(1, configuration) { try configuration.check(change) }
    }

    func siteChanges(_ factor: Float, _ configuration: ModelConfiguration) -> [SiteChange] {
        // Shapes and types were checked when the change was made.
        guard let down = try? Linear(down, bias: downBias.map { try Vector($0) }, as: .f32),
            let up = try? Linear(up, bias: upBias.map { try Vector($0) }, as: .f32)
        else { return [] }
        let adapter = Bottleneck(down: down, up: up, activation: activation, reading: reading)
        return [SiteChange(.adapt(adapter, scale: scale * factor), at: site, positions: positions)]
    }
}
