import CorvidTensors
import CorvidText

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A layer that a sentence encoder puts behind its pooling: f(W x + b). sentence-transformers calls it Dense.
public struct SentenceLayer: Sendable, Equatable {
    public enum Function: String, Sendable, CaseIterable {
        case identity = "Identity"
        case hyperbolicTangent = "Tanh"
    }

    public let inputs: Int
    public let outputs: Int
    public let function: Function
    /// `[outputs, inputs]`, row after row.
    private let weights: [Float]
    /// `[outputs]`; empty without bias.
    private let bias: [Float]

    /// Larger ones do not occur and would only serve to exhaust memory.
    private static let greatestSize = 1 << 16

    /// - Parameters:
    ///   - config: the layer's config.json, whose path is `file`.
    ///   - source: its weights, of which `weightFile` is the path.
    /// - Throws: ``ConfigurationError``, ``WeightError``, ``FormatError``.
    init(_ config: JSON, file: String, weights source: any TensorSource, weightFile: String) throws {
        func size(_ key: String) throws -> Int {
            guard let size = config[key]?.int, (1...Self.greatestSize).contains(size) else {
                throw ConfigurationError.setting(
                    file: file, key: key, found: config[key]?.encoded() ?? "missing",
                    expected: "1...\(Self.greatestSize)")
            }
            return size
        }
        inputs = try size("in_features")
        outputs = try size("out_features")
        // A class of torch.nn; left out, it is this one.
        let name = config["activation_function"]?.string ?? "torch.nn.modules.activation.Tanh"
        let last = name.split(separator: ".").last.map(String.init) ?? ""
        guard let function = Function(rawValue: last) else {
            throw ConfigurationError.setting(
                file: file, key: "activation_function", found: "\"\(FormatError.shown(name))\"",
                expected: Function.allCases.map(\.rawValue).joined(separator: " or "))
        }
        self.function = function
        func values(_ name: String, shape: [Int]) throws -> [Float]? {
            guard let tensor = try source.tensor(named: name) else { return nil }
            guard tensor.shape == shape else {
                throw WeightError.shape(
                    file: weightFile, tensor: name, found: tensor.shape, expected: shape)
            }
            guard tensor.holdsWeights else {
                throw WeightError.type(file: weightFile, tensor: name, found: tensor.type)
            }
            let values = try tensor.floats()
            guard values.allSatisfy(\.isFinite) else {
                throw WeightError.notFinite(file: weightFile, tensor: name)
            }
            return values
        }
        guard let weights = try values("linear.weight", shape: [outputs, inputs]) else {
            throw WeightError.missing(file: weightFile, tensor: "linear.weight")
        }
        self.weights = weights
        bias = try values("linear.bias", shape: [outputs]) ?? []
        if bias.isEmpty, config["bias"]?.bool ?? true {
            throw WeightError.missing(file: weightFile, tensor: "linear.bias")
        }
    }

    /// The outputs for `x`, `[inputs]`; sums are made in double.
    func apply(to x: [Double]) -> [Double] {
        (0..<outputs).map { row in
            var sum = bias.isEmpty ? 0 : Double(bias[row])
            for (weight, value) in zip(weights[(row * inputs)...], x) { sum += Double(weight) * value }
            return function == .hyperbolicTangent ? tanh(sum) : sum
        }
    }
}
