public import Native

extension IPAddress {
    /// Whether the address belongs to the public internet, where anyone's machine may be.
    ///
    /// Private, local, reserved, multicast and documentation ranges are not global, nor are addresses that
    /// carry another one inside and can so lead to a private one, except NAT64 of a global one.
    /// Source: the IANA special-purpose address registries for IPv4 and IPv6. A range that is only partly
    /// special counts as special as a whole.
    public var isGlobal: Bool {
        if isVersion4 { return !Self.specialRanges4.contains { $0.contains(self) } }
        if Self.nat64.contains(self), let inner = IPAddress(networkOrder: Array(bytes[12...])) {
            return inner.isGlobal
        }
        // All addresses given out so far are in here; everything else is local, mapped or reserved.
        guard Self.globalUnicast6.contains(self) else { return false }
        return !Self.specialRanges6.contains { $0.contains(self) }
    }

    private static let specialRanges4: [AddressRange] = [
        AddressRange([0], 8),  // this network
        AddressRange([10], 8),  // private
        AddressRange([100, 64], 10),  // behind a provider's address translation
        AddressRange([127], 8),  // this machine
        AddressRange([169, 254], 16),  // link-local; cloud metadata services
        AddressRange([172, 16], 12),  // private
        AddressRange([192, 0, 0], 24),  // protocol assignments
        AddressRange([192, 0, 2], 24),  // documentation
        AddressRange([192, 88, 99], 24),  // 6to4 relays, given up
        AddressRange([192, 168], 16),  // private
        AddressRange([198, 18], 15),  // benchmarks of network equipment
        AddressRange([198, 51, 100], 24),  // documentation
        AddressRange([203, 0, 113], 24),  // documentation
        AddressRange([224], 4),  // multicast
        AddressRange([240], 4),  // reserved, and broadcast
    ]

    private static let globalUnicast6 = AddressRange([0x20], 3)

    private static let nat64 = AddressRange([0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0], 96)

    private static let specialRanges6: [AddressRange] = [
        AddressRange([0x20, 0x01, 0], 23),  // protocol assignments, Teredo among them
        AddressRange([0x20, 0x01, 0x0d, 0xb8], 32),  // documentation
        AddressRange([0x20, 0x02], 16),  // 6to4, with an IPv4 address inside
        AddressRange([0x3f, 0xff, 0], 20),  // documentation
    ]
}

/// All addresses that begin with the same bits.
private struct AddressRange {
    let prefix: [UInt8]
    let bitCount: Int

    init(_ prefix: [UInt8], _ bitCount: Int) {
        self.prefix = prefix
        self.bitCount = bitCount
    }

    /// Whether the address begins with the bits; the caller picks the range of the right family.
    func contains(_ address: IPAddress) -> Bool {
        var left = bitCount
        for (byte, other) in zip(prefix, address.bytes) {
            let mask: UInt8 = left >= 8 ? 0xff : ~(0xff >> UInt8(max(0, left)))
            if byte & mask != other & mask { return false }
            left -= 8
        }
        return true
    }
}
