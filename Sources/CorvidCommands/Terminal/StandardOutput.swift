import Foundation

/// Standard output without a buffer of its own: what was written is out, and a full disk is an error.
enum StandardOutput {
    /// - Throws: ``CommandError/output(reason:)``.
    static func write(_ text: String) throws {
        do {
            try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
        } catch {
            throw CommandError.output(reason: FileReason.text(of: error))
        }
    }
}

/// Standard error, for everything that is not a result.
enum StandardError {
    static func write(_ text: String) {
        // Nobody could be told that telling failed.
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }

    /// One notice in a line of its own.
    static func say(_ text: String) { write("corvid: \(text)\n") }
}

/// The system's words for why a file could not be read or written.
enum FileReason {
    static func text(of error: any Error) -> String {
        let error = error as NSError
        let underlying = error.userInfo[NSUnderlyingErrorKey] as? NSError
        for candidate in [underlying, error].compactMap({ $0 }) where candidate.domain == NSPOSIXErrorDomain {
            return String(cString: strerror(Int32(candidate.code)))
        }
        switch error.code {
        case CocoaError.fileNoSuchFile.rawValue, CocoaError.fileReadNoSuchFile.rawValue:
            return "no such file or folder"
        case CocoaError.fileReadNoPermission.rawValue, CocoaError.fileWriteNoPermission.rawValue:
            return "permission denied"
        case CocoaError.fileWriteOutOfSpace.rawValue:
            return "no space left on the disk"
        case CocoaError.fileReadInapplicableStringEncoding.rawValue:
            return "is not UTF-8 text"
        default:
            return "cannot be read or written"
        }
    }
}
