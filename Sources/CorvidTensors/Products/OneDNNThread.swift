import COneDNN

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What oneDNN needs on each thread that calls it: a stream, and scratch memory that grows as needed.
/// Ends with its thread.
final class OneDNNThread {
    let stream: dnnl_stream_t?
    private var memory: AlignedBuffer?

    private init(engine: dnnl_engine_t?) throws {
        var stream: dnnl_stream_t?
        try OneDNN.check(dnnl_stream_create(&stream, engine, UInt32(dnnl_stream_default_flags.rawValue)))
        self.stream = stream
    }

    deinit { dnnl_stream_destroy(stream) }

    /// At least `byteCount` bytes, valid until the next call on this thread.
    func scratch(byteCount: Int) throws -> UnsafeMutableRawPointer {
        if let memory, memory.byteCount >= byteCount { return memory.base }
        let larger = try AlignedBuffer(byteCount: byteCount)
        memory = larger
        return larger.base
    }

    /// The calling thread's.
    static func current(engine: dnnl_engine_t?) throws -> OneDNNThread {
        if let known = pthread_getspecific(key) {
            return Unmanaged<OneDNNThread>.fromOpaque(known).takeUnretainedValue()
        }
        let made = try OneDNNThread(engine: engine)
        pthread_setspecific(key, Unmanaged.passRetained(made).toOpaque())
        return made
    }

    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key) { value in
            #if os(Linux)
            guard let value else { return }
            #endif
            Unmanaged<OneDNNThread>.fromOpaque(value).release()
        }
        return key
    }()
}
