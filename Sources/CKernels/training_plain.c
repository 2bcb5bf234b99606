// The training loops for any machine.
#define BFLOAT16_INSTRUCTIONS 0
#define LOOPS ck_training_plain
#include "training_loops.h"
