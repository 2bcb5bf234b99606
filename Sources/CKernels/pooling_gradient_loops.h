// Loops of pooling and its gradients, compiled for each instruction set.
#include "lanes.h"

#include <math.h>

typedef uint8_t bytes __attribute__((ext_vector_type(LANE_COUNT)));
typedef int32_t flags __attribute__((ext_vector_type(16)));
typedef int8_t byte_flags __attribute__((ext_vector_type(LANE_COUNT)));

/// The taps of a window, along one axis, that lie inside.
typedef struct { int32_t first, end; } taps;

CK_INLINE taps taps_inside(int32_t start, int32_t window, int32_t extent) {
    return (taps){start < 0 ? -start : 0, extent - start < window ? extent - start : window};
}

typedef uint8_t half_bytes __attribute__((ext_vector_type(16)));

/// The first of the largest under a window, or the first that is not a number; and which tap it is.
CK_INLINE void best_of_window(const ck_pooling *p, const void *input, const ck_type type, int64_t corner, taps high,
                              taps wide, const int32_t pairs, int32_t count, int64_t to, void *out,
                              uint8_t *indices) {
    pair best[STRIP];
    words at_a[STRIP] = {0}, at_b[STRIP] = {0};
#pragma unroll
    for (int32_t i = 0; i < pairs; i++) { best[i] = (pair){-INFINITY, -INFINITY}; }
    flags start = -1;
    for (int32_t r = high.first; r < high.end; r++) {
        for (int32_t s = wide.first; s < wide.end; s++) {
            const int64_t place = corner + ((int64_t)r * p->in_width + s) * p->channels;
            const words tap = (words)(uint32_t)(r * p->window_wide + s);
#pragma unroll
            for (int32_t i = 0; i < pairs; i++) {
                pair x = load(input, type, place + LANE_COUNT * i, count);
                // Larger or not a number, unless the best is not a number; whatever it is, the first time.
                flags a = (flags)(!(x.a <= best[i].a)) & (flags)(best[i].a == best[i].a);
                flags b = (flags)(!(x.b <= best[i].b)) & (flags)(best[i].b == best[i].b);
                best[i] = (pair){a ? x.a : best[i].a, b ? x.b : best[i].b};
                at_a[i] = a | start ? tap : at_a[i];
                at_b[i] = b | start ? tap : at_b[i];
            }
            start = 0;
        }
    }
#pragma unroll
    for (int32_t i = 0; i < pairs; i++) {
        if (out) { store(out, type, to + LANE_COUNT * i, count, best[i]); }
        half_bytes a = __builtin_convertvector(at_a[i], half_bytes);
        half_bytes b = __builtin_convertvector(at_b[i], half_bytes);
        uint8_t places[LANE_COUNT];
        memcpy(places, &a, sizeof a);
        memcpy(places + 16, &b, sizeof b);
        memcpy(indices + to + LANE_COUNT * i, places, count == LANE_COUNT ? LANE_COUNT : (size_t)count);
    }
}

CK_INLINE void indices_of(const ck_pooling *p, const void *input, const ck_type type, int64_t first, int64_t end,
                          void *out, uint8_t *indices) {
    for (int64_t row = first; row < end; row++) {
        const int64_t image = row / p->out_height;
        const int32_t top = (int32_t)(row % p->out_height) * p->stride_high - p->pad_top;
        const taps high = taps_inside(top, p->window_high, p->in_height);
        for (int32_t column = 0; column < p->out_width; column++) {
            const int32_t left = column * p->stride_wide - p->pad_left;
            const taps wide = taps_inside(left, p->window_wide, p->in_width);
            const int64_t corner = ((image * p->in_height + top) * p->in_width + left) * p->channels;
            const int64_t to = (row * p->out_width + column) * p->channels;
#define CALL(C, PAIRS, LEFT) \
    best_of_window(p, input, type, corner + (C), high, wide, PAIRS, LEFT, to + (C), out, indices)
            FOR_STRIPS(p->channels, CALL);
#undef CALL
        }
    }
}

static void max_pool_indices(const ck_pooling *p, const void *input, int64_t first, int64_t end, void *out,
                             uint8_t *indices) {
#define CALL(T) indices_of(p, input, T, first, end, out, indices)
    FOR_TYPE(p->type, CALL);
#undef CALL
}

/// The positions of windows, along one axis, that cover an input position.
CK_INLINE taps windows_over(int32_t place, int32_t pad, int32_t window, int32_t stride, int32_t count) {
    const int32_t past = place + pad - window;
    const int32_t first = past < 0 ? 0 : past / stride + 1;
    const int32_t end = (place + pad) / stride + 1;
    return (taps){first, end < count ? end : count};
}

/// Sums what one input position is given by the windows that cover it. In window (0, 0) it is at `tap`, which may
/// lie outside; each window further on, it is a step nearer to the window's start.
CK_INLINE void gather(const ck_pooling *p, const void *g, const uint8_t *indices, const ck_type type,
                      int64_t windows, int32_t tap, taps high, taps wide, const int32_t pairs, int32_t count,
                      int64_t to, void *out) {
    pair sums[STRIP] = {0};
    for (int32_t y = high.first; y < high.end; y++) {
        for (int32_t x = wide.first; x < wide.end; x++) {
            const uint8_t here = (uint8_t)(tap - y * p->stride_high * p->window_wide - x * p->stride_wide);
            const int64_t place = windows + ((int64_t)y * p->out_width + x) * p->channels;
#pragma unroll
            for (int32_t i = 0; i < pairs; i++) {
                uint8_t buffer[LANE_COUNT];
                bytes from;
                memcpy(&from, whole(indices + place + LANE_COUNT * i, buffer, count, sizeof(uint8_t)), sizeof from);
                byte_flags hit = (byte_flags)(from == here);
                pair value = load(g, type, place + LANE_COUNT * i, count);
                sums[i].a += as_floats(as_words(value.a) & (words)__builtin_convertvector(hit.lo, flags));
                sums[i].b += as_floats(as_words(value.b) & (words)__builtin_convertvector(hit.hi, flags));
            }
        }
    }
#pragma unroll
    for (int32_t i = 0; i < pairs; i++) { store(out, type, to + LANE_COUNT * i, count, sums[i]); }
}

CK_INLINE void pool_gradient_of(const ck_pooling *p, const void *g, const uint8_t *indices, const ck_type type,
                                int64_t first, int64_t end, void *out) {
    for (int64_t line = first; line < end; line++) {
        const int64_t windows = line / p->in_height * p->out_height * p->out_width * p->channels;
        const int32_t row = (int32_t)(line % p->in_height);
        const taps high = windows_over(row, p->pad_top, p->window_high, p->stride_high, p->out_height);
        taps wide = {0, 0};
        for (int32_t column = 0; column < p->in_width; column++) {
            // As `windows_over`, without its divisions.
            const int32_t place = column + p->pad_left;
            while (wide.first * p->stride_wide + p->window_wide <= place) { wide.first++; }
            while (wide.end < p->out_width && wide.end * p->stride_wide <= place) { wide.end++; }
            const int32_t tap = (row + p->pad_top) * p->window_wide + column + p->pad_left;
            const int64_t to = (line * p->in_width + column) * p->channels;
#define CALL(C, PAIRS, LEFT) \
    gather(p, g, indices, type, windows + (C), tap, high, wide, PAIRS, LEFT, to + (C), out)
            FOR_STRIPS(p->channels, CALL);
#undef CALL
        }
    }
}

static void max_pool_gradient(const ck_pooling *p, const void *g, const uint8_t *indices, int64_t first, int64_t end,
                              void *out) {
#define CALL(T) pool_gradient_of(p, g, indices, T, first, end, out)
    FOR_TYPE(p->type, CALL);
#undef CALL
}

CK_INLINE void spread_mean(const void *g, const ck_type type, int64_t first, int64_t end, int32_t pixels,
                           int32_t channels, void *out) {
    const size_t bytes_wide = (size_t)channels * (type == CK_BFLOAT16 ? 2 : 4);
    for (int64_t image = first; image < end && pixels > 0; image++) {
        const int64_t to = image * pixels * channels;
        for (int32_t c = 0; c < channels; c += LANE_COUNT) {
            const int32_t count = channels - c < LANE_COUNT ? channels - c : LANE_COUNT;
            pair value = load(g, type, image * channels + c, count);
            value.a /= (float)pixels;
            value.b /= (float)pixels;
            store(out, type, to + c, count, value);
        }
        char *row = (char *)out + (size_t)to * (type == CK_BFLOAT16 ? 2 : 4);
        for (int32_t p = 1; p < pixels; p++) { memcpy(row + (size_t)p * bytes_wide, row, bytes_wide); }
    }
}

static void average_gradient(const void *g, ck_type type, int64_t first, int64_t end, int32_t pixels,
                             int32_t channels, void *out) {
#define CALL(T) spread_mean(g, T, first, end, pixels, channels, out)
    FOR_TYPE(type, CALL);
#undef CALL
}
