internal import CNetwork

/// The address of a machine, without a port.
public struct IPAddress: Sendable, Hashable, CustomStringConvertible {
    /// Network order: 4 bytes for IPv4, 16 for IPv6.
    public let bytes: [UInt8]

    /// Takes bytes in network order; `nil` unless there are 4 or 16.
    public init?(networkOrder bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// Reads the standard text form of either family, without brackets or zone.
    public init?(_ text: String) {
        guard !text.utf8.contains(0) else { return nil }
        var family: Int32 = 0
        var bytes = [UInt8](repeating: 0, count: 16)
        // The shim writes 16 bytes at most, which the array holds.
        let isAddress = unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            unsafe cnetwork_parse_address(text, &family, buffer.baseAddress)
        }
        guard isAddress else { return nil }
        self.bytes = family == 4 ? Array(bytes[..<4]) : bytes
    }

    /// Whether the address is of the older family, with four bytes.
    public var isVersion4: Bool { bytes.count == 4 }

    /// The usual text form; the longest run of zero groups of IPv6 is left out.
    public var description: String {
        if isVersion4 { return bytes.map(String.init).joined(separator: ".") }
        let groups = stride(from: 0, to: 16, by: 2).map { index in
            UInt16(bytes[index]) << 8 | UInt16(bytes[index + 1])
        }
        var best = 0..<0
        var start = 0
        while start < groups.count {
            var end = start
            while end < groups.count, groups[end] == 0 { end += 1 }
            if end - start > best.count, end - start > 1 { best = start..<end }
            start = max(end, start + 1)
        }
        func text(_ part: ArraySlice<UInt16>) -> String {
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard !best.isEmpty else { return text(groups[...]) }
        return text(groups[..<best.lowerBound]) + "::" + text(groups[best.upperBound...])
    }
}
