/// One GET request and the limits it runs under.
///
/// TLS certificates are always verified, redirects never followed: a redirect is an outcome, so that the
/// caller can check where it leads.
public struct HTTPRequest: Sendable {
    /// Whether a proxy may stand between.
    public enum Proxy: Sendable, Hashable {
        /// What `https_proxy`, `http_proxy` and `no_proxy` say.
        case environment
        /// None, whatever the environment says.
        case none
    }

    /// Where to go.
    public var address: WebAddress
    /// Further header fields.
    public var fields: [HTTPField] = []
    /// The longest time until a connection stands, name resolution included.
    public var connectTimeout: Duration = .seconds(5)
    /// The longest time for everything; `nil` for no limit.
    public var totalTimeout: Duration?
    /// The transfer ends when it stays below one kilobyte a second for so many whole seconds; 0 for never.
    public var stallSeconds = 30
    /// The longest body; what the server announces and what it sends are both checked.
    public var maximumByteCount = Int.max
    /// Whether the environment's proxy is used.
    public var proxy = Proxy.environment
    /// Decides about each address just before it is dialled; `nil` to accept all.
    ///
    /// It sees the very address that the socket is then opened for, so a name that resolves differently
    /// the second time gains nothing. With a proxy, it is the proxy's address.
    public var acceptsAddress: (@Sendable (IPAddress) -> Bool)?
    /// An address that stands for the host instead of asking a name server.
    public var resolvedHost: IPAddress?

    /// A request with default limits.
    public init(_ address: WebAddress) { self.address = address }
}

/// A header field.
public struct HTTPField: Sendable, Hashable {
    /// The name, which is compared without regard to case.
    public let name: String
    /// The value, without the space around it.
    public let value: String

    /// Makes a field.
    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// The head of a response.
public struct HTTPHead: Sendable, Hashable {
    /// The status, such as 200.
    public let status: Int
    /// The fields, in the order received.
    public let fields: [HTTPField]

    /// Makes a head.
    public init(status: Int, fields: [HTTPField]) {
        self.status = status
        self.fields = fields
    }

    /// The first value of a field.
    public subscript(_ name: String) -> String? {
        fields.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// The announced length of the body.
    public var contentLength: Int? {
        guard let length = self["Content-Length"].flatMap({ Int($0) }), length >= 0 else {
            return nil
        }
        return length
    }

    /// Where a redirect leads, as the server wrote it; `nil` for other statuses.
    public var redirectTarget: String? {
        [301, 302, 303, 307, 308].contains(status) ? self["Location"] : nil
    }
}
