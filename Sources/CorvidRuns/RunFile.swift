import CorvidModels

/// A file that a run read or wrote.
public struct RunFile: Sendable, Equatable {
    public enum Role: String, Sendable, CaseIterable {
        /// Weights, configuration or tokenizer.
        case model
        case data
        case written
    }

    /// What stands for standard input in place of a path.
    public static let standardInput = "-"

    public let role: Role
    /// Absolute, or ``standardInput``.
    public let path: String
    public let byteCount: Int?
    /// Nil when it could not be read any more.
    public let digest: Digest?

    public init(role: Role, path: String, byteCount: Int?, digest: Digest?) {
        self.role = role
        self.path = path
        self.byteCount = byteCount
        self.digest = digest
    }
}
