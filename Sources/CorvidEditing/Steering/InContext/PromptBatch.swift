import CorvidModels
import CorvidTensors

/// Prompts that run together, piece by piece. A beginning that they all share runs once.
struct PromptBatch {
    let model: Model
    let prompts: [[Int32]]
    /// One for each prompt.
    private(set) var caches: [KeyValueCache] = []
    /// Changes of every pass at positions of their own; sequences are not named.
    let changes: [SiteChange]

    /// Rows of one pass: more are not faster.
    static let rowsOfPass = 1_024
    /// Bytes of keys and values that prompts running side by side may take.
    private static let cacheBytes = 1 << 30

    init(_ model: Model, _ prompts: [[Int32]], changes: [SiteChange] = []) {
        self.model = model
        self.prompts = prompts
        self.changes = changes
    }

    /// How many prompts of this length may run side by side.
    static func capacity(_ model: Model, tokens: Int) -> Int {
        let page = KeyValuePage.positions
        let bytes = model.cacheBytesPerPosition * page * ((tokens + page - 1) / page)
        return min(256, max(1, cacheBytes / max(1, bytes)))
    }

    /// Values of sites, by site and position.
    typealias Record = [Site: [Int: [Float]]]

    /// Runs each prompt up to its end (exclusive), and records what stands at some of its positions.
    /// - Returns: a record for each prompt.
    mutating func run(
        upTo ends: [Int], reading sites: [Site] = [], at positions: [[Int]] = []
    ) async throws -> [Record] {
        var records = [Record](repeating: [:], count: prompts.count)
        if caches.isEmpty {
            let shared = sharedBeginning(ends)
            let first = try model.makeCache()
            if shared > 0 {
                let wanted = positions.map { $0.filter { $0 < shared } }
                let all = Set(wanted.joined()).sorted()
                let common = try await run([first], [prompts[0]], upTo: [shared], sites, [all])
                for index in prompts.indices { records[index] = common[0] }
            }
            caches = try prompts.indices.map { try $0 == prompts.count - 1 ? first : first.fork() }
        }
        let start = caches.map(\.count)
        let rest = positions.enumerated().map { index, list in list.filter { $0 >= start[index] } }
        let own = try await run(caches, prompts, upTo: ends, sites, rest)
        for index in prompts.indices {
            records[index].merge(own[index]) { $0.merging($1) { _, new in new } }
        }
        return records
    }

    /// Tokens which all prompts begin with and run now.
    private func sharedBeginning(_ ends: [Int]) -> Int {
        guard prompts.count > 1, let first = prompts.first else { return 0 }
        var count = ends.min() ?? 0
        for prompt in prompts { count = min(count, zip(first, prompt).prefix { $0 == $1 }.count) }
        return count
    }

    private func run(
        _ caches: [KeyValueCache], _ prompts: [[Int32]], upTo ends: [Int], _ sites: [Site],
        _ positions: [[Int]]
    ) async throws -> [Record] {
        var records = [Record](repeating: [:], count: prompts.count)
        var next = caches.map(\.count)
        while true {
            try Task.checkCancellation()
            var batch = Batch<KeyValueCache>(rows: [], caches: [])
            var plan = SitePlan(changes: changes)
            // Sequence of the batch -> prompt.
            var members: [Int] = []
            for index in prompts.indices where next[index] < ends[index] {
                let room = Self.rowsOfPass - batch.rows.count
                guard room > 0 else { break }
                let range = next[index]..<min(ends[index], next[index] + room)
                let sequence = members.count
                for position in range {
                    batch.rows.append(
                        .init(
                            token: prompts[index][position], sequence: sequence, position: position,
                            wantsLogits: false))
                }
                batch.caches.append(caches[index])
                batch.promptCounts.append(prompts[index].count)
                let read = positions.indices.contains(index) ? positions[index].filter(range.contains) : []
                if !read.isEmpty {
                    let places = Positions(read.map { $0..<$0 + 1 })
                    plan.readings += sites.map { SiteReading($0, positions: places, sequence: sequence) }
                }
                members.append(index)
                next[index] = range.upperBound
            }
            if batch.rows.isEmpty { return records }
            let result = try await model.run(plan, batch)
            for (reading, values) in zip(plan.readings, result.readings) {
                for (row, place) in values.places.enumerated() {
                    records[members[place.sequence]][reading.site, default: [:]][place.position] = Array(
                        values[row])
                }
            }
        }
    }
}
