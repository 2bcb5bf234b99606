// All loops for the instructions that are compiled for, and the table of them that LOOPS names.
#include "training.h"

#include "batch_normalization_loops.h"
#include "optimizer_loops.h"
#include "pooling_gradient_loops.h"

const ck_training_loops LOOPS = {
    .moments = moments,
    .affine = affine,
    .join = join,
    .gradient_sums = gradient_sums,
    .normalize_gradient = normalize_gradient,
    .channel_sums = channel_sums,
    .relu_gradient = relu_gradient,
    .max_pool_indices = max_pool_indices,
    .max_pool_gradient = max_pool_gradient,
    .average_gradient = average_gradient,
    .momentum_step = momentum_step,
    .squared_norm = squared_norm,
    .moving_average = moving_average,
    .multiply = multiply,
};
