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
    /// The patches that were saved on their own: a stack file counts as those that it was made of.
    let pieces: [Piece]

    /// One of them.
    struct Piece {
        let header: PatchHeader
        let fingerprint: Digest
        let changes: ArraySlice<Patch.Change>
        /// What its changes are multiplied by.
        let scale: Float
        /// The same, with what they were multiplied by when they were put into a stack file.
        let wholeScale: Float

        var name: String { header.name }
    }

    public init(_ layers: [Layer]) {
        self.layers = layers
        pieces = layers.flatMap { layer -> [Piece] in
            let patch = layer.patch
            guard !patch.parts.isEmpty else {
                return [
                    Piece(
                        header: patch.header, fingerprint: patch.fingerprint, changes: patch.changes[...],
                        scale: layer.scale, wholeScale: layer.scale)
                ]
            }
            return patch.parts.map { part in
                Piece(
                    header: part.header, fingerprint: part.fingerprint, changes: patch.changes[part.changes],
                    scale: layer.scale, wholeScale: layer.scale * part.scale)
            }
        }
    }

    public var isEmpty: Bool { layers.isEmpty }

    /// What a patch that is made on a model with these patches needs.
    public var requirements: [PatchBase.Requirement] {
        pieces.filter { $0.scale != 0 }.map {
            .init(name: $0.name, fingerprint: $0.fingerprint, scale: $0.wholeScale)
        }
    }

    /// Everything that the patches do, for a model of this configuration.
    /// - Throws: ``PatchError``.
    public func overlay(
        for configuration: ModelConfiguration
    ) throws -> (overlay: ModelOverlay, warnings: [Warning]) {
        var overlay = ModelOverlay()
        var warnings: [Warning] = []
        for layer in layers where !layer.scale.isFinite {
            throw PatchError.notFiniteScale(patch: layer.patch.header.name)
        }
        let active = pieces.filter { $0.scale != 0 }
        for piece in active { try check(piece, configuration) }
        for piece in active.sortedByFingerprint(\.fingerprint) {
            for change in piece.changes where change.kind != .prefix {
                try change.body.lay(piece.scale, on: &overlay)
            }
        }
        // Prefixes stand one after the other in the text.
        var prefixes: [String] = []
        for piece in active {
            for change in piece.changes where change.kind == .prefix {
                try change.body.lay(piece.scale, on: &overlay)
                prefixes.append(piece.name)
            }
        }
        if prefixes.count > 1 { warnings.append(.order(place: "the prefix", patches: prefixes)) }
        let (changes, found) = SiteOrder(active, configuration).sorted()
        overlay.changes = changes
        overlay.patches = requirements
        return (overlay, warnings + found)
    }

    private func check(_ piece: Piece, _ configuration: ModelConfiguration) throws {
        for change in piece.changes {
            guard change.body.allows(piece.scale) else {
                throw PatchError.scale(patch: piece.name, kind: change.kind, scale: piece.scale)
            }
            do {
                try change.body.check(configuration)
            } catch let misfit as PatchMisfit {
                throw PatchError.misfit(patch: piece.name, reason: misfit.description)
            } catch let error as SiteError {
                var reason = error.description
                if reason.hasSuffix(".") { reason.removeLast() }
                throw PatchError.misfit(patch: piece.name, reason: reason)
            }
        }
    }
}

extension Sequence {
    /// In the order of their fingerprints; those of one fingerprint keep theirs.
    fileprivate func sortedByFingerprint(_ fingerprint: (Element) -> Digest) -> [Element] {
        enumerated().map { (fingerprint($0.element).description, $0.offset, $0.element) }
            .sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map(\.2)
    }
}

/// Puts the changes at sites in order.
private struct SiteOrder {
    private struct Item {
        let piece: Int
        let name: String
        let fingerprint: Digest
        let order: ChangeOrder
        let change: SiteChange
    }

    private var sites: [Site] = []
    private var items: [Site: [Item]] = [:]

    init(_ pieces: [PatchStack.Piece], _ configuration: ModelConfiguration) {
        for (index, piece) in pieces.enumerated() {
            for change in piece.changes {
                for siteChange in change.body.siteChanges(piece.scale, configuration) {
                    let site = siteChange.site
                    if items[site] == nil { sites.append(site) }
                    items[site, default: []].append(
                        Item(
                            piece: index, name: piece.name, fingerprint: piece.fingerprint,
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
                changes += here.sortedByFingerprint(\.fingerprint).map(\.change)
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
        var pieces = Set<Int>()
        for (place, first) in items.enumerated() {
            for second in items[(place + 1)...] where first.piece != second.piece {
                let commute = first.order == second.order && first.order != .sequence
                if !commute, first.change.positions.mayMeet(second.change.positions) {
                    pieces.formUnion([first.piece, second.piece])
                }
            }
        }
        var names: [String] = []
        for item in items where pieces.contains(item.piece) && !names.contains(item.name) {
            names.append(item.name)
        }
        return names.count == 1 && pieces.count > 1 ? names + names : names
    }
}

extension Positions {
    /// Whether some position of a sequence may be one of both.
    func mayMeet(_ other: Positions) -> Bool {
        guard origin == other.origin else { return true }
        return ranges.contains { range in other.ranges.contains { $0.overlaps(range) } }
    }
}
