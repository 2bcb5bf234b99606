// The training loops for AVX2 and fused multiply-add.
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "training.h"

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define BFLOAT16_INSTRUCTIONS 0
#define LOOPS ck_training_avx2
#include "training_loops.h"
#pragma clang attribute pop
#endif
