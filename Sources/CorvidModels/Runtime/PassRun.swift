import CorvidTensors

/// A pass while it runs: its rows, the workers and the memory, and what happens at its sites.
struct PassRun {
    let pass: Pass
    let workers: Workers
    let arena: Arena
    /// nil in a pass that only gives its output.
    let sites: SiteVisitor?
    let isCancelled: () -> Bool

    /// Whether something happens at the site.
    func touches(_ kind: Site.Kind, _ layer: Int?) -> Bool { sites?.touches(kind, layer) ?? false }

    /// Changes and records what the site holds.
    /// - Parameters: as for ``SiteVisitor/visit(_:_:_:columns:rows:workers:arena:)``.
    func visit(
        _ kind: Site.Kind, _ layer: Int?, _ matrix: Matrix, columns: @autoclosure () -> [Int]? = nil,
        rows: [Int]? = nil
    ) throws {
        guard let sites, sites.touches(kind, layer) else { return }
        try sites.visit(
            kind, layer, matrix, columns: columns(), rows: rows, workers: workers, arena: arena)
    }

    /// The same for a value that others read as well, who must not see the change.
    /// - Returns: what the site's own reader is to read.
    func visited(_ kind: Site.Kind, _ layer: Int?, shared matrix: Matrix, rows: [Int]? = nil) throws -> Matrix
    {
        guard let sites, sites.touches(kind, layer) else { return matrix }
        let own = sites.changes(kind, layer) ? try matrix.copy(in: arena) : matrix
        try sites.visit(kind, layer, own, rows: rows, workers: workers, arena: arena)
        return own
    }
}
