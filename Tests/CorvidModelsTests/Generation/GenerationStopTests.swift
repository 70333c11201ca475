import CorvidTensors
import Testing

@testable import CorvidModels

@Suite struct GenerationStopTests {
    private func run(_ pieces: [String], stops: [String]) -> (pieces: [String], isStopped: Bool) {
        var matcher = StopMatcher(stops)
        var output: [String] = []
        for piece in pieces where !matcher.isStopped { output.append(matcher.append(piece)) }
        output.append(matcher.finish())
        return (output, matcher.isStopped)
    }

    @Test("a stop string inside one piece ends the text before it")
    func inside() {
        let (pieces, isStopped) = run(["Hello STOP world"], stops: ["STOP"])
        #expect(pieces.joined() == "Hello ")
        #expect(isStopped)
    }

    @Test("a stop string that straddles pieces is held back and never shown")
    func straddling() {
        let (pieces, isStopped) = run(["ab", "\n", "\nUs", "er", ": x"], stops: ["\n\nUser:"])
        #expect(pieces == ["ab", "", "", "", "", ""])
        #expect(isStopped)
    }

    @Test("what only began like a stop string is given out as soon as it differs")
    func begunOnly() {
        let (pieces, isStopped) = run(["ab", "\n", "\nUs", "ed", "."], stops: ["\n\nUser:"])
        #expect(pieces == ["ab", "", "", "\n\nUsed", ".", ""])
        #expect(!isStopped)
        #expect(run(["ab\n"], stops: ["\n\nUser:"]).pieces == ["ab", "\n"])
    }

    @Test("a candidate that fails may contain the beginning of another")
    func overlapping() {
        // "aab" after "aa": the held "aa" loses its first letter, not both.
        #expect(run(["a", "a", "a", "b", "c"], stops: ["aab"]).pieces.joined() == "a")
        #expect(run(["abab", "ac", "z"], stops: ["abac"]).pieces.joined() == "ab")
        #expect(run(["xab", "cd", "e"], stops: ["abce", "cd"]).pieces.joined() == "xab")
    }

    @Test("of two stop strings that end together the longer one counts, else the one that ends first")
    func several() {
        #expect(run(["one END. two"], stops: ["END.", "one END."]).pieces.joined() == "")
        #expect(run(["x abcd"], stops: ["abcd", "bc"]).pieces.joined() == "x a")
    }

    @Test("characters of several bytes are neither split nor merged")
    func multiByte() {
        // The two characters share their first bytes: f0 9f 98 80 and f0 9f 98 81.
        #expect(run(["a\u{1F600}", "b"], stops: ["\u{1F601}"]).pieces == ["a\u{1F600}", "b", ""])
        #expect(run(["a\u{1F600}", "b\u{1F601}c"], stops: ["\u{1F601}"]).pieces.joined() == "a\u{1F600}b")
        // A letter followed by a combining accent ends with the letter's own stop string.
        #expect(run(["cafe", "\u{301}!"], stops: ["fe"]).pieces.joined() == "ca")
        // Precomposed and decomposed letters are different texts.
        #expect(run(["\u{e9}"], stops: ["e\u{301}"]).pieces.joined().utf8.count == 2)
        #expect(run(["a\r\nb"], stops: ["\n"]).pieces.joined().utf8.elementsEqual("a\r".utf8))
    }

    @Test(
        "however a text is cut into pieces, it ends where it first contains a stop string", arguments: 0..<300
    )
    func anyCut(seed: Int) {
        let random = CounterRandom(seed: UInt64(seed))
        let letters = Array("abé")
        func word(_ stream: UInt32, _ longest: Int) -> String {
            let length = 1 + Int(random.uniform(stream: stream, step: 0) * Double(longest))
            return String(
                (0..<length).map {
                    letters[Int(random.uniform(stream: stream, step: 1, index: UInt32($0)) * 3)]
                })
        }
        let text = word(0, 40)
        let stops = (0..<(1 + seed % 4)).map { word(UInt32($0) + 1, 5) }

        // The definition, on the whole text: the first end, and there the earliest beginning.
        let bytes = Array(text.utf8)
        var expected = bytes
        search: for end in bytes.indices {
            let lengths = stops.map { Array($0.utf8) }.filter {
                bytes[...end].reversed().starts(with: $0.reversed())
            }
            .map(\.count)
            if let longest = lengths.max() {
                expected = Array(bytes[..<(end + 1 - longest)])
                break search
            }
        }

        var pieces: [String] = []
        var rest = text[...]
        while !rest.isEmpty {
            let length = 1 + Int(random.uniform(stream: 99, step: UInt64(rest.utf8.count)) * 4)
            pieces.append(String(rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        let (output, isStopped) = run(pieces, stops: stops)
        #expect(Array(output.joined().utf8) == expected, "seed \(seed): \(pieces), stops \(stops)")
        #expect(isStopped == (expected.count < bytes.count || stops.contains { text.hasSuffix($0) }))
    }
}
