import CorvidModels

/// An attention head of a model: block and place in it, both from 0.
public struct HeadIndex: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let layer: Int
    public let head: Int

    public init(layer: Int, head: Int) {
        self.layer = layer
        self.head = head
    }

    public var description: String { "\(layer).\(head)" }

    public static func < (left: HeadIndex, right: HeadIndex) -> Bool {
        (left.layer, left.head) < (right.layer, right.head)
    }
}

extension ModelConfiguration {
    /// All heads of the model, layer by layer.
    public var headIndices: [HeadIndex] {
        (0..<layers).flatMap { layer in
            (0..<heads(layer: layer)).map { HeadIndex(layer: layer, head: $0) }
        }
    }
}

extension Sequence<HeadIndex> {
    /// For each layer its heads, ascending.
    public var byLayer: [Int: [Int]] {
        Dictionary(grouping: self, by: \.layer).mapValues { $0.map(\.head).sorted() }
    }

    /// What a pass does so that these heads count `scale` times as much as they did.
    ///
    /// The output projection sums the heads, so 0 is the same function as a model without them, and a number
    /// between 0 and 1 takes them back in part.
    public func scaled(by scale: Float) -> [SiteChange] {
        byLayer.sorted { $0.key < $1.key }.map { layer, heads in
            SiteChange(.scale(scale), at: Site(.heads, layer: layer), part: .heads(heads))
        }
    }
}
