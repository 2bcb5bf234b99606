#include "status.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

/// Where a reader is in its file.
typedef struct {
    const uint8_t *bytes;
    size_t byte_count;
    size_t position;
    ccodecs_status *status;
} source;

static void read_bytes(png_structp png, png_bytep target, size_t byte_count) {
    source *from = png_get_io_ptr(png);
    if (byte_count > from->byte_count - from->position) { png_error(png, "the file ends too early"); }
    memcpy(target, from->bytes + from->position, byte_count);
    from->position += byte_count;
}

static void on_read_error(png_structp png, png_const_charp message) {
    ccodecs_status *status = png_get_error_ptr(png);
    ccodecs_fail(status, CCODECS_MALFORMED, message);
    png_longjmp(png, 1);
}

static void on_write_error(png_structp png, png_const_charp message) {
    ccodecs_fail(png_get_error_ptr(png), CCODECS_FAILURE, message);
    png_longjmp(png, 1);
}

// What libpng warns of (a superfluous chunk, a colour index without a colour) leaves the pixels defined.
static void on_warning(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

/// A reader that skips every chunk that pixels do not need, so that none is unpacked or kept.
static png_structp make_reader(source *from, size_t maximum_chunk_byte_count) {
    png_structp png = png_create_read_struct(
        PNG_LIBPNG_VER_STRING, from->status, on_read_error, on_warning);
    if (png == NULL) { return NULL; }
    png_set_read_fn(png, from, read_bytes);
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_chunk_malloc_max(png, maximum_chunk_byte_count);
    png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    return png;
}

void ccodecs_png_read_header(
    const uint8_t *bytes, size_t byte_count, ccodecs_header *header, ccodecs_status *status) {
    ccodecs_clear(status);
    memset(header, 0, sizeof *header);
    // The signature, then the header chunk, which must come first: 8 + 8 + 13 bytes.
    static const uint8_t start[16] = {137, 'P', 'N', 'G', 13, 10,  26,  10,
                                      0,   0,   0,   13,  'I', 'H', 'D', 'R'};
    if (byte_count < 33 || memcmp(bytes, start, sizeof start) != 0) {
        ccodecs_fail(status, CCODECS_MALFORMED, "expected a PNG signature and a header chunk");
        return;
    }
    header->width = png_get_uint_32(bytes + 16);
    header->height = png_get_uint_32(bytes + 20);
    uint64_t channel_count;
    switch (bytes[25]) {
    case PNG_COLOR_TYPE_GRAY:
    case PNG_COLOR_TYPE_PALETTE: channel_count = 1; break;
    case PNG_COLOR_TYPE_GRAY_ALPHA: channel_count = 2; break;
    case PNG_COLOR_TYPE_RGB: channel_count = 3; break;
    case PNG_COLOR_TYPE_RGB_ALPHA: channel_count = 4; break;
    default: ccodecs_fail(status, CCODECS_MALFORMED, "unknown colour type"); return;
    }
    if (header->width == 0 || header->height == 0 || header->width > PNG_UINT_31_MAX
        || header->height > PNG_UINT_31_MAX) {
        ccodecs_fail(status, CCODECS_MALFORMED, "a side without or with too many pixels");
        return;
    }
    // Deflate packs at most 1,032 to 1. A depth above 16 is refused when decoding.
    uint64_t pixel_count = (uint64_t)header->width * header->height;
    header->minimum_bit_count = pixel_count / 1032 * channel_count * (bytes[24] & 31);
}

void ccodecs_png_decode(
    const uint8_t *bytes, size_t byte_count, size_t maximum_chunk_byte_count, uint32_t width,
    uint32_t height, uint8_t *pixels, ccodecs_status *status) {
    ccodecs_clear(status);
    source from = {bytes, byte_count, 0, status};
    png_structp png = make_reader(&from, maximum_chunk_byte_count);
    png_infop volatile info = png == NULL ? NULL : png_create_info_struct(png);
    if (info == NULL) {
        png_destroy_read_struct(&png, NULL, NULL);
        ccodecs_fail(status, CCODECS_MEMORY, "no memory for a PNG decoder");
        return;
    }
    volatile int has_all_rows = 0;
    if (setjmp(png_jmpbuf(png))) {
        if (has_all_rows) {
            // Damage behind the pixels: the picture is whole, so the caller decides.
            status->code = CCODECS_OK;
            status->warning_count += 1;
        }
        png_infop owned = info;
        png_destroy_read_struct(&png, &owned, NULL);
        return;
    }
    png_read_info(png, info);
    int color_type = png_get_color_type(png, info);
    int bit_depth = png_get_bit_depth(png, info);
    if (color_type == PNG_COLOR_TYPE_PALETTE) { png_set_palette_to_rgb(png); }
    if (!(color_type & PNG_COLOR_MASK_COLOR)) {
        if (bit_depth < 8) { png_set_expand_gray_1_2_4_to_8(png); }
        png_set_gray_to_rgb(png);
    }
    if (bit_depth == 16) { png_set_strip_16(png); }
    png_set_strip_alpha(png);
    int pass_count = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    size_t row_byte_count = (size_t)width * 3;
    if (png_get_image_width(png, info) != width || png_get_image_height(png, info) != height
        || png_get_rowbytes(png, info) != row_byte_count) {
        png_error(png, "the picture's size changed between two readings");
    }
    for (int pass = 0; pass < pass_count; pass += 1) {
        for (uint32_t y = 0; y < height; y += 1) {
            png_read_row(png, pixels + y * row_byte_count, NULL);
        }
    }
    has_all_rows = 1;
    png_read_end(png, NULL);
    png_infop owned = info;
    png_destroy_read_struct(&png, &owned, NULL);
}

static void write_bytes(png_structp png, png_bytep bytes, size_t byte_count) {
    if (!ccodecs_append(png_get_io_ptr(png), bytes, byte_count)) {
        png_error(png, "no memory for the encoded picture");
    }
}

static void flush_nothing(png_structp png) { (void)png; }

void ccodecs_png_encode(
    const uint8_t *pixels, uint32_t width, uint32_t height, ccodecs_buffer *result,
    ccodecs_status *status) {
    ccodecs_clear(status);
    memset(result, 0, sizeof *result);
    png_structp png =
        png_create_write_struct(PNG_LIBPNG_VER_STRING, status, on_write_error, on_warning);
    png_infop volatile info = png == NULL ? NULL : png_create_info_struct(png);
    if (info == NULL) {
        png_destroy_write_struct(&png, NULL);
        ccodecs_fail(status, CCODECS_MEMORY, "no memory for a PNG encoder");
        return;
    }
    if (setjmp(png_jmpbuf(png))) {
        png_infop owned = info;
        png_destroy_write_struct(&png, &owned);
        free(result->bytes);
        memset(result, 0, sizeof *result);
        return;
    }
    png_set_write_fn(png, result, write_bytes, flush_nothing);
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_IHDR(
        png, info, width, height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
        PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    size_t row_byte_count = (size_t)width * 3;
    for (uint32_t y = 0; y < height; y += 1) {
        png_write_row(png, pixels + y * row_byte_count);
    }
    png_write_end(png, info);
    png_infop owned = info;
    png_destroy_write_struct(&png, &owned);
}
