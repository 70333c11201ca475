import CorvidText
import TestSupport
import Testing

@Suite struct JSONTests {
    @Test("every kind of value is read as what it is") func kinds() throws {
        let value = try JSON.parse(
            #" {"a": null, "b": [true, false], "c": -12, "d": 1.5e3, "e": "x", "f": {}, "g": []} "#)
        #expect(
            value == [
                "a": nil, "b": [true, false], "c": -12, "d": 1500.0, "e": "x", "f": [:], "g": [],
            ])
        #expect(value["c"]?.int == -12)
        #expect(value["d"]?.int == 1500)
        #expect(value["c"]?.double == -12)
        #expect(value["b"]?[1]?.bool == false)
        #expect(value["a"]?.isNull == true)
        #expect(value["z"] == nil)
        #expect(value["b"]?[2] == nil)
        #expect(value["e"]?["x"] == nil)
    }

    @Test("an object keeps the order of its keys, few or many")
    func order() throws {
        for count in [3, 100] {
            let keys = (0..<count).map { "key\($0 * 7919 % 1000)" }
            let text = "{" + keys.map { "\"\($0)\": \"\($0)!\"" }.joined(separator: ",") + "}"
            let object = try #require(try JSON.parse(text).object)
            #expect(object.keys == keys)
            #expect(object.map(\.key) == keys)
            for key in keys { #expect(object[key]?.string == key + "!") }
        }
    }

    @Test("setting, replacing and removing members keeps look-up and order right")
    func mutation() {
        var object = JSONObject()
        for index in 0..<40 { object["k\(index)"] = .integer(Int64(index)) }
        object["k3"] = "three"
        object["k5"] = nil
        #expect(object.count == 39)
        #expect(object.keys[3] == "k3" && object.keys[5] == "k6")
        #expect(object["k3"] == "three" && object["k5"] == nil && object["k39"] == 39)
    }

    @Test("keys are told apart by code points, not by canonical equivalence")
    func exactKeys() throws {
        let object = try #require(try JSON.parse(#"{"\u00e9": 1, "e\u0301": 2}"#).object)
        #expect(object.count == 2)
        #expect(object["\u{E9}"] == 1)
        #expect(object["e\u{301}"] == 2)
        #expect(JSON.string("\u{E9}") != JSON.string("e\u{301}"))
    }

    @Test(
        "integers of 64 bits stay exact and larger ones become doubles",
        arguments: [
            ("0", .integer(0)), ("9223372036854775807", .integer(.max)),
            ("-9223372036854775808", .integer(.min)), ("9223372036854775808", .number(0x1p63)),
            ("18446744073709551616", .number(0x1p64)), ("-0", .number(-0.0)), ("1e0", .number(1)),
            ("1000000000000000019884624838656", .number(1e30)), ("5e-324", .number(.leastNonzeroMagnitude)),
            ("0.1", .number(0.1)), ("1.7976931348623157e308", .number(.greatestFiniteMagnitude)),
            ("1e-400", .number(0)),
            ("123456789012345678901234567890e-10", .number(12345678901234567890.123456789)),
        ] as [(String, JSON)])
    func numbers(_ text: String, _ expected: JSON) throws {
        #expect(try JSON.parse(text) == expected)
    }

    @Test("escapes and surrogate pairs are decoded")
    func escapes() throws {
        let value = try JSON.parse(#""\"\\\/\b\f\n\r\t\u0041\u00e9\u20ac\ud83d\ude00 é€😀""#)
        #expect(value.string == "\"\\/\u{8}\u{C}\n\r\tAé€😀 é€😀")
    }

    @Test(
        "what is not JSON is refused with its place",
        arguments: [
            ("", 1, 1), ("  ", 1, 3), ("{", 1, 2), ("[1,]", 1, 4), ("[1 2]", 1, 4), ("{\"a\":1,}", 1, 8),
            ("{\"a\" 1}", 1, 6), ("{a: 1}", 1, 2), ("[1]\n x", 2, 2), ("nul", 1, 1), ("tru", 1, 1),
            ("+1", 1, 1),
            ("01", 1, 1), ("-", 1, 2), ("1.", 1, 3), ("1e", 1, 3), (".5", 1, 1), ("1e999", 1, 1),
            ("NaN", 1, 1),
            ("\"a", 1, 1), ("\"\n\"", 1, 2), ("\"\\x\"", 1, 2), ("\"\\u12\"", 1, 2), ("\"\\ud800\"", 1, 2),
            ("\"\\ud800\\u0041\"", 1, 2), ("\"\\udc00\"", 1, 2), ("[1] [2]", 1, 5), ("]", 1, 1), ("[}", 1, 2),
            ("{\"a\":1]", 1, 7), ("// x\n1", 1, 1), ("'a'", 1, 1), ("\u{FEFF}1", 1, 1),
            ("{\"a\":1,\"a\":2}", 1, 12),
        ])
    func refused(_ text: String, line: Int, column: Int) {
        let error = #expect(throws: JSONError.self) { try JSON.parse(text) }
        #expect(error?.line == line, "\(text): \(String(describing: error))")
        #expect(error?.column == column, "\(text): \(String(describing: error))")
    }

    @Test(
        "a string that is not valid UTF-8 is refused",
        arguments: [
            [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x9F, 0xBF], [0xED, 0xA0, 0x80],
            [0xF0, 0x8F, 0xBF, 0xBF],
            [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xE2, 0x82], [0xFF],
        ] as [[UInt8]])
    func invalidUTF8(_ bytes: [UInt8]) {
        #expect(throws: JSONError.self) { try JSON.parse([0x22] + bytes + [0x22]) }
    }

    @Test("nesting, values, bytes and digits are bounded")
    func limits() throws {
        let depth64 = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
        #expect(try JSON.parse(depth64).array?.count == 1)
        #expect(throws: JSONError.self) { try JSON.parse("[" + depth64 + "]") }
        #expect(throws: JSONError.self) {
            try JSON.parse(String(repeating: "[", count: 1_000_000), limits: JSONLimits(depth: 1_000_000))
        }
        #expect(throws: JSONError.self) {
            try JSON.parse(
                String(repeating: "{\"a\":", count: 1_000_000), limits: JSONLimits(depth: 1_000_000))
        }
        #expect(throws: JSONError.self) { try JSON.parse("[1,2,3]", limits: JSONLimits(values: 3)) }
        #expect(throws: JSONError.self) { try JSON.parse("[1,2,3]", limits: JSONLimits(bytes: 6)) }
        #expect(throws: JSONError.self) { try JSON.parse(String(repeating: "1", count: 100_000)) }
    }

    @Test("the last of two equal keys can be kept")
    func duplicates() throws {
        let value = try JSON.parse(#"{"a": 1, "b": 2, "a": 3}"#, duplicateKeys: .keepLast)
        #expect(value.object?.keys == ["a", "b"])
        #expect(value["a"] == 3)
    }

    @Test("what is written reads back equal, plain and pretty")
    func roundTrip() throws {
        let value: JSON = [
            "name": "quote \" backslash \\ newline \n null \u{0} del \u{7F} é 😀", "empty": [:], "none": [],
            "numbers": [0, -1, 0.1, 1e300, 1e-300, 1.0, -0.0], "nested": [["a": [nil, true]]],
        ]
        for pretty in [false, true] {
            #expect(try JSON.parse(value.encodedBytes(pretty: pretty)) == value)
        }
        #expect(JSON.array([1, "a\u{1}", nil]).encoded() == #"[1,"a\u0001",null]"#)
        #expect((["a": [1]] as JSON).encoded(pretty: true) == "{\n  \"a\": [\n    1\n  ]\n}")
        #expect(JSON.array([.number(.nan), .number(.infinity)]).encoded() == "[null,null]")
    }

    @Test("the scanner reads members piece by piece and skips the rest")
    func scanner() throws {
        var scanner = JSONScanner(Array(#"{"skip": {"x": [1, {"y": "z"}]}, "list": [1, 2], "n": 2.5}"#.utf8))
        var seen: [String] = []
        var numbers: [Int64] = []
        try scanner.beginObject()
        while let key = try scanner.nextKey() {
            seen.append(key)
            if key == "list" {
                try scanner.beginArray()
                while try scanner.nextElement() { numbers.append(try scanner.readInteger()) }
            } else {
                try scanner.skipValue()
            }
        }
        try scanner.finish()
        #expect(seen == ["skip", "list", "n"])
        #expect(numbers == [1, 2])
    }

    @Test("a scanner used out of order throws")
    func misuse() throws {
        var scanner = JSONScanner(Array("[1]".utf8))
        #expect(throws: JSONError.self) { _ = try scanner.nextKey() }
        #expect(throws: JSONError.self) { _ = try scanner.nextElement() }
        #expect(throws: JSONError.self) { try scanner.beginObject() }
        try scanner.beginArray()
        #expect(throws: JSONError.self) { try scanner.finish() }
    }

    @Test("mutated texts are read or refused, and what is read can be written and read again")
    func mutants() throws {
        let seed: UInt64 = 20_240_501
        var random = SeededGenerator(seed: seed)
        let base = Array(
            #"{"a":[1,-2.5e3,true,false,null,"x\n\u00e9\ud83d\ude00é😀"],"b":{"c":{},"d":[]},"e":"","f":12345678901}"#
                .utf8)
        var accepted = 0
        for round in 0..<5_000 {
            var bytes = base
            for _ in 0...random.index(below: 3) {
                let place = random.index(below: bytes.count)
                switch random.index(below: 4) {
                case 0: bytes[place] = UInt8(random.index(below: 256))
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(Array("{}[],:\"\\e-0".utf8)[random.index(below: 11)], at: place)
                default: bytes.removeLast(random.index(below: 4))
                }
            }
            guard let value = try? JSON.parse(bytes) else { continue }
            accepted += 1
            #expect(try JSON.parse(value.encodedBytes()) == value, "seed \(seed), round \(round)")
        }
        #expect(accepted > 100)
    }
}
