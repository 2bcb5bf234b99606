#ifndef RESNET_CPJRT_H
#define RESNET_CPJRT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Compilers and devices behind PJRT's C interface, XLA's above all, loaded at run time. Nothing of them is needed
// to build.
//
// A function that takes a `failure` leaves it alone on success; else it fills it and returns NULL or false.
// All are safe to call from any thread. Every object is destroyed by the function made for it, before what it was
// made from.

/// A loaded plugin; there for as long as the process.
typedef struct cpjrt_plugin cpjrt_plugin;
/// An object of a plugin.
typedef void *cpjrt_handle;

/// Codes of failures that are not the plugin's own.
enum {
    /// The library cannot be opened.
    CPJRT_NOT_OPENED = -1,
    /// The library is no PJRT plugin.
    CPJRT_NOT_A_PLUGIN = -2,
    /// The plugin's interface is of another major version.
    CPJRT_OTHER_VERSION = -3,
    /// The plugin lacks a function.
    CPJRT_NO_SUCH_CALL = -4,
    /// No memory is left.
    CPJRT_NO_MEMORY = -5,
};

/// Why a call failed: the plugin's code (those of Abseil's statuses, 1 to 16) or one of the above, and a text
/// that is not NUL-terminated. To be zeroed before, and cleared after.
typedef struct {
    int32_t code;
    char *message;
    size_t size;
} cpjrt_failure;
void cpjrt_failure_clear(cpjrt_failure *failure);

/// A text that is not NUL-terminated and belongs to the plugin.
typedef struct {
    const char *start;
    size_t size;
} cpjrt_text;

// MARK: Plugins

/// Opens a library and leaves it open; for those that a plugin would look for in vain. Returns whether it could.
bool cpjrt_preload(const char *path);

/// Loads a plugin and initialises it. To be called once for a library.
const cpjrt_plugin *cpjrt_load(const char *path, cpjrt_failure *failure);
/// The version of the interface that the plugin was built with.
void cpjrt_version(const cpjrt_plugin *plugin, int32_t *major, int32_t *minor);

// MARK: Named values

/// PJRT's numbers of kinds of values.
enum { CPJRT_TEXT = 0, CPJRT_NUMBER = 1, CPJRT_NUMBERS = 2, CPJRT_REAL = 3, CPJRT_FLAG = 4 };

/// A named value of a plugin: the member that `kind` says.
typedef struct {
    cpjrt_text name;
    int32_t kind;
    cpjrt_text text;
    int64_t number;
    const int64_t *numbers;
    size_t numbers_count;
    float real;
    bool flag;
} cpjrt_value;

/// Named values of a plugin.
typedef struct {
    const void *start;
    size_t count;
} cpjrt_values;
/// The value at an index below the count.
cpjrt_value cpjrt_value_at(cpjrt_values values, size_t index);

/// What the plugin says of itself; there as long as the process.
bool cpjrt_attributes(const cpjrt_plugin *plugin, cpjrt_values *values, cpjrt_failure *failure);

/// Named values for a plugin. NULL where memory cannot be had.
typedef struct cpjrt_options cpjrt_options;
cpjrt_options *cpjrt_options_create(size_t capacity);
void cpjrt_options_destroy(cpjrt_options *options);
/// Each adds one, copying what it is given; at most `capacity` of them. False where memory cannot be had.
bool cpjrt_options_add_text(cpjrt_options *options, const char *name, const char *text);
bool cpjrt_options_add_number(cpjrt_options *options, const char *name, int64_t number);
bool cpjrt_options_add_numbers(
    cpjrt_options *options, const char *name, const int64_t *numbers, size_t count);
bool cpjrt_options_add_real(cpjrt_options *options, const char *name, float real);
bool cpjrt_options_add_flag(cpjrt_options *options, const char *name, bool flag);

// MARK: Clients and devices

cpjrt_handle cpjrt_client_create(
    const cpjrt_plugin *plugin, const cpjrt_options *options, cpjrt_failure *failure);
void cpjrt_client_destroy(const cpjrt_plugin *plugin, cpjrt_handle client);
/// As in "cuda", and the versions beneath it. The texts live as long as the client.
bool cpjrt_client_platform(const cpjrt_plugin *plugin, cpjrt_handle client, cpjrt_text *name,
                           cpjrt_text *version, cpjrt_failure *failure);
/// The devices that this process can use, as a list that lives as long as the client.
bool cpjrt_client_devices(const cpjrt_plugin *plugin, cpjrt_handle client,
                          const cpjrt_handle **devices, size_t *count, cpjrt_failure *failure);

/// Texts live as long as the client.
typedef struct {
    int32_t id;
    cpjrt_text kind, description;
} cpjrt_device;
bool cpjrt_device_describe(const cpjrt_plugin *plugin, cpjrt_handle device,
                           cpjrt_device *description, cpjrt_failure *failure);

/// Bytes; -1 for what the plugin does not tell.
typedef struct {
    int64_t in_use, peak, limit;
} cpjrt_device_memory;
bool cpjrt_device_memory_of(const cpjrt_plugin *plugin, cpjrt_handle device,
                            cpjrt_device_memory *memory, cpjrt_failure *failure);

// MARK: Executables

/// Compiles MLIR text for a client's devices. `options` is a serialised CompileOptionsProto; plugins end the process
/// over an empty one, so it is refused.
cpjrt_handle cpjrt_compile(const cpjrt_plugin *plugin, cpjrt_handle client, const char *program,
                           size_t program_size, const void *options, size_t options_size,
                           cpjrt_failure *failure);
/// Makes what `cpjrt_executable_serialize` gave runnable.
cpjrt_handle cpjrt_deserialize(const cpjrt_plugin *plugin, cpjrt_handle client, const void *bytes,
                               size_t size, const void *options, size_t options_size,
                               cpjrt_failure *failure);
void cpjrt_loaded_destroy(const cpjrt_plugin *plugin, cpjrt_handle loaded);
/// The description of a loaded executable, to be destroyed.
cpjrt_handle cpjrt_loaded_executable(
    const cpjrt_plugin *plugin, cpjrt_handle loaded, cpjrt_failure *failure);
/// The devices that it runs on, as a list that lives as long as it.
bool cpjrt_loaded_devices(const cpjrt_plugin *plugin, cpjrt_handle loaded,
                          const cpjrt_handle **devices, size_t *count, cpjrt_failure *failure);
/// Starts a run. `arguments` are `[device][argument]` and `results` `[device][result]`.
bool cpjrt_loaded_run(const cpjrt_plugin *plugin, cpjrt_handle loaded, size_t device_count,
                      const cpjrt_handle *arguments, size_t argument_count, cpjrt_handle *results,
                      size_t result_count, cpjrt_failure *failure);

/// Describes devices that need not be there.
cpjrt_handle cpjrt_topology_create(
    const cpjrt_plugin *plugin, const cpjrt_options *options, cpjrt_failure *failure);
void cpjrt_topology_destroy(const cpjrt_plugin *plugin, cpjrt_handle topology);
/// Compiles MLIR text for such devices; the topology has to outlive the result.
cpjrt_handle cpjrt_topology_compile(const cpjrt_plugin *plugin, cpjrt_handle topology,
                                    const char *program, size_t program_size, const void *options,
                                    size_t options_size, cpjrt_failure *failure);

void cpjrt_executable_destroy(const cpjrt_plugin *plugin, cpjrt_handle executable);
/// The number of results on each device, and how many replicas it runs as.
bool cpjrt_executable_counts(const cpjrt_plugin *plugin, cpjrt_handle executable, size_t *results,
                             size_t *replicas, cpjrt_failure *failure);
/// Calls `take(context, bytes, size)` once with the executable in the plugin's own form.
bool cpjrt_executable_serialize(const cpjrt_plugin *plugin, cpjrt_handle executable,
                                void (*take)(void *context, const char *bytes, size_t size),
                                void *context, cpjrt_failure *failure);
/// Calls `take` twice: with the name of the format, and with the program after optimisation.
bool cpjrt_executable_optimized(const cpjrt_plugin *plugin, cpjrt_handle executable,
                                void (*take)(void *context, const char *bytes, size_t size),
                                void *context, cpjrt_failure *failure);

/// Bytes on one device.
typedef struct {
    int64_t argument, output, alias, temporary, generated_code;
} cpjrt_executable_memory;
bool cpjrt_executable_memory_of(const cpjrt_plugin *plugin, cpjrt_handle executable,
                                cpjrt_executable_memory *memory, cpjrt_failure *failure);
/// The compiler's estimates; they live as long as the executable.
bool cpjrt_executable_costs(const cpjrt_plugin *plugin, cpjrt_handle executable,
                            cpjrt_values *values, cpjrt_failure *failure);

// MARK: Buffers

/// PJRT's numbers of element types.
enum {
    CPJRT_BOOL = 1,
    CPJRT_INT8 = 2,
    CPJRT_INT16 = 3,
    CPJRT_INT32 = 4,
    CPJRT_INT64 = 5,
    CPJRT_UINT8 = 6,
    CPJRT_UINT16 = 7,
    CPJRT_UINT32 = 8,
    CPJRT_UINT64 = 9,
    CPJRT_FLOAT16 = 10,
    CPJRT_FLOAT32 = 11,
    CPJRT_FLOAT64 = 12,
    CPJRT_BFLOAT16 = 13,
};

/// Starts to copy a dense array, row-major, to a device. `type` is one of those above.
///
/// With a `release` the bytes are read until it is called, once, with `owner`, from any thread, perhaps before this
/// returns; on failure too. Without one, they are not read after this returns.
cpjrt_handle cpjrt_buffer_upload(const cpjrt_plugin *plugin, cpjrt_handle client,
                                 cpjrt_handle device, const void *bytes, int32_t type,
                                 const int64_t *dimensions, size_t rank, void *owner,
                                 void (*release)(void *owner), cpjrt_failure *failure);
void cpjrt_buffer_destroy(const cpjrt_plugin *plugin, cpjrt_handle buffer);
/// False where it has not been, or the plugin cannot tell.
bool cpjrt_buffer_is_deleted(const cpjrt_plugin *plugin, cpjrt_handle buffer);
/// PJRT's number of the element type, and extents that live as long as the buffer.
bool cpjrt_buffer_shape(const cpjrt_plugin *plugin, cpjrt_handle buffer, int32_t *type,
                        const int64_t **dimensions, size_t *rank, cpjrt_failure *failure);
/// Returns when the buffer's bytes are there; fails where they never will be.
bool cpjrt_buffer_wait(const cpjrt_plugin *plugin, cpjrt_handle buffer, cpjrt_failure *failure);
/// The bytes that the array takes, dense.
bool cpjrt_buffer_size(const cpjrt_plugin *plugin, cpjrt_handle buffer, size_t *size,
                       cpjrt_failure *failure);
/// Copies the array, dense and row-major whatever the device's layout, and returns when all is there.
bool cpjrt_buffer_download(const cpjrt_plugin *plugin, cpjrt_handle buffer, void *target,
                           size_t size, cpjrt_failure *failure);

#endif
