// Loops over elements and the optimizer's, compiled for each instruction set.
#include "lanes.h"

typedef double doubles __attribute__((ext_vector_type(8)));

// Walks elements by 32, the last time maybe fewer.
#define FOR_ELEMENTS(call) \
    do { \
        int64_t i = first; \
        for (; i + LANE_COUNT <= end; i += LANE_COUNT) { call(i, LANE_COUNT); } \
        if (i < end) { call(i, (int32_t)(end - i)); } \
    } while (0)

CK_INLINE void relu_gradient_at(const void *g, const void *y, const ck_type type, int64_t i, int32_t count,
                                void *out) {
    pair v = load_split(g, type, i, count), above = load_split(y, type, i, count);
    v.a = where_above(above.a, 0, v.a);
    v.b = where_above(above.b, 0, v.b);
    store_split(out, type, i, count, v);
}

static void relu_gradient(const void *g, const void *y, ck_type type, int64_t first, int64_t end, void *out) {
#define BFLOAT16(I, COUNT) relu_gradient_at(g, y, CK_BFLOAT16, I, COUNT, out)
#define FLOAT32(I, COUNT) relu_gradient_at(g, y, CK_FLOAT32, I, COUNT, out)
    if (type == CK_BFLOAT16) { FOR_ELEMENTS(BFLOAT16); } else { FOR_ELEMENTS(FLOAT32); }
#undef BFLOAT16
#undef FLOAT32
}

CK_INLINE void multiply_at(const void *x, const void *factor, const ck_type type, const bool scalar, float number,
                           int64_t i, int32_t count, void *out) {
    pair v = load(x, type, i, count);
    pair by = {(floats)number, (floats)number};
    if (!scalar) { by = load(factor, type, i, count); }
    v.a *= by.a;
    v.b *= by.b;
    store(out, type, i, count, v);
}

static void multiply(const void *x, const void *factor, ck_type type, bool scalar, int64_t first, int64_t end,
                     void *out) {
    float number = 1;
    if (scalar) {
        number = type == CK_BFLOAT16 ? ck_float_of_bfloat16(*(const uint16_t *)factor) : *(const float *)factor;
    }
#define BFLOAT16(I, COUNT) multiply_at(x, factor, CK_BFLOAT16, scalar, number, I, COUNT, out)
#define FLOAT32(I, COUNT) multiply_at(x, factor, CK_FLOAT32, scalar, number, I, COUNT, out)
    if (type == CK_BFLOAT16) { FOR_ELEMENTS(BFLOAT16); } else { FOR_ELEMENTS(FLOAT32); }
#undef BFLOAT16
#undef FLOAT32
}

CK_INLINE void step_at(const ck_momentum *rule, const bool keras, const float *w, const float *g, const float *v,
                       float rate, float factor, int64_t i, int32_t count, float *new_v, float *new_w) {
    pair weight = load_floats(w + i, count), gradient = load_floats(g + i, count);
    pair velocity = load_floats(v + i, count), step;
    // d, or what of it moves the weight.
    const float times = keras ? -rate : 1;
    const float from_gradient = times * factor, from_weight = times * rule->weight_decay;
    pair d = {gradient.a * from_gradient + weight.a * from_weight,
              gradient.b * from_gradient + weight.b * from_weight};
    if (new_v) {
        velocity.a = velocity.a * rule->momentum + d.a;
        velocity.b = velocity.b * rule->momentum + d.b;
        store_floats(new_v + i, count, velocity);
    }
    if (!new_w) { return; }
    step = velocity;
    if (rule->nesterov) {
        step.a = velocity.a * rule->momentum + d.a;
        step.b = velocity.b * rule->momentum + d.b;
    }
    const float by = keras ? 1 : -rate;
    weight.a += step.a * by;
    weight.b += step.b * by;
    store_floats(new_w + i, count, weight);
}

static void momentum_step(const ck_momentum *rule, const float *w, const float *g, const float *v,
                          const float *rate, const float *factor, int64_t first, int64_t end, float *new_v,
                          float *new_w) {
    const float r = *rate, f = *factor;
#define PYTORCH(I, COUNT) step_at(rule, false, w, g, v, r, f, I, COUNT, new_v, new_w)
#define KERAS(I, COUNT) step_at(rule, true, w, g, v, r, f, I, COUNT, new_v, new_w)
    if (rule->keras) { FOR_ELEMENTS(KERAS); } else { FOR_ELEMENTS(PYTORCH); }
#undef PYTORCH
#undef KERAS
}

CK_INLINE void add_squares(doubles *sums, floats values) {
    doubles low = __builtin_convertvector(values.lo, doubles), high = __builtin_convertvector(values.hi, doubles);
    sums[0] = low * low + sums[0];
    sums[1] = high * high + sums[1];
}

CK_INLINE void squares_at(const void *x, const ck_type type, int64_t i, int32_t count, doubles *sums) {
    pair v = load_split(x, type, i, count);
    add_squares(sums, v.a);
    add_squares(sums + 2, v.b);
}

static void squared_norm(const void *x, ck_type type, int64_t first, int64_t end, double *part) {
    doubles sums[4] = {0};
#define BFLOAT16(I, COUNT) squares_at(x, CK_BFLOAT16, I, COUNT, sums)
#define FLOAT32(I, COUNT) squares_at(x, CK_FLOAT32, I, COUNT, sums)
    if (type == CK_BFLOAT16) { FOR_ELEMENTS(BFLOAT16); } else { FOR_ELEMENTS(FLOAT32); }
#undef BFLOAT16
#undef FLOAT32
    doubles sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    *part = 0;
    for (int i = 0; i < 8; i++) { *part += sum[i]; }
}

CK_INLINE void average_at(const float *old, const float *new_values, float share, int64_t i, int32_t count,
                          float *out) {
    pair a = load_floats(old + i, count), b = load_floats(new_values + i, count);
    a.a += (b.a - a.a) * share;
    a.b += (b.b - a.b) * share;
    store_floats(out + i, count, a);
}

static void moving_average(const float *old, const float *new_values, const float *share, int64_t first,
                           int64_t end, float *out) {
    const float s = *share;
#define CALL(I, COUNT) average_at(old, new_values, s, I, COUNT, out)
    FOR_ELEMENTS(CALL);
#undef CALL
}
