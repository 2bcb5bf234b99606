#ifndef RESNET_CNETWORK_H
#define RESNET_CNETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// How a call ended.
typedef enum cnetwork_code {
    CNETWORK_OK = 0,
    /// A callback asked to end the transfer.
    CNETWORK_STOPPED,
    CNETWORK_MALFORMED_URL,
    CNETWORK_UNSUPPORTED_SCHEME,
    CNETWORK_USER_IN_URL,
    CNETWORK_FAILED,
    CNETWORK_TIMED_OUT,
    CNETWORK_OUT_OF_MEMORY,
    CNETWORK_LIBRARY_FAILURE,
} cnetwork_code;

/// The parts of a URL as libcurl reads them; texts belong to this value until cnetwork_free_url.
typedef struct cnetwork_url {
    char *url;
    char *scheme;
    char *host;
    char *path;
    int32_t port;
} cnetwork_url;

/// Reads a URL, absolute or relative to base (which may be NULL). User names, passwords, and schemes
/// other than http and https are refused. On failure *message says why; it is static.
cnetwork_code cnetwork_parse_url(
    const char *base, const char *text, cnetwork_url *out, const char **message);

/// Releases the texts of cnetwork_parse_url; harmless on a zeroed value.
void cnetwork_free_url(cnetwork_url *url);

/// One GET. Redirects are not followed. Callbacks return false to end the transfer.
typedef struct cnetwork_request {
    const char *url;
    /// Lines "Name: value", each ended by a line feed.
    const char *header_lines;
    /// "host:port:address" that replaces name resolution, or NULL.
    const char *resolve;
    int64_t connect_timeout_ms;
    /// 0 for none.
    int64_t total_timeout_ms;
    /// The transfer ends when it stays below so many bytes a second for so long; 0 seconds for never.
    int64_t stall_bytes_per_second;
    int64_t stall_seconds;
    bool uses_environment_proxy;
    void *context;
    /// Called with each address before it is dialled: 4 or 16 bytes in network order. May be NULL.
    bool (*on_address)(void *context, const uint8_t *address, size_t byte_count);
    /// Called with each header line, with its line end.
    bool (*on_header)(void *context, const char *line, size_t byte_count);
    bool (*on_body)(void *context, const uint8_t *bytes, size_t byte_count);
    /// Asked about ten times a second.
    bool (*should_continue)(void *context);
} cnetwork_request;

#define CNETWORK_MESSAGE_SIZE 512

/// Performs the request on the calling thread. The message is filled on failure.
cnetwork_code cnetwork_perform(const cnetwork_request *request, char message[CNETWORK_MESSAGE_SIZE]);

/// Reads an address as text: family 4 or 6 and its bytes in network order; false where it is none.
bool cnetwork_parse_address(const char *text, int *family, uint8_t bytes[16]);

#define CNETWORK_SHA256_SIZE 32

/// A new SHA-256, or NULL.
void *cnetwork_sha256_create(void);
bool cnetwork_sha256_update(void *hash, const void *bytes, size_t byte_count);
bool cnetwork_sha256_finish(void *hash, uint8_t digest[CNETWORK_SHA256_SIZE]);
void cnetwork_sha256_destroy(void *hash);

#endif
