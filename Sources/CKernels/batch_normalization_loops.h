// Loops of batch norm, compiled for each instruction set.
//
// Sums go three steps up: over a few pixels in registers, over a block of pixels as floats in the first-level
// cache, and from there as doubles into the part, so that rounding errors stay those of a short sum.
#include "lanes.h"

#include <math.h>

/// Channels whose sums lie in the first-level cache.
#define PANEL 512
/// Pixels whose sums stay in registers; those that follow are fetched meanwhile.
#define GROUP 8
/// Pixels that are summed as floats.
#define BLOCK 512

/// Per-channel floats of one panel, split.
typedef struct { pair at[PANEL / LANE_COUNT]; } panel;

CK_INLINE void load_panel(panel *to, const float *from, const ck_type type, int32_t count) {
    for (int32_t c = 0; c < count; c += LANE_COUNT) {
        int32_t left = count - c < LANE_COUNT ? count - c : LANE_COUNT;
        to->at[c / LANE_COUNT] = split(load_floats(from + c, left), type);
    }
}

/// Sums of one panel over a block of pixels, split.
typedef struct { panel first, second; } panel_sums;

CK_INLINE void add_to(pair *sum, pair value) {
    sum->a += value.a;
    sum->b += value.b;
}

// MARK: Moments

/// Adds distances from `shift` and their squares over a few pixels.
CK_INLINE void add_distances(const void *x, const ck_type type, int64_t place, int64_t stride, int32_t pixels,
                             const int32_t pairs, int32_t count, const pair *shift, pair *first, pair *second) {
    pair sums[STRIP] = {0}, squares[STRIP] = {0};
    for (int32_t p = 0; p < pixels; p++, place += stride) {
#pragma unroll
        for (int32_t i = 0; i < pairs; i++) {
            prefetch(x, type, place + GROUP * stride + LANE_COUNT * i);
            pair d = load_split(x, type, place + LANE_COUNT * i, count);
            d.a -= shift[i].a;
            d.b -= shift[i].b;
            add_to(&sums[i], d);
            squares[i] = times_plus(d, d, squares[i]);
        }
    }
#pragma unroll
    for (int32_t i = 0; i < pairs; i++) {
        add_to(&first[i], sums[i]);
        add_to(&second[i], squares[i]);
    }
}

/// Joins a block's sums of distances from `shift` to the moments of `done` pixels before it, and shifts the next
/// block by the mean so far. By Chan, Golub, LeVeque 1979.
CK_INLINE void join_block(const panel_sums *sums, panel *shift, const ck_type type, int64_t done, int32_t pixels,
                          int32_t count, double *means, double *squares) {
    const double one = 1.0 / pixels, share = (double)pixels / (double)(done + pixels);
    const double between = (double)done * share;
    for (int32_t c = 0; c < count; c += LANE_COUNT) {
        const int32_t left = count - c < LANE_COUNT ? count - c : LANE_COUNT;
        float first[LANE_COUNT], second[LANE_COUNT], from[LANE_COUNT], next[LANE_COUNT] = {0};
        store_floats(first, LANE_COUNT, in_order(sums->first.at[c / LANE_COUNT], type));
        store_floats(second, LANE_COUNT, in_order(sums->second.at[c / LANE_COUNT], type));
        store_floats(from, LANE_COUNT, in_order(shift->at[c / LANE_COUNT], type));
        for (int32_t i = 0; i < left; i++) {
            double distance = first[i] * one, delta = from[i] + distance - means[c + i];
            double within = second[i] - first[i] * distance;
            means[c + i] += delta * share;
            // Rounding could take equal elements below zero; not-a-number stays.
            squares[c + i] += (within < 0 ? 0 : within) + delta * delta * between;
            next[i] = (float)means[c + i];
        }
        shift->at[c / LANE_COUNT] = split(load_floats(next, LANE_COUNT), type);
    }
}

/// The mean of some pixels of the first block. Squares are summed of distances from it: any number will do, but
/// the nearer to the mean, the less they are rounded.
CK_INLINE void first_shift(const void *x, const ck_type type, int64_t pixels, int32_t channels, int32_t start,
                           int32_t count, panel *shift) {
    const int64_t step = (pixels < BLOCK ? pixels : BLOCK) / 4;
    for (int32_t c = 0; c < count; c += LANE_COUNT) {
        const int32_t left = count - c < LANE_COUNT ? count - c : LANE_COUNT;
        pair sum = {0, 0};
        for (int64_t p = 0; p < 4; p++) { add_to(&sum, load_split(x, type, p * step * channels + start + c, left)); }
        sum.a *= 0.25f;
        sum.b *= 0.25f;
        shift->at[c / LANE_COUNT] = sum;
    }
}

CK_INLINE void moments_of(const void *x, const ck_type type, int64_t pixels, int32_t channels, double *part) {
    memset(part, 0, sizeof(double) * 2 * (size_t)channels);
    for (int32_t start = 0; start < channels; start += PANEL) {
        const int32_t count = channels - start < PANEL ? channels - start : PANEL;
        panel shift;
        panel_sums sums;
        if (pixels > 0) { first_shift(x, type, pixels, channels, start, count, &shift); }
        for (int64_t done = 0; done < pixels; done += BLOCK) {
            const int32_t block = pixels - done < BLOCK ? (int32_t)(pixels - done) : BLOCK;
            memset(&sums, 0, sizeof sums);
            for (int32_t p = 0; p < block; p += GROUP) {
                const int32_t group = block - p < GROUP ? block - p : GROUP;
                const int64_t place = (done + p) * channels + start;
#define CALL(C, PAIRS, LEFT) \
    add_distances(x, type, place + (C), channels, group, PAIRS, LEFT, &shift.at[(C) / LANE_COUNT], \
                  &sums.first.at[(C) / LANE_COUNT], &sums.second.at[(C) / LANE_COUNT])
                FOR_STRIPS(count, CALL);
#undef CALL
            }
            join_block(&sums, &shift, type, done, block, count, part + start, part + channels + start);
        }
    }
}

static void moments(const void *x, ck_type type, int64_t pixels, int32_t channels, double *part) {
#define CALL(T) moments_of(x, T, pixels, channels, part)
    FOR_TYPE(type, CALL);
#undef CALL
}

// MARK: Sums

/// Adds a block's sums to a part's.
CK_INLINE void add_block(const panel *sums, const ck_type type, int32_t count, double *part) {
    for (int32_t c = 0; c < count; c += LANE_COUNT) {
        const int32_t left = count - c < LANE_COUNT ? count - c : LANE_COUNT;
        float values[LANE_COUNT];
        store_floats(values, LANE_COUNT, in_order(sums->at[c / LANE_COUNT], type));
        for (int32_t i = 0; i < left; i++) { part[c + i] += values[i]; }
    }
}

CK_INLINE void add_pixels(const void *x, const ck_type type, int64_t place, int64_t stride, int32_t pixels,
                          const int32_t pairs, int32_t count, pair *sums) {
    pair here[STRIP] = {0};
    for (int32_t p = 0; p < pixels; p++, place += stride) {
#pragma unroll
        for (int32_t i = 0; i < pairs; i++) {
            prefetch(x, type, place + GROUP * stride + LANE_COUNT * i);
            add_to(&here[i], load_split(x, type, place + LANE_COUNT * i, count));
        }
    }
#pragma unroll
    for (int32_t i = 0; i < pairs; i++) { add_to(&sums[i], here[i]); }
}

CK_INLINE void sums_of(const void *x, const ck_type type, int64_t pixels, int32_t channels, double *part) {
    memset(part, 0, sizeof(double) * (size_t)channels);
    for (int32_t start = 0; start < channels; start += PANEL) {
        const int32_t count = channels - start < PANEL ? channels - start : PANEL;
        panel sums;
        for (int64_t done = 0; done < pixels; done += BLOCK) {
            const int32_t block = pixels - done < BLOCK ? (int32_t)(pixels - done) : BLOCK;
            memset(&sums, 0, sizeof sums);
            for (int32_t p = 0; p < block; p += GROUP) {
                const int32_t group = block - p < GROUP ? block - p : GROUP;
                const int64_t place = (done + p) * channels + start;
#define CALL(C, PAIRS, LEFT) \
    add_pixels(x, type, place + (C), channels, group, PAIRS, LEFT, &sums.at[(C) / LANE_COUNT])
                FOR_STRIPS(count, CALL);
#undef CALL
            }
            add_block(&sums, type, count, part + start);
        }
    }
}

static void channel_sums(const void *x, ck_type type, int64_t pixels, int32_t channels, double *part) {
#define CALL(T) sums_of(x, T, pixels, channels, part)
    FOR_TYPE(type, CALL);
#undef CALL
}

/// What a batch norm's gradient sums read.
typedef struct {
    const void *g, *x, *y;
    void *masked;
    int64_t stride;
    panel factor, shift, mean;
} gradient_operands;

/// `g` where it counts, split; so are `x` and what it is multiplied with.
CK_INLINE pair counted(const gradient_operands *o, const ck_type type, const ck_mask mask, int64_t place,
                       int32_t count, pair x, pair factor, pair shift) {
    pair g = load_split(o->g, type, place, count);
    if (mask == CK_WHERE_AFFINE) {
        pair y = times_plus(x, factor, shift);
        g.a = where_above(y.a, positive(type), g.a);
        g.b = where_above(y.b, positive(type), g.b);
    } else if (mask == CK_WHERE_Y) {
        pair y = load_split(o->y, type, place, count);
        g.a = where_above(y.a, 0, g.a);
        g.b = where_above(y.b, 0, g.b);
    }
    return g;
}

/// Adds gradients, and their products with distances from the mean, over a few pixels.
CK_INLINE void add_gradients(const gradient_operands *o, const ck_type type, const ck_mask mask, const bool writes,
                             int64_t place, int32_t pixels, const int32_t pairs, int32_t count, int32_t channel,
                             pair *first, pair *second) {
    pair sums[STRIP] = {0}, products[STRIP] = {0}, means[STRIP], factors[STRIP] = {0}, shifts[STRIP] = {0};
#pragma unroll
    for (int32_t i = 0; i < pairs; i++) {
        means[i] = o->mean.at[channel + i];
        if (mask == CK_WHERE_AFFINE) {
            factors[i] = o->factor.at[channel + i];
            shifts[i] = o->shift.at[channel + i];
        }
    }
    for (int32_t p = 0; p < pixels; p++, place += o->stride) {
#pragma unroll
        for (int32_t i = 0; i < pairs; i++) {
            const int64_t here = place + LANE_COUNT * i, next = here + GROUP * o->stride;
            prefetch(o->g, type, next);
            prefetch(o->x, type, next);
            if (mask == CK_WHERE_Y) { prefetch(o->y, type, next); }
            pair x = load_split(o->x, type, here, count);
            pair g = counted(o, type, mask, here, count, x, factors[i], shifts[i]);
            if (writes) { store_split(o->masked, type, here, count, g); }
            add_to(&sums[i], g);
            x.a -= means[i].a;
            x.b -= means[i].b;
            products[i] = times_plus(g, x, products[i]);
        }
    }
#pragma unroll
    for (int32_t i = 0; i < pairs; i++) {
        add_to(&first[i], sums[i]);
        add_to(&second[i], products[i]);
    }
}

CK_INLINE void gradient_sums_of(gradient_operands *o, const ck_type type, const ck_mask mask, const bool writes,
                                const float *affine, const float *moments, float epsilon, int64_t pixels,
                                int32_t channels, double *part) {
    memset(part, 0, sizeof(double) * 2 * (size_t)channels);
    o->stride = channels;
    for (int32_t start = 0; start < channels; start += PANEL) {
        const int32_t count = channels - start < PANEL ? channels - start : PANEL;
        panel_sums sums;
        load_panel(&o->mean, moments + start, type, count);
        if (mask == CK_WHERE_AFFINE) {
            load_panel(&o->factor, affine + start, type, count);
            load_panel(&o->shift, affine + channels + start, type, count);
        }
        for (int64_t done = 0; done < pixels; done += BLOCK) {
            const int32_t block = pixels - done < BLOCK ? (int32_t)(pixels - done) : BLOCK;
            memset(&sums, 0, sizeof sums);
            for (int32_t p = 0; p < block; p += GROUP) {
                const int32_t group = block - p < GROUP ? block - p : GROUP;
                const int64_t place = (done + p) * channels + start;
#define CALL(C, PAIRS, LEFT) \
    add_gradients(o, type, mask, writes, place + (C), group, PAIRS, LEFT, (C) / LANE_COUNT, \
                  &sums.first.at[(C) / LANE_COUNT], &sums.second.at[(C) / LANE_COUNT])
                FOR_STRIPS(count, CALL);
#undef CALL
            }
            add_block(&sums.first, type, count, part + start);
            add_block(&sums.second, type, count, part + channels + start);
        }
    }
    for (int32_t c = 0; c < channels; c++) {
        // Unlike `sqrt`, this can be done by vectors.
        part[channels + c] /= __builtin_elementwise_sqrt((double)moments[channels + c] + (double)epsilon);
    }
}

static void gradient_sums(const void *g, const void *x, ck_type type, ck_mask mask, const float *affine,
                          const void *y, const float *moments, float epsilon, int64_t pixels, int32_t channels,
                          void *masked, double *part) {
    gradient_operands o = {.g = g, .x = x, .y = y, .masked = masked};
#define CALL(T, MASK, WRITES) \
    gradient_sums_of(&o, T, MASK, WRITES, affine, moments, epsilon, pixels, channels, part)
#define CALL_MASK(T) \
    do { \
        if (mask == CK_WHERE_AFFINE && masked) { \
            CALL(T, CK_WHERE_AFFINE, true); \
        } else if (mask == CK_WHERE_AFFINE) { \
            CALL(T, CK_WHERE_AFFINE, false); \
        } else if (mask == CK_WHERE_Y && masked) { \
            CALL(T, CK_WHERE_Y, true); \
        } else if (mask == CK_WHERE_Y) { \
            CALL(T, CK_WHERE_Y, false); \
        } else { \
            CALL(T, CK_ALL, false); \
        } \
    } while (0)
    FOR_TYPE(type, CALL_MASK);
#undef CALL_MASK
#undef CALL
    if (masked && masked != g && mask == CK_ALL) {
        memcpy(masked, g, (size_t)pixels * (size_t)channels * (type == CK_BFLOAT16 ? 2 : 4));
    }
}

// MARK: Element by element

/// Pixels that are walked before the next channels: all where one strip has all channels, and keeps in registers
/// what belongs to them; else few, so that memory is read nearly in order.
CK_INLINE int64_t pixels_together(int64_t left, int32_t channels) {
    const int64_t most = channels <= STRIP * LANE_COUNT ? left : channels <= 256 ? 2 : 1;
    return left < most ? left : most;
}

CK_INLINE pair activated(pair v, const bool relu) {
    return relu ? (pair){at_least_zero(v.a), at_least_zero(v.b)} : v;
}

/// What comes between x and its other, if there is one.
typedef enum { ALONE, PLAIN_OTHER, AFFINE_OTHER } other_kind;

CK_INLINE void affine_strip(const void *x, const ck_type type, const float *affine, const void *other,
                            const float *other_affine, const other_kind kind, const bool relu, int64_t place,
                            int64_t pixels, int32_t channels, const int32_t pairs, int32_t count, int32_t channel,
                            void *out) {
    pair factor[STRIP], shift[STRIP], other_factor[STRIP], other_shift[STRIP];
#pragma unroll
    for (int32_t i = 0; i < pairs; i++) {
        const int32_t c = channel + LANE_COUNT * i;
        factor[i] = load_floats(affine + c, count);
        shift[i] = load_floats(affine + channels + c, count);
        if (kind == AFFINE_OTHER) {
            other_factor[i] = load_floats(other_affine + c, count);
            other_shift[i] = load_floats(other_affine + channels + c, count);
        }
    }
    for (int64_t p = 0; p < pixels; p++, place += channels) {
#pragma unroll
        for (int32_t i = 0; i < pairs; i++) {
            const int64_t here = place + LANE_COUNT * i;
            pair y = times_plus(load(x, type, here, count), factor[i], shift[i]);
            if (kind != ALONE) {
                pair z = load(other, type, here, count);
                if (kind == AFFINE_OTHER) { z = times_plus(z, other_factor[i], other_shift[i]); }
                add_to(&y, z);
            }
            store(out, type, here, count, activated(y, relu));
        }
    }
}

CK_INLINE void affine_of(const void *x, const ck_type type, const float *affine, const void *other,
                         const float *other_affine, const other_kind kind, const bool relu, int64_t pixels,
                         int32_t channels, void *out) {
    for (int64_t p = 0, together; p < pixels; p += together) {
        together = pixels_together(pixels - p, channels);
#define CALL(C, PAIRS, LEFT) \
    affine_strip(x, type, affine, other, other_affine, kind, relu, p * channels + (C), together, channels, PAIRS, \
                 LEFT, C, out)
        FOR_STRIPS(channels, CALL);
#undef CALL
    }
}

static void affine(const void *x, ck_type type, const float *affine, bool relu, int64_t pixels, int32_t channels,
                   void *out) {
#define CALL(T) \
    if (relu) { \
        affine_of(x, T, affine, NULL, NULL, ALONE, true, pixels, channels, out); \
    } else { \
        affine_of(x, T, affine, NULL, NULL, ALONE, false, pixels, channels, out); \
    }
    FOR_TYPE(type, CALL);
#undef CALL
}

static void join(const void *x, ck_type type, const float *affine, const void *other, const float *other_affine,
                 bool relu, int64_t pixels, int32_t channels, void *out) {
#define CALL_KIND(T, KIND) \
    if (relu) { \
        affine_of(x, T, affine, other, other_affine, KIND, true, pixels, channels, out); \
    } else { \
        affine_of(x, T, affine, other, other_affine, KIND, false, pixels, channels, out); \
    }
#define CALL(T) \
    if (other_affine) { CALL_KIND(T, AFFINE_OTHER) } else { CALL_KIND(T, PLAIN_OTHER) }
    FOR_TYPE(type, CALL);
#undef CALL
#undef CALL_KIND
}

CK_INLINE void normalize_strip(const void *g, const void *x, const ck_type type, const ck_mask mask,
                               const float *affine, const void *y, const float *coefficients, int64_t place,
                               int64_t pixels, int32_t channels, const int32_t pairs, int32_t count,
                               int32_t channel, void *out) {
    pair factor[STRIP], shift[STRIP], c0[STRIP], c1[STRIP], c2[STRIP];
#pragma unroll
    for (int32_t i = 0; i < pairs; i++) {
        const int32_t c = channel + LANE_COUNT * i;
        c0[i] = load_floats(coefficients + c, count);
        c1[i] = load_floats(coefficients + channels + c, count);
        c2[i] = load_floats(coefficients + 2 * channels + c, count);
        if (mask == CK_WHERE_AFFINE) {
            factor[i] = load_floats(affine + c, count);
            shift[i] = load_floats(affine + channels + c, count);
        }
    }
    for (int64_t p = 0; p < pixels; p++, place += channels) {
#pragma unroll
        for (int32_t i = 0; i < pairs; i++) {
            const int64_t here = place + LANE_COUNT * i;
            pair v = load(x, type, here, count), d = load(g, type, here, count);
            if (mask == CK_WHERE_AFFINE) {
                pair above = times_plus(v, factor[i], shift[i]);
                d.a = where_above(above.a, positive(type), d.a);
                d.b = where_above(above.b, positive(type), d.b);
            } else if (mask == CK_WHERE_Y) {
                pair above = load(y, type, here, count);
                d.a = where_above(above.a, 0, d.a);
                d.b = where_above(above.b, 0, d.b);
            }
            store(out, type, here, count, times_plus(d, c0[i], times_plus(v, c1[i], c2[i])));
        }
    }
}

CK_INLINE void normalize_of(const void *g, const void *x, const ck_type type, const ck_mask mask,
                            const float *affine, const void *y, const float *coefficients, int64_t pixels,
                            int32_t channels, void *out) {
    for (int64_t p = 0, together; p < pixels; p += together) {
        together = pixels_together(pixels - p, channels);
#define CALL(C, PAIRS, LEFT) \
    normalize_strip(g, x, type, mask, affine, y, coefficients, p * channels + (C), together, channels, PAIRS, LEFT, \
                    C, out)
        FOR_STRIPS(channels, CALL);
#undef CALL
    }
}

static void normalize_gradient(const void *g, const void *x, ck_type type, ck_mask mask, const float *affine,
                               const void *y, const float *coefficients, int64_t pixels, int32_t channels,
                               void *out) {
#define CALL(T) \
    if (mask == CK_WHERE_AFFINE) { \
        normalize_of(g, x, T, CK_WHERE_AFFINE, affine, y, coefficients, pixels, channels, out); \
    } else if (mask == CK_WHERE_Y) { \
        normalize_of(g, x, T, CK_WHERE_Y, affine, y, coefficients, pixels, channels, out); \
    } else { \
        normalize_of(g, x, T, CK_ALL, affine, y, coefficients, pixels, channels, out); \
    }
    FOR_TYPE(type, CALL);
#undef CALL
}
