/// The type of a metadata value, as GGUF numbers them.
enum GGUFValueType: UInt32, Sendable {
    case u8 = 0, i8, u16, i16, u32, i32, f32, bool, string, array, u64, i64, f64

    /// Bytes of one value; nil for texts and arrays.
    var byteCount: Int? {
        switch self {
        case .u8, .i8, .bool: 1
        case .u16, .i16: 2
        case .u32, .i32, .f32: 4
        case .u64, .i64, .f64: 8
        case .string, .array: nil
        }
    }

    var isInteger: Bool {
        switch self {
        case .u8, .i8, .u16, .i16, .u32, .i32, .u64, .i64: true
        case .f32, .bool, .string, .array, .f64: false
        }
    }

    var isFloat: Bool { self == .f32 || self == .f64 }

    var name: String {
        switch self {
        case .u8: "u8"
        case .i8: "i8"
        case .u16: "u16"
        case .i16: "i16"
        case .u32: "u32"
        case .i32: "i32"
        case .f32: "f32"
        case .bool: "bool"
        case .string: "string"
        case .array: "array"
        case .u64: "u64"
        case .i64: "i64"
        case .f64: "f64"
        }
    }
}

/// A metadata value for people to look at. Arrays are summarised; read them by ``GGUFFile``'s accessors.
public enum GGUFValue: Sendable, Equatable {
    case integer(Int64)
    case unsigned(UInt64)
    case float(Double)
    case bool(Bool)
    case string(String)
    /// - Parameter element: the element type's name, e.g. `string` or `i32`.
    case array(element: String, count: Int)
}

/// Where a metadata value lies. Nothing is decoded before it is asked for.
struct GGUFField: Sendable {
    let type: GGUFValueType
    /// Number of values: 1 unless it is an array.
    let count: Int
    let isArray: Bool
    /// Of the first value, and behind the last.
    let offset: Int
    let end: Int

    /// The type as a message names it.
    var typeName: String { isArray ? "array of \(type.name)" : type.name }
}
