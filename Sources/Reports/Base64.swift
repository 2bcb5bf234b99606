/// Bytes in the 64 letters of RFC 4648, with padding.
package func base64(_ bytes: borrowing Span<UInt8>) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    var index = 0
    while index < bytes.count {
        let available = min(3, bytes.count - index)
        var group: UInt32 = 0
        for place in 0..<3 {
            group = group << 8 | (place < available ? UInt32(bytes[index + place]) : 0)
        }
        for place in 0..<4 {
            let letter = alphabet[Int(group >> UInt32(18 - 6 * place)) & 63]
            text.append(place <= available ? letter : UInt8(ascii: "="))
        }
        index += 3
    }
    return String(decoding: text, as: UTF8.self)
}
