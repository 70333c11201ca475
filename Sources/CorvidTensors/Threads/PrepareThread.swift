import COneDNN

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Called first on every thread of a pool: oneDNN must not start threads of its own beside ours.
func prepareThread() { omp_set_num_threads(1) }

/// The oneDNN stream of the calling thread; pool threads live until the program ends or the pool closes.
enum ThreadStream {
    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key) { stream in
            #if os(Linux)
                if let stream { dnnl_stream_destroy(OpaquePointer(stream)) }
            #else
                dnnl_stream_destroy(OpaquePointer(stream))
            #endif
        }
        return key
    }()

    static var current: OpaquePointer? {
        get { pthread_getspecific(key).map(OpaquePointer.init) }
        set { pthread_setspecific(key, newValue.map(UnsafeRawPointer.init)) }
    }
}
