import Testing

@testable import CorvidTensors

@Suite struct PassProfileTests {
    private struct Work {
        let pool: WorkerPool
        let linear: Linear
        let norm: Norm

        init(threads: Int) throws {
            pool = try WorkerPool(threads: threads)
            let values = (0..<64 * 64).map { Float($0 % 7) - 3 }
            linear = try Linear(Tensor(values, shape: [64, 64]), part: .mlpUp)
            norm = Norm(.rms, weight: nil, bias: nil, epsilon: 1e-5)
        }

        /// A norm, and a product of what it gives.
        func run() throws -> [Float] {
            try pool.runBlocking { [linear, norm] workers in
                let arena = Arena()
                let x = try Matrix((0..<128).map(Float.init), rows: 2, columns: 64)
                norm(x, into: x, workers: workers)
                let out = try Matrix(rows: 2, columns: 64)
                let input = try ProductInput(x, for: [linear], workers: workers, arena: arena)
                try Linear.multiply(input, by: [linear], into: [out], workers: workers)
                return out.values
            }
        }
    }

    @Test("each operation belongs to one part, and together the parts are the whole", arguments: [1, 2, 4])
    func parts(threads: Int) throws {
        let work = try Work(threads: threads)
        try work.pool.startProfile()
        for _ in 0..<3 { _ = try work.run() }
        let profile = try #require(try work.pool.stopProfile())
        #expect(profile.threads == threads && profile.passes == 3)
        #expect(profile[.norms].calls == 3 && profile[.mlpUp].calls == 3 && profile[.rounding].calls == 3)
        #expect(profile[.attention].calls == 0 && profile[.attention].seconds == 0)
        for part in [PassPart.norms, .mlpUp, .rounding, .other] {
            #expect(profile[part].seconds > 0 && profile[part].busySeconds > 0)
            #expect(profile[part].busySeconds <= profile[part].seconds * Double(threads) + 1e-9)
            #expect((0..<1).contains(profile.idleFraction(of: part)))
        }
        let sum = PassPart.allCases.reduce(0) { $0 + profile[$1].seconds }
        #expect(abs(sum - profile.seconds) <= 1e-9)
        #expect(profile.parts.count == PassPart.allCases.count)
    }

    @Test("results are the same with and without a profile") func sameResults() throws {
        let work = try Work(threads: 2)
        let plain = try work.run()
        try work.pool.startProfile()
        #expect(try work.run() == plain)
        _ = try work.pool.stopProfile()
        #expect(try work.run() == plain)
    }

    @Test("without a start there is no profile, and a second start begins anew") func starts() throws {
        let work = try Work(threads: 2)
        #expect(try work.pool.stopProfile() == nil)
        try work.pool.startProfile()
        _ = try work.run()
        try work.pool.startProfile()
        let profile = try #require(try work.pool.stopProfile())
        #expect(profile.passes == 0 && profile.seconds == 0)
        #expect(try work.pool.stopProfile() == nil)
    }

    @Test("an error inside an operation leaves the profile whole") func failure() throws {
        struct Stop: Error {}
        let work = try Work(threads: 2)
        try work.pool.startProfile()
        #expect(throws: Stop.self) { try work.pool.runBlocking { _ in throw Stop() } }
        _ = try work.run()
        #expect(try work.pool.stopProfile()?.passes == 2)
    }
}
