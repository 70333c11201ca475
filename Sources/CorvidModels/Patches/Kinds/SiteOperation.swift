import CorvidTensors
import CorvidText

/// Any other change of values at a site that is data: at scale s a row becomes h + s (f(h) - h).
public struct SiteOperation: PatchChange {
    /// What happens to a row.
    public enum Function: Sendable {
        /// v; `[columns]`, or `[vectors, columns]` with a first position.
        case replace(Tensor, firstPosition: Int?)
        /// h · factor
        case scale(Float)
        /// h - (h·v̂) v̂, `[columns]`
        case projectOut(Tensor)
        /// (h·v̂) v̂, `[columns]`
        case projectOnto(Tensor)
        case clamp(ClosedRange<Float>)

        var name: String {
            switch self {
            case .replace: "replace"
            case .scale: "scale"
            case .projectOut: "project-out"
            case .projectOnto: "project-onto"
            case .clamp: "clamp"
            }
        }
    }

    public let site: Site
    public let positions: Positions
    public let part: SiteChange.Part
    public let function: Function
    /// How much of it is done: 1 for all.
    public let amount: Float

    /// - Throws: ``PatchError/shape(place:reason:)``.
    public init(
        _ function: Function, at site: Site, positions: Positions = .all, part: SiteChange.Part = .all,
        amount: Float = 1
    ) throws {
        var first: Int?
        switch function {
        case .replace(let values, let position):
            first = position
            try PatchError.require(
                values.count > 0 && values.isPatchType && (1...2).contains(values.shape.count)
                    && (position != nil || values.rows == 1), site,
                "the vectors have shape \(values.shape), expected [columns], or [vectors, columns] by position"
            )
        case .projectOut(let direction), .projectOnto(let direction):
            try PatchError.require(
                direction.shape.count == 1 && direction.count > 0 && direction.isPatchType, site,
                "the direction has shape \(direction.shape), expected [columns]")
        case .scale(let factor):
            try PatchError.require(factor.isFinite, site, "the factor is no finite number")
        case .clamp(let range):
            try PatchError.require(
                range.lowerBound.isFinite && range.upperBound.isFinite, site,
                "the bounds are no finite numbers")
        }
        try SiteRules.check(site, positions, part, first)
        try PatchError.require(amount.isFinite, site, "the amount is no finite number")
        self.site = site
        self.positions = positions
        self.part = part
        self.function = function
        self.amount = amount
    }

    init(_ reader: inout ChangeReader) throws {
        let place = try SiteRules(&reader)
        let amount = try reader.fields.number("amount")
        let name = try reader.fields.text("function", limit: 64)
        let function: Function
        switch name {
        case "replace":
            let shape: [Int?] = place.firstPosition == nil ? [1, nil] : [nil, nil]
            function = .replace(try reader.numbers("values", shape), firstPosition: place.firstPosition)
        case "scale": function = .scale(try reader.fields.number("factor"))
        case "project-out": function = .projectOut(try reader.numbers("direction", [nil]))
        case "project-onto": function = .projectOnto(try reader.numbers("direction", [nil]))
        case "clamp":
            let (low, high) = (try reader.fields.number("low"), try reader.fields.number("high"))
            guard low <= high else { throw reader.fields.wrong("low", "\(low)", expected: "at most \(high)") }
            function = .clamp(low...high)
        default:
            throw reader.fields.wrong(
                "function", name, expected: "replace, scale, project-out, project-onto or clamp")
        }
        if case .replace = function {
        } else if place.firstPosition != nil {
            throw reader.fields.wrong("first", "there", expected: "to be absent")
        }
        try self.init(
            function, at: place.site, positions: place.positions, part: place.part, amount: amount)
    }

    var fields: JSONObject {
        var first: Int?
        if case .replace(_, let position) = function { first = position }
        var object = SiteRules(site: site, positions: positions, part: part, firstPosition: first).fields
        object["function"] = .string(function.name)
        object["amount"] = .number(Double(amount))
        switch function {
        case .replace, .projectOut, .projectOnto: break
        case .scale(let factor): object["factor"] = .number(Double(factor))
        case .clamp(let range):
            object["low"] = .number(Double(range.lowerBound))
            object["high"] = .number(Double(range.upperBound))
        }
        return object
    }

    var tensors: [(part: String, tensor: Tensor)] {
        switch function {
        case .replace(let values, _): [("values", values.asMatrix)]
        case .projectOut(let direction), .projectOnto(let direction): [("direction", direction)]
        case .scale, .clamp: []
        }
    }
    var place: String { "\(site)" }
    var touched: [WeightTarget] { WeightTarget.touched(by: site) }
    var order: ChangeOrder {
        if case .scale = function { .product } else { .sequence }
    }

    func scaled(by scale: Float) -> Patch.Change? {
        (try? SiteOperation(function, at: site, positions: positions, part: part, amount: amount * scale))
            .map { .operation($0) }
    }

    func check(_ configuration: ModelConfiguration) throws {
        for change in whole { try configuration.check(change) }
    }

    /// The change that does all of it.
    private var whole: [SiteChange] {
        let operation: SiteChange.Operation
        switch function {
        case .replace(let values, let first): operation = .replace(SiteRules.vector(values, first))
        case .scale(let factor): operation = .scale(factor)
        case .projectOut(let direction): operation = .projectOut((try? direction.floats()) ?? [])
        case .projectOnto(let direction): operation = .projectOnto((try? direction.floats()) ?? [])
        case .clamp(let range): operation = .clamp(range)
        }
        return [SiteChange(operation, at: site, positions: positions, part: part)]
    }

    func siteChanges(_ scale: Float, _ configuration: ModelConfiguration) -> [SiteChange] {
        let amount = amount * scale
        if amount == 0 { return [] }
        if amount == 1 { return whole }
        switch function {
        case .scale(let factor):
            return [
                SiteChange(
                    .scale(1 + amount * (factor - 1)), at: site, positions: positions, part: part)
            ]
        case .replace(let values, let first):
            let vector = SiteRules.vector(values, first)
            // Rows without a vector keep their values.
            let rows = first.map { positions.clamped(to: $0..<$0 + vector.count) } ?? positions
            return [
                SiteChange(.scale(1 - amount), at: site, positions: rows, part: part),
                SiteChange(.add(vector, scale: amount), at: site, positions: rows, part: part),
            ]
        case .projectOut, .projectOnto, .clamp:
            let heads = configuration.siteHeads(site.kind, layer: site.layer)
            return whole.map { inner in
                SiteChange(
                    .closure { rows in
                        var changed = rows
                        try inner.apply(to: &changed, heads: heads) { _ in 0 }
                        for (index, value) in changed.values.enumerated() where value != rows.values[index] {
                            rows.values[index] += amount * (value - rows.values[index])
                        }
                    }, at: site, positions: positions)
            }
        }
    }
}

extension Positions {
    /// Those that lie in a range.
    func clamped(to range: Range<Int>) -> Positions {
        Positions(ranges.map { $0.clamped(to: range) }.filter { !$0.isEmpty }, from: origin)
    }
}
