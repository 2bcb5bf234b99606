#ifndef RESNET_CCODECS_H
#define RESNET_CCODECS_H

#include <stddef.h>
#include <stdint.h>

// Whole calls over libjpeg, libpng and libwebp. The first two leave a failure by longjmp, which must not
// cross Swift frames, so no callback of theirs is visible here.

/// How a call ended.
enum {
    CCODECS_OK = 0,
    /// The bytes cannot be decoded.
    CCODECS_MALFORMED = 1,
    /// A limit that the caller set is exceeded.
    CCODECS_LIMIT = 2,
    /// A valid file of a kind that is not decoded.
    CCODECS_UNSUPPORTED = 3,
    /// The system has no memory left.
    CCODECS_MEMORY = 4,
    /// The library failed in another way, or the arguments do not fit together.
    CCODECS_FAILURE = 5,
};

/// How a call ended, with the library's words.
typedef struct {
    int32_t code;
    /// Damage that the library worked around.
    uint32_t warning_count;
    /// Nonzero where decoding ended early because of stop_at_warning: the pixels are not all there.
    int32_t stopped;
    /// Nonzero where the bytes of a JPEG ended before its picture did.
    int32_t is_cut;
    /// The error, else the first warning, else empty.
    char message[256];
} ccodecs_status;

/// What a file says of its picture before any of it is decoded.
typedef struct {
    uint32_t width;
    uint32_t height;
    /// The fewest bits that the file's coding can spend on the picture, 0 where there is no such bound.
    uint64_t minimum_bit_count;
    int32_t is_animated;
} ccodecs_header;

/// Bytes from malloc, to be given back with ccodecs_free.
typedef struct {
    uint8_t *bytes;
    size_t byte_count;
} ccodecs_buffer;

/// Limits of ccodecs_jpeg_decode.
typedef struct {
    uint32_t maximum_scan_count;
    /// Bounds the coefficients that a progressive file needs, in bytes.
    size_t maximum_working_byte_count;
    int32_t stop_at_warning;
} ccodecs_jpeg_options;

/// Reads a JPEG's frame header.
void ccodecs_jpeg_read_header(
    const uint8_t *bytes, size_t byte_count, ccodecs_header *header, ccodecs_status *status);

/// Decodes a JPEG into 8-bit RGB rows without gaps. Fails where it is not width x height.
void ccodecs_jpeg_decode(
    const uint8_t *bytes, size_t byte_count, ccodecs_jpeg_options options, uint32_t width,
    uint32_t height, uint8_t *pixels, ccodecs_status *status);

/// A part of a JPEG, in pixels of the picture as it is decoded.
typedef struct {
    /// 1, 2, 4 or 8: both sides are divided by it and rounded up.
    uint32_t denominator;
    uint32_t x;
    uint32_t y;
    uint32_t width;
    uint32_t height;
} ccodecs_jpeg_part;

/// Decodes a part of a JPEG into 8-bit RGB rows without gaps. Pixels are those that ccodecs_jpeg_decode gives where
/// the denominator is 1. Bytes behind the part are not read. Fails where the part does not lie in the picture.
void ccodecs_jpeg_decode_part(
    const uint8_t *bytes, size_t byte_count, ccodecs_jpeg_options options, ccodecs_jpeg_part part,
    uint8_t *pixels, ccodecs_status *status);

/// Encodes 8-bit RGB rows without gaps as a baseline JPEG. quality: 1 to 100.
void ccodecs_jpeg_encode(
    const uint8_t *pixels, uint32_t width, uint32_t height, int quality, ccodecs_buffer *result,
    ccodecs_status *status);

/// Reads a PNG's header chunk.
void ccodecs_png_read_header(
    const uint8_t *bytes, size_t byte_count, ccodecs_header *header, ccodecs_status *status);

/// Decodes a PNG into 8-bit RGB rows without gaps; alpha is dropped, 16-bit samples keep their high byte.
/// Chunks other than image data may have up to maximum_chunk_byte_count bytes.
void ccodecs_png_decode(
    const uint8_t *bytes, size_t byte_count, size_t maximum_chunk_byte_count, uint32_t width,
    uint32_t height, uint8_t *pixels, ccodecs_status *status);

/// Encodes 8-bit RGB rows without gaps as a PNG.
void ccodecs_png_encode(
    const uint8_t *pixels, uint32_t width, uint32_t height, ccodecs_buffer *result,
    ccodecs_status *status);

/// Reads the size of a WebP file, or of a frame without its container.
void ccodecs_webp_read_header(
    const uint8_t *bytes, size_t byte_count, ccodecs_header *header, ccodecs_status *status);

/// Decodes a still WebP, or one frame, into 8-bit RGB rows of row_byte_count bytes each; alpha is dropped.
void ccodecs_webp_decode(
    const uint8_t *bytes, size_t byte_count, uint32_t width, uint32_t height, uint8_t *pixels,
    size_t row_byte_count, ccodecs_status *status);

/// Gives back what an encoder made.
void ccodecs_free(ccodecs_buffer buffer);

#endif
