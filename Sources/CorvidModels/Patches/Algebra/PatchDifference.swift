import CorvidTensors
import CorvidText

extension Patch {
    /// What must be laid on beside `other` to have this patch. Changes that both have cancel out.
    /// - Throws: ``PatchError`` if changes differ that are not added up.
    public func difference(from other: Patch, _ header: PatchHeader) throws -> Patch {
        var left = try other.changes.map { ($0, try $0.key) }
        var changes: [Change] = []
        for change in self.changes {
            let key = try change.key
            if let place = left.firstIndex(where: { $0.1 == key }) {
                left.remove(at: place)
            } else {
                changes.append(change)
            }
        }
        for (change, _) in left {
            guard change.body.order == .sum, change.kind != .labelPrior,
                let minus = change.body.scaled(by: -1)
            else {
                throw PatchError.merge(
                    patch: other.header.name, place: change.place,
                    reason: "a change of kind \(change.kind.rawValue) cannot be taken off by adding")
            }
            changes.append(minus)
        }
        guard !changes.isEmpty else {
            throw PatchError.nothing("\(self.header.name) and \(other.header.name) do the same")
        }
        var header = header
        header.base = self.header.base == other.header.base ? self.header.base : nil
        return try Patch(header, changes).flattened()
    }
}

extension Patch.Change {
    /// What two equal changes have in common.
    fileprivate var key: Digest {
        get throws { try Patch(PatchHeader(name: "", method: "", created: ""), [self]).fingerprint }
    }
}

/// The difference of two models of the same sizes as a patch, matrix by matrix.
public struct ModelDifference {
    /// How a difference is kept.
    public struct Settings: Sendable {
        /// Greatest rank that is looked for; 0 keeps all differences exactly.
        public var rank = 64
        /// What may be left over, as a share of the difference's greatest value, beside the rounding of the weights.
        public var tolerance: Float = 1e-6

        public init() {}
    }

    private let old, new: BaseWeights
    private let settings: Settings

    /// - Throws: ``PatchError/misfit(patch:reason:)`` for models of different sizes.
    public init(from old: ModelFiles, to new: ModelFiles, _ settings: Settings = Settings()) throws {
        let (before, after) = (try old.modelConfiguration(), try new.modelConfiguration())
        guard before.family.name == after.family.name, before.layers == after.layers,
            before.width == after.width, before.hidden == after.hidden, before.heads == after.heads,
            before.keyValueHeads == after.keyValueHeads, before.vocabulary == after.vocabulary
        else {
            throw PatchError.misfit(
                patch: new.path,
                reason: "it is a \(after.family.name) model of other sizes than \(old.path)")
        }
        self.old = BaseWeights(before, source: old.tensors, file: old.path)
        self.new = BaseWeights(after, source: new.tensors, file: new.path)
        self.settings = settings
    }

    /// - Throws: ``FormatError``, ``WeightError``, ``PatchError/nothing(_:)`` for equal models.
    public func patch(
        _ header: PatchHeader, progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws -> Patch {
        let c = old.configuration
        let targets = WeightRole.allCases.flatMap { role -> [WeightTarget] in
            (role.isPerLayer ? (0..<c.layers).map { Optional($0) } : [nil]).map {
                WeightTarget(role, layer: $0)
            }
        }
        var changes: [Patch.Change] = []
        for (done, target) in targets.enumerated() {
            try Task.checkCancellation()
            progress(done, targets.count)
            changes += try changesOf(target)
        }
        guard !changes.isEmpty else { throw PatchError.nothing("the models have the same weights") }
        return try Patch(header, changes)
    }

    private func changesOf(_ target: WeightTarget) throws -> [Patch.Change] {
        if target.role.isNorm {
            let weight = try difference(of: target, part: "weight")
            let bias = try difference(of: target, part: "bias")
            guard weight != nil || bias != nil else { return [] }
            return [.norm(try NormDeltaChange(target, weight: weight, bias: bias))]
        }
        var changes: [Patch.Change] = []
        if target.role.isMatrix, let bias = try difference(of: target, part: "bias") {
            changes.append(.bias(try BiasDelta(target, bias)))
        }
        guard target.role.isMatrix || target.role.isTable, old.configuration.shape(of: target) != nil,
            let before = try old.matrix(target), let after = try new.matrix(target)
        else { return changes }
        guard before.rows == after.rows, before.columns == after.columns else {
            throw PatchError.misfit(patch: "\(target)", reason: "the models have it in different sizes")
        }
        let values = zip(after.values, before.values).map { $0 - $1 }
        let largest = max(before.values.largestMagnitude, after.values.largestMagnitude)
        if let change = try change(target, values, before.rows, before.columns, weights: largest) {
            changes.append(change)
        }
        return changes
    }

    private func difference(of target: WeightTarget, part: String) throws -> Tensor? {
        guard let after = try new.vector(target, part: part) else { return nil }
        let before = try old.vector(target, part: part) ?? [Float](repeating: 0, count: after.count)
        guard before.count == after.count else { return nil }
        let values = zip(after, before).map { $0 - $1 }
        return values.allSatisfy { $0 == 0 } ? nil : try Tensor(values, shape: [values.count])
    }

    private func change(
        _ target: WeightTarget, _ values: [Float], _ rows: Int, _ columns: Int, weights: Float
    ) throws -> Patch.Change? {
        let touched = (0..<rows).filter { row in
            values[row * columns..<(row + 1) * columns].contains { $0 != 0 }
        }
        guard !touched.isEmpty else { return nil }
        let isSparse = touched.count * 2 < rows
        let kept = touched.flatMap { values[$0 * columns..<($0 + 1) * columns] }
        if target.role.isTable {
            return .tableRows(
                try TableRows(
                    target, rows: rows, indices: touched,
                    values: Tensor(kept, shape: [touched.count, columns])))
        }
        let most = min(settings.rank, min(rows, columns) / 3)
        let bound = weights * Float.ulpOfOne + values.largestMagnitude * settings.tolerance
        if let (down, up, rank) = CrossApproximation.factors(
            values, rows: rows, columns: columns, rank: most, bound: bound),
            rank * (rows + columns) < (isSparse ? kept.count : values.count)
        {
            return .lowRank(
                try LowRankDelta(
                    target, down: Tensor(down, shape: [rank, columns]), up: Tensor(up, shape: [rows, rank])))
        }
        if isSparse {
            return .rows(
                try RowDelta(
                    target, outputs: rows, indices: touched,
                    values: Tensor(kept, shape: [touched.count, columns])))
        }
        return .dense(try DenseDelta(target, Tensor(values, shape: [rows, columns])))
    }
}

extension [Float] {
    fileprivate var largestMagnitude: Float { reduce(0) { Swift.max($0, abs($1)) } }
}

/// A matrix as a sum of few products of a column and a row: each step takes the row and the column of the greatest
/// value that is left (adaptive cross approximation with full pivoting; Bebendorf, 2000).
enum CrossApproximation {
    /// - Parameter bound: greatest magnitude of what may be left over.
    /// - Returns: `down` `[rank, columns]` and `up` `[rows, rank]`; nil if the rank would be greater.
    static func factors(
        _ values: [Float], rows: Int, columns: Int, rank: Int, bound: Float
    ) -> (down: [Float], up: [Float], rank: Int)? {
        var left = values.map(Double.init)
        var downs: [[Double]] = []
        var ups: [[Double]] = []
        while true {
            var place = 0
            var largest = 0.0
            for (index, value) in left.enumerated() where abs(value) > largest {
                largest = abs(value)
                place = index
            }
            if largest <= Double(bound) { break }
            guard downs.count < rank else { return nil }
            let (row, column) = (place / columns, place % columns)
            let pivot = left[place]
            let down = Array(left[row * columns..<(row + 1) * columns])
            let up = (0..<rows).map { left[$0 * columns + column] / pivot }
            for i in 0..<rows where up[i] != 0 {
                for j in 0..<columns { left[i * columns + j] -= up[i] * down[j] }
            }
            downs.append(down)
            ups.append(up)
        }
        guard !downs.isEmpty else { return nil }
        return (
            downs.flatMap { $0.map(Float.init) },
            (0..<rows).flatMap { row in ups.map { Float($0[row]) } }, downs.count
        )
    }
}
