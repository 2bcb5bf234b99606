internal import CNetwork

/// An http or https URL, read by the library that will dial it.
///
/// What a caller checks here is what is dialled: the library that reads the text also performs the
/// transfer, and numeric hosts in any spelling (decimal, octal, hexadecimal, shortened) come out as the
/// four numbers they mean. A fragment is dropped.
public struct WebAddress: Sendable, Hashable, CustomStringConvertible {
    /// The whole URL, normalised.
    public let text: String
    /// `http` or `https`.
    public let scheme: String
    /// The host as it will be resolved, with brackets around IPv6.
    public let host: String
    /// The port, also where the text leaves it out.
    public let port: Int
    /// The path, at least `/`.
    public let path: String

    /// Reads a URL.
    ///
    /// - Parameters:
    ///   - text: a whole URL, or a reference relative to `base`.
    ///   - base: where a redirect comes from.
    /// - Throws: `NativeError` with code `.malformed`, or `.unsupported` for another scheme, a user name or
    ///   a password.
    public init(_ text: String, relativeTo base: WebAddress? = nil) throws(NativeError) {
        guard !text.utf8.contains(0) else {
            throw NativeError(.malformed, "URL: holds a zero byte")
        }
        var parts = unsafe cnetwork_url()
        var reason: UnsafePointer<CChar>?
        let code = unsafe cnetwork_parse_url(base?.text, text, &parts, &reason)
        // The texts were allocated by the shim, which also frees them; a zeroed value is harmless.
        defer { unsafe cnetwork_free_url(&parts) }
        guard code == CNETWORK_OK, let url = unsafe parts.url, let scheme = unsafe parts.scheme,
            let host = unsafe parts.host, let path = unsafe parts.path
        else {
            // The reason is a constant of the library.
            let why = unsafe reason.map { unsafe String(cString: $0) } ?? "unreadable"
            throw Self.error(code, text: text, reason: why)
        }
        // All four end with a zero byte and live until the end of this initialiser.
        self.text = unsafe String(cString: url)
        self.scheme = unsafe String(cString: scheme)
        self.host = unsafe String(cString: host)
        self.path = unsafe String(cString: path)
        port = unsafe Int(parts.port)
    }

    private static func error(
        _ code: cnetwork_code, text: String, reason: String
    ) -> NativeError {
        switch code {
        case CNETWORK_UNSUPPORTED_SCHEME:
            return NativeError(.unsupported, "\(text): expected an http or https URL")
        case CNETWORK_USER_IN_URL:
            // The text is not repeated: it may hold a password.
            return NativeError(.unsupported, "URL: a user name or password in it is not accepted")
        case CNETWORK_OUT_OF_MEMORY:
            return NativeError(.resourceExhausted, "URL: \(reason)")
        default:
            return NativeError(.malformed, "\(text): not a URL that can be dialled: \(reason)")
        }
    }

    /// The address where the host is a number rather than a name.
    public var numericHost: IPAddress? {
        var text = host[...]
        if text.hasPrefix("["), text.hasSuffix("]") { text = text.dropFirst().dropLast() }
        return IPAddress(String(text))
    }

    /// The last component of the path; empty where the path ends with a slash.
    public var fileName: String {
        String(path.split(separator: "/", omittingEmptySubsequences: false).last ?? "")
    }

    /// The URL.
    public var description: String { text }
}
