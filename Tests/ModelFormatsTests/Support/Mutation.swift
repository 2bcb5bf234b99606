/// Flips bits, cuts, repeats, or writes extreme numbers where lengths may stand.
func mutate(_ file: [UInt8], _ generator: inout SplitMix) -> [UInt8] {
    var bytes = file
    for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<6, using: &generator) {
        case 0, 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 2: bytes[place] = UInt8.random(in: 0...255, using: &generator)
        case 3:
            let extremes: [UInt64] = [0, 1, 0x7F, 0x7FFF_FFFF, 0xFFFF_FFFF, 1 << 63, .max]
            let extreme = littleEndian(extremes.randomElement(using: &generator) ?? 0)
            let width = [1, 2, 4, 8].randomElement(using: &generator) ?? 8
            for index in 0..<min(width, bytes.count - place) {
                bytes[place + index] = extreme[index]
            }
        case 4:
            let end = min(bytes.count, place + Int.random(in: 1...16, using: &generator))
            bytes.removeSubrange(place..<end)
        default:
            let end = min(bytes.count, place + Int.random(in: 1...16, using: &generator))
            bytes.insert(contentsOf: bytes[place..<end], at: place)
        }
    }
    return bytes
}
