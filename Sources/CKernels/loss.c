// Loss over classes and its gradient: few numbers, so plain loops. Exponentials are float32, sums float64.
#include "convolution.h"
#include "ctraining.h"

#include <math.h>

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

/// The smoothed target of a class, times its weight.
static double share(const ck_cross_entropy *loss, const void *targets, const float *weights, int32_t image,
                    int32_t c) {
    const double target = loss->soft ? load(targets, loss->type, (int64_t)image * loss->classes + c)
                                     : ((const int32_t *)targets)[image] == c;
    const double smoothed = (1 - (double)loss->smoothing) * target + (double)loss->smoothing / loss->classes;
    return weights ? smoothed * (double)weights[c] : smoothed;
}

/// What the sum over images is divided by; not-a-number where a label is outside the classes.
static double divisor(const ck_cross_entropy *loss, const void *targets, const float *weights) {
    if (loss->soft) { return loss->images; }
    double sum = 0;
    for (int32_t image = 0; image < loss->images; image++) {
        const int32_t label = ((const int32_t *)targets)[image];
        if (label < 0 || label >= loss->classes) { return NAN; }
        sum += weights ? (double)weights[label] : 1;
    }
    return sum;
}

/// The largest of a row, and the sum of exponentials of distances from it.
static double exponentials(const void *logits, ck_type type, int64_t place, int32_t classes, float *largest) {
    float most = -INFINITY;
    for (int32_t c = 0; c < classes; c++) {
        const float value = load(logits, type, place + c);
        most = value > most ? value : most;
    }
    *largest = most;
    double sum = 0;
    for (int32_t c = 0; c < classes; c++) { sum += (double)expf(load(logits, type, place + c) - most); }
    return sum;
}

void ck_cross_entropy_loss(const ck_cross_entropy *loss, const void *logits, const void *targets,
                           const float *weights, float *out) {
    double sum = 0;
    for (int32_t image = 0; image < loss->images; image++) {
        const int64_t place = (int64_t)image * loss->classes;
        float most;
        const double logarithm = log(exponentials(logits, loss->type, place, loss->classes, &most));
        for (int32_t c = 0; c < loss->classes; c++) {
            const double part = share(loss, targets, weights, image, c);
            // Nothing of an impossible class is nothing.
            if (part != 0) {
                sum += part * (logarithm - ((double)load(logits, loss->type, place + c) - (double)most));
            }
        }
    }
    *out = (float)(sum / divisor(loss, targets, weights));
}

void ck_cross_entropy_gradient(const ck_cross_entropy *loss, const void *logits, const void *targets,
                               const float *weights, const float *g, void *out) {
    const double scale = (double)*g / divisor(loss, targets, weights);
    for (int32_t image = 0; image < loss->images; image++) {
        const int64_t place = (int64_t)image * loss->classes;
        float most;
        const double sum = exponentials(logits, loss->type, place, loss->classes, &most);
        double total = 0;
        for (int32_t c = 0; c < loss->classes; c++) { total += share(loss, targets, weights, image, c); }
        for (int32_t c = 0; c < loss->classes; c++) {
            const double p = (double)expf(load(logits, loss->type, place + c) - most) / sum;
            store(out, loss->type, place + c,
                  (float)((total * p - share(loss, targets, weights, image, c)) * scale));
        }
    }
}

void ck_correct_count(const void *logits, ck_type type, const int32_t *labels, int32_t images, int32_t classes,
                      int32_t top, float *out) {
    int32_t correct = 0;
    for (int32_t image = 0; image < images; image++) {
        const int32_t label = labels[image];
        if (label < 0 || label >= classes) { continue; }
        const int64_t place = (int64_t)image * classes;
        const float own = load(logits, type, place + label);
        if (own != own) { continue; }
        int32_t larger = 0;
        for (int32_t c = 0; c < classes; c++) {
            const float value = load(logits, type, place + c);
            // Not-a-number counts as larger than any number.
            larger += !(value <= own) || (value == own && c < label);
        }
        correct += larger < top;
    }
    *out = (float)correct;
}
