import Native

/// The records of a TFRecord file, by their places.
///
/// Source: tensorflow.org/tutorials/load_data/tfrecord: a length of 8 bytes, its masked CRC-32C, the data, its masked
/// CRC-32C; all with the lowest byte first.
struct TFRecordIndex {
    /// Where each record's data lies; its sum stands behind it.
    let records: [Range<Int>]

    /// Whether bytes look like a TFRecord file: the first length's sum is right.
    static func recognises(_ bytes: Span<UInt8>) -> Bool {
        guard bytes.count >= 16, let sum = bytes.littleEndian(UInt32.self, at: 8) else {
            return false
        }
        return maskedCRC32C(bytes.extracting(0..<8)) == sum
    }

    /// Reads all lengths, and verifies their sums; those of the data are verified when it is read.
    ///
    /// - Parameters:
    ///   - memory: the file.
    ///   - file: how messages call it.
    /// - Throws: `DatasetError` with code `.malformed` or `.limitExceeded`.
    init(_ memory: Memory, name file: String) throws(DatasetError) {
        let bytes = memory.bytes
        var records: [Range<Int>] = []
        var position = 0
        while position < bytes.count {
            guard let length = bytes.littleEndian(UInt64.self, at: position),
                let sum = bytes.littleEndian(UInt32.self, at: position + 8)
            else {
                throw DatasetError(
                    .malformed,
                    "\(file): record \(records.count) at byte \(position) is cut short")
            }
            guard maskedCRC32C(bytes.extracting(position..<position + 8)) == sum else {
                throw DatasetError(
                    .malformed,
                    "\(file): the length of record \(records.count) at byte \(position) is damaged: "
                        + "its checksum differs")
            }
            let start = position + 12
            guard length <= UInt64(bytes.count - start), bytes.count - start - Int(length) >= 4
            else {
                throw DatasetError(
                    .malformed,
                    "\(file): record \(records.count) at byte \(position) is cut short: expected "
                        + "\(length) bytes and a checksum, found \(bytes.count - start)")
            }
            records.append(start..<start + Int(length))
            try DatasetLimits.check(
                records.count, DatasetLimits.sampleCount, "records", in: file)
            position = start + Int(length) + 4
        }
        self.records = records
    }

    /// Whether a record's data is what was written.
    ///
    /// - Precondition: the range is one of `records` of these bytes.
    static func isIntact(_ bytes: Span<UInt8>, _ record: Range<Int>) -> Bool {
        bytes.littleEndian(UInt32.self, at: record.upperBound)
            == maskedCRC32C(bytes.extracting(record))
    }
}
