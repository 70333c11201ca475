import CorvidTensors
import CorvidText

/// h + scale · v at a site: a steering vector, the same one for each row or one for each position.
public struct SiteAddition: PatchChange {
    public let site: Site
    public let positions: Positions
    public let part: SiteChange.Part
    /// Position of the first vector, counted as ``positions`` are; nil: there is one vector, for every row.
    public let firstPosition: Int?
    /// `[vectors, columns]`.
    public let values: Tensor
    public let scale: Float

    /// - Parameter values: `[columns]`, or `[vectors, columns]` with a first position.
    /// - Throws: ``PatchError/shape(place:reason:)``.
    public init(
        _ values: Tensor, at site: Site, positions: Positions = .all, part: SiteChange.Part = .all,
        firstPosition: Int? = nil, scale: Float = 1
    ) throws {
        try PatchError.require(
            values.count > 0 && values.isPatchType && (1...2).contains(values.shape.count)
                && (firstPosition != nil || values.rows == 1), site,
            "the vectors have shape \(values.shape), expected [columns], or [vectors, columns] by position")
        try SiteRules.check(site, positions, part, firstPosition)
        try PatchError.require(scale.isFinite, site, "the scale is no finite number")
        self.site = site
        self.positions = positions
        self.part = part
        self.firstPosition = firstPosition
        self.values = values
        self.scale = scale
    }

    init(_ reader: inout ChangeReader) throws {
        let place = try SiteRules(&reader)
        let scale = try reader.fields.number("scale")
        let values = try reader.numbers("values", place.firstPosition == nil ? [1, nil] : [nil, nil])
        try self.init(
            values, at: place.site, positions: place.positions, part: place.part,
            firstPosition: place.firstPosition, scale: scale)
    }

    /// One vector, for every row.
    public init(
        _ vector: [Float], at site: Site, positions: Positions = .all, part: SiteChange.Part = .all,
        scale: Float = 1
    ) throws {
        try self.init(
            Tensor(vector, shape: [1, vector.count]), at: site, positions: positions, part: part, scale: scale
        )
    }

    private var rules: SiteRules {
        SiteRules(site: site, positions: positions, part: part, firstPosition: firstPosition)
    }

    var fields: JSONObject {
        var object = rules.fields
        object["scale"] = .number(Double(scale))
        return object
    }
    var tensors: [(part: String, tensor: Tensor)] { [("values", values.asMatrix)] }
    var place: String { "\(site)" }
    var touched: [WeightTarget] { WeightTarget.touched(by: site) }

    func scaled(by factor: Float) -> Patch.Change? {
        (try? SiteAddition(
            values, at: site, positions: positions, part: part, firstPosition: firstPosition,
            scale: scale * factor)).map { .addition($0) }
    }

    func check(_ configuration: ModelConfiguration) throws {
        for change in siteChanges(1, configuration) { try configuration.check(change) }
    }

    func siteChanges(_ factor: Float, _ configuration: ModelConfiguration) -> [SiteChange] {
        let vector = SiteRules.vector(values, firstPosition)
        return [SiteChange(.add(vector, scale: scale * factor), at: site, positions: positions, part: part)]
    }
}

/// Where a change at a site happens, as the header has it.
struct SiteRules {
    let site: Site
    let positions: Positions
    let part: SiteChange.Part
    let firstPosition: Int?

    init(site: Site, positions: Positions, part: SiteChange.Part, firstPosition: Int?) {
        self.site = site
        self.positions = positions
        self.part = part
        self.firstPosition = firstPosition
    }

    init(_ reader: inout ChangeReader) throws {
        site = try reader.fields.site()
        positions = try reader.fields.positions()
        part = try reader.fields.part()
        let largest = PatchFile.Limits.position
        firstPosition =
            try reader.fields.value("first") == nil
            ? nil : try reader.fields.integer("first", -largest...largest)
    }

    var fields: JSONObject {
        var object: JSONObject = ["site": .string("\(site)")]
        if positions != .all { object["positions"] = positions.json }
        if let part = part.json { object["part"] = part }
        if let firstPosition { object["first"] = .integer(Int64(firstPosition)) }
        return object
    }

    /// What a file could not hold.
    static func check(
        _ site: Site, _ positions: Positions, _ part: SiteChange.Part, _ first: Int? = nil
    ) throws {
        let largest = PatchFile.Limits.position
        let bounds = positions.ranges.flatMap { [$0.lowerBound, $0.upperBound == .max ? 0 : $0.upperBound] }
        try PatchError.require(
            positions.ranges.count <= PatchFile.Limits.ranges
                && (bounds + [first ?? 0]).allSatisfy { (-largest...largest).contains($0) }, site,
            "positions must lie within \(largest) of the beginning")
        switch part {
        case .all: break
        case .heads(let list), .columns(let list):
            try PatchError.require(
                list.count <= PatchFile.Limits.indices && list.allSatisfy { (0...largest).contains($0) }
                    && Set(list).count == list.count, site, "heads and columns must be named once each")
        }
    }

    /// The vectors as a run takes them.
    static func vector(_ values: Tensor, _ first: Int?) -> SiteTensor {
        // Types were checked when the change was made.
        let numbers = (try? values.floats()) ?? []
        guard let first else { return SiteTensor(numbers) }
        return SiteTensor(rows: numbers, columns: max(1, values.columns), first: first)
    }
}

extension Tensor {
    /// A vector as a matrix of one row, sharing memory; matrices as they are.
    var asMatrix: Tensor {
        guard shape.count == 1, let matrix = try? Tensor(type: type, shape: [1, count], bytes: bytes) else {
            return self
        }
        return matrix
    }
}
