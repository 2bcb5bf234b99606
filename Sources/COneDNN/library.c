#include "library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

struct onednn onednn;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool loaded;
static char path[4096];

/// Fills the table of functions. A library of another major version is another interface.
static bool bind(void *library, char *message, size_t message_size) {
#define BIND(result, name, parameters) \
    *(void **)&onednn.name = dlsym(library, "dnnl_" #name); \
    if (!onednn.name) { \
        snprintf(message, message_size, "it lacks dnnl_%s; oneDNN 3.x is needed", #name); \
        return false; \
    }
    ONEDNN_FUNCTIONS(BIND)
    // Absent where oneDNN was built without OpenMP, and then not needed.
    *(void **)&onednn.set_thread_count = dlsym(library, "omp_set_num_threads");
    const onednn_version *version = onednn.version();
    if (!version || version->major != 3) {
        snprintf(message, message_size, "it is version %d; oneDNN 3.x is needed",
                 version ? version->major : 0);
        return false;
    }
    onednn_use_one_thread();
    int status = onednn.engine_create(&onednn.engine, ONEDNN_CPU, 0);
    if (status != 0) { snprintf(message, message_size, "no CPU engine, status %d", status); }
    return status == 0;
}

bool conednn_load(const char *const *paths, int32_t count, char *message, size_t message_size) {
    pthread_mutex_lock(&lock);
    if (!loaded && message_size > 0) { snprintf(message, message_size, "no library was named"); }
    for (int32_t i = 0; i < count && !loaded; i++) {
        void *library = dlopen(paths[i], RTLD_NOW | RTLD_LOCAL);
        if (!library) {
            const char *reason = dlerror();
            snprintf(message, message_size, "%s", reason ? reason : paths[i]);
        } else if (bind(library, message, message_size)) {
            snprintf(path, sizeof path, "%s", paths[i]);
            loaded = true;
        } else {
            dlclose(library);
        }
    }
    bool result = loaded;
    pthread_mutex_unlock(&lock);
    return result;
}

const char *conednn_path(void) { return path; }

void conednn_version(int32_t *major, int32_t *minor, int32_t *patch) {
    const onednn_version *version = onednn.version ? onednn.version() : NULL;
    *major = version ? version->major : 0;
    *minor = version ? version->minor : 0;
    *patch = version ? version->patch : 0;
}

void onednn_use_one_thread(void) {
    static _Thread_local bool done;
    if (!done && onednn.set_thread_count) {
        onednn.set_thread_count(1);
        done = true;
    }
}
