#define _GNU_SOURCE
#include "cnetwork.h"

#include <curl/curl.h>
#include <locale.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static CURLcode global_code;

static void start_library(void) { global_code = curl_global_init(CURL_GLOBAL_DEFAULT); }

static curl_socket_t open_socket(
    void *argument, curlsocktype purpose, struct curl_sockaddr *address) {
    const cnetwork_request *request = argument;
    if (purpose != CURLSOCKTYPE_IPCXN) { return CURL_SOCKET_BAD; }
    if (request->on_address) {
        const uint8_t *bytes;
        size_t byte_count;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        if (address->family == AF_INET && address->addrlen >= sizeof v4) {
            memcpy(&v4, &address->addr, sizeof v4);
            bytes = (const uint8_t *)&v4.sin_addr;
            byte_count = 4;
        } else if (address->family == AF_INET6 && address->addrlen >= sizeof v6) {
            memcpy(&v6, &address->addr, sizeof v6);
            bytes = (const uint8_t *)&v6.sin6_addr;
            byte_count = 16;
        } else {
            return CURL_SOCKET_BAD;
        }
        if (!request->on_address(request->context, bytes, byte_count)) { return CURL_SOCKET_BAD; }
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t take_header(char *bytes, size_t size, size_t count, void *argument) {
    const cnetwork_request *request = argument;
    return request->on_header(request->context, bytes, size * count) ? size * count : 0;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *argument) {
    const cnetwork_request *request = argument;
    bool wanted = request->on_body(request->context, (const uint8_t *)bytes, size * count);
    return wanted ? size * count : 0;
}

static cnetwork_code code_of(CURLcode code) {
    switch (code) {
        case CURLE_OK: return CNETWORK_OK;
        case CURLE_WRITE_ERROR:
        case CURLE_ABORTED_BY_CALLBACK: return CNETWORK_STOPPED;
        case CURLE_URL_MALFORMAT: return CNETWORK_MALFORMED_URL;
        case CURLE_OPERATION_TIMEDOUT: return CNETWORK_TIMED_OUT;
        case CURLE_OUT_OF_MEMORY: return CNETWORK_OUT_OF_MEMORY;
        // The scheme was checked before; this is an answer that is not HTTP.
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_COULDNT_RESOLVE_PROXY:
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_CONNECT:
        case CURLE_WEIRD_SERVER_REPLY:
        case CURLE_HTTP2:
        case CURLE_PARTIAL_FILE:
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_GOT_NOTHING:
        case CURLE_SEND_ERROR:
        case CURLE_RECV_ERROR:
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_BAD_CONTENT_ENCODING:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_ISSUER_ERROR:
        case CURLE_HTTP2_STREAM:
        case CURLE_PROXY: return CNETWORK_FAILED;
        default: return CNETWORK_LIBRARY_FAILURE;
    }
}

static CURLcode configure(
    CURL *easy, const cnetwork_request *request, struct curl_slist *headers,
    struct curl_slist *resolve, char *error) {
    CURLcode code = CURLE_OK;
#define SET(option, value) \
    if (!code) { code = curl_easy_setopt(easy, option, value); }
    SET(CURLOPT_ERRORBUFFER, error);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_URL, request->url);
#if LIBCURL_VERSION_NUM >= 0x075500
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
#else
    SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
    // Do not wait for a name server that does not answer after the transfer was given up.
    SET(CURLOPT_QUICK_EXIT, 1L);
#endif
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(CURLOPT_USERAGENT, "swift-resnet");
    SET(CURLOPT_HTTPHEADER, headers);
    SET(CURLOPT_RESOLVE, resolve);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)request->connect_timeout_ms);
    SET(CURLOPT_TIMEOUT_MS, (long)request->total_timeout_ms);
    SET(CURLOPT_LOW_SPEED_LIMIT, (long)request->stall_bytes_per_second);
    SET(CURLOPT_LOW_SPEED_TIME, (long)request->stall_seconds);
    if (!request->uses_environment_proxy) {
        SET(CURLOPT_PROXY, "");
        SET(CURLOPT_NOPROXY, "*");
    }
    SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
    SET(CURLOPT_OPENSOCKETDATA, (void *)request);
    SET(CURLOPT_HEADERFUNCTION, take_header);
    SET(CURLOPT_HEADERDATA, (void *)request);
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_WRITEDATA, (void *)request);
#undef SET
    return code;
}

/// Runs one transfer; waits at most a tenth of a second at a time, so that it can be given up.
static CURLcode run(CURLM *multi, CURL *easy, const cnetwork_request *request) {
    if (curl_multi_add_handle(multi, easy)) { return CURLE_FAILED_INIT; }
    CURLcode code = CURLE_OK;
    int running = 1;
    while (running) {
        if (!request->should_continue(request->context)) {
            code = CURLE_ABORTED_BY_CALLBACK;
            break;
        }
        if (curl_multi_perform(multi, &running)) {
            code = CURLE_FAILED_INIT;
            break;
        }
        if (running && curl_multi_poll(multi, NULL, 0, 100, NULL)) {
            code = CURLE_FAILED_INIT;
            break;
        }
    }
    if (!running) {
        int left;
        CURLMsg *message = curl_multi_info_read(multi, &left);
        code = message && message->msg == CURLMSG_DONE ? message->data.result : CURLE_FAILED_INIT;
    }
    curl_multi_remove_handle(multi, easy);
    return code;
}

static struct curl_slist *append(struct curl_slist *list, const char *text, bool *failed) {
    struct curl_slist *longer = curl_slist_append(list, text);
    if (!longer) { *failed = true; }
    return longer ? longer : list;
}

static CURLcode transfer(const cnetwork_request *request, char *error) {
    bool failed = false;
    struct curl_slist *headers = NULL, *resolve = NULL;
    char *lines = strdup(request->header_lines), *rest = NULL;
    if (!lines) { return CURLE_OUT_OF_MEMORY; }
    for (char *line = strtok_r(lines, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        headers = append(headers, line, &failed);
    }
    free(lines);
    if (request->resolve) { resolve = append(resolve, request->resolve, &failed); }
    CURL *easy = curl_easy_init();
    CURLM *multi = curl_multi_init();
    CURLcode code = CURLE_OUT_OF_MEMORY;
    if (easy && multi && !failed) {
        code = configure(easy, request, headers, resolve, error);
        if (!code) { code = run(multi, easy, request); }
    }
    if (easy) { curl_easy_cleanup(easy); }
    if (multi) { curl_multi_cleanup(multi); }
    curl_slist_free_all(headers);
    curl_slist_free_all(resolve);
    return code;
}

cnetwork_code cnetwork_perform(
    const cnetwork_request *request, char message[CNETWORK_MESSAGE_SIZE]) {
    pthread_once(&once, start_library);
    message[0] = '\0';
    if (global_code) {
        snprintf(message, CNETWORK_MESSAGE_SIZE, "%s", curl_easy_strerror(global_code));
        return CNETWORK_LIBRARY_FAILURE;
    }
    // The TLS library may write to a closed socket. Keep the signal of that away from the process.
    sigset_t pipe_signal, earlier, pending;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigpending(&pending);
    bool was_pending = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &earlier);

    // Host names beyond ASCII are read in the thread's character set; texts from Swift are UTF-8.
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    locale_t usual = utf8 ? uselocale(utf8) : (locale_t)0;

    char error[CURL_ERROR_SIZE] = "";
    CURLcode code = transfer(request, error);

    if (utf8) {
        uselocale(usual);
        freelocale(utf8);
    }

    if (!was_pending) {
        const struct timespec at_once = {0, 0};
        while (sigtimedwait(&pipe_signal, NULL, &at_once) == SIGPIPE) {}
    }
    pthread_sigmask(SIG_SETMASK, &earlier, NULL);
    if (code) {
        const char *text = error[0] ? error : curl_easy_strerror(code);
        snprintf(message, CNETWORK_MESSAGE_SIZE, "%s", text);
    }
    return code_of(code);
}
