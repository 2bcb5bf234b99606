#include "call.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

bool cpjrt_preload(const char *path) { return dlopen(path, RTLD_NOW | RTLD_LOCAL) != NULL; }

/// Whether the table can be used at all. One that cannot tell its errors cannot.
static bool accept(const cpjrt_plugin *plugin, cpjrt_failure *failure) {
    if (!plugin || plugin->struct_size < offsetof(struct cpjrt_plugin, Error_Destroy)) {
        return pjrt_fail(failure, CPJRT_NOT_A_PLUGIN, "GetPjrtApi gives no table of functions");
    }
    if (plugin->pjrt_api_version.major_version != PJRT_MAJOR) {
        char message[128];
        snprintf(message, sizeof message, "it speaks PJRT %d.%d; PJRT %d is needed",
                 plugin->pjrt_api_version.major_version, plugin->pjrt_api_version.minor_version,
                 PJRT_MAJOR);
        return pjrt_fail(failure, CPJRT_OTHER_VERSION, message);
    }
    if (!PJRT_HAS(plugin, Error_Destroy) || !PJRT_HAS(plugin, Error_Message)
        || !PJRT_HAS(plugin, Error_GetCode)) {
        return pjrt_fail(failure, CPJRT_NOT_A_PLUGIN, "its table of functions lacks those for errors");
    }
    return true;
}

const cpjrt_plugin *cpjrt_load(const char *path, cpjrt_failure *failure) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        const char *reason = dlerror();
        pjrt_fail(failure, CPJRT_NOT_OPENED, reason ? reason : path);
        return NULL;
    }
    const cpjrt_plugin *(*get)(void);
    *(void **)&get = dlsym(library, "GetPjrtApi");
    if (!get) {
        pjrt_fail(failure, CPJRT_NOT_A_PLUGIN, "it lacks GetPjrtApi");
        dlclose(library);
        return NULL;
    }
    // From here on the library stays: it may have started threads.
    const cpjrt_plugin *plugin = get();
    PJRT_ARGUMENTS(Plugin_Initialize, initialize);
    if (!accept(plugin, failure) || !PJRT_CALL(plugin, Plugin_Initialize, initialize, failure)) {
        return NULL;
    }
    return plugin;
}

void cpjrt_version(const cpjrt_plugin *plugin, int32_t *major, int32_t *minor) {
    *major = plugin->pjrt_api_version.major_version;
    *minor = plugin->pjrt_api_version.minor_version;
}

bool cpjrt_attributes(const cpjrt_plugin *plugin, cpjrt_values *values, cpjrt_failure *failure) {
    PJRT_ARGUMENTS(Plugin_Attributes, get);
    bool done = PJRT_CALL(plugin, Plugin_Attributes, get, failure);
    *values = (cpjrt_values){get->attributes, get->num_attributes};
    return done;
}

// MARK: Named values

cpjrt_value cpjrt_value_at(cpjrt_values values, size_t index) {
    const struct pjrt_NamedValue *from = (const struct pjrt_NamedValue *)values.start + index;
    cpjrt_value value = {.name = {from->name, from->name_size}, .kind = from->type};
    switch (from->type) {
    case CPJRT_TEXT: value.text = (cpjrt_text){from->string_value.string_value, from->value_size}; break;
    case CPJRT_NUMBER: value.number = from->string_value.int64_value; break;
    case CPJRT_NUMBERS:
        value.numbers = from->string_value.int64_array_value;
        value.numbers_count = from->value_size;
        break;
    case CPJRT_REAL: value.real = from->string_value.float_value; break;
    case CPJRT_FLAG: value.flag = from->string_value.bool_value; break;
    default: break;
    }
    return value;
}

struct cpjrt_options {
    size_t count, capacity;
    struct pjrt_NamedValue value[];
};

cpjrt_options *cpjrt_options_create(size_t capacity) {
    cpjrt_options *options = calloc(1, sizeof *options + capacity * sizeof(struct pjrt_NamedValue));
    if (options) { options->capacity = capacity; }
    return options;
}

void cpjrt_options_destroy(cpjrt_options *options) {
    if (!options) { return; }
    for (size_t i = 0; i < options->count; i++) {
        struct pjrt_NamedValue *value = &options->value[i];
        free((void *)value->name);
        if (value->type == CPJRT_TEXT || value->type == CPJRT_NUMBERS) {
            free((void *)value->string_value.string_value);
        }
    }
    free(options);
}

/// Copies a number of bytes, at least one. NULL where memory cannot be had.
static void *copy(const void *bytes, size_t size) {
    void *result = malloc(size ? size : 1);
    if (result && size) { memcpy(result, bytes, size); }
    return result;
}

/// The next value, with its name; NULL where memory cannot be had.
static struct pjrt_NamedValue *next(cpjrt_options *options, const char *name, int type) {
    if (options->count == options->capacity) { return NULL; }
    struct pjrt_NamedValue *value = &options->value[options->count];
    value->name = copy(name, strlen(name) + 1);
    if (!value->name) { return NULL; }
    options->count++;
    value->struct_size = sizeof *value;
    value->name_size = strlen(name);
    value->type = type;
    value->value_size = 1;
    return value;
}

bool cpjrt_options_add_text(cpjrt_options *options, const char *name, const char *text) {
    struct pjrt_NamedValue *value = next(options, name, CPJRT_TEXT);
    if (!value) { return false; }
    value->value_size = strlen(text);
    value->string_value.string_value = copy(text, strlen(text) + 1);
    return value->string_value.string_value != NULL;
}

bool cpjrt_options_add_number(cpjrt_options *options, const char *name, int64_t number) {
    struct pjrt_NamedValue *value = next(options, name, CPJRT_NUMBER);
    if (value) { value->string_value.int64_value = number; }
    return value != NULL;
}

bool cpjrt_options_add_numbers(
    cpjrt_options *options, const char *name, const int64_t *numbers, size_t count) {
    struct pjrt_NamedValue *value = next(options, name, CPJRT_NUMBERS);
    if (!value) { return false; }
    value->value_size = count;
    value->string_value.int64_array_value = copy(numbers, count * sizeof *numbers);
    return value->string_value.int64_array_value != NULL;
}

bool cpjrt_options_add_real(cpjrt_options *options, const char *name, float real) {
    struct pjrt_NamedValue *value = next(options, name, CPJRT_REAL);
    if (value) { value->string_value.float_value = real; }
    return value != NULL;
}

bool cpjrt_options_add_flag(cpjrt_options *options, const char *name, bool flag) {
    struct pjrt_NamedValue *value = next(options, name, CPJRT_FLAG);
    if (value) { value->string_value.bool_value = flag; }
    return value != NULL;
}

const struct pjrt_NamedValue *pjrt_options(const cpjrt_options *options, size_t *count) {
    *count = options ? options->count : 0;
    return *count ? options->value : NULL;
}
