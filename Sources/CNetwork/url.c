#include "cnetwork.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#if LIBCURL_VERSION_NUM < 0x075000
#error "libcurl 7.80 or later is needed"
#endif

static cnetwork_code code_of(CURLUcode code) {
    switch (code) {
        case CURLUE_OK: return CNETWORK_OK;
        case CURLUE_OUT_OF_MEMORY: return CNETWORK_OUT_OF_MEMORY;
        case CURLUE_UNSUPPORTED_SCHEME: return CNETWORK_UNSUPPORTED_SCHEME;
        case CURLUE_USER_NOT_ALLOWED: return CNETWORK_USER_IN_URL;
        default: return CNETWORK_MALFORMED_URL;
    }
}

static CURLUcode read_parts(CURLU *handle, const char *base, const char *text, cnetwork_url *out) {
    CURLUcode code = CURLUE_OK;
    if (base) { code = curl_url_set(handle, CURLUPART_URL, base, CURLU_DISALLOW_USER); }
    if (!code) { code = curl_url_set(handle, CURLUPART_URL, text, CURLU_DISALLOW_USER); }
    // A fragment is for the reader of the page, not for the server.
    if (!code) { code = curl_url_set(handle, CURLUPART_FRAGMENT, NULL, 0); }
    if (!code) { code = curl_url_get(handle, CURLUPART_SCHEME, &out->scheme, 0); }
    if (code) { return code; }
    if (strcmp(out->scheme, "http") != 0 && strcmp(out->scheme, "https") != 0) {
        return CURLUE_UNSUPPORTED_SCHEME;
    }
    char *port = NULL;
    code = curl_url_get(handle, CURLUPART_HOST, &out->host, 0);
    if (!code) { code = curl_url_get(handle, CURLUPART_PATH, &out->path, 0); }
    if (!code) { code = curl_url_get(handle, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT); }
    if (!code) { code = curl_url_get(handle, CURLUPART_URL, &out->url, 0); }
    if (!code) { out->port = (int32_t)strtol(port, NULL, 10); }
    curl_free(port);
    return code;
}

cnetwork_code cnetwork_parse_url(
    const char *base, const char *text, cnetwork_url *out, const char **message) {
    memset(out, 0, sizeof *out);
    CURLU *handle = curl_url();
    if (!handle) {
        *message = "out of memory";
        return CNETWORK_OUT_OF_MEMORY;
    }
    CURLUcode code = read_parts(handle, base, text, out);
    curl_url_cleanup(handle);
    *message = curl_url_strerror(code);
    if (code) { cnetwork_free_url(out); }
    return code_of(code);
}

void cnetwork_free_url(cnetwork_url *url) {
    curl_free(url->url);
    curl_free(url->scheme);
    curl_free(url->host);
    curl_free(url->path);
    memset(url, 0, sizeof *url);
}

bool cnetwork_parse_address(const char *text, int *family, uint8_t bytes[16]) {
    memset(bytes, 0, 16);
    if (inet_pton(AF_INET, text, bytes) == 1) {
        *family = 4;
        return true;
    }
    if (inet_pton(AF_INET6, text, bytes) == 1) {
        *family = 6;
        return true;
    }
    return false;
}
