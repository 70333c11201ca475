import CorvidText

/// The members of an object of a patch's header, each read once. What nobody asked for is an error: a newer Corvid
/// may have meant something by it that changes the arithmetic.
struct PatchFields {
    /// The file, for messages.
    let file: String
    /// Where the object stands, such as `change 3`; empty for the header itself.
    let place: String
    private let object: JSONObject
    private var read = Set<String>()

    init(_ value: JSON, file: String, place: String) throws {
        guard let object = value.object else {
            throw PatchFileError.value(
                file: file, item: place.isEmpty ? "the header" : place, found: value.kindName,
                expected: "an object")
        }
        self.file = file
        self.place = place
        self.object = object
    }

    /// - Throws: ``PatchFileError/unknownField(file:item:)``.
    func finish() throws {
        for key in object.keys where !read.contains(key) {
            throw PatchFileError.unknownField(file: file, item: item(key))
        }
    }

    private func item(_ key: String) -> String {
        FormatError.shown(key) + (place.isEmpty ? "" : " of \(place)")
    }

    func wrong(_ key: String, _ found: String, expected: String) -> PatchFileError {
        .value(file: file, item: item(key), found: FormatError.shown(found), expected: expected)
    }

    mutating func value(_ key: String) throws -> JSON? {
        read.insert(key)
        return object[key]
    }

    mutating func required(_ key: String) throws -> JSON {
        guard let value = try value(key) else { throw wrong(key, "absent", expected: "to be there") }
        return value
    }

    mutating func text(_ key: String, limit: Int) throws -> String {
        let value = try required(key)
        guard let text = value.string else { throw wrong(key, value.kindName, expected: "a text") }
        guard text.utf8.count <= limit else {
            throw PatchFileError.limit(
                file: file, item: "the length of \(item(key))", found: text.utf8.count, limit: limit)
        }
        return text
    }

    mutating func digest(_ key: String) throws -> Digest {
        let text = try text(key, limit: 64)
        guard let digest = Digest(hexadecimal: text) else {
            throw wrong(key, text, expected: "64 hexadecimal digits")
        }
        return digest
    }

    /// A finite number that an f32 holds.
    mutating func number(_ key: String) throws -> Float {
        let value = try required(key)
        guard let number = value.double, Float(number).isFinite else {
            throw wrong(key, value.kindName, expected: "a finite number")
        }
        return Float(number)
    }

    mutating func integer(_ key: String, _ range: ClosedRange<Int>) throws -> Int {
        let value = try required(key)
        guard let number = value.int, range.contains(number) else {
            throw wrong(
                key, value.int.map(String.init) ?? value.kindName,
                expected: "\(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    mutating func flag(_ key: String) throws -> Bool {
        let value = try required(key)
        guard let flag = value.bool else { throw wrong(key, value.kindName, expected: "true or false") }
        return flag
    }

    /// Integers, each in a range.
    mutating func integers(_ key: String, _ range: ClosedRange<Int>, limit: Int) throws -> [Int] {
        let value = try required(key)
        guard let elements = value.array else { throw wrong(key, value.kindName, expected: "a list") }
        try checkCount(elements.count, key, limit)
        return try elements.map { element in
            guard let number = element.int, range.contains(number) else {
                throw wrong(
                    key, element.int.map(String.init) ?? element.kindName,
                    expected: "numbers from \(range.lowerBound) to \(range.upperBound)")
            }
            return number
        }
    }

    mutating func texts(_ key: String, limit: Int) throws -> [String] {
        let value = try required(key)
        guard let elements = value.array else { throw wrong(key, value.kindName, expected: "a list") }
        try checkCount(elements.count, key, limit)
        return try elements.map { element in
            guard let text = element.string else {
                throw wrong(key, element.kindName, expected: "a list of texts")
            }
            return text
        }
    }

    /// The objects of a list; none if it is absent.
    mutating func objects<Value>(
        _ key: String, limit: Int, _ read: (inout PatchFields) throws -> Value
    ) throws -> [Value] {
        guard let value = try value(key) else { return [] }
        guard let elements = value.array else { throw wrong(key, value.kindName, expected: "a list") }
        try checkCount(elements.count, key, limit)
        return try elements.enumerated().map { index, element in
            var fields = try PatchFields(element, file: file, place: "\(item(key)) \(index)")
            let result = try read(&fields)
            try fields.finish()
            return result
        }
    }

    /// An object that may be absent.
    mutating func object<Value>(_ key: String, _ read: (inout PatchFields) throws -> Value) throws -> Value? {
        guard let value = try value(key) else { return nil }
        var fields = try PatchFields(value, file: file, place: item(key))
        let result = try read(&fields)
        try fields.finish()
        return result
    }

    private func checkCount(_ count: Int, _ key: String, _ limit: Int) throws {
        guard count <= limit else {
            throw PatchFileError.limit(
                file: file, item: "the length of \(item(key))", found: count, limit: limit)
        }
    }
}

extension PatchFields {
    mutating func target() throws -> WeightTarget {
        let text = try text("target", limit: PatchFile.Limits.nameBytes)
        guard let target = WeightTarget(text) else {
            throw wrong("target", text, expected: "a weight such as 5.query or head")
        }
        return target
    }

    mutating func site() throws -> Site {
        let text = try text("site", limit: PatchFile.Limits.nameBytes)
        do {
            return try Site(parsing: text)
        } catch {
            throw wrong("site", text, expected: "a site such as 5.mlp.hidden")
        }
    }

    /// `{"from": "start", "ranges": [[0, null]]}`; all positions if it is absent.
    mutating func positions() throws -> Positions {
        let largest = PatchFile.Limits.position
        return try object("positions") { fields in
            let text = try fields.text("from", limit: 32)
            guard let origin = Positions.Origin(rawValue: text) else {
                throw fields.wrong("from", text, expected: "start or promptEnd")
            }
            let value = try fields.required("ranges")
            guard let elements = value.array, elements.count <= PatchFile.Limits.ranges else {
                throw fields.wrong(
                    "ranges", value.kindName, expected: "at most \(PatchFile.Limits.ranges) ranges")
            }
            let ranges = try elements.map { element -> Range<Int> in
                guard let pair = element.array, pair.count == 2, let first = pair[0].int,
                    (-largest...largest).contains(first),
                    let end = pair[1].isNull ? Int.max : pair[1].int, first < end,
                    end == Int.max || end <= largest
                else {
                    throw fields.wrong("ranges", element.kindName, expected: "[first, end] or [first, null]")
                }
                return first..<end
            }
            return Positions(ranges, from: origin)
        } ?? .all
    }

    /// `{"heads": [...]}` or `{"columns": [...]}`; the whole row if it is absent.
    mutating func part() throws -> SiteChange.Part {
        try object("part") { fields in
            let range = 0...PatchFile.Limits.position
            if try fields.value("heads") != nil {
                return .heads(try fields.integers("heads", range, limit: PatchFile.Limits.indices))
            }
            return .columns(try fields.integers("columns", range, limit: PatchFile.Limits.indices))
        } ?? .all
    }
}

extension Positions {
    var json: JSON {
        [
            "from": .string(origin.rawValue),
            "ranges": .array(
                ranges.map { range in
                    let end: JSON =
                        range.upperBound == .max ? .null : .integer(Int64(range.upperBound))
                    return [.integer(Int64(range.lowerBound)), end]
                }),
        ]
    }
}

extension SiteChange.Part {
    /// nil for the whole row.
    var json: JSON? {
        func list(_ values: [Int]) -> JSON { .array(values.map { .integer(Int64($0)) }) }
        return switch self {
        case .all: nil
        case .heads(let heads): ["heads": list(heads)]
        case .columns(let columns): ["columns": list(columns)]
        }
    }
}
