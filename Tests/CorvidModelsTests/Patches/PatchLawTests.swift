import CorvidTensors
import TestSupport
import Testing

@testable import CorvidModels

/// What holds for every kind of patch on every family.
@Suite struct PatchLawTests {
    @Test(
        "a patch changes the logits, at scale 0 it does not, and taking it off restores every bit",
        arguments: PatchSamples.families)
    func takingOff(name: String) throws {
        let subject = try PatchSubject(name)
        let plain = try subject.bits(subject.model)
        var samples = subject.samples
        for kind in Patch.Kind.allCases {
            guard let patch = try samples.patch(kind) else { continue }
            let bound = try patch.bound(to: subject.model)
            #expect(try subject.bits([(bound, 0)]) == plain, "\(kind) at scale 0")
            let changed = try subject.bits([(bound, 1)])
            #expect((changed != plain) == (kind != .labelPrior), "\(kind)")
            #expect(try subject.bits([(bound, 1)]) == changed, "\(kind) put on again")
            #expect(try subject.bits(subject.model) == plain, "\(kind) taken off")
        }
    }

    @Test(
        "two additive patches give equal bits in both orders, at any scales", arguments: PatchSamples.families
    )
    func anyOrder(name: String) throws {
        let subject = try PatchSubject(name)
        let kinds: [Patch.Kind] = [
            .lowRank, .dense, .rows, .columns, .bias, .norm, .tableRows, .tableLowRank, .addition, .mask,
            .logitBias,
        ]
        var samples = subject.samples
        for kind in kinds {
            guard let a = try samples.patch(kind, name: "a"), let b = try samples.patch(kind, name: "b"),
                let c = try samples.patch(kind, name: "c")
            else { continue }
            let first = try subject.bits([(a, 1), (b, 0.3), (c, -0.7)])
            #expect(try subject.bits([(c, -0.7), (a, 1), (b, 0.3)]) == first, "\(kind)")
            #expect(try subject.bits([(b, 0.3), (c, -0.7), (a, 1)]) == first, "\(kind)")
            let (_, warnings) = try PatchStack([.init(a), .init(b)]).overlay(for: subject.model.configuration)
            #expect(warnings.isEmpty, "\(kind)")
        }
    }

    @Test("patches that do not commute keep their order, and a warning names them") func warnings() throws {
        let subject = try PatchSubject("gptj")
        let c = subject.model.configuration
        var samples = subject.samples
        func patch(_ name: String, _ change: Patch.Change) throws -> Patch {
            try Patch(PatchHeader(name: name, method: "sample"), [change])
        }
        let site = Site(.heads, layer: 1)
        let width = c.heads * c.headWidth
        let mask = try patch("mask", .mask(SiteMask.heads([0, 0.5], at: site)))
        let addition = try patch("vector", .addition(SiteAddition(samples.numbers([1, width]), at: site)))
        let replacements = try ["one", "two"].map {
            try patch(
                $0,
                .operation(
                    SiteOperation(.replace(samples.numbers([1, width]), firstPosition: nil), at: site)))
        }
        let prefixes = try ["first", "second"].compactMap { try samples.patch(.prefix, name: $0) }
        let adapters = try ["left", "right"].compactMap { try samples.patch(.adapter, name: $0) }
        for pair in [[mask, addition], replacements, prefixes, adapters] {
            let there = PatchStack(pair.map { .init($0) })
            let back = PatchStack(pair.reversed().map { .init($0) })
            #expect(
                try subject.bits(subject.model.applying(there).model)
                    != subject.bits(subject.model.applying(back).model))
            let found = try there.overlay(for: c).warnings
            let names = pair.map(\.header.name)
            #expect(found.count == 1, "\(names)")
            #expect(names.allSatisfy { found.first?.description.contains($0) == true }, "\(found)")
        }
        // At positions that no token has both of, they do commute.
        let first = try patch(
            "first", .operation(SiteOperation(.scale(0), at: site, positions: .at(1))))
        let second = try patch(
            "second", .addition(SiteAddition(samples.numbers([1, width]), at: site, positions: .at(2))))
        #expect(try PatchStack([.init(first), .init(second)]).overlay(for: c).warnings.isEmpty)
    }

    @Test("100 random applies and reverts end with the model's own bits", arguments: ["gptj", "gguf-q8_0"])
    func random(name: String) throws {
        let subject = try PatchSubject(name)
        let plain = try subject.bits(subject.model)
        var samples = subject.samples
        let pool = try Patch.Kind.allCases.compactMap { try samples.patch($0) }
        var generator = SeededGenerator(seed: 3)
        var on: [PatchStack.Layer] = []
        for _ in 0..<100 {
            if on.isEmpty || !generator.chance(2) {
                let patch = pool[generator.index(below: pool.count)]
                guard !on.contains(where: { $0.patch.fingerprint == patch.fingerprint }) else { continue }
                let scale: Float = patch.changes[0].kind == .prefix ? 1 : generator.floats(1)[0]
                on.append(.init(patch, scale: scale))
            } else {
                on.remove(at: generator.index(below: on.count))
            }
            let (model, _) = try subject.model.applying(on)
            if on.isEmpty { #expect(try subject.bits(model) == plain) } else { _ = try subject.bits(model) }
        }
        #expect(try subject.bits(subject.model) == plain)
        #expect(try subject.bits(subject.model.applying([]).model) == plain)
    }

    @Test("a scale multiplies what is added; of a mask it takes a share of the way from 1")
    func scales() throws {
        let subject = try PatchSubject("gptj")
        let c = subject.model.configuration
        let site = Site(.heads, layer: 1)
        let half = try Patch(
            PatchHeader(name: "m", method: "sample"), [.mask(SiteMask.heads([0, 3], at: site))])
        let whole = try Patch(
            PatchHeader(name: "m", method: "sample"), [.mask(SiteMask.heads([0.5, 2], at: site))])
        #expect(c.heads == 2)
        #expect(try subject.bits([(half, 0.5)]) == subject.bits([(whole, 1)]))
        #expect(try subject.bits([(half.scaled(by: 0.5), 1)]) == subject.bits([(whole, 1)]))
        var samples = subject.samples
        for kind in Patch.Kind.allCases {
            guard let patch = try samples.patch(kind), kind != .prefix else { continue }
            #expect(try subject.bits([(patch.scaled(by: 2), 1)]) == subject.bits([(patch, 2)]), "\(kind)")
        }
        let prefix = try #require(try samples.patch(.prefix))
        #expect(throws: PatchError.scale(patch: "prefix", kind: .prefix, scale: 0.5)) {
            try subject.bits([(prefix, 0.5)])
        }
        #expect(throws: PatchError.self) { try prefix.scaled(by: 0.5) }
        #expect(throws: PatchError.notFiniteScale(patch: "prefix")) { try prefix.scaled(by: .infinity) }
    }

    @Test("a part of a replacement, projection or clamp lies on the way to the whole") func amounts() throws {
        let subject = try PatchSubject("gptj")
        var samples = subject.samples
        let width = subject.model.configuration.width
        let site = Site.output(of: 1)
        let functions: [SiteOperation.Function] = [
            .replace(try samples.numbers([1, width]), firstPosition: nil), .scale(0.25),
            .projectOut(try samples.numbers([width])), .projectOnto(try samples.numbers([width])),
            .clamp(-0.1...0.1),
        ]
        func read(_ model: Model) throws -> [Float] {
            let rows = subject.golden.ids.prefix(6).enumerated().map {
                Batch<KeyValueCache>.Row(token: $1, sequence: 0, position: $0, wantsLogits: true)
            }
            let run = try model.runBlocking(
                SitePlan(readings: [SiteReading(site)]), Batch(rows: rows, caches: [model.makeCache()]))
            return run.readings[0].values
        }
        let before = try read(subject.model)
        for function in functions {
            let patch = try Patch(
                PatchHeader(name: "o", method: "sample"), [.operation(SiteOperation(function, at: site))])
            let whole = try read(subject.model.applying([.init(patch)]).model)
            let part = try read(subject.model.applying([.init(patch, scale: 0.25)]).model)
            #expect(whole != before)
            for index in before.indices {
                let expected = before[index] + 0.25 * (whole[index] - before[index])
                #expect(abs(part[index] - expected) < 1e-4)
            }
        }
    }
}
