import Foundation

/// Memory of this machine and of this process, in bytes. Linux only; elsewhere unknown.
enum MachineMemory {
    /// What can be taken without swapping: the machine's, or less where a control group or a limit allows less.
    static var available: Int? {
        [machine, controlGroup, addressSpace].compactMap { $0 }.min()
    }

    /// Greatest resident size so far.
    static var peakResident: Int? { process("VmHWM") }
    /// Resident memory that belongs to no file.
    static var residentBeyondFiles: Int? { process("RssAnon") }

    /// Makes ``peakResident`` begin anew.
    static func resetPeak() {
        guard let file = FileHandle(forWritingAtPath: "/proc/self/clear_refs") else { return }
        try? file.write(contentsOf: Data("5".utf8))
        try? file.close()
    }

    private static var machine: Int? {
        field("MemAvailable", in: "/proc/meminfo")
    }

    private static var controlGroup: Int? {
        let folder = "/sys/fs/cgroup"
        guard let limit = number(folder + "/memory.max"), let used = number(folder + "/memory.current") else {
            return nil
        }
        // Pages of files count as used and are given back when needed.
        return max(0, limit - used + (statistic("file", in: folder + "/memory.stat") ?? 0))
    }

    private static var addressSpace: Int? {
        guard let text = try? String(contentsOfFile: "/proc/self/limits", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("Max address space") }),
            let bytes = line.split(whereSeparator: \.isWhitespace).dropFirst(3).first.flatMap({ Int($0) })
        else { return nil }
        return max(0, bytes - (process("VmSize") ?? 0))
    }

    private static func process(_ name: String) -> Int? { field(name, in: "/proc/self/status") }

    /// `Name:   1234 kB` in bytes.
    private static func field(_ name: String, in path: String) -> Int? {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
        for line in text.split(separator: "\n") where line.hasPrefix(name + ":") {
            let words = line.split(whereSeparator: \.isWhitespace)
            return words.count > 1 ? Int(words[1]).map { $0 * 1024 } : nil
        }
        return nil
    }

    private static func number(_ path: String) -> Int? {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
        return Int(text.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    private static func statistic(_ name: String, in path: String) -> Int? {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
        for line in text.split(separator: "\n") where line.hasPrefix(name + " ") {
            return Int(line.dropFirst(name.count + 1))
        }
        return nil
    }
}
