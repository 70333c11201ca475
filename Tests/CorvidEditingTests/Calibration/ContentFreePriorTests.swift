import CorvidEditing
import CorvidTensors
import Foundation
import Testing

@Suite struct ContentFreePriorTests {
    private let names = ["no", "yes", "maybe"]

    private func masses(_ count: Int, classes: Int, seed: UInt64) -> [[Double]] {
        let random = CounterRandom(seed: seed)
        return (0..<count).map { row in
            (0..<classes).map { 1e-6 + random.uniform(step: UInt64(row), index: UInt32($0)) * 0.2 }
        }
    }

    @Test("the sheet's example: (0.30, 0.70) by (0.10, 0.90) becomes (0.794, 0.206)") func example() throws {
        let prior = try ContentFreePrior(masses: [[0.1, 0.9]], classNames: ["a", "b"])
        let row = try #require(try prior.calibrated([[0.3, 0.7]]).first)
        // 3 / (3 + 7/9) = 27/34
        #expect(abs(row[0] - 27.0 / 34) < 1e-12 && abs(row[1] - 7.0 / 34) < 1e-12)
        #expect([row].predictions == [0])
    }

    @Test("a prior without bias changes no prediction") func identity() throws {
        let prior = try ContentFreePrior(masses: [[0.02, 0.02, 0.02]], classNames: names)
        let masses = masses(500, classes: 3, seed: 1)
        #expect(try prior.calibrated(masses).predictions == ContentFreePrior.normalised(masses).predictions)
    }

    @Test("a text without content is exactly undecided by the prior which it made itself") func fixedPoint()
        throws
    {
        for row in masses(50, classes: 3, seed: 2) {
            let prior = try ContentFreePrior(masses: [row], classNames: names)
            #expect(try prior.calibrated([row]) == [[1.0 / 3, 1.0 / 3, 1.0 / 3]])
        }
    }

    @Test("factors on the label words change plain predictions, and calibrated probabilities not at all")
    func invariance() throws {
        let texts = masses(300, classes: 3, seed: 3)
        let probes = masses(20, classes: 3, seed: 4)
        // Powers of two are exact in the machine's numbers, too.
        let factors = [0.25, 1, 8]
        func scaled(_ rows: [[Double]]) -> [[Double]] { rows.map { zip($0, factors).map(*) } }
        let before = try ContentFreePrior(masses: probes, classNames: names)
        let after = try ContentFreePrior(masses: scaled(probes), classNames: names)
        let plain = try ContentFreePrior.normalised(texts).predictions
        #expect(try ContentFreePrior.normalised(scaled(texts)).predictions != plain)
        for (a, b) in zip(try before.calibrated(texts), try after.calibrated(scaled(texts))) {
            for (x, y) in zip(a, b) { #expect(abs(x - y) < 1e-14) }
        }
    }

    @Test("masses are averaged before they are normalised, or after, as asked for") func averaging() throws {
        let rows = [[0.1, 0.3], [0.006, 0.002]]
        let usual = try ContentFreePrior(masses: rows, classNames: ["a", "b"])
        // (0.053, 0.151) / 0.204
        #expect(abs(usual.probabilities[0] - 0.053 / 0.204) < 1e-12)
        let other = try ContentFreePrior(masses: rows, averaging: .normalised, classNames: ["a", "b"])
        // (1/4 + 3/4) / 2
        #expect(abs(other.probabilities[0] - 0.5) < 1e-12)
    }

    @Test("standard errors are those found by drawing the texts again") func standardErrors() throws {
        let rows = masses(200, classes: 3, seed: 5)
        let prior = try ContentFreePrior(masses: rows, classNames: names)
        let random = CounterRandom(seed: 6)
        let drawn = try (0..<400).map { round in
            let some = rows.indices.map { place in
                rows[
                    min(199, Int(random.uniform(step: UInt64(round), index: UInt32(place)) * 200))]
            }
            return try ContentFreePrior(masses: some, classNames: names).probabilities
        }
        for label in 0..<3 {
            let values = drawn.map { $0[label] }
            let mean = values.reduce(0, +) / 400
            let deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 400).squareRoot()
            #expect(abs(prior.standardErrors[label] / deviation - 1) < 0.15)
        }
        #expect(
            try ContentFreePrior(masses: [[0.1, 0.2]], classNames: ["a", "b"]).standardErrors == [0, 0])
    }

    @Test("entropy and distances have the values of simple cases") func measures() throws {
        let even = try ContentFreePrior(masses: [[0.2, 0.2]], classNames: ["a", "b"])
        let odd = try ContentFreePrior(masses: [[0.3, 0.1]], classNames: ["a", "b"])
        #expect(abs(even.entropy - log(2)) < 1e-12)
        #expect(abs(odd.entropy - (0.75 * log(4 / 3.0) + 0.25 * log(4))) < 1e-12)
        #expect(abs(even.distance(to: odd) - 0.25) < 1e-12 && odd.distance(to: odd) == 0)
        #expect(abs(odd.distanceToUniform - 0.25) < 1e-12 && even.distanceToUniform == 0)
    }

    @Test("the parts of a bias add up to what they were made of") func parts() throws {
        func prior(_ first: Double) throws -> ContentFreePrior {
            try ContentFreePrior(masses: [[first, 1 - first]], classNames: ["a", "b"])
        }
        let bias = LabelBias(
            vanilla: try prior(0.6), contextual: try prior(0.3), domain: try prior(0.2),
            english: try prior(0.4))
        #expect(abs(bias.domainLabelBias - 0.2) < 1e-12)
        #expect(abs(bias.parts[0].vanilla - log(1.2)) < 1e-12)
        #expect(abs(bias.parts[0].vanilla + bias.parts[0].context - log(0.3 * 2)) < 1e-12)
        #expect(abs(bias.parts[1].domain - log(0.8 / 0.6)) < 1e-12)
        #expect(abs(LabelBias.meanParts([bias, bias])[1].context - bias.parts[1].context) < 1e-12)
        #expect(bias.prior(.plain) == nil && bias.prior(.domain) == bias.domain)
    }

    @Test("the method is chosen by where the bias shows") func choice() throws {
        func prior(_ first: Double) throws -> ContentFreePrior {
            try ContentFreePrior(masses: [[first, 1 - first]], classNames: ["a", "b"])
        }
        func method(_ contextual: Double, _ domain: Double, _ english: Double) throws -> CalibrationMethod {
            let bias = LabelBias(
                vanilla: try prior(0.5), contextual: try prior(contextual), domain: try prior(domain),
                english: try prior(english))
            return CalibrationChoice([bias], settings: CalibrationSettings()).method
        }
        #expect(try method(0.5, 0.8, 0.5) == .domain)
        #expect(try method(0.5, 0.8, 0.8) == .domain)
        #expect(try method(0.8, 0.8, 0.8) == .contextual)
        #expect(try method(0.55, 0.5, 0.52) == .plain)
    }

    @Test("a class or a text without any probability is an error that names it") func zero() throws {
        #expect(throws: CalibrationError.zeroPrior(label: "yes")) {
            try ContentFreePrior(masses: [[0.1, 0, 0.2], [0.2, 0, 0]], classNames: names)
        }
        #expect(throws: CalibrationError.zeroPrior(label: "no")) {
            try ContentFreePrior(masses: [[.nan, 0.1, 0.2]], classNames: names)
        }
        let prior = try ContentFreePrior(masses: [[0.1, 0.1]], classNames: ["a", "b"])
        #expect(throws: CalibrationError.noMass(index: 1)) { try prior.calibrated([[0.1, 0], [0, 0]]) }
        #expect(throws: CalibrationError.zeroPrior(label: "b")) {
            try ContentFreePrior(probabilities: [1, 0], textCount: 1, classNames: ["a", "b"])
        }
    }
}
