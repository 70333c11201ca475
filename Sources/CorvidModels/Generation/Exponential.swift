import Foundation

/// e^x; 0 without work where it cannot matter.
///
/// Below -60 a weight is under 1e-26 of the greatest one: even a million of them are less than half a unit in
/// the last place of the sum, so leaving them out changes no choice.
func exponential(_ x: Double) -> Double {
    x < -60 ? 0 : exp(x)
}
