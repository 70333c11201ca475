import CorvidTensors
import CorvidText

extension Patch {
    /// One change. A new kind is a file in `Kinds`, a case here and in ``Kind``; the compiler then names the
    /// places that must answer for it.
    public enum Change: Sendable {
        case lowRank(LowRankDelta)
        case dense(DenseDelta)
        case rows(RowDelta)
        case columns(ColumnDelta)
        case bias(BiasDelta)
        case norm(NormDeltaChange)
        case tableRows(TableRows)
        case tableLowRank(TableLowRank)
        case addition(SiteAddition)
        case mask(SiteMask)
        case operation(SiteOperation)
        case adapter(AdapterChange)
        case prefix(PrefixChange)
        case logitBias(LogitBiasChange)
        case labelPrior(LabelPrior)

        var body: any PatchChange {
            switch self {
            case .lowRank(let body): body
            case .dense(let body): body
            case .rows(let body): body
            case .columns(let body): body
            case .bias(let body): body
            case .norm(let body): body
            case .tableRows(let body): body
            case .tableLowRank(let body): body
            case .addition(let body): body
            case .mask(let body): body
            case .operation(let body): body
            case .adapter(let body): body
            case .prefix(let body): body
            case .logitBias(let body): body
            case .labelPrior(let body): body
            }
        }

        public var kind: Kind {
            switch self {
            case .lowRank: .lowRank
            case .dense: .dense
            case .rows: .rows
            case .columns: .columns
            case .bias: .bias
            case .norm: .norm
            case .tableRows: .tableRows
            case .tableLowRank: .tableLowRank
            case .addition: .addition
            case .mask: .mask
            case .operation: .operation
            case .adapter: .adapter
            case .prefix: .prefix
            case .logitBias: .logitBias
            case .labelPrior: .labelPrior
            }
        }

        /// What is changed, such as `5.query` or `7.output`.
        public var place: String { body.place }

        /// Its numbers by the names of their parts.
        public var tensors: [(part: String, tensor: Tensor)] { body.tensors }
    }

    /// The kinds of changes, as files name them.
    public enum Kind: String, Sendable, CaseIterable {
        case lowRank = "low-rank"
        case dense
        case rows
        case columns
        case bias
        case norm
        case tableRows = "table-rows"
        case tableLowRank = "table-low-rank"
        case addition
        case mask
        case operation
        case adapter
        case prefix
        case logitBias = "logit-bias"
        case labelPrior = "label-prior"

        func read(_ reader: inout ChangeReader) throws -> Change {
            switch self {
            case .lowRank: .lowRank(try LowRankDelta(&reader))
            case .dense: .dense(try DenseDelta(&reader))
            case .rows: .rows(try RowDelta(&reader))
            case .columns: .columns(try ColumnDelta(&reader))
            case .bias: .bias(try BiasDelta(&reader))
            case .norm: .norm(try NormDeltaChange(&reader))
            case .tableRows: .tableRows(try TableRows(&reader))
            case .tableLowRank: .tableLowRank(try TableLowRank(&reader))
            case .addition: .addition(try SiteAddition(&reader))
            case .mask: .mask(try SiteMask(&reader))
            case .operation: .operation(try SiteOperation(&reader))
            case .adapter: .adapter(try AdapterChange(&reader))
            case .prefix: .prefix(try PrefixChange(&reader))
            case .logitBias: .logitBias(try LogitBiasChange(&reader))
            case .labelPrior: .labelPrior(try LabelPrior(&reader))
            }
        }
    }
}

/// What every kind of change answers for.
protocol PatchChange: Sendable {
    /// What the header says beside kind and tensors; the same change always gives the same members.
    var fields: JSONObject { get }
    /// The numbers, by part; the same order always.
    var tensors: [(part: String, tensor: Tensor)] { get }
    /// What is changed, for people.
    var place: String { get }
    /// Weights by whose bytes a base is recognised.
    var touched: [WeightTarget] { get }
    /// How changes at one site go together.
    var order: ChangeOrder { get }

    /// - Throws: ``PatchFileError``.
    init(_ reader: inout ChangeReader) throws
    /// The same change with its effect multiplied; nil where there is nothing between having it and not.
    func scaled(by scale: Float) -> Patch.Change?
    /// Whether it fits a model of this configuration.
    /// - Throws: ``PatchMisfit`` or ``SiteError``.
    func check(_ configuration: ModelConfiguration) throws
    /// Puts what it does into an overlay. `scale` is not 0.
    func lay(_ scale: Float, on overlay: inout ModelOverlay) throws
    /// What it does at sites. `scale` is not 0.
    func siteChanges(_ scale: Float, _ configuration: ModelConfiguration) -> [SiteChange]
    /// Whether ``scaled(by:)`` and laying are possible with this scale.
    func allows(_ scale: Float) -> Bool
}

extension PatchChange {
    var order: ChangeOrder { .sum }
    func lay(_ scale: Float, on overlay: inout ModelOverlay) throws {}
    func siteChanges(_ scale: Float, _ configuration: ModelConfiguration) -> [SiteChange] { [] }
    func allows(_ scale: Float) -> Bool { true }
}

/// What two changes at one site do to one another.
enum ChangeOrder {
    /// They are added up: any order gives the same.
    case sum
    /// They are multiplied: any order gives the same.
    case product
    /// The second works on what the first leaves.
    case sequence
}

extension WeightTarget {
    /// The weights that stand for a site.
    static func touched(by site: Site) -> [WeightTarget] {
        guard let layer = site.layer else { return [WeightTarget(.tokenEmbedding)] }
        return [WeightTarget(.down, layer: layer), WeightTarget(.attentionOutput, layer: layer)]
    }
}

/// Why a change does not fit a model.
struct PatchMisfit: Error, CustomStringConvertible {
    let place: String
    let found: [Int]
    /// nil if the model has no such weight.
    let expected: [Int]?

    var description: String {
        guard let expected else { return "there is no \(place) in the model" }
        return "\(place) has shape \(expected) in the model, the patch has \(found)"
    }
}
