import CorvidModels
import CorvidTensors
import Foundation
import TestSupport
import Testing

@Suite("Digests")
struct DigestTests {
    // The examples of FIPS 180-4 that NIST publishes for SHA-256.
    private static let known: [(text: String, digest: String)] = [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            String(repeating: "a", count: 1_000_000),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        ),
    ]

    @Test("Known texts have the digests of the standard", arguments: known.indices)
    func standard(_ index: Int) throws {
        let (text, digest) = Self.known[index]
        #expect(Digest(of: Array(text.utf8)).description == digest)
        var running = Digest.Running()
        for start in stride(from: 0, to: text.utf8.count, by: 1013) {
            running.add(Array(text.utf8.dropFirst(start).prefix(1013)))
        }
        #expect(running.digest.description == digest)
    }

    @Test("An array, mapped bytes and a file have one digest, however many pieces they are read in")
    func sources() throws {
        let folder = try TemporaryFolder()
        for count in [1, 1 << 20, (1 << 20) + 1, 3 << 20] {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
            let path = try folder.write(bytes, to: "data")
            #expect(Digest(of: bytes) == Digest(of: try MappedFile(path: path).bytes))
            #expect(try Digest(fileAt: path) == Digest(of: bytes))
        }
    }

    @Test("What cannot be read is named")
    func unreadable() throws {
        let folder = try TemporaryFolder()
        for path in [folder.path(of: "absent"), folder.path] {
            let error = try #require(throws: MemoryError.self) { try Digest(fileAt: path) }
            #expect(error.description.hasPrefix(path + ": "), "\(error)")
        }
    }

    @Test("Only 64 hexadecimal digits are read as a digest")
    func parsing() throws {
        let digest = Digest(of: Array("abc".utf8))
        #expect(Digest(hexadecimal: digest.description) == digest)
        #expect(Digest(hexadecimal: digest.description.uppercased()) == digest)
        #expect(digest.description.hasPrefix(digest.short) && digest.short.count == 12)
        for wrong in ["", digest.short, digest.description + "00", "g" + digest.description.dropFirst()] {
            #expect(Digest(hexadecimal: wrong) == nil, "\(wrong)")
        }
    }
}
