// The training loops for AVX-512.
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "training.h"

#pragma clang attribute push(__attribute__((target("avx512bw,avx512vl,avx512dq"))), apply_to = function)
#define BFLOAT16_INSTRUCTIONS 0
#define LOOPS ck_training_avx512
#include "training_loops.h"
#pragma clang attribute pop
#endif
