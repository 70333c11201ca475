import Foundation

/// The functions of the C library, for expected values.
enum Exponential {
    static func of(_ x: Double) -> Double { exp(x) }
    static func log(_ x: Double) -> Double { Foundation.log(x) }
}
