import CorvidTensors
import CorvidText

/// h · m at a site: a head mask at `attention.heads`, a neuron mask at `mlp.hidden`. At scale s the mask is
/// 1 + s (m - 1).
public struct SiteMask: PatchChange {
    public let site: Site
    public let positions: Positions
    /// Whether there is one value for each head, not for each column.
    public let isByHeads: Bool
    /// `[heads]` or `[columns]`.
    public let values: Tensor

    /// A value for each head of the site.
    public static func heads(_ values: [Float], at site: Site, positions: Positions = .all) throws -> SiteMask
    {
        try SiteMask(site, Tensor(values, shape: [values.count]), isByHeads: true, positions)
    }

    /// A value for each column of the site.
    public static func columns(
        _ values: [Float], at site: Site, positions: Positions = .all
    ) throws -> SiteMask {
        try SiteMask(site, Tensor(values, shape: [values.count]), isByHeads: false, positions)
    }

    private init(_ site: Site, _ values: Tensor, isByHeads: Bool, _ positions: Positions) throws {
        try PatchError.require(
            values.shape.count == 1 && values.count > 0 && values.isPatchType, site,
            "the mask has shape \(values.shape), expected one value for each head or column")
        try PatchError.require(
            !isByHeads || site.kind.hasHeads, site, "the values do not fall into heads")
        try SiteRules.check(site, positions, .all)
        self.site = site
        self.positions = positions
        self.isByHeads = isByHeads
        self.values = values
    }

    init(_ reader: inout ChangeReader) throws {
        let site = try reader.fields.site()
        let positions = try reader.fields.positions()
        let isByHeads = try reader.fields.flag("by_heads")
        try self.init(site, try reader.numbers("values", [nil]), isByHeads: isByHeads, positions)
    }

    var fields: JSONObject {
        var object: JSONObject = ["site": .string("\(site)"), "by_heads": .bool(isByHeads)]
        if positions != .all { object["positions"] = positions.json }
        return object
    }
    var tensors: [(part: String, tensor: Tensor)] { [("values", values)] }
    var place: String { "\(site)" }
    var touched: [WeightTarget] { WeightTarget.touched(by: site) }
    var order: ChangeOrder { .product }

    /// The factors at a scale.
    func factors(_ scale: Float) -> [Float] {
        ((try? values.floats()) ?? []).map { scale == 1 ? $0 : 1 + scale * ($0 - 1) }
    }

    func scaled(by scale: Float) -> Patch.Change? {
        let factors = factors(scale)
        guard let values = try? Tensor(factors, shape: [factors.count]) else { return nil }
        return (try? SiteMask(site, values, isByHeads: isByHeads, positions)).map { .mask($0) }
    }

    func check(_ configuration: ModelConfiguration) throws {
        try configuration.check(site)
        guard isByHeads else {
            for change in siteChanges(1, configuration) { try configuration.check(change) }
            return
        }
        let heads = configuration.siteHeads(site.kind, layer: site.layer)
        guard values.count == heads else {
            throw PatchMisfit(
                place: "the heads of site \(site)", found: [values.count], expected: heads.map { [$0] })
        }
    }

    func siteChanges(_ scale: Float, _ configuration: ModelConfiguration) -> [SiteChange] {
        let factors = factors(scale)
        guard isByHeads else {
            return [SiteChange(.multiply(SiteTensor(factors)), at: site, positions: positions)]
        }
        var heads: [Float: [Int]] = [:]
        for (head, factor) in factors.enumerated() where factor != 1 {
            heads[factor, default: []].append(head)
        }
        return heads.sorted { $0.key < $1.key }.map { factor, heads in
            SiteChange(.scale(factor), at: site, positions: positions, part: .heads(heads))
        }
    }
}
