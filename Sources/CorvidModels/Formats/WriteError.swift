import CorvidTensors
import Foundation

/// Why a file was not written. Unless it is ``broken(file:reason:)``, what stood under its name before still
/// stands there.
public enum WriteError: Error, Equatable, CustomStringConvertible {
    case failed(file: String, step: String, reason: String)
    /// Something stands there that a file must not take the place of.
    case occupied(file: String, found: String)
    /// A pipe or device took only a part.
    case broken(file: String, reason: String)
    /// The format has no such type.
    case elementType(file: String, tensor: String, found: DType)
    /// The name is used twice, or is reserved.
    case name(file: String, tensor: String)

    public var description: String {
        switch self {
        case .failed(let file, let step, let reason):
            return "\(file): \(step) failed: \(reason). Nothing was written there; "
                + "free space or choose another place."
        case .occupied(let file, let found):
            return "\(file): is \(found), expected the name of a file. Choose another place."
        case .broken(let file, let reason):
            return "\(file): writing failed: \(reason). A part may have been written; choose another place."
        case .elementType(let file, let tensor, let found):
            return "\(file): tensor \(tensor) has type \(found.rawValue), which this format does not have. "
                + "Convert it to f32, f16 or bf16 first."
        case .name(let file, let tensor):
            return "\(file): tensor name \(tensor) is used twice or reserved. Rename the tensor."
        }
    }

    /// What the system says about its last call.
    static func system(_ path: String, _ step: String) -> WriteError {
        .failed(file: path, step: step, reason: String(cString: strerror(errno)))
    }
}
