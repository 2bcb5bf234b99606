public import Native

/// Pictures that a URL names.
public enum RemoteImage {
    /// Fetches what a URL names, within the limits of a policy.
    ///
    /// No proxy is used, whatever the environment says: with one, the address that is dialled would not be
    /// the picture's. What the bytes are is for the decoder to find out.
    ///
    /// - Throws: `PretrainedError` with code `.refusedURL`, `.network`, `.tooLarge` or `.cancelled`.
    public static func fetch(
        _ url: String, policy: URLPolicy = .commandLine
    ) async throws(PretrainedError) -> Memory {
        let first = try policy.check(url)
        return try await onOwnThread { cancellation throws(PretrainedError) in
            try fetch(first, policy, cancellation)
        }
    }

    private static func fetch(
        _ first: WebAddress, _ policy: URLPolicy, _ cancellation: Cancellation
    ) throws(PretrainedError) -> Memory {
        let clock = ContinuousClock()
        let end = clock.now + policy.totalTimeout
        var address = first
        for _ in 0...max(0, policy.maximumRedirects) {
            let left = end - clock.now
            guard left > .zero else {
                throw PretrainedError(.network, "\(first): took longer than \(policy.totalTimeout)")
            }
            var request = HTTPRequest(address)
            request.connectTimeout = policy.connectTimeout
            request.totalTimeout = left
            request.stallSeconds = 0
            request.maximumByteCount = policy.maximumByteCount
            request.proxy = .none
            request.acceptsAddress = policy.acceptsAddress
            request.resolvedHost = policy.resolvedHosts[address.host]
            let receiver = MemoryReceiver()
            let asked = request
            let head = try translating { () throws(NativeError) in
                try HTTPTransfer.perform(asked, into: receiver, cancellation: cancellation)
            }
            if head.status == 200 {
                return try translating { () throws(NativeError) in try receiver.finish() }
            }
            guard let target = head.redirectTarget else {
                throw PretrainedError(
                    .network, "\(address): expected a picture, the server answers \(head.status)",
                    httpStatus: head.status)
            }
            address = try policy.check(target, relativeTo: address)
        }
        throw PretrainedError(
            .network, "\(first): more than \(policy.maximumRedirects) redirects")
    }
}
