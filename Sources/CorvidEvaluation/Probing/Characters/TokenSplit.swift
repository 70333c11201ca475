/// Tokens for training and tokens for testing, as places in a vocabulary's list.
public struct TokenSplit: Sendable, Equatable {
    public var training: [Int]
    public var test: [Int]

    /// Splits groups of tokens, of which none is torn apart.
    /// - Parameters:
    ///   - groups: places of tokens.
    ///   - order: the groups in another order: the first of them train.
    ///   - testShare: share of the groups that test.
    init(groups: [[Int]], order: [Int], testShare: Double) {
        let trained = Int((Double(order.count) * (1 - testShare)).rounded(.down))
        training = order.prefix(trained).flatMap { groups[$0] }
        test = order.dropFirst(trained).flatMap { groups[$0] }
    }

    /// Places of tokens with the same key, groups and places in order of their first appearance.
    static func groups(_ keys: [String]) -> [[Int]] {
        var groups: [[Int]] = []
        var known: [String: Int] = [:]
        for (place, key) in keys.enumerated() {
            if let group = known[key] {
                groups[group].append(place)
            } else {
                known[key] = groups.count
                groups.append([place])
            }
        }
        return groups
    }
}
