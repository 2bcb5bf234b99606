#ifndef RESNET_ONEDNN_LIBRARY_H
#define RESNET_ONEDNN_LIBRARY_H

#include "conednn.h"
#include "onednn_subset.h"

/// The loaded library.
struct onednn {
#define MEMBER(result, name, parameters) result(*name) parameters;
    ONEDNN_FUNCTIONS(MEMBER)
#undef MEMBER
    void (*set_thread_count)(int);
    handle engine;
};
extern struct onednn onednn;

/// Keeps oneDNN on the calling thread: the project's threads divide the work themselves.
void onednn_use_one_thread(void);

#endif
