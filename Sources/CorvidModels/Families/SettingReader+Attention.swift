#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension SettingReader {
    /// The factor of the scores: the config's own, 1, or 1 / √headWidth.
    func attentionScale(headWidth: Int) throws -> Float {
        if let scale = try number(.attentionScale) { return Float(scale) }
        let isScaled = try flag(.scaleAttention) ?? true
        return family.attentionScale == .one || !isScaled ? 1 : 1 / Float(headWidth).squareRoot()
    }

    /// ALiBi's slopes, `[heads]`, or none: 2^(-maximum k / n) for k = 1...n, n the least power of two that
    /// is enough; of more than are needed, first those of even k.
    func slopes(heads: Int) throws -> [Float] {
        guard family.positions == .slopes else { return [] }
        let maximum = try number(.slopeMaximum) ?? 8
        var count = 1
        while count < heads { count *= 2 }
        let all = (1...count).map { Float(pow(2, -maximum * Double($0) / Double(count))) }
        guard count != heads else { return all }
        let even = stride(from: 1, to: count, by: 2).map { all[$0] }
        let odd = stride(from: 0, to: count, by: 2).map { all[$0] }
        return Array((even + odd).prefix(heads))
    }

    /// For each layer how many of its last keys a row sees, 0: all.
    func windows(layers: Int) throws -> [Int] {
        guard let (key, kinds) = try value(.attentionKinds) else {
            return Array(repeating: 0, count: layers)
        }
        func fault(_ found: SettingValue) -> ConfigurationError {
            .setting(
                file: file, key: key, found: found.shown,
                expected: "\"global\" or \"local\" for each layer, or such lists with how often they repeat")
        }
        guard case .list(let items) = kinds else { throw fault(kinds) }
        var names: [SettingValue] = []
        for item in items {
            guard case .list(let pair) = item else {
                names.append(item)
                continue
            }
            guard pair.count == 2, case .list(let part) = pair[0], case .integer(let count) = pair[1],
                count >= 0
            else { throw fault(item) }
            for _ in 0..<count {
                // More than layers are too many, however many there are.
                guard names.count <= layers, !part.isEmpty else { break }
                names += part.prefix(layers + 1)
            }
        }
        guard names.count == layers else {
            throw ConfigurationError.relation(
                file: file, text: "\(key) gives the attention of another number of layers than \(layers)")
        }
        let window = try requiredSize(.window)
        return try names.map { name in
            switch name {
            case .text("global"): return 0
            case .text("local"): return window
            default: throw fault(name)
            }
        }
    }

    /// How distances fall into buckets, where the family has biases for them.
    func distanceBuckets() throws -> DistanceBuckets? {
        guard family.weights[.distanceBias] != nil else { return nil }
        let count = try requiredSize(.distanceBuckets)
        let limit = try requiredSize(.distanceLimit)
        guard let buckets = DistanceBuckets(count: count, limit: limit) else {
            throw ConfigurationError.relation(
                file: file, text: "distances up to \(limit) do not fall into \(count) buckets")
        }
        return buckets
    }

    /// The factor of the logits.
    func logitScale(width: Int) throws -> Float {
        if try flag(.scalesLogits) ?? false { return 1 / Float(width).squareRoot() }
        guard let (key, value) = try value(.logitScale) else { return 1 }
        switch value {
        case .text("inv_sqrt_d_model"): return 1 / Float(width).squareRoot()
        case .number(let number) where number.isFinite: return Float(number)
        case .integer(let number): return Float(number)
        default:
            throw ConfigurationError.setting(
                file: file, key: key, found: value.shown, expected: "a number or \"inv_sqrt_d_model\"")
        }
    }
}
