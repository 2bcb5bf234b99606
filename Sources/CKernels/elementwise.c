// Everything that is not a convolution: short loops over memory, left to the compiler to vectorise.
#include "convolution.h"

#include <math.h>
#include <string.h>

#if defined(__x86_64__)
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES
#endif

CK_INLINE float load(const void *values, ck_type type, int64_t place) {
    return type == CK_BFLOAT16 ? ck_float_of_bfloat16(((const uint16_t *)values)[place])
                               : ((const float *)values)[place];
}

CK_INLINE void store(void *values, ck_type type, int64_t place, float value) {
    if (type == CK_BFLOAT16) {
        ((uint16_t *)values)[place] = ck_bfloat16_of_float(value);
    } else {
        ((float *)values)[place] = value;
    }
}

// Each loop is written once and compiled for each element type, so that the type is no branch inside it.
#define FOR_TYPE(type, call) \
    do { if ((type) == CK_BFLOAT16) { call(CK_BFLOAT16); } else { call(CK_FLOAT32); } } while (0)

void ck_look_up_pixels(const uint8_t *pixels, const void *table, ck_type type, int64_t first, int64_t end,
                       int32_t width, int32_t channels, int32_t pad_left, int32_t pad_right, void *out) {
    const size_t size = type == CK_BFLOAT16 ? 2 : 4;
    const int64_t row_length = (int64_t)(width + pad_left + pad_right) * channels;
    for (int64_t row = first; row < end; row++) {
        const uint8_t *from = pixels + row * width * channels;
        char *to = (char *)out + (size_t)(row * row_length) * size;
        memset(to, 0, (size_t)(pad_left * channels) * size);
        to += (size_t)(pad_left * channels) * size;
        for (int32_t channel = 0; channel < channels; channel++) {
            if (type == CK_BFLOAT16) {
                const uint16_t *values = (const uint16_t *)table + 256 * channel;
                uint16_t *target = (uint16_t *)to;
                for (int32_t i = 0; i < width; i++) {
                    target[i * channels + channel] = values[from[i * channels + channel]];
                }
            } else {
                const float *values = (const float *)table + 256 * channel;
                float *target = (float *)to;
                for (int32_t i = 0; i < width; i++) {
                    target[i * channels + channel] = values[from[i * channels + channel]];
                }
            }
        }
        memset(to + (size_t)(width * channels) * size, 0, (size_t)(pad_right * channels) * size);
    }
}

/// The larger, not-a-number winning as it does in PyTorch.
CK_INLINE float larger(float a, float b) { return a > b || a != a ? a : b; }

CLONES static void pool_row_float32(const ck_pooling *p, const float *image, int32_t top, float *out) {
    for (int32_t column = 0; column < p->out_width; column++) {
        int32_t left = column * p->stride_wide - p->pad_left;
        float *to = out + (int64_t)column * p->channels;
        for (int32_t c = 0; c < p->channels; c++) { to[c] = -INFINITY; }
        for (int32_t r = 0; r < p->window_high; r++) {
            if (top + r < 0 || top + r >= p->in_height) { continue; }
            for (int32_t s = 0; s < p->window_wide; s++) {
                if (left + s < 0 || left + s >= p->in_width) { continue; }
                const float *from = image + ((int64_t)(top + r) * p->in_width + left + s) * p->channels;
                for (int32_t c = 0; c < p->channels; c++) { to[c] = larger(from[c], to[c]); }
            }
        }
    }
}

#define POOL_BLOCK 64

CLONES static void pool_row_bfloat16(const ck_pooling *p, const uint16_t *image, int32_t top, uint16_t *out) {
    for (int32_t column = 0; column < p->out_width; column++) {
        int32_t left = column * p->stride_wide - p->pad_left;
        uint16_t *to = out + (int64_t)column * p->channels;
        for (int32_t start = 0; start < p->channels; start += POOL_BLOCK) {
            int32_t count = p->channels - start < POOL_BLOCK ? p->channels - start : POOL_BLOCK;
            float best[POOL_BLOCK];
            for (int32_t c = 0; c < POOL_BLOCK; c++) { best[c] = -INFINITY; }
            for (int32_t r = 0; r < p->window_high; r++) {
                if (top + r < 0 || top + r >= p->in_height) { continue; }
                for (int32_t s = 0; s < p->window_wide; s++) {
                    if (left + s < 0 || left + s >= p->in_width) { continue; }
                    const uint16_t *from =
                        image + ((int64_t)(top + r) * p->in_width + left + s) * p->channels + start;
                    for (int32_t c = 0; c < count; c++) {
                        best[c] = larger(ck_float_of_bfloat16(from[c]), best[c]);
                    }
                }
            }
            for (int32_t c = 0; c < count; c++) { to[start + c] = ck_bfloat16_of_float(best[c]); }
        }
    }
}

void ck_max_pool(const ck_pooling *p, const void *input, int64_t first, int64_t end, void *out) {
    for (int64_t row = first; row < end; row++) {
        int64_t image = row / p->out_height;
        int32_t top = (int32_t)(row % p->out_height) * p->stride_high - p->pad_top;
        int64_t from = image * p->in_height * p->in_width * p->channels;
        int64_t to = row * p->out_width * p->channels;
        if (p->type == CK_BFLOAT16) {
            pool_row_bfloat16(p, (const uint16_t *)input + from, top, (uint16_t *)out + to);
        } else {
            pool_row_float32(p, (const float *)input + from, top, (float *)out + to);
        }
    }
}

#define AVERAGE_BLOCK 64

CK_INLINE void average(const void *input, const ck_type type, int64_t first, int64_t end, int32_t pixels,
                       int32_t channels, void *out) {
    for (int64_t image = first; image < end; image++) {
        for (int32_t start = 0; start < channels; start += AVERAGE_BLOCK) {
            int32_t count = channels - start < AVERAGE_BLOCK ? channels - start : AVERAGE_BLOCK;
            float sums[AVERAGE_BLOCK] = {0};
            for (int32_t pixel = 0; pixel < pixels; pixel++) {
                int64_t from = (image * pixels + pixel) * channels + start;
                for (int32_t c = 0; c < count; c++) { sums[c] += load(input, type, from + c); }
            }
            for (int32_t c = 0; c < count; c++) {
                store(out, type, image * channels + start + c, sums[c] / (float)pixels);
            }
        }
    }
}

CLONES void ck_average(const void *input, ck_type type, int64_t first, int64_t end, int32_t pixels,
                       int32_t channels, void *out) {
#define CALL(T) average(input, T, first, end, pixels, channels, out)
    FOR_TYPE(type, CALL);
#undef CALL
}

void ck_softmax(const void *input, ck_type type, int64_t first, int64_t end, int32_t count, float *out) {
    for (int64_t row = first; row < end; row++) {
        float most = -INFINITY;
        for (int32_t i = 0; i < count; i++) { most = larger(load(input, type, row * count + i), most); }
        double sum = 0;
        for (int32_t i = 0; i < count; i++) {
            float value = expf(load(input, type, row * count + i) - most);
            out[row * count + i] = value;
            sum += value;
        }
        for (int32_t i = 0; i < count; i++) { out[row * count + i] = (float)(out[row * count + i] / sum); }
    }
}

CK_INLINE void relu(const void *a, const ck_type type, int64_t first, int64_t end, void *out) {
    for (int64_t i = first; i < end; i++) {
        float value = load(a, type, i);
        store(out, type, i, value < 0 ? 0 : value);
    }
}

CLONES void ck_relu(const void *a, ck_type type, int64_t first, int64_t end, void *out) {
#define CALL(T) relu(a, T, first, end, out)
    FOR_TYPE(type, CALL);
#undef CALL
}

CK_INLINE void add(const void *a, const void *b, const ck_type type, int64_t first, int64_t end, void *out) {
    for (int64_t i = first; i < end; i++) { store(out, type, i, load(a, type, i) + load(b, type, i)); }
}

CLONES void ck_add(const void *a, const void *b, ck_type type, int64_t first, int64_t end, void *out) {
#define CALL(T) add(a, b, T, first, end, out)
    FOR_TYPE(type, CALL);
#undef CALL
}

CK_INLINE void scale_shift(const void *a, const ck_type type, const float *scale, const float *shift,
                           int64_t first, int64_t end, int32_t channels, void *out) {
    for (int64_t pixel = first; pixel < end; pixel++) {
        for (int32_t c = 0; c < channels; c++) {
            int64_t i = pixel * channels + c;
            store(out, type, i, load(a, type, i) * scale[c] + shift[c]);
        }
    }
}

CLONES void ck_scale_shift(const void *a, ck_type type, const float *scale, const float *shift,
                           int64_t first, int64_t end, int32_t channels, void *out) {
#define CALL(T) scale_shift(a, T, scale, shift, first, end, channels, out)
    FOR_TYPE(type, CALL);
#undef CALL
}

CLONES void ck_cast(const void *a, ck_type from, ck_type to, int64_t first, int64_t end, void *out) {
    if (from == CK_FLOAT32 && to == CK_BFLOAT16) {
        for (int64_t i = first; i < end; i++) {
            ((uint16_t *)out)[i] = ck_bfloat16_of_float(((const float *)a)[i]);
        }
    } else if (from == CK_BFLOAT16 && to == CK_FLOAT32) {
        for (int64_t i = first; i < end; i++) {
            ((float *)out)[i] = ck_float_of_bfloat16(((const uint16_t *)a)[i]);
        }
    } else {
        size_t size = from == CK_BFLOAT16 ? 2 : 4;
        memcpy((char *)out + (size_t)first * size, (const char *)a + (size_t)first * size,
               (size_t)(end - first) * size);
    }
}

/// Transposes each `[rows][columns]` matrix to `[columns][rows]`.
static void transpose(const void *a, int32_t size, int64_t first, int64_t end, int32_t rows,
                      int32_t columns, void *out) {
    for (int64_t matrix = first; matrix < end; matrix++) {
        int64_t start = matrix * rows * columns;
        for (int32_t column = 0; column < columns; column++) {
            for (int32_t row = 0; row < rows; row++) {
                int64_t from = start + (int64_t)row * columns + column;
                int64_t to = start + (int64_t)column * rows + row;
                switch (size) {
                case 1: ((uint8_t *)out)[to] = ((const uint8_t *)a)[from]; break;
                case 2: ((uint16_t *)out)[to] = ((const uint16_t *)a)[from]; break;
                default: ((uint32_t *)out)[to] = ((const uint32_t *)a)[from]; break;
                }
            }
        }
    }
}

void ck_channels_last(const void *a, int32_t size, int64_t first, int64_t end, int32_t channels,
                      int32_t pixels, void *out) {
    transpose(a, size, first, end, channels, pixels, out);
}

void ck_channels_first(const void *a, int32_t size, int64_t first, int64_t end, int32_t channels,
                       int32_t pixels, void *out) {
    transpose(a, size, first, end, pixels, channels, out);
}
