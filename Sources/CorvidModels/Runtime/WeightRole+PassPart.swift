import CorvidTensors

extension WeightRole {
    /// The part of a pass to which products with such a matrix belong.
    var passPart: PassPart {
        switch self {
        case .query, .key, .value, .queryKeyValue: .queryKeyValue
        case .attentionOutput: .attentionOutput
        case .gate, .up: .mlpUp
        case .down: .mlpDown
        case .head: .head
        default: .product
        }
    }
}
