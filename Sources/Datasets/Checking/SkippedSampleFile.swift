import Native

/// Writes what was left out, and why: one JSON object a line, `{"path":…,"reason":…}`.
public struct SkippedSampleFile: ~Copyable {
    private var file: WritableFile

    /// Opens a file, of which nothing is kept unless it is to be gone on with.
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
            if !appends { try file.truncate(to: 0) }
            return file
        } catch {
            throw DatasetError(.cannotWrite, error.message)
        }
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
