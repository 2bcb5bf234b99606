/// The layout of record files: many pictures in one file, read in place.
///
/// A file has five sections, numbers have their lowest byte first:
///
/// 1. a start of 16 bytes: `RNRECORD`, the version (4 bytes), zero (4 bytes);
/// 2. the pictures, encoded, one after the other as in the index, without gaps;
/// 3. texts: the class names, each a length (4 bytes) and UTF-8, then the samples' names, UTF-8 of at most 4,096 bytes
///    each, one after the other as in the index;
/// 4. an index, 48 bytes a sample: where the picture is and how long (8, 8), where the name is and how long (8, 4), label
///    (4), CRC-32C of the picture (4), part (4: 0 none, 1 training, 2 validation, 3 test), zero (8);
/// 5. an end of 80 bytes: where the texts are and how long (8, 8), the same of the index (8, 8), the number of samples (8) and
///    of classes (8), the short side and quality of pictures that were made smaller or zero (4, 4), CRC-32C of texts,
///    of index (4, 4), and of the 64 bytes so far together with the start (4), zero (4), `RECORDND`.
///
/// What describes the file stands at its end, so that it can be written in one go, and a file cut short is noticed.
enum RecordFormat {
    static let startByteCount = 16
    static let entryByteCount = 48
    static let endByteCount = 80
    /// Bytes of the end that its sum is over.
    static let summedByteCount = 64
    static let version: UInt32 = 1
    /// What a file begins with.
    static let startMagic: StaticString = "RNRECORD"
    /// What a file ends with.
    static let endMagic: StaticString = "RECORDND"

    /// The parts by their numbers.
    static let parts: [DatasetPart?] = [nil, .training, .validation, .test]

    /// The first section.
    static var start: [UInt8] {
        var bytes = Array(startMagic.description.utf8)
        bytes.append(littleEndian: version)
        bytes.append(littleEndian: UInt32(0))
        return bytes
    }
}
