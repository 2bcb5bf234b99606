import Native

/// Writes what was left out, and why: one JSON object a line, `{"path":…,"reason":…}`.
public struct SkippedSampleFile: ~Copyable {
    private var file: WritableFile

    /// Opens a file, of which nothing is kept unless it is to be gone on with.
    ///
    /// Of a file that is gone on with whole lines are kept: a process that was killed may have left part of one.
    ///
    /// - Throws: `DatasetError` with code `.cannotWrite`.
    public init(_ path: String, appends: Bool = false) throws(DatasetError) {
        file = try Self.opened(path, appends: appends)
    }

    private static func opened(
        _ path: String, appends: Bool
    ) throws(DatasetError) -> WritableFile {
        do {
            var file = try WritableFile(appendingTo: path)
            guard file.byteCount > 0 else { return file }
            let kept = appends ? try wholeLines(of: path) : 0
            if file.byteCount > kept { try file.truncate(to: kept) }
            return file
        } catch {
            throw DatasetError(.cannotWrite, error.message)
        }
    }

    /// The length of a file's lines that end with a line feed.
    private static func wholeLines(of path: String) throws(NativeError) -> Int {
        let bytes = try Memory(reading: path).array
        return bytes.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    }

    /// Adds samples.
    ///
    /// - Throws: `DatasetError` with code `.cannotWrite`.
    public mutating func write(_ samples: [SkippedSample]) throws(DatasetError) {
        var text = ""
        for sample in samples { text += sample.json + "\n" }
        let bytes = Array(text.utf8)
        do {
            try file.write(bytes.span)
        } catch {
            throw DatasetError(.cannotWrite, error.message)
        }
    }

    /// Waits until what was written is on the disk.
    ///
    /// - Throws: `DatasetError` with code `.cannotWrite`.
    public borrowing func synchronize() throws(DatasetError) {
        do {
            try file.synchronize()
        } catch {
            throw DatasetError(.cannotWrite, error.message)
        }
    }
}

extension SkippedSample {
    /// The sample as a JSON object in one line.
    public var json: String {
        "{\"path\":\(Self.quoted(name)),\"reason\":\(Self.quoted(reason))}"
    }

    /// A text as JSON has it; names of files may hold anything.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\u{0}"..<" ", "\u{7F}", "\u{2028}", "\u{2029}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
