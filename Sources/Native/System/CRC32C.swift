internal import CSystem

/// The CRC-32C (Castagnoli) of TFRecord files, TensorBoard's, and TensorFlow's checkpoints.
///
/// Source: RFC 3720, appendix B.4.
///
/// - Parameters:
///   - bytes: what to sum.
///   - start: the sum of the bytes before these, where there are any.
public func crc32c(_ bytes: borrowing Span<UInt8>, continuing start: UInt32 = 0) -> UInt32 {
    // The buffer is valid during the call.
    unsafe bytes.withUnsafeBytes { buffer in
        unsafe csystem_crc32c(start, buffer.baseAddress, buffer.count)
    }
}

/// A CRC-32C as TFRecord files hold it, which keeps sums of sums apart from sums.
///
/// Source: TensorFlow 2.17, `tsl/lib/hash/crc32c.h`, `Mask`.
public func maskedCRC32C(_ bytes: borrowing Span<UInt8>) -> UInt32 {
    masked(crc32c: crc32c(bytes))
}

/// A CRC-32C as `maskedCRC32C` gives it, of the CRC-32C itself.
public func masked(crc32c sum: UInt32) -> UInt32 { (sum >> 15 | sum << 17) &+ 0xA282_EAD8 }
