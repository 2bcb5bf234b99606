#include "call.h"

#include <stdlib.h>

/// MLIR text as a program of PJRT. The plugin only reads it.
static void set_program(struct pjrt_Program *program, const char *code, size_t size) {
    program->code = (char *)code;
    program->code_size = size;
    program->format = "mlir";
    program->format_size = 4;
}

static bool check_options(size_t size, cpjrt_failure *failure) {
    return size > 0 || pjrt_fail(failure, 3, "compile options are empty");
}

// MARK: Loaded executables

cpjrt_handle cpjrt_compile(const cpjrt_plugin *plugin, cpjrt_handle client, const char *program,
                           size_t program_size, const void *options, size_t options_size,
                           cpjrt_failure *failure) {
    if (!check_options(options_size, failure)) { return NULL; }
    PJRT_STRUCT(Program, code);
    set_program(code, program, program_size);
    PJRT_ARGUMENTS(Client_Compile, compile);
    compile->client = client;
    compile->program = code;
    compile->compile_options = options;
    compile->compile_options_size = options_size;
    return PJRT_CALL(plugin, Client_Compile, compile, failure) ? compile->executable : NULL;
}

cpjrt_handle cpjrt_deserialize(const cpjrt_plugin *plugin, cpjrt_handle client, const void *bytes,
                               size_t size, const void *options, size_t options_size,
                               cpjrt_failure *failure) {
    if (!check_options(options_size, failure)) { return NULL; }
    PJRT_ARGUMENTS(Executable_DeserializeAndLoad, load);
    load->client = client;
    load->serialized_executable = bytes;
    load->serialized_executable_size = size;
    load->overridden_serialized_compile_options = options;
    load->overridden_serialized_compile_options_size = options_size;
    bool done = PJRT_CALL(plugin, Executable_DeserializeAndLoad, load, failure);
    return done ? load->loaded_executable : NULL;
}

void cpjrt_loaded_destroy(const cpjrt_plugin *plugin, cpjrt_handle loaded) {
    PJRT_ARGUMENTS(LoadedExecutable_Destroy, destroy);
    destroy->executable = loaded;
    PJRT_CALL(plugin, LoadedExecutable_Destroy, destroy, NULL);
}

cpjrt_handle cpjrt_loaded_executable(
    const cpjrt_plugin *plugin, cpjrt_handle loaded, cpjrt_failure *failure) {
    PJRT_ARGUMENTS(LoadedExecutable_GetExecutable, get);
    get->loaded_executable = loaded;
    return PJRT_CALL(plugin, LoadedExecutable_GetExecutable, get, failure) ? get->executable : NULL;
}

bool cpjrt_loaded_devices(const cpjrt_plugin *plugin, cpjrt_handle loaded,
                          const cpjrt_handle **devices, size_t *count, cpjrt_failure *failure) {
    PJRT_ARGUMENTS(LoadedExecutable_AddressableDevices, get);
    get->executable = loaded;
    bool done = PJRT_CALL(plugin, LoadedExecutable_AddressableDevices, get, failure);
    *devices = get->addressable_devices;
    *count = get->num_addressable_devices;
    return done;
}

bool cpjrt_loaded_run(const cpjrt_plugin *plugin, cpjrt_handle loaded, size_t device_count,
                      const cpjrt_handle *arguments, size_t argument_count, cpjrt_handle *results,
                      size_t result_count, cpjrt_failure *failure) {
    const handle **inputs = calloc(device_count, sizeof *inputs);
    handle **outputs = calloc(device_count, sizeof *outputs);
    bool done = inputs && outputs;
    if (!done) { pjrt_fail(failure, CPJRT_NO_MEMORY, "no memory for lists of buffers"); }
    for (size_t i = 0; done && i < device_count; i++) {
        inputs[i] = arguments + i * argument_count;
        outputs[i] = results + i * result_count;
    }
    if (done) {
        PJRT_STRUCT(ExecuteOptions, options);
        PJRT_ARGUMENTS(LoadedExecutable_Execute, execute);
        execute->executable = loaded;
        execute->options = options;
        execute->argument_lists = inputs;
        execute->num_devices = device_count;
        execute->num_args = argument_count;
        execute->output_lists = outputs;
        done = PJRT_CALL(plugin, LoadedExecutable_Execute, execute, failure);
    }
    free(inputs);
    free(outputs);
    return done;
}

// MARK: Without a device

cpjrt_handle cpjrt_topology_create(
    const cpjrt_plugin *plugin, const cpjrt_options *options, cpjrt_failure *failure) {
    PJRT_ARGUMENTS(TopologyDescription_Create, create);
    create->topology_name = "";
    create->create_options = pjrt_options(options, &create->num_options);
    return PJRT_CALL(plugin, TopologyDescription_Create, create, failure) ? create->topology : NULL;
}

void cpjrt_topology_destroy(const cpjrt_plugin *plugin, cpjrt_handle topology) {
    PJRT_ARGUMENTS(TopologyDescription_Destroy, destroy);
    destroy->topology = topology;
    PJRT_CALL(plugin, TopologyDescription_Destroy, destroy, NULL);
}

cpjrt_handle cpjrt_topology_compile(const cpjrt_plugin *plugin, cpjrt_handle topology,
                                    const char *program, size_t program_size, const void *options,
                                    size_t options_size, cpjrt_failure *failure) {
    if (!check_options(options_size, failure)) { return NULL; }
    PJRT_STRUCT(Program, code);
    set_program(code, program, program_size);
    PJRT_ARGUMENTS(Compile, compile);
    compile->topology = topology;
    compile->program = code;
    compile->compile_options = options;
    compile->compile_options_size = options_size;
    return PJRT_CALL(plugin, Compile, compile, failure) ? compile->executable : NULL;
}

// MARK: Descriptions of executables

void cpjrt_executable_destroy(const cpjrt_plugin *plugin, cpjrt_handle executable) {
    PJRT_ARGUMENTS(Executable_Destroy, destroy);
    destroy->executable = executable;
    PJRT_CALL(plugin, Executable_Destroy, destroy, NULL);
}

bool cpjrt_executable_counts(const cpjrt_plugin *plugin, cpjrt_handle executable, size_t *results,
                             size_t *replicas, cpjrt_failure *failure) {
    PJRT_ARGUMENTS(Executable_NumOutputs, outputs);
    outputs->executable = executable;
    PJRT_ARGUMENTS(Executable_NumReplicas, copies);
    copies->executable = executable;
    bool done = PJRT_CALL(plugin, Executable_NumOutputs, outputs, failure)
        && PJRT_CALL(plugin, Executable_NumReplicas, copies, failure);
    *results = outputs->num_outputs;
    *replicas = copies->num_replicas;
    return done;
}

bool cpjrt_executable_serialize(const cpjrt_plugin *plugin, cpjrt_handle executable,
                                void (*take)(void *context, const char *bytes, size_t size),
                                void *context, cpjrt_failure *failure) {
    PJRT_ARGUMENTS(Executable_Serialize, serialize);
    serialize->executable = executable;
    if (!PJRT_CALL(plugin, Executable_Serialize, serialize, failure)) { return false; }
    take(context, serialize->serialized_bytes, serialize->serialized_bytes_size);
    if (serialize->serialized_executable_deleter) {
        serialize->serialized_executable_deleter(serialize->serialized_executable);
    }
    return true;
}

bool cpjrt_executable_optimized(const cpjrt_plugin *plugin, cpjrt_handle executable,
                                void (*take)(void *context, const char *bytes, size_t size),
                                void *context, cpjrt_failure *failure) {
    PJRT_STRUCT(Program, program);
    PJRT_ARGUMENTS(Executable_OptimizedProgram, get);
    get->executable = executable;
    get->program = program;
    // The first call tells the size, the second writes.
    if (!PJRT_CALL(plugin, Executable_OptimizedProgram, get, failure)) { return false; }
    program->code = malloc(program->code_size ? program->code_size : 1);
    if (!program->code) { return pjrt_fail(failure, CPJRT_NO_MEMORY, "no memory for the program"); }
    bool done = PJRT_CALL(plugin, Executable_OptimizedProgram, get, failure);
    if (done) {
        take(context, program->format, program->format_size);
        take(context, program->code, program->code_size);
    }
    free(program->code);
    return done;
}

bool cpjrt_executable_memory_of(const cpjrt_plugin *plugin, cpjrt_handle executable,
                                cpjrt_executable_memory *memory, cpjrt_failure *failure) {
    PJRT_ARGUMENTS(Executable_GetCompiledMemoryStats, get);
    get->executable = executable;
    bool done = PJRT_CALL(plugin, Executable_GetCompiledMemoryStats, get, failure);
    memory->argument = get->argument_size_in_bytes;
    memory->output = get->output_size_in_bytes;
    memory->alias = get->alias_size_in_bytes;
    memory->temporary = get->temp_size_in_bytes;
    memory->generated_code = get->generated_code_size_in_bytes;
    return done;
}

bool cpjrt_executable_costs(const cpjrt_plugin *plugin, cpjrt_handle executable,
                            cpjrt_values *values, cpjrt_failure *failure) {
    PJRT_ARGUMENTS(Executable_GetCostAnalysis, get);
    get->executable = executable;
    bool done = PJRT_CALL(plugin, Executable_GetCostAnalysis, get, failure);
    *values = (cpjrt_values){get->properties, get->num_properties};
    return done;
}
