import CorvidTensors

/// Patches that lie over one model together, each with a scale.
///
/// Changes that are added up or multiplied are taken in the order of their patches' fingerprints, whatever order
/// they were given in: any order gives the same bits. Changes that work on what others leave keep the order in
/// which they were given, and a warning says so. A patch of scale 0 changes nothing.
public struct PatchStack: Sendable {
    /// One patch of a stack.
    public struct Layer: Sendable {
        public var patch: Patch
        public var scale: Float

        public init(_ patch: Patch, scale: Float = 1) {
            self.patch = patch
            self.scale = scale
        }
    }

    /// Something that a person should know; nothing is wrong.
    public enum Warning: Sendable, Equatable, CustomStringConvertible {
        /// Changes at one place by several patches, which do not commute.
        case order(place: String, patches: [String])
        /// A patch was made over another one with another scale.
        case scale(patch: String, needs: String, made: Float, found: Float)
        /// A patch that does not say what it was made on.
        case unbound(patch: String)

        public var description: String {
            switch self {
            case .order(let place, let patches):
                return "patches \(patches.joined(separator: " and ")) change \(place) one after another: "
                    + "their order matters"
            case .scale(let patch, let needs, let made, let found):
                return "patch \(patch) was made with \(needs) at scale \(made), which has scale \(found) here"
            case .unbound(let patch):
                return "patch \(patch) does not say what model it was made on; only its sizes were checked"
            }
        }
    }

    public let layers: [Layer]

    public init(_ layers: [Layer]) { self.layers = layers }

    public var isEmpty: Bool { layers.isEmpty }

    /// What a patch that is made on a model with these patches needs.
    public var requirements: [PatchBase.Requirement] {
        layers.filter { $0.scale != 0 }.map {
            .init(name: $0.patch.header.name, fingerprint: $0.patch.fingerprint, scale: $0.scale)
        }
    }

    /// Everything that the patches do, for a model of this configuration.
    /// - Throws: ``PatchError``.
    public func overlay(
        for configuration: ModelConfiguration
    ) throws -> (overlay: ModelOverlay, warnings: [Warning]) {
        var overlay = ModelOverlay()
        var warnings: [Warning] = []
        let active = layers.enumerated().filter { $0.element.scale != 0 }
        for (_, layer) in active { try check(layer, configuration) }
        let ordered = active.sorted {
            ($0.element.patch.fingerprint.description, $0.offset)
                < ($1.element.patch.fingerprint.description, $1.offset)
        }
        for (_, layer) in ordered {
            for change in layer.patch.changes where change.kind != .prefix {
                try change.body.lay(layer.scale, on: &overlay)
            }
        }
        // Prefixes stand one after the other in the text.
        var prefixes: [String] = []
        for (_, layer) in active {
            for change in layer.patch.changes where change.kind == .prefix {
                try change.body.lay(layer.scale, on: &overlay)
                prefixes.append(layer.patch.header.name)
            }
        }
        if prefixes.count > 1 { warnings.append(.order(place: "the prefix", patches: prefixes)) }
        let (changes, found) = SiteOrder(active.map { ($0.offset, $0.element) }, configuration).sorted()
        overlay.changes = changes
        overlay.patches = requirements
        return (overlay, warnings + found)
    }

    private func check(_ layer: Layer, _ configuration: ModelConfiguration) throws {
        let name = layer.patch.header.name
        guard layer.scale.isFinite else { throw PatchError.notFiniteScale(patch: name) }
        for change in layer.patch.changes {
            guard change.body.allows(layer.scale) else {
                throw PatchError.scale(patch: name, kind: change.kind, scale: layer.scale)
            }
            do {
                try change.body.check(configuration)
            } catch let misfit as PatchMisfit {
                throw PatchError.misfit(patch: name, reason: misfit.description)
            } catch let error as SiteError {
                var reason = error.description
                if reason.hasSuffix(".") { reason.removeLast() }
                throw PatchError.misfit(patch: name, reason: reason)
            }
        }
    }
}

/// Puts the changes at sites in order.
private struct SiteOrder {
    private struct Item {
        let layer: Int
        let name: String
        let fingerprint: String
        let order: ChangeOrder
        let change: SiteChange
    }

    private var sites: [Site] = []
    private var items: [Site: [Item]] = [:]

    init(_ layers: [(index: Int, layer: PatchStack.Layer)], _ configuration: ModelConfiguration) {
        for (index, layer) in layers {
            let fingerprint = layer.patch.fingerprint.description
            for change in layer.patch.changes {
                for siteChange in change.body.siteChanges(layer.scale, configuration) {
                    let site = siteChange.site
                    if items[site] == nil { sites.append(site) }
                    items[site, default: []].append(
                        Item(
                            layer: index, name: layer.patch.header.name, fingerprint: fingerprint,
                            order: change.body.order, change: siteChange))
                }
            }
        }
    }

    func sorted() -> ([SiteChange], [PatchStack.Warning]) {
        var changes: [SiteChange] = []
        var warnings: [PatchStack.Warning] = []
        for site in sites {
            let here = items[site] ?? []
            let isSum = here.allSatisfy { $0.order == .sum }
            let isProduct = here.allSatisfy { $0.order == .product }
            if isSum || isProduct {
                let sorted = here.enumerated().sorted {
                    ($0.element.fingerprint, $0.offset) < ($1.element.fingerprint, $1.offset)
                }
                changes += sorted.map(\.element.change)
                continue
            }
            changes += here.map(\.change)
            let names = clashing(here)
            if names.count > 1 { warnings.append(.order(place: "\(site)", patches: names)) }
        }
        return (changes, warnings)
    }

    /// Names of patches that have changes here which do not commute with those of another one.
    private func clashing(_ items: [Item]) -> [String] {
        var layers = Set<Int>()
        for (place, first) in items.enumerated() {
            for second in items[(place + 1)...] where first.layer != second.layer {
                let commute = first.order == second.order && first.order != .sequence
                if !commute, first.change.positions.mayMeet(second.change.positions) {
                    layers.formUnion([first.layer, second.layer])
                }
            }
        }
        var names: [String] = []
        for item in items where layers.contains(item.layer) && !names.contains(item.name) {
            names.append(item.name)
        }
        return names.count == 1 && layers.count > 1 ? names + names : names
    }
}

extension Positions {
    /// Whether some position of a sequence may be one of both.
    func mayMeet(_ other: Positions) -> Bool {
        guard origin == other.origin else { return true }
        return ranges.contains { range in other.ranges.contains { $0.overlaps(range) } }
    }
}
