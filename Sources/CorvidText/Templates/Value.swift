/// A value while a template runs. All but namespaces are immutable, as in Jinja's immutable sandbox.
///
/// Values hold no cycles and nest at most `TemplateLimits.depth` deep: namespaces and macros are numbers into
/// the evaluator's tables.
enum Value {
    case undefined(Undefined)
    case none
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case text(Text)
    case list(Elements)
    case tuple(Elements)
    case object(ValueObject)
    case view(View)
    case generator(Generator)
    case namespace(Int)
    case macro(Int)
    case loop(LoopState)
    case function(Function)
    case method(Method)

    /// What stands where there is no value; printing it gives nothing, using it is an error which says why.
    struct Undefined {
        let why: String
        /// Whether it stands for something a template must not reach.
        var isRefused = false
    }

    struct Elements {
        let items: [Value]
        let depth: Int
    }

    /// `range(...)`, or the keys, values or items of an object.
    final class View {
        enum Kind: Equatable {
            case keys, values, items
            case range(start: Int, stop: Int, step: Int)
        }

        let kind: Kind
        let elements: Elements

        init(kind: Kind, elements: Elements) {
            self.kind = kind
            self.elements = elements
        }

        var isRange: Bool { if case .range = kind { true } else { false } }
    }

    /// What `map`, `select` and their like give: elements which can be walked through once.
    final class Generator {
        let elements: Elements
        private var isUsed = false

        init(_ elements: Elements) {
            self.elements = elements
        }

        func take() -> [Value] {
            defer { isUsed = true }
            return isUsed ? [] : elements.items
        }
    }

    /// The variable `loop`.
    final class LoopState {
        let elements: Elements
        var index = 0
        var lastChanged: [Value]?

        init(_ elements: Elements) {
            self.elements = elements
        }
    }

    /// A function every template may call.
    enum Function: String, CaseIterable {
        case range, dict, namespace
        case raiseException = "raise_exception"
        case strftimeNow = "strftime_now"
    }

    /// A method not yet called, such as `text.strip`.
    final class Method {
        let receiver: Value
        let name: String

        init(receiver: Value, name: String) {
            self.receiver = receiver
            self.name = name
        }
    }
}

extension Value {
    /// How deep values nest below this one; 0 for a plain value.
    var depth: Int {
        switch self {
        case .list(let elements), .tuple(let elements): elements.depth
        case .object(let object): object.depth
        case .view(let view): view.elements.depth
        case .generator(let generator): generator.elements.depth
        case .loop(let loop): loop.elements.depth
        case .method(let method): method.receiver.depth
        default: 0
        }
    }

    var isUndefined: Bool { if case .undefined = self { true } else { false } }
    var isNone: Bool { if case .none = self { true } else { false } }
    var text: Text? { if case .text(let text) = self { text } else { nil } }

    /// A whole number; booleans count as 0 and 1, as in Python.
    var wholeNumber: Int? {
        switch self {
        case .integer(let value): value
        case .bool(let value): value ? 1 : 0
        default: nil
        }
    }

    var doubleNumber: Double? {
        if case .number(let value) = self { value } else { wholeNumber.map(Double.init) }
    }

    var isTrue: Bool {
        switch self {
        case .undefined, .none: false
        case .bool(let value): value
        case .integer(let value): value != 0
        case .number(let value): value != 0
        case .text(let text): !text.isEmpty
        case .list(let elements), .tuple(let elements): !elements.items.isEmpty
        case .object(let object): !object.entries.isEmpty
        case .view(let view): !view.elements.items.isEmpty
        case .loop(let loop): !loop.elements.items.isEmpty
        case .generator, .namespace, .macro, .function, .method: true
        }
    }

    /// The kind of value, for messages.
    var kindName: String {
        switch self {
        case .undefined: "undefined"
        case .none: "none"
        case .bool: "a boolean"
        case .integer: "a whole number"
        case .number: "a number"
        case .text: "a string"
        case .list: "a list"
        case .tuple: "a tuple"
        case .object: "a mapping"
        case .view(let view): view.isRange ? "a range" : "a view of a mapping"
        case .generator: "a generator (turn it into a list with '| list')"
        case .namespace: "a namespace"
        case .macro: "a macro"
        case .loop: "'loop'"
        case .function: "a function"
        case .method: "a method"
        }
    }
}

/// A mapping which keeps its order.
final class ValueObject {
    let entries: [(key: Value, value: Value)]
    let depth: Int
    private let positions: [Key: Int]

    /// What Python would hash: 1, 1.0 and True are one key.
    enum Key: Hashable {
        case undefined
        case none
        case integer(Int)
        case number(Double)
        case text(Text)
        case tuple([Key])
    }

    init(entries: [(key: Value, value: Value)], positions: [Key: Int], depth: Int) {
        self.entries = entries
        self.positions = positions
        self.depth = depth
    }

    subscript(key: Key) -> Value? {
        positions[key].map { entries[$0].value }
    }

    subscript(name: String) -> Value? {
        self[.text(Text(name))]
    }
}
