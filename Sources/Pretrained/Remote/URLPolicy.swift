public import Native

/// Which URLs of strangers are fetched, and within which limits.
///
/// A URL names a machine that this one then talks to, so it can be used to reach what only this machine can
/// reach. Two checks stand against that: the parts of the URL, before anything is asked of the network, and
/// the very address that a socket is opened for, whatever the name server said before.
public struct URLPolicy: Sendable {
    /// The ports that may be dialled.
    public var ports: Set<Int> = [80, 443]
    /// The only hosts that may be named, in lower case; `nil` for all.
    public var hosts: Set<String>?
    /// How many redirects are followed; each is checked like the first URL.
    public var maximumRedirects = 3
    /// The longest response, in bytes.
    public var maximumByteCount = 20 << 20
    /// The longest time until a connection stands.
    public var connectTimeout: Duration = .seconds(5)
    /// The longest time for everything, redirects included.
    public var totalTimeout: Duration = .seconds(10)
    /// Decides about addresses.
    package var acceptsAddress: @Sendable (IPAddress) -> Bool = { $0.isGlobal }
    /// Addresses that stand for hosts instead of asking a name server.
    package var resolvedHosts: [String: IPAddress] = [:]

    /// The default rules.
    public init() {}

    /// What a person may ask for on the command line.
    public static let commandLine = URLPolicy()

    /// Reads a URL and checks its parts; nothing is asked of the network.
    ///
    /// - Parameters:
    ///   - text: the URL, or a reference relative to `base`.
    ///   - base: where a redirect comes from.
    /// - Throws: `PretrainedError` with code `.refusedURL`.
    public func check(
        _ text: String, relativeTo base: WebAddress? = nil
    ) throws(PretrainedError) -> WebAddress {
        let address = try translating { () throws(NativeError) in
            try WebAddress(text, relativeTo: base)
        }
        guard ports.contains(address.port) else {
            let allowed = ports.sorted().map(String.init).joined(separator: ", ")
            throw refusal(address, "expected port \(allowed), found \(address.port)")
        }
        let host = address.hostWithoutFinalDots
        if let hosts, !hosts.contains(host) {
            throw refusal(address, "\(host) is not among the allowed hosts")
        }
        if let numeric = address.numericHost ?? IPAddress(host) {
            guard acceptsAddress(numeric) else {
                throw refusal(address, "\(numeric) is not an address of the public internet")
            }
        } else if host == "localhost" || host.hasSuffix(".localhost") || host.isEmpty {
            guard let thisMachine = IPAddress("127.0.0.1"), acceptsAddress(thisMachine) else {
                throw refusal(address, "\(address.host) is this machine")
            }
        }
        return address
    }

    private func refusal(_ address: WebAddress, _ reason: String) -> PretrainedError {
        PretrainedError(
            .refusedURL, "\(address): \(reason); download the file by other means and give its path"
        )
    }
}

extension WebAddress {
    /// The host in lower case, without the dots that may end a full name.
    fileprivate var hostWithoutFinalDots: String {
        var host = host.lowercased()[...]
        while host.hasSuffix(".") { host = host.dropLast() }
        return String(host)
    }
}
