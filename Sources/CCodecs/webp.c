#include "status.h"

#include <string.h>

#include <webp/decode.h>

static void fail(ccodecs_status *status, VP8StatusCode code) {
    switch (code) {
    case VP8_STATUS_OK: return;
    case VP8_STATUS_OUT_OF_MEMORY:
        ccodecs_fail(status, CCODECS_MEMORY, "no memory for a WebP decoder");
        return;
    case VP8_STATUS_UNSUPPORTED_FEATURE:
        ccodecs_fail(status, CCODECS_UNSUPPORTED, "a feature that libwebp does not decode");
        return;
    case VP8_STATUS_SUSPENDED:
    case VP8_STATUS_NOT_ENOUGH_DATA:
        ccodecs_fail(status, CCODECS_MALFORMED, "the file ends too early");
        return;
    case VP8_STATUS_BITSTREAM_ERROR:
        ccodecs_fail(status, CCODECS_MALFORMED, "the coded picture is damaged");
        return;
    case VP8_STATUS_INVALID_PARAM:
    case VP8_STATUS_USER_ABORT:
        ccodecs_fail(status, CCODECS_FAILURE, "libwebp refused the call");
        return;
    }
}

void ccodecs_webp_read_header(
    const uint8_t *bytes, size_t byte_count, ccodecs_header *header, ccodecs_status *status) {
    ccodecs_clear(status);
    memset(header, 0, sizeof *header);
    WebPBitstreamFeatures features;
    VP8StatusCode code = WebPGetFeatures(bytes, byte_count, &features);
    if (code != VP8_STATUS_OK) {
        fail(status, code);
        return;
    }
    header->width = (uint32_t)features.width;
    header->height = (uint32_t)features.height;
    header->is_animated = features.has_animation;
}

void ccodecs_webp_decode(
    const uint8_t *bytes, size_t byte_count, uint32_t width, uint32_t height, uint8_t *pixels,
    size_t row_byte_count, ccodecs_status *status) {
    ccodecs_clear(status);
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config)) {
        ccodecs_fail(status, CCODECS_FAILURE, "libwebp has another interface version");
        return;
    }
    VP8StatusCode code = WebPGetFeatures(bytes, byte_count, &config.input);
    if (code != VP8_STATUS_OK) {
        fail(status, code);
        return;
    }
    if (config.input.width != (int)width || config.input.height != (int)height) {
        ccodecs_fail(status, CCODECS_FAILURE, "the picture's size changed between two readings");
        return;
    }
    config.output.colorspace = MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = pixels;
    config.output.u.RGBA.stride = (int)row_byte_count;
    config.output.u.RGBA.size = row_byte_count * (height - 1) + (size_t)width * 3;
    fail(status, WebPDecode(bytes, byte_count, &config));
    WebPFreeDecBuffer(&config.output);
}
