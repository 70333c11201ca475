extension SiteChange {
    /// Changes rows of the site, except for adapters, whose products the pass makes.
    /// - Parameters:
    ///   - heads: how many heads the values fall into, if they do.
    ///   - position: a row's position as the change counts it.
    /// - Throws: what a closure throws.
    func apply(
        to rows: inout SiteValues, heads: Int?, position: (SiteValues.Place) -> Int
    ) throws {
        if case .closure(let body) = operation { return try body(&rows) }
        for index in rows.places.indices {
            let start = index * rows.columns
            let vector = vector(at: position(rows.places[index]))
            switch part {
            case .all:
                change(&rows.values, vector) {
                    start + $0
                } count: {
                    rows.columns
                }
            case .heads(let list):
                let width = rows.columns / max(1, heads ?? 1)
                let columns = list.flatMap { $0 * width..<($0 + 1) * width }
                change(&rows.values, vector) {
                    start + columns[$0]
                } count: {
                    columns.count
                }
            case .columns(let columns):
                change(&rows.values, vector) {
                    start + columns[$0]
                } count: {
                    columns.count
                }
            }
        }
    }

    private func vector(at position: Int) -> ArraySlice<Float>? {
        switch operation {
        case .add(let tensor, _), .replace(let tensor), .multiply(let tensor): tensor.row(at: position)
        default: nil
        }
    }

    /// Changes the values at `place(0)`, `place(1)`, ... of `values`.
    private func change(
        _ values: inout [Float], _ vector: ArraySlice<Float>?, _ place: (Int) -> Int, count: () -> Int
    ) {
        let count = count()
        switch operation {
        case .add(_, let scale):
            guard let vector, scale != 0 else { return }
            for index in 0..<count { values[place(index)] += scale * vector[vector.startIndex + index] }
        case .replace:
            guard let vector else { return }
            for index in 0..<count { values[place(index)] = vector[vector.startIndex + index] }
        case .scale(let factor):
            for index in 0..<count { values[place(index)] *= factor }
        case .multiply:
            guard let vector else { return }
            for index in 0..<count { values[place(index)] *= vector[vector.startIndex + index] }
        case .projectOut(let direction), .projectOnto(let direction):
            // In double: what is left along the direction must be small beside what was there.
            var (dot, square) = (0.0, 0.0)
            for index in 0..<count {
                dot += Double(values[place(index)]) * Double(direction[index])
                square += Double(direction[index]) * Double(direction[index])
            }
            var isOut = false
            if case .projectOut = operation { isOut = true }
            for index in 0..<count {
                let along = dot / square * Double(direction[index])
                values[place(index)] = Float(isOut ? Double(values[place(index)]) - along : along)
            }
        case .clamp(let range):
            for index in 0..<count {
                let value = values[place(index)]
                if value > range.upperBound {
                    values[place(index)] = range.upperBound
                } else if value < range.lowerBound {
                    values[place(index)] = range.lowerBound
                }
            }
        case .adapt, .closure: break
        }
    }
}

extension ModelConfiguration {
    /// Whether the change fits the model.
    /// - Parameter layers: blocks of the stack in question; nil: those of the model's own.
    /// - Throws: ``SiteError``.
    public func check(_ change: SiteChange, layers: Int? = nil) throws {
        let site = change.site
        try check(site, layers: layers)
        guard let width = siteWidth(site.kind, layer: site.layer) else { return try checkPattern(change) }
        let heads = siteHeads(site.kind, layer: site.layer)
        var count = width
        switch change.part {
        case .all: break
        case .heads(let list):
            guard let heads else { throw SiteError.noHeads(site) }
            if let head = list.first(where: { !(0..<heads).contains($0) }) {
                throw SiteError.head(site, head: head, heads: heads)
            }
            count = list.count * (width / max(1, heads))
        case .columns(let list):
            if let column = list.first(where: { !(0..<width).contains($0) }) {
                throw SiteError.column(site, column: column, columns: width)
            }
            count = list.count
        }
        func checkWidth(_ found: Int) throws {
            guard found == count else { throw SiteError.width(site, found: found, expected: count) }
        }
        switch change.operation {
        case .add(let tensor, let scale):
            try checkWidth(tensor.columns)
            guard scale.isFinite, tensor.values.allSatisfy(\.isFinite) else {
                throw SiteError.notFinite(site)
            }
        case .replace(let tensor), .multiply(let tensor):
            try checkWidth(tensor.columns)
            guard tensor.values.allSatisfy(\.isFinite) else { throw SiteError.notFinite(site) }
        case .projectOut(let direction), .projectOnto(let direction):
            try checkWidth(direction.count)
            guard direction.allSatisfy(\.isFinite) else { throw SiteError.notFinite(site) }
            guard direction.contains(where: { $0 != 0 }) else { throw SiteError.noDirection(site) }
        case .scale(let factor):
            guard factor.isFinite else { throw SiteError.notFinite(site) }
        case .clamp(let range):
            guard range.lowerBound.isFinite, range.upperBound.isFinite else {
                throw SiteError.notFinite(site)
            }
        case .adapt(let adapter, _):
            try checkWidth(adapter.up.outputs)
            if let kind = adapter.reading,
                siteWidth(kind, layer: site.layer) != adapter.down.inputs || site.layer == nil
            {
                throw SiteError.width(
                    site, found: adapter.down.inputs, expected: siteWidth(kind, layer: site.layer) ?? 0)
            }
        case .closure: break
        }
    }

    /// Patterns have as many columns as there are keys: what has a fixed width does not fit them.
    private func checkPattern(_ change: SiteChange) throws {
        let heads = siteHeads(.pattern, layer: change.site.layer) ?? 0
        if case .heads(let list) = change.part, let head = list.first(where: { !(0..<heads).contains($0) }) {
            throw SiteError.head(change.site, head: head, heads: heads)
        }
        if case .columns(let list) = change.part, let column = list.first {
            throw SiteError.column(change.site, column: column, columns: 0)
        }
        switch change.operation {
        case .scale(let factor):
            guard factor.isFinite else { throw SiteError.notFinite(change.site) }
        case .clamp, .closure: break
        case .add(let tensor, _), .replace(let tensor), .multiply(let tensor):
            throw SiteError.width(change.site, found: tensor.columns, expected: 0)
        case .projectOut(let direction), .projectOnto(let direction):
            throw SiteError.width(change.site, found: direction.count, expected: 0)
        case .adapt(let adapter, _):
            throw SiteError.width(change.site, found: adapter.up.outputs, expected: 0)
        }
    }
}
