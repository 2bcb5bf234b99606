#include "status.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

/// libjpeg's error manager, with the way out of a call.
typedef struct {
    struct jpeg_error_mgr base;
    jmp_buf exit;
    ccodecs_status *status;
    int stop_at_warning;
} error_manager;

/// libjpeg's progress manager, with the number of scans allowed.
typedef struct {
    struct jpeg_progress_mgr base;
    int maximum_scan_count;
} progress_manager;

static int32_t code_of(int message_code) {
    switch (message_code) {
    case JERR_OUT_OF_MEMORY: return CCODECS_MEMORY;
    // With a memory limit set, libjpeg asks for a backing store where it would exceed it.
    case JERR_NO_BACKING_STORE:
    case JERR_IMAGE_TOO_BIG: return CCODECS_LIMIT;
    case JERR_ARITH_NOTIMPL:
    case JERR_BAD_PRECISION:
    case JERR_CCIR601_NOTIMPL:
    case JERR_COMPONENT_COUNT:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL:
    case JERR_NOTIMPL:
    case JERR_NOT_COMPILED:
    case JERR_SOF_UNSUPPORTED: return CCODECS_UNSUPPORTED;
    default: return CCODECS_MALFORMED;
    }
}

static void on_error(j_common_ptr common) {
    error_manager *errors = (error_manager *)common->err;
    char message[JMSG_LENGTH_MAX];
    errors->base.format_message(common, message);
    ccodecs_fail(errors->status, code_of(errors->base.msg_code), message);
    longjmp(errors->exit, 1);
}

static void on_message(j_common_ptr common, int level) {
    if (level >= 0) { return; }
    error_manager *errors = (error_manager *)common->err;
    // These two are about revisions of the container, not about damage.
    int code = errors->base.msg_code;
    if (code == JWRN_JFIF_MAJOR || code == JWRN_ADOBE_XFORM) { return; }
    char message[JMSG_LENGTH_MAX];
    errors->base.format_message(common, message);
    ccodecs_warn(errors->status, message);
    if (code == JWRN_JPEG_EOF) { errors->status->is_cut = 1; }
    if (errors->stop_at_warning) {
        errors->status->stopped = 1;
        longjmp(errors->exit, 1);
    }
}

static void on_output(j_common_ptr common) { (void)common; }

static void on_progress(j_common_ptr common) {
    progress_manager *progress = (progress_manager *)common->progress;
    int scan = ((j_decompress_ptr)common)->input_scan_number;
    if (scan <= progress->maximum_scan_count) { return; }
    error_manager *errors = (error_manager *)common->err;
    char message[80];
    snprintf(message, sizeof message, "more than %d scans", progress->maximum_scan_count);
    ccodecs_fail(errors->status, CCODECS_LIMIT, message);
    longjmp(errors->exit, 1);
}

static struct jpeg_error_mgr *set_up(error_manager *errors, ccodecs_status *status) {
    ccodecs_clear(status);
    struct jpeg_error_mgr *base = jpeg_std_error(&errors->base);
    base->error_exit = on_error;
    base->emit_message = on_message;
    base->output_message = on_output;
    errors->status = status;
    errors->stop_at_warning = 0;
    return base;
}

void ccodecs_jpeg_read_header(
    const uint8_t *bytes, size_t byte_count, ccodecs_header *header, ccodecs_status *status) {
    struct jpeg_decompress_struct decoder;
    error_manager errors;
    memset(&decoder, 0, sizeof decoder);
    memset(header, 0, sizeof *header);
    decoder.err = set_up(&errors, status);
    if (setjmp(errors.exit)) {
        jpeg_destroy_decompress(&decoder);
        return;
    }
    jpeg_create_decompress(&decoder);
    jpeg_mem_src(&decoder, bytes, byte_count);
    jpeg_read_header(&decoder, TRUE);
    header->width = decoder.image_width;
    header->height = decoder.image_height;
    // Huffman coding spends a bit or more on every 8 x 8 block, and the largest component has at least a
    // quarter of the blocks that the size asks for; arithmetic coding has no such bound.
    if (!decoder.arith_code) {
        uint64_t columns = (decoder.image_width + 7ull) / 8;
        uint64_t rows = (decoder.image_height + 7ull) / 8;
        header->minimum_bit_count = columns * rows / 4;
    }
    jpeg_destroy_decompress(&decoder);
}

/// a * b / 255, rounded to nearest, for a and b up to 255.
static inline uint32_t product_of_shares(uint32_t a, uint32_t b) {
    uint32_t product = a * b + 128;
    return (product + (product >> 8)) >> 8;
}

/// CMYK as Adobe's programs store it, inverted: 255 means no ink.
static void convert_inverted_cmyk(const uint8_t *inks, uint8_t *pixels, uint32_t width) {
    for (uint32_t x = 0; x < width; x += 1) {
        uint32_t light = inks[4 * x + 3];
        for (int channel = 0; channel < 3; channel += 1) {
            uint32_t ink = 255u - inks[4 * x + channel];
            pixels[3 * x + channel] = (uint8_t)(light - product_of_shares(ink, light));
        }
    }
}

/// Reads the header of a picture that is to be decoded, and chooses how. Returns its components: 3, or 4 for CMYK;
/// 0, with the status set, where it has another number.
static int start_reading(
    j_decompress_ptr decoder, progress_manager *progress, ccodecs_jpeg_options options,
    const uint8_t *bytes, size_t byte_count, ccodecs_status *status) {
    jpeg_create_decompress(decoder);
    decoder->progress = &progress->base;
    decoder->mem->max_memory_to_use = (long)options.maximum_working_byte_count;
    jpeg_mem_src(decoder, bytes, byte_count);
    jpeg_read_header(decoder, TRUE);
    int is_cmyk = decoder->num_components == 4;
    if (!is_cmyk && decoder->num_components != 1 && decoder->num_components != 3) {
        ccodecs_fail(status, CCODECS_UNSUPPORTED, "expected 1, 3 or 4 components");
        return 0;
    }
    decoder->out_color_space = is_cmyk ? JCS_CMYK : JCS_RGB;
    decoder->dct_method = JDCT_ISLOW;
    decoder->do_fancy_upsampling = TRUE;
    return is_cmyk ? 4 : 3;
}

void ccodecs_jpeg_decode(
    const uint8_t *bytes, size_t byte_count, ccodecs_jpeg_options options, uint32_t width,
    uint32_t height, uint8_t *pixels, ccodecs_status *status) {
    struct jpeg_decompress_struct decoder;
    error_manager errors;
    progress_manager progress;
    memset(&decoder, 0, sizeof decoder);
    memset(&progress, 0, sizeof progress);
    decoder.err = set_up(&errors, status);
    errors.stop_at_warning = options.stop_at_warning;
    progress.base.progress_monitor = on_progress;
    progress.maximum_scan_count = (int)options.maximum_scan_count;
    volatile int has_all_rows = 0;
    if (setjmp(errors.exit)) {
        if (has_all_rows && status->code == CCODECS_MALFORMED) {
            // Damage behind the pixels: the picture is whole, so the caller decides.
            status->code = CCODECS_OK;
            status->warning_count += 1;
        }
        jpeg_destroy_decompress(&decoder);
        return;
    }
    int components = start_reading(&decoder, &progress, options, bytes, byte_count, status);
    if (components == 0) {
        jpeg_destroy_decompress(&decoder);
        return;
    }
    int is_cmyk = components == 4;
    jpeg_start_decompress(&decoder);
    if (decoder.output_width != width || decoder.output_height != height
        || decoder.output_components != components) {
        ccodecs_fail(status, CCODECS_FAILURE, "the picture's size changed between two readings");
        jpeg_destroy_decompress(&decoder);
        return;
    }
    size_t row_byte_count = (size_t)width * 3;
    if (is_cmyk) {
        JSAMPARRAY inks =
            decoder.mem->alloc_sarray((j_common_ptr)&decoder, JPOOL_IMAGE, width * 4, 1);
        while (decoder.output_scanline < height) {
            uint8_t *row = pixels + decoder.output_scanline * row_byte_count;
            if (jpeg_read_scanlines(&decoder, inks, 1) == 1) {
                convert_inverted_cmyk(inks[0], row, width);
            }
        }
    } else {
        while (decoder.output_scanline < height) {
            JSAMPROW rows[4];
            JDIMENSION count = height - decoder.output_scanline;
            if (count > 4) { count = 4; }
            for (JDIMENSION index = 0; index < count; index += 1) {
                rows[index] = pixels + (decoder.output_scanline + index) * row_byte_count;
            }
            jpeg_read_scanlines(&decoder, rows, count);
        }
    }
    has_all_rows = 1;
    jpeg_finish_decompress(&decoder);
    jpeg_destroy_decompress(&decoder);
}

/// Whether scans are missing of a progressive picture whose file ends properly: libjpeg then smooths each block by its
/// neighbours, and pixels depend on what else is decoded.
static int is_smoothed(j_decompress_ptr decoder) {
    if (!decoder->progressive_mode || decoder->coef_bits == NULL) { return 0; }
    for (int component = 0; component < decoder->num_components; component += 1) {
        // Those that libjpeg estimates are among the first ten.
        for (int index = 1; index < 10; index += 1) {
            if (decoder->coef_bits[component][index] != 0) { return 1; }
        }
    }
    return 0;
}

void ccodecs_jpeg_decode_part(
    const uint8_t *bytes, size_t byte_count, ccodecs_jpeg_options options, ccodecs_jpeg_part part,
    uint8_t *pixels, ccodecs_status *status) {
    struct jpeg_decompress_struct decoder;
    error_manager errors;
    progress_manager progress;
    memset(&decoder, 0, sizeof decoder);
    memset(&progress, 0, sizeof progress);
    decoder.err = set_up(&errors, status);
    errors.stop_at_warning = options.stop_at_warning;
    progress.base.progress_monitor = on_progress;
    progress.maximum_scan_count = (int)options.maximum_scan_count;
    if (setjmp(errors.exit)) {
        jpeg_destroy_decompress(&decoder);
        return;
    }
    int components = start_reading(&decoder, &progress, options, bytes, byte_count, status);
    if (components == 0) {
        jpeg_destroy_decompress(&decoder);
        return;
    }
    decoder.scale_num = 1;
    decoder.scale_denom = part.denominator;
    jpeg_start_decompress(&decoder);
    JDIMENSION width = decoder.output_width, height = decoder.output_height;
    if (part.width == 0 || part.height == 0 || part.x > width || part.y > height
        || part.width > width - part.x || part.height > height - part.y
        || decoder.output_components != components) {
        ccodecs_fail(status, CCODECS_FAILURE, "the part does not lie in the picture");
        jpeg_destroy_decompress(&decoder);
        return;
    }
    // At the edges of what is decoded, colours are not smoothed with their neighbours: some more is decoded.
    const JDIMENSION margin = 4;
    JDIMENSION left = part.x > margin ? part.x - margin : 0;
    JDIMENSION right = part.x + part.width + margin;
    JDIMENSION count = (right < width ? right : width) - left;
    int is_whole = is_smoothed(&decoder);
    if (is_whole) {
        left = 0;
    } else if (count < width) {
        jpeg_crop_scanline(&decoder, &left, &count);
    }
    size_t skipped = (size_t)(part.x - left);
    JSAMPARRAY row = decoder.mem->alloc_sarray(
        (j_common_ptr)&decoder, JPOOL_IMAGE, width * (JDIMENSION)components, 1);
    if (is_whole) {
        while (decoder.output_scanline < part.y) { jpeg_read_scanlines(&decoder, row, 1); }
    } else if (part.y > 0) {
        jpeg_skip_scanlines(&decoder, part.y);
    }
    for (JDIMENSION y = 0; y < part.height; y += 1) {
        if (jpeg_read_scanlines(&decoder, row, 1) != 1) {
            ccodecs_fail(status, CCODECS_MALFORMED, "a row is missing");
            break;
        }
        const uint8_t *from = row[0] + skipped * (size_t)components;
        uint8_t *to = pixels + (size_t)y * part.width * 3;
        if (components == 4) {
            convert_inverted_cmyk(from, to, part.width);
        } else {
            memcpy(to, from, (size_t)part.width * 3);
        }
    }
    jpeg_destroy_decompress(&decoder);
}

/// libjpeg's destination, writing into a growing buffer by way of a block.
typedef struct {
    struct jpeg_destination_mgr base;
    ccodecs_buffer *target;
    uint8_t block[4096];
} destination;

static void start_block(j_compress_ptr encoder) {
    destination *to = (destination *)encoder->dest;
    to->base.next_output_byte = to->block;
    to->base.free_in_buffer = sizeof to->block;
}

static void write_block(j_compress_ptr encoder, size_t byte_count) {
    destination *to = (destination *)encoder->dest;
    if (!ccodecs_append(to->target, to->block, byte_count)) {
        ERREXIT1(encoder, JERR_OUT_OF_MEMORY, 0);
    }
}

static boolean on_full_block(j_compress_ptr encoder) {
    write_block(encoder, sizeof((destination *)encoder->dest)->block);
    start_block(encoder);
    return TRUE;
}

static void on_last_block(j_compress_ptr encoder) {
    destination *to = (destination *)encoder->dest;
    write_block(encoder, sizeof to->block - to->base.free_in_buffer);
}

void ccodecs_jpeg_encode(
    const uint8_t *pixels, uint32_t width, uint32_t height, int quality, ccodecs_buffer *result,
    ccodecs_status *status) {
    struct jpeg_compress_struct encoder;
    error_manager errors;
    destination to;
    memset(&encoder, 0, sizeof encoder);
    memset(&to, 0, sizeof to);
    memset(result, 0, sizeof *result);
    encoder.err = set_up(&errors, status);
    to.base.init_destination = start_block;
    to.base.empty_output_buffer = on_full_block;
    to.base.term_destination = on_last_block;
    to.target = result;
    if (setjmp(errors.exit)) {
        jpeg_destroy_compress(&encoder);
        free(result->bytes);
        memset(result, 0, sizeof *result);
        return;
    }
    jpeg_create_compress(&encoder);
    encoder.dest = &to.base;
    encoder.image_width = width;
    encoder.image_height = height;
    encoder.input_components = 3;
    encoder.in_color_space = JCS_RGB;
    jpeg_set_defaults(&encoder);
    jpeg_set_quality(&encoder, quality, TRUE);
    jpeg_start_compress(&encoder, TRUE);
    size_t row_byte_count = (size_t)width * 3;
    while (encoder.next_scanline < height) {
        JSAMPROW row = (JSAMPROW)(pixels + encoder.next_scanline * row_byte_count);
        jpeg_write_scanlines(&encoder, &row, 1);
    }
    jpeg_finish_compress(&encoder);
    jpeg_destroy_compress(&encoder);
}
