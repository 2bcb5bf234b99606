// The training loops for AVX-512 with bfloat16.
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "training.h"

#pragma clang attribute push(__attribute__((target("avx512bf16,avx512bw,avx512vl,avx512dq"))), apply_to = function)
#define BFLOAT16_INSTRUCTIONS 1
#define LOOPS ck_training_avx512_bf16
#include "training_loops.h"
#pragma clang attribute pop
#endif
