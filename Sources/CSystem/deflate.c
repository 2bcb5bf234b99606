#include "csystem_deflate.h"

#include <limits.h>
#include <string.h>
#include <zlib.h>

uint32_t csystem_crc32(uint32_t crc, const void *bytes, size_t byte_count) {
    // zlib takes a null pointer, which no bytes may come with, for a request of the first value.
    return byte_count == 0 ? crc : (uint32_t)crc32_z(crc, bytes, byte_count);
}

// zlib counts in 32 bits; longer buffers are fed in pieces.
static uInt piece(size_t rest) { return rest > UINT_MAX ? UINT_MAX : (uInt)rest; }

int csystem_inflate_raw(
    const void *source, size_t source_count, void *target, size_t target_count) {
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    int status = inflateInit2(&stream, -MAX_WBITS);
    if (status != Z_OK) { return status == Z_MEM_ERROR ? 2 : 1; }
    size_t taken = 0, filled = 0;
    unsigned char beyond;
    do {
        stream.next_in = (unsigned char *)source + taken;
        stream.avail_in = piece(source_count - taken);
        int full = filled == target_count;
        // With the target full, one spare byte tells a stream that ends from one that goes on.
        stream.next_out = full ? &beyond : (unsigned char *)target + filled;
        stream.avail_out = full ? 1 : piece(target_count - filled);
        uInt input = stream.avail_in, output = stream.avail_out;
        status = inflate(&stream, Z_NO_FLUSH);
        taken += input - stream.avail_in;
        if (full && stream.avail_out == 0) { status = Z_DATA_ERROR; }
        if (!full) { filled += output - stream.avail_out; }
        if (status == Z_OK && input == stream.avail_in && output == stream.avail_out) {
            status = Z_BUF_ERROR;
        }
    } while (status == Z_OK);
    inflateEnd(&stream);
    if (status == Z_MEM_ERROR) { return 2; }
    return status == Z_STREAM_END && taken == source_count && filled == target_count ? 0 : 1;
}
