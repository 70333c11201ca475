import CorvidTensors

/// What a pickle leaves behind: a value, and what it refers to.
struct Pickle: Sendable {
    let value: PickleValue
    let heap: PickleHeap
    /// Where the pickle ends, from the start of the file.
    let end: Int

    /// Reads the pickle at `offset`, which runs no code of the file: see ``PickleInstruction``.
    /// - Throws: ``FormatError``.
    init(_ bytes: Bytes, offset: Int, file: String) throws {
        var machine = PickleMachine(bytes, offset: offset, file: file)
        value = try machine.run()
        heap = machine.heap
        end = machine.end
    }
}

/// The stack machine of ``Pickle``, one instruction after another, operands checked.
struct PickleMachine {
    private var cursor: ByteCursor
    private let start: Int
    private var stack: [PickleValue] = []
    /// Heights of the stack at each MARK.
    private var marks: [Int] = []
    private var memo: [Int: PickleValue] = [:]
    private var pushed = 0
    /// The instruction that is being run, and where it stands.
    private var instruction = PickleInstruction.stop
    private var place = 0
    var heap = PickleHeap()

    init(_ bytes: Bytes, offset: Int, file: String) {
        cursor = ByteCursor(bytes, file: file, offset: offset)
        start = offset
    }

    var end: Int { cursor.offset }

    mutating func run() throws -> PickleValue {
        while true {
            place = cursor.offset
            try check(place - start, PyTorchFile.Limits.pickleBytes, "the length of the pickle in bytes")
            let code: UInt8 = try cursor.integer("the pickle")
            guard let next = PickleInstruction(rawValue: code) else {
                throw FormatError.instruction(
                    file: cursor.file, name: PickleInstruction.name(of: code), offset: place)
            }
            instruction = next
            if next == .stop { return try result() }
            try step()
        }
    }

    private mutating func step() throws {
        switch instruction {
        case .protocol: try checkProtocol()
        case .frame: try checkFrame()
        case .none: try push(.none)
        case .yes: try push(.bool(true))
        case .no: try push(.bool(false))
        case .integer: try push(.integer(Int(try cursor.integer("an integer", as: Int32.self))))
        case .integer1: try push(.integer(Int(try cursor.integer("an integer", as: UInt8.self))))
        case .integer2: try push(.integer(Int(try cursor.integer("an integer", as: UInt16.self))))
        case .long: try push(long())
        case .float:
            try cursor.advance(by: 8, "a float")
            try push(.float)
        case .text: try push(.text(text(count: Int(try cursor.integer("a text's length", as: UInt32.self)))))
        case .shortText:
            try push(.text(text(count: Int(try cursor.integer("a text's length", as: UInt8.self)))))
        case .mark: try mark()
        case .emptyTuple: try push(PickleHeap.emptyTuple)
        case .emptyList: try push(.list(try container([])))
        case .emptyDictionary: try push(.dictionary(try container([])))
        case .tuple: try pushTuple(popToMark())
        case .tuple1: try pushTuple(pop(1))
        case .tuple2: try pushTuple(pop(2))
        case .tuple3: try pushTuple(pop(3))
        case .append: try append(pop(1))
        case .appendAll: try append(popToMark())
        case .setItem: try setItems(pop(2))
        case .setItems: try setItems(popToMark())
        case .put: try remember(Int(try cursor.integer("a place of the memo", as: UInt8.self)))
        case .longPut: try remember(Int(try cursor.integer("a place of the memo", as: UInt32.self)))
        case .memoize: try remember(memo.count)
        case .get: try recall(Int(try cursor.integer("a place of the memo", as: UInt8.self)))
        case .longGet: try recall(Int(try cursor.integer("a place of the memo", as: UInt32.self)))
        case .global: try push(name(module: line(), name: line()))
        case .stackGlobal: try pushNamed(pop(2))
        case .storage: try push(storage(pop(1)))
        case .call: try push(call(pop(2)))
        case .setState: try setState(pop(2))
        case .stop: break
        }
    }

    private func result() throws -> PickleValue {
        guard stack.count == 1, marks.isEmpty, let value = stack.first else {
            throw refuse("\(stack.count) values", expected: "one value")
        }
        return value
    }

    private func checkProtocol(_ number: UInt8) throws {
        guard place == start, (2...5).contains(number) else {
            throw refuse("protocol \(number)", expected: "one of 2 to 5, once and at the start")
        }
    }

    private mutating func checkProtocol() throws {
        try checkProtocol(try cursor.integer("the protocol of the pickle"))
    }

    /// Frames say how many bytes may be read at once, which does not matter for a mapped file.
    private mutating func checkFrame() throws {
        let length: UInt64 = try cursor.integer("the length of a frame")
        guard length <= UInt64(cursor.remaining) else { throw cursor.truncated("a frame", needed: length) }
    }

    // MARK: Stack, marks and memo

    /// What an instruction found instead of what it needs.
    func refuse(_ found: String, expected: String) -> FormatError {
        .operand(
            file: cursor.file, instruction: instruction.name, offset: place, found: found, expected: expected)
    }

    private func check(_ count: Int, _ limit: Int, _ item: String) throws {
        guard count <= limit else {
            throw FormatError.limit(file: cursor.file, item: item, found: UInt64(count), limit: limit)
        }
    }

    private mutating func push(_ value: PickleValue) throws {
        pushed += 1
        try check(pushed, PyTorchFile.Limits.values, "the number of values of the pickle")
        try check(stack.count + 1, PyTorchFile.Limits.stack, "the height of the pickle's stack")
        stack.append(value)
    }

    private mutating func mark() throws {
        try check(marks.count + 1, PyTorchFile.Limits.depth, "the number of open marks of the pickle")
        marks.append(stack.count)
    }

    /// Takes the uppermost `count` values, none from below a mark.
    private mutating func pop(_ count: Int) throws -> [PickleValue] {
        let height = stack.count - count
        guard height >= marks.last ?? 0 else {
            throw refuse("\(stack.count - (marks.last ?? 0)) values", expected: "\(count)")
        }
        let values = Array(stack[height...])
        stack.removeSubrange(height...)
        return values
    }

    /// Takes all values above the last mark, and the mark.
    private mutating func popToMark() throws -> [PickleValue] {
        guard let height = marks.popLast() else { throw refuse("no mark", expected: "one before it") }
        let values = Array(stack[height...])
        stack.removeSubrange(height...)
        return values
    }

    private func top(_ expected: String) throws -> PickleValue {
        guard stack.count > marks.last ?? 0, let value = stack.last else {
            throw refuse("nothing", expected: expected)
        }
        return value
    }

    private mutating func remember(_ place: Int) throws {
        memo[place] = try top("a value to remember")
        try check(memo.count, PyTorchFile.Limits.memo, "the number of values in the pickle's memo")
    }

    private mutating func recall(_ place: Int) throws {
        guard let value = memo[place] else {
            throw refuse("nothing at place \(place) of the memo", expected: "a value")
        }
        try push(value)
    }

    // MARK: Plain values

    private mutating func text(count: Int) throws -> String {
        let limit = PyTorchFile.Limits.textBytes
        guard count <= limit else {
            throw FormatError.limit(
                file: cursor.file, item: "the length of a text of the pickle at byte \(place)",
                found: UInt64(count), limit: limit)
        }
        let start = cursor.offset
        try cursor.advance(by: count, "a text of the pickle")
        guard let text = cursor.bytes.string(offset: start, count: count) else {
            throw FormatError.text(file: cursor.file, item: "a text of the pickle", offset: start)
        }
        return text
    }

    /// Two's complement, the lowest byte first.
    private mutating func long() throws -> PickleValue {
        let count = Int(try cursor.integer("an integer's length", as: UInt8.self))
        let start = cursor.offset
        try cursor.advance(by: count, "an integer")
        let bytes = cursor.bytes.array(offset: start, count: count) ?? []
        guard count <= 8 else {
            let digits = Array("0123456789abcdef")
            return .longInteger(String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }))
        }
        let isNegative = bytes.last.map { $0 >= 0x80 } ?? false
        return .integer(
            bytes.reversed().reduce(isNegative ? -1 : 0) { $0 << 8 | Int($1) })
    }

    /// A line of text, as GLOBAL has them.
    private mutating func line() throws -> String {
        let limit = PyTorchFile.Limits.nameBytes
        let start = cursor.offset
        while try cursor.integer("a name of the pickle", as: UInt8.self) != UInt8(ascii: "\n") {
            try check(cursor.offset - start, limit, "the length of a name of the pickle")
        }
        guard let text = cursor.bytes.string(offset: start, count: cursor.offset - start - 1) else {
            throw FormatError.text(file: cursor.file, item: "a name of the pickle", offset: start)
        }
        return text
    }

    private func name(module: String, name: String) throws -> PickleValue {
        guard let known = PickleName(module: module, name: name) else {
            throw FormatError.global(file: cursor.file, name: module + "." + name, offset: place)
        }
        return .name(known)
    }

    private mutating func pushNamed(_ words: [PickleValue]) throws {
        guard case .text(let module) = words[0], case .text(let name) = words[1] else {
            throw refuse(words.map(\.kind).joined(separator: " and "), expected: "two texts")
        }
        try push(self.name(module: module, name: name))
    }

    // MARK: Containers

    /// A new container of `items`.
    private mutating func container(_ items: [PickleValue]) throws -> Int {
        heap.containers.append(PickleHeap.Container(items: items, depth: try depth(around: items)))
        return heap.containers.count - 1
    }

    private func depth(around items: [PickleValue]) throws -> Int {
        let depth = 1 + (items.lazy.map(heap.depth).max() ?? 0)
        try check(depth, PyTorchFile.Limits.depth, "the nesting of the pickle's values")
        return depth
    }

    private mutating func add(_ items: [PickleValue], to container: Int) throws {
        let depth = try depth(around: items)
        heap.containers[container].depth = max(heap.containers[container].depth, depth)
        heap.containers[container].items += items
    }

    private mutating func pushTuple(_ items: [PickleValue]) throws {
        try push(items.isEmpty ? PickleHeap.emptyTuple : .tuple(try container(items)))
    }

    private mutating func append(_ items: [PickleValue]) throws {
        let target = try top("a list below the items")
        guard case .list(let list) = target else { throw refuse(target.kind, expected: "a list") }
        try add(items, to: list)
    }

    private mutating func setItems(_ items: [PickleValue]) throws {
        let target = try top("a dict below the items")
        guard case .dictionary(let dictionary) = target else { throw refuse(target.kind, expected: "a dict") }
        guard items.count % 2 == 0 else {
            throw refuse("\(items.count) values", expected: "keys with their values")
        }
        for index in stride(from: 0, to: items.count, by: 2) where !items[index].isKey {
            throw refuse("\(items[index].kind) as a key", expected: "a text")
        }
        try add(items, to: dictionary)
    }

    /// Attributes of an OrderedDict, such as `_metadata` of a module's `state_dict()`. They are no weights.
    private mutating func setState(_ operands: [PickleValue]) throws {
        guard case .dictionary(let target) = operands[0], heap.containers[target].isOrdered,
            case .dictionary = operands[1]
        else {
            throw refuse(
                "\(operands[0].kind) and \(operands[1].kind)", expected: "an OrderedDict and a dict")
        }
        try push(operands[0])
    }

    /// Makes an OrderedDict.
    mutating func orderedDictionary() throws -> PickleValue {
        let index = try container([])
        heap.containers[index].isOrdered = true
        return .dictionary(index)
    }
}
