import CorvidText
import Foundation
import TestSupport
import Testing

@testable import CorvidEditing

@Suite struct HeadSelectionTests {
    /// Ten heads in layers of five: (perplexity, bias) without each.
    private static let table: [(Double, Double)] = [
        (20, 0.50), (12, 0.10), (11, 0.40), (11, 0.20), (10, 0.45),
        (10, 0.30), (14, 0.05), (10, 0.60), (10, 0.20), (30, 0.01),
    ]

    static func scores(_ table: [(Double, Double)] = Self.table, perLayer: Int = 5) -> HeadScores {
        var scores = HeadScores(
            heads: table.indices.map { HeadIndex(layer: $0 / perLayer, head: $0 % perLayer) })
        for (index, head) in scores.heads.enumerated() {
            scores[head].perplexity = table[index].0
            scores[head].bias["x"] = table[index].1
        }
        scores.perplexity = 10
        scores.bias["x"] = 0.4
        return scores
    }

    private func select(
        _ scores: HeadScores, _ method: PruningMethod, _ ratio: Double, _ protection: Double = 0
    ) throws -> [Int] {
        try HeadSelection(
            scores, method: method, ratio: ratio, protection: protection, combination: .axis("x")
        ).heads.map { $0.layer * 5 + $0.head }
    }

    @Test("of the heads that are not protected those with the least bias go") func rule() throws {
        // Protected: int(10 x 0.3) = 3 with the largest perplexities, 30, 20 and 14: heads 9, 0, 6.
        #expect(try select(Self.scores(), .fasp, 0.1, 0.3) == [1])
        // The second and third least bias of the others are equal: both go with either.
        #expect(try select(Self.scores(), .fasp, 0.2, 0.3) == [1, 3, 8])
        #expect(try select(Self.scores(), .fasp, 0.3, 0.3) == [1, 3, 8])
        #expect(try select(Self.scores(), .fasp, 0, 0.3) == [])
        // Perplexities equal to the limit are free, too: 4 protected, but 11 is the sixth and 2, 3 have it.
        let selection = try HeadSelection(
            Self.scores(), method: .fasp, ratio: 0.1, protection: 0.5, combination: .axis("x"))
        #expect(selection.protected.map { $0.layer * 5 + $0.head } == [0, 1, 6, 9])
    }

    @Test("without protection FASP is the choice by bias alone") func noProtection() throws {
        for ratio in [0.1, 0.2, 0.4, 0.9, 1] {
            #expect(
                try select(Self.scores(), .fasp, ratio) == select(Self.scores(), .bias, ratio), "\(ratio)")
        }
        #expect(try select(Self.scores(), .bias, 0.2) == [6, 9])
    }

    @Test("with as many heads to go as are free all of these go") func allFree() throws {
        let selection = try HeadSelection(
            Self.scores(), method: .fasp, ratio: 0.7, protection: 0.3, combination: .axis("x"))
        #expect(selection.heads.count == 7)
        #expect(Set(selection.heads).isDisjoint(with: selection.protected))
        #expect(throws: PruningError.tooMany(pruned: 8, free: 7, heads: 10)) {
            try HeadSelection(
                Self.scores(), method: .fasp, ratio: 0.8, protection: 0.3, combination: .axis("x"))
        }
    }

    @Test("a head without which there is no perplexity stays") func critical() throws {
        var scores = Self.scores()
        scores[HeadIndex(layer: 1, head: 4)].perplexity = .infinity
        #expect(scores.critical == [HeadIndex(layer: 1, head: 4)])
        #expect(try select(scores, .bias, 0.1) == [6])
        #expect(try select(scores, .fasp, 0.1, 0) == [6])
        #expect(try select(scores, .perplexity, 0.4) == [4, 5, 7, 8])
    }

    @Test("random choices have the right number, and depend on the seed alone") func random() throws {
        let scores = HeadScores(heads: (0..<448).map { HeadIndex(layer: $0 / 16, head: $0 % 16) })
        let first = try HeadSelection(scores, method: .random, ratio: 0.02, seed: 7)
        #expect(first.heads.count == 8)
        #expect(try HeadSelection(scores, method: .random, ratio: 0.02, seed: 7) == first)
        #expect(try HeadSelection(scores, method: .random, ratio: 0.02, seed: 8).heads != first.heads)
    }

    @Test("several axes are compared with the bias that each has") func axes() throws {
        var scores = Self.scores()
        scores.bias["y"] = 0.1
        for head in scores.heads { scores[head].bias["y"] = 0.1 }
        // On y head 9 does great harm: 0.3 of 0.1.
        scores[HeadIndex(layer: 1, head: 4)].bias["y"] = 0.3
        let sum = try HeadSelection(
            scores, method: .bias, ratio: 0.1, combination: .sum([("x", 1), ("y", 1)]))
        #expect(sum.heads == [HeadIndex(layer: 1, head: 1)])
        let heavy = try HeadSelection(
            scores, method: .bias, ratio: 0.1, combination: .sum([("x", 100), ("y", 1)]))
        #expect(heavy.heads == [HeadIndex(layer: 1, head: 4)])
        let worst = try scores.biases(.maximum(["x", "y"]))
        #expect(abs(worst[9] - 3) < 1e-12 && abs(worst[0] - 1.25) < 1e-12)
        #expect(throws: PruningError.self) { try scores.biases(.maximum(["x", "z"])) }
    }

    @Test("ratios outside 0 to 1 and scores that are missing are named") func refusals() {
        #expect(throws: PruningError.ratio(name: "ratio", found: 1.5)) {
            try select(Self.scores(), .fasp, 1.5)
        }
        #expect(throws: PruningError.ratio(name: "protect", found: -0.1)) {
            try select(Self.scores(), .fasp, 0.1, -0.1)
        }
        let empty = HeadScores(heads: [HeadIndex(layer: 0, head: 0)])
        for method in PruningMethod.allCases where method != .random {
            #expect(throws: PruningError.self) {
                try HeadSelection(empty, method: method, ratio: 1, combination: .axis("x"))
            }
        }
        #expect(throws: PruningError.self) { try HeadSelection(Self.scores(), method: .fasp, ratio: 0.1) }
    }

    @Test("a point is on the front where no other is better") func front() throws {
        let points = try Self.scores().paretoPoints(
            ratios: [0, 0.1, 0.2, 0.9], protections: [0, 0.3], combination: .axis("x"))
        // 0.9 with 0.3 protected leaves too few.
        #expect(points.count == 7)
        for point in points {
            let better = points.contains {
                $0.bias < point.bias && $0.perplexity <= point.perplexity
                    || $0.bias <= point.bias && $0.perplexity < point.perplexity
            }
            #expect(point.isOnFront == !better)
        }
        let nothing = try #require(points.first { $0.ratio == 0 })
        #expect(nothing.bias == 0.4 && nothing.perplexity == 10 && nothing.isOnFront)
        let one = try #require(points.first { $0.ratio == 0.1 && $0.protection == 0.3 })
        #expect(abs(one.bias - 0.1) < 1e-12 && abs(one.perplexity - 12) < 1e-9)
    }

    @Test("scores come back from their file, and are refused for anything else") func file() throws {
        let folder = try TemporaryFolder()
        let path = folder.path(of: "scores.json")
        var scores = Self.scores()
        scores[HeadIndex(layer: 0, head: 1)].perplexity = .infinity
        scores[HeadIndex(layer: 0, head: 2)].sensitivity = 0.25
        scores[HeadIndex(layer: 0, head: 3)].bias = [:]
        let origin = HeadScores.Origin(["text": "abc", "model": "m"])
        try scores.write(to: path, origin: origin)
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        #expect(try HeadScores(bytes, file: path, origin: origin, heads: scores.heads) == scores)
        #expect(throws: PruningError.self) {
            try HeadScores(bytes, file: path, origin: .init(["text": "abd"]), heads: scores.heads)
        }
        #expect(throws: PruningError.self) {
            try HeadScores(bytes, file: path, origin: origin, heads: Array(scores.heads.dropLast()))
        }
        for text in ["", "[]", "{\"format_version\": 2, \"heads\": []}", "{\"format_version\": 1}"] {
            #expect(throws: PruningError.self) {
                try HeadScores(Array(text.utf8), file: path, origin: origin, heads: scores.heads)
            }
        }
    }
}
