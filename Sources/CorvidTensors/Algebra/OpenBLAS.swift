import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The functions of OpenBLAS that Corvid calls: BLAS by its C names, LAPACK by its Fortran names.
///
/// Loaded when first used and not before: its threads and its 40 MB are no business of programs that need no
/// algebra. Outside of LAPACK calls it has one thread, since the ``WorkerPool`` divides the work.
struct OpenBLAS: Sendable {
    /// `gemm`: order, the two transpositions, m, n, k, alpha, a, its stride, b, its stride, beta, c, its stride.
    typealias MultiplyFloats =
        @convention(c) (
            Int32, Int32, Int32, Int32, Int32, Int32, Float, UnsafePointer<Float>, Int32,
            UnsafePointer<Float>,
            Int32, Float, UnsafeMutablePointer<Float>, Int32
        ) -> Void
    typealias MultiplyDoubles =
        @convention(c) (
            Int32, Int32, Int32, Int32, Int32, Int32, Double, UnsafePointer<Double>, Int32,
            UnsafePointer<Double>,
            Int32, Double, UnsafeMutablePointer<Double>, Int32
        ) -> Void
    /// Either of them.
    typealias Multiply<Number> = (
        Int32, Int32, Int32, Int32, Int32, Int32, Number, UnsafePointer<Number>, Int32, UnsafePointer<Number>,
        Int32, Number, UnsafeMutablePointer<Number>, Int32
    ) -> Void
    /// `trsm`: order, side, triangle, transposition, diagonal, m, n, alpha, a, its stride, b, its stride.
    typealias TriangularSolve =
        @convention(c) (
            Int32, Int32, Int32, Int32, Int32, Int32, Int32, Double, UnsafePointer<Double>, Int32,
            UnsafeMutablePointer<Double>, Int32
        ) -> Void
    /// `potrf`: triangle, order, a, its stride, info, length of the first text.
    typealias Factorise =
        @convention(c) (
            UnsafePointer<CChar>, UnsafePointer<Int32>, UnsafeMutablePointer<Double>, UnsafePointer<Int32>,
            UnsafeMutablePointer<Int32>, Int
        ) -> Void
    typealias SetThreads = @convention(c) (Int32) -> Void

    let sgemm: MultiplyFloats
    let dgemm: MultiplyDoubles
    let dtrsm: TriangularSolve
    let dpotrf: Factorise
    private let setThreads: SetThreads

    // The constants of cblas.h.
    static let rowMajor: Int32 = 101
    static let left: Int32 = 141, right: Int32 = 142
    static let lower: Int32 = 122
    static let nonUnit: Int32 = 131
    static func transposition(_ isTransposed: Bool) -> Int32 { isTransposed ? 112 : 111 }

    /// The library.
    /// - Throws: ``LinearAlgebraError/missingLibrary(reason:)``.
    static var shared: OpenBLAS { get throws(LinearAlgebraError) { try loaded.get() } }
    private static let loaded: Result<OpenBLAS, LinearAlgebraError> = load()
    /// Held while the library has more than one thread.
    private static let threads = Mutex(())

    /// Runs `body`, a LAPACK call, with so many threads of the library.
    func withThreads<Value>(_ count: Int, _ body: () -> Value) -> Value {
        guard count > 1 else { return body() }
        return Self.threads.withLock { _ in
            setThreads(Int32(clamping: count))
            defer { setThreads(1) }
            return body()
        }
    }

    // MARK: Loading

    #if os(macOS)
    private static let names = [
        "/opt/homebrew/opt/openblas/lib/libopenblas.dylib", "/usr/local/opt/openblas/lib/libopenblas.dylib",
    ]
    #else
    private static let names = ["libopenblas.so.0"]
    #endif

    private static func load() -> Result<OpenBLAS, LinearAlgebraError> {
        for name in names {
            guard let handle = dlopen(name, RTLD_NOW | RTLD_LOCAL) else { continue }
            do { return .success(try OpenBLAS(handle)) } catch { return .failure(error) }
        }
        return .failure(.missingLibrary(reason: lastReason))
    }

    private init(_ handle: UnsafeMutableRawPointer) throws(LinearAlgebraError) {
        func symbol<Function>(_ name: String, _: Function.Type) throws(LinearAlgebraError) -> Function {
            guard let address = dlsym(handle, name) else { throw .missingLibrary(reason: Self.lastReason) }
            return unsafeBitCast(address, to: Function.self)
        }
        sgemm = try symbol("cblas_sgemm", MultiplyFloats.self)
        dgemm = try symbol("cblas_dgemm", MultiplyDoubles.self)
        dtrsm = try symbol("cblas_dtrsm", TriangularSolve.self)
        dpotrf = try symbol("dpotrf_", Factorise.self)
        setThreads = try symbol("openblas_set_num_threads", SetThreads.self)
        setThreads(1)
    }

    private static var lastReason: String { dlerror().map { String(cString: $0) } ?? "no reason given" }
}
