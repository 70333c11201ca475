/// Why a tokenizer cannot be made from a file.
public enum TokenizerError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file is not acceptable JSON.
    case json(file: String, JSONError)
    /// A file cannot be read.
    case unreadable(file: String, reason: String)
    /// A field that is needed is not there.
    case missing(field: String, file: String)
    /// A field holds something else than it should.
    case unexpected(field: String, found: String, expected: String, file: String)
    /// A construct that would change the result and is not implemented.
    case unsupported(field: String, found: String, supported: String, file: String)
    /// A number from the file is beyond a bound.
    case limit(field: String, found: Int, limit: Int, file: String)
    /// Two pieces have one id, or one piece has two.
    case duplicate(piece: String, id: Int, other: Int, file: String)
    /// A merge does not name two pieces whose union is a piece.
    case merge(index: Int, reason: String, file: String)

    public var description: String {
        switch self {
        case .json(let file, let error): "\(file): \(error)"
        case .unreadable(let file, let reason): "\(file): cannot be read: \(reason)"
        case .missing(let field, let file): "\(file): \(field) is missing."
        case .unexpected(let field, let found, let expected, let file):
            "\(file): \(field) is \(found), expected \(expected)."
        case .unsupported(let field, let found, let supported, let file):
            "\(file): \(field) is \(found), which is not supported. Supported: \(supported)."
        case .limit(let field, let found, let limit, let file):
            "\(file): \(field) is \(found); the limit is \(limit)."
        case .duplicate(let piece, let id, let other, let file):
            id == other
                ? "\(file): id \(id) has two pieces, one of them \"\(piece)\"."
                : "\(file): the piece \"\(piece)\" has two ids, \(other) and \(id)."
        case .merge(let index, let reason, let file): "\(file): merge \(index): \(reason)."
        }
    }
}

extension TokenizerError {
    /// The same error, with the path of its file instead of the name.
    func withPath(_ path: (_ name: String) -> String) -> TokenizerError {
        switch self {
        case .json(let file, let error):
            return .json(file: path(file), error)
        case .unreadable(let file, let reason):
            return .unreadable(file: path(file), reason: reason)
        case .missing(let field, let file):
            return .missing(field: field, file: path(file))
        case .unexpected(let field, let found, let expected, let file):
            return .unexpected(field: field, found: found, expected: expected, file: path(file))
        case .unsupported(let field, let found, let supported, let file):
            return .unsupported(field: field, found: found, supported: supported, file: path(file))
        case .limit(let field, let found, let limit, let file):
            return .limit(field: field, found: found, limit: limit, file: path(file))
        case .duplicate(let piece, let id, let other, let file):
            return .duplicate(piece: piece, id: id, other: other, file: path(file))
        case .merge(let index, let reason, let file):
            return .merge(index: index, reason: reason, file: path(file))
        }
    }
}

/// Bounds on what a tokenizer file may hold.
public enum TokenizerLimits {
    /// Greatest number of pieces.
    public static let pieces = 1 << 22
    /// Greatest length of one piece in bytes.
    public static let pieceBytes = 1 << 16
    /// Greatest number of merges.
    public static let merges = 1 << 23
    /// Ids must lie below twice the number of pieces plus this: a larger gap is an error.
    public static let idGap = 1 << 16
    /// Greatest number of added tokens.
    public static let addedTokens = 1 << 17
    /// Greatest length of all added tokens together in bytes.
    public static let addedTokenBytes = 1 << 21
    /// Greatest number of members of a normaliser, pre-tokeniser, post-processor or decoder.
    public static let sequence = 16
    /// Greatest number of tokens that a template puts around a text.
    public static let templateItems = 256
    /// Greatest number of tokens for what is left out of a text.
    public static let sentinels = 10_000
}
