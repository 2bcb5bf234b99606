#ifndef RESNET_PJRT_SUBSET_H
#define RESNET_PJRT_SUBSET_H

// The part of PJRT's C interface, version 0.81 and later, that is used here, declared by its documented names and
// order. `Scripts/check-pjrt` compares it with PJRT's own header.
//
// Minor versions only append: fields to the structs, functions to the table. Arrays of structs do not grow.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// A pointer whose target only the plugin knows, or that is never set here.
typedef void *handle;
typedef const char *text;
typedef const int64_t *dimensions;
typedef void (*on_ready)(handle error, void *owner);
typedef void (*deleter)(handle object);

enum {
    PJRT_MAJOR = 0,
    PJRT_TILED_LAYOUT = 0,
    PJRT_ONLY_DURING_CALL = 0,
    PJRT_UNTIL_TRANSFER_COMPLETES = 1,
};

/// The five kinds of a named value share a place.
typedef union {
    text string_value;
    int64_t int64_value;
    dimensions int64_array_value;
    float float_value;
    bool bool_value;
} any_value;

// MARK: Structs. Each begins with its size and a list of extensions; enumerations are `int`.

#define PJRT_STRUCTS(STRUCT, FIELD) \
    STRUCT(Api_Version, FIELD(int, major_version) FIELD(int, minor_version)) \
    STRUCT(NamedValue, FIELD(text, name) FIELD(size_t, name_size) FIELD(int, type) \
        FIELD(any_value, string_value) FIELD(size_t, value_size)) \
    STRUCT(Program, FIELD(char *, code) FIELD(size_t, code_size) FIELD(text, format) \
        FIELD(size_t, format_size)) \
    STRUCT(ExecuteOptions, FIELD(handle, send_callbacks) FIELD(handle, recv_callbacks) \
        FIELD(size_t, num_send_ops) FIELD(size_t, num_recv_ops) FIELD(int, launch_id) \
        FIELD(dimensions, non_donatable_input_indices) \
        FIELD(size_t, num_non_donatable_input_indices) FIELD(handle, context) \
        FIELD(text, call_location) FIELD(size_t, num_tasks) FIELD(handle, task_ids) \
        FIELD(handle, incarnation_ids)) \
    STRUCT(Buffer_MemoryLayout_Tiled, FIELD(dimensions, minor_to_major) \
        FIELD(size_t, minor_to_major_size) FIELD(dimensions, tile_dims) \
        FIELD(const size_t *, tile_dim_sizes) FIELD(size_t, num_tiles)) \
    STRUCT(Buffer_MemoryLayout, FIELD(struct pjrt_Buffer_MemoryLayout_Tiled, tiled) FIELD(int, type))

// MARK: Arguments of functions, which take one struct each

#define PJRT_CALLS(CALL, FIELD) \
    CALL(Error_Destroy, FIELD(handle, error)) \
    CALL(Error_Message, FIELD(handle, error) FIELD(text, message) FIELD(size_t, message_size)) \
    CALL(Error_GetCode, FIELD(handle, error) FIELD(int, code)) \
    CALL(Plugin_Initialize, ) \
    CALL(Plugin_Attributes, FIELD(const struct pjrt_NamedValue *, attributes) \
        FIELD(size_t, num_attributes)) \
    CALL(Event_Destroy, FIELD(handle, event)) \
    CALL(Event_Await, FIELD(handle, event)) \
    CALL(Event_OnReady, FIELD(handle, event) FIELD(on_ready, callback) FIELD(void *, user_arg)) \
    CALL(Client_Create, FIELD(const struct pjrt_NamedValue *, create_options) \
        FIELD(size_t, num_options) FIELD(handle, kv_get_callback) FIELD(handle, kv_get_user_arg) \
        FIELD(handle, kv_put_callback) FIELD(handle, kv_put_user_arg) FIELD(handle, client) \
        FIELD(handle, kv_try_get_callback) FIELD(handle, kv_try_get_user_arg)) \
    CALL(Client_Destroy, FIELD(handle, client)) \
    CALL(Client_PlatformName, FIELD(handle, client) FIELD(text, platform_name) \
        FIELD(size_t, platform_name_size)) \
    CALL(Client_PlatformVersion, FIELD(handle, client) FIELD(text, platform_version) \
        FIELD(size_t, platform_version_size)) \
    CALL(Client_AddressableDevices, FIELD(handle, client) \
        FIELD(const handle *, addressable_devices) FIELD(size_t, num_addressable_devices)) \
    CALL(Client_Compile, FIELD(handle, client) FIELD(const struct pjrt_Program *, program) \
        FIELD(text, compile_options) FIELD(size_t, compile_options_size) \
        FIELD(handle, executable)) \
    CALL(Client_BufferFromHostBuffer, FIELD(handle, client) FIELD(const void *, data) \
        FIELD(int, type) FIELD(dimensions, dims) FIELD(size_t, num_dims) \
        FIELD(dimensions, byte_strides) FIELD(size_t, num_byte_strides) \
        FIELD(int, host_buffer_semantics) FIELD(handle, device) FIELD(handle, memory) \
        FIELD(handle, device_layout) FIELD(handle, done_with_host_buffer) FIELD(handle, buffer)) \
    CALL(DeviceDescription_Id, FIELD(handle, device_description) FIELD(int, id)) \
    CALL(DeviceDescription_Kind, FIELD(handle, device_description) FIELD(text, device_kind) \
        FIELD(size_t, device_kind_size)) \
    CALL(DeviceDescription_ToString, FIELD(handle, device_description) FIELD(text, to_string) \
        FIELD(size_t, to_string_size)) \
    CALL(Device_GetDescription, FIELD(handle, device) FIELD(handle, device_description)) \
    CALL(Device_MemoryStats, FIELD(handle, device) FIELD(int64_t, bytes_in_use) \
        FIELD(int64_t, peak_bytes_in_use) FIELD(bool, peak_bytes_in_use_is_set) \
        FIELD(int64_t, num_allocs) FIELD(bool, num_allocs_is_set) \
        FIELD(int64_t, largest_alloc_size) FIELD(bool, largest_alloc_size_is_set) \
        FIELD(int64_t, bytes_limit) FIELD(bool, bytes_limit_is_set) \
        FIELD(int64_t, bytes_reserved) FIELD(bool, bytes_reserved_is_set) \
        FIELD(int64_t, peak_bytes_reserved) FIELD(bool, peak_bytes_reserved_is_set) \
        FIELD(int64_t, bytes_reservable_limit) FIELD(bool, bytes_reservable_limit_is_set) \
        FIELD(int64_t, largest_free_block_bytes) FIELD(bool, largest_free_block_bytes_is_set) \
        FIELD(int64_t, pool_bytes) FIELD(bool, pool_bytes_is_set) \
        FIELD(int64_t, peak_pool_bytes) FIELD(bool, peak_pool_bytes_is_set)) \
    CALL(Executable_Destroy, FIELD(handle, executable)) \
    CALL(Executable_NumReplicas, FIELD(handle, executable) FIELD(size_t, num_replicas)) \
    CALL(Executable_NumOutputs, FIELD(handle, executable) FIELD(size_t, num_outputs)) \
    CALL(Executable_GetCostAnalysis, FIELD(handle, executable) FIELD(size_t, num_properties) \
        FIELD(const struct pjrt_NamedValue *, properties)) \
    CALL(Executable_OptimizedProgram, FIELD(handle, executable) \
        FIELD(struct pjrt_Program *, program)) \
    CALL(Executable_Serialize, FIELD(handle, executable) FIELD(text, serialized_bytes) \
        FIELD(size_t, serialized_bytes_size) FIELD(handle, serialized_executable) \
        FIELD(deleter, serialized_executable_deleter)) \
    CALL(LoadedExecutable_Destroy, FIELD(handle, executable)) \
    CALL(LoadedExecutable_GetExecutable, FIELD(handle, loaded_executable) \
        FIELD(handle, executable)) \
    CALL(LoadedExecutable_AddressableDevices, FIELD(handle, executable) \
        FIELD(const handle *, addressable_devices) FIELD(size_t, num_addressable_devices)) \
    CALL(LoadedExecutable_Execute, FIELD(handle, executable) \
        FIELD(struct pjrt_ExecuteOptions *, options) \
        FIELD(const handle *const *, argument_lists) FIELD(size_t, num_devices) \
        FIELD(size_t, num_args) FIELD(handle *const *, output_lists) \
        FIELD(handle *, device_complete_events) FIELD(handle, execute_device)) \
    CALL(Executable_DeserializeAndLoad, FIELD(handle, client) FIELD(text, serialized_executable) \
        FIELD(size_t, serialized_executable_size) FIELD(handle, loaded_executable) \
        FIELD(text, overridden_serialized_compile_options) \
        FIELD(size_t, overridden_serialized_compile_options_size)) \
    CALL(Buffer_Destroy, FIELD(handle, buffer)) \
    CALL(Buffer_ElementType, FIELD(handle, buffer) FIELD(int, type)) \
    CALL(Buffer_Dimensions, FIELD(handle, buffer) FIELD(dimensions, dims) \
        FIELD(size_t, num_dims)) \
    CALL(Buffer_GetMemoryLayout, FIELD(handle, buffer) \
        FIELD(struct pjrt_Buffer_MemoryLayout, layout)) \
    CALL(Buffer_IsDeleted, FIELD(handle, buffer) FIELD(bool, is_deleted)) \
    CALL(Buffer_ToHostBuffer, FIELD(handle, src) \
        FIELD(struct pjrt_Buffer_MemoryLayout *, host_layout) FIELD(void *, dst) \
        FIELD(size_t, dst_size) FIELD(handle, event)) \
    CALL(Buffer_ReadyEvent, FIELD(handle, buffer) FIELD(handle, event)) \
    CALL(TopologyDescription_Create, FIELD(text, topology_name) FIELD(size_t, topology_name_size) \
        FIELD(const struct pjrt_NamedValue *, create_options) FIELD(size_t, num_options) \
        FIELD(handle, topology)) \
    CALL(TopologyDescription_Destroy, FIELD(handle, topology)) \
    CALL(Compile, FIELD(handle, topology) FIELD(const struct pjrt_Program *, program) \
        FIELD(text, compile_options) FIELD(size_t, compile_options_size) FIELD(handle, client) \
        FIELD(handle, executable)) \
    CALL(Executable_GetCompiledMemoryStats, FIELD(handle, executable) \
        FIELD(int64_t, generated_code_size_in_bytes) FIELD(int64_t, argument_size_in_bytes) \
        FIELD(int64_t, output_size_in_bytes) FIELD(int64_t, alias_size_in_bytes) \
        FIELD(int64_t, temp_size_in_bytes) FIELD(int64_t, host_generated_code_size_in_bytes) \
        FIELD(int64_t, host_argument_size_in_bytes) FIELD(int64_t, host_output_size_in_bytes) \
        FIELD(int64_t, host_alias_size_in_bytes) FIELD(int64_t, host_temp_size_in_bytes) \
        FIELD(int64_t, peak_memory_in_bytes))

// MARK: The table of functions, in its order, up to the last that is used

#define PJRT_FUNCTIONS(F) \
    F(Error_Destroy) F(Error_Message) F(Error_GetCode) \
    F(Plugin_Initialize) F(Plugin_Attributes) \
    F(Event_Destroy) F(Event_IsReady) F(Event_Error) F(Event_Await) F(Event_OnReady) \
    F(Client_Create) F(Client_Destroy) F(Client_PlatformName) F(Client_ProcessIndex) \
    F(Client_PlatformVersion) F(Client_Devices) F(Client_AddressableDevices) \
    F(Client_LookupDevice) F(Client_LookupAddressableDevice) F(Client_AddressableMemories) \
    F(Client_Compile) F(Client_DefaultDeviceAssignment) F(Client_BufferFromHostBuffer) \
    F(DeviceDescription_Id) F(DeviceDescription_ProcessIndex) F(DeviceDescription_Attributes) \
    F(DeviceDescription_Kind) F(DeviceDescription_DebugString) F(DeviceDescription_ToString) \
    F(Device_GetDescription) F(Device_IsAddressable) F(Device_LocalHardwareId) \
    F(Device_AddressableMemories) F(Device_DefaultMemory) F(Device_MemoryStats) \
    F(Memory_Id) F(Memory_Kind) F(Memory_DebugString) F(Memory_ToString) \
    F(Memory_AddressableByDevices) \
    F(Executable_Destroy) F(Executable_Name) F(Executable_NumReplicas) \
    F(Executable_NumPartitions) F(Executable_NumOutputs) \
    F(Executable_SizeOfGeneratedCodeInBytes) F(Executable_GetCostAnalysis) \
    F(Executable_OutputMemoryKinds) F(Executable_OptimizedProgram) F(Executable_Serialize) \
    F(LoadedExecutable_Destroy) F(LoadedExecutable_GetExecutable) \
    F(LoadedExecutable_AddressableDevices) F(LoadedExecutable_Delete) \
    F(LoadedExecutable_IsDeleted) F(LoadedExecutable_Execute) F(Executable_DeserializeAndLoad) \
    F(LoadedExecutable_Fingerprint) \
    F(Buffer_Destroy) F(Buffer_ElementType) F(Buffer_Dimensions) F(Buffer_UnpaddedDimensions) \
    F(Buffer_DynamicDimensionIndices) F(Buffer_GetMemoryLayout) F(Buffer_OnDeviceSizeInBytes) \
    F(Buffer_Device) F(Buffer_Memory) F(Buffer_Delete) F(Buffer_IsDeleted) F(Buffer_CopyToDevice) \
    F(Buffer_ToHostBuffer) F(Buffer_IsOnCpu) F(Buffer_ReadyEvent) F(Buffer_UnsafePointer) \
    F(Buffer_IncreaseExternalReferenceCount) F(Buffer_DecreaseExternalReferenceCount) \
    F(Buffer_OpaqueDeviceMemoryDataPointer) \
    F(CopyToDeviceStream_Destroy) F(CopyToDeviceStream_AddChunk) \
    F(CopyToDeviceStream_TotalBytes) F(CopyToDeviceStream_GranuleSize) \
    F(CopyToDeviceStream_CurrentBytes) \
    F(TopologyDescription_Create) F(TopologyDescription_Destroy) \
    F(TopologyDescription_PlatformName) F(TopologyDescription_PlatformVersion) \
    F(TopologyDescription_GetDeviceDescriptions) F(TopologyDescription_Serialize) \
    F(TopologyDescription_Attributes) \
    F(Compile) F(Executable_OutputElementTypes) F(Executable_OutputDimensions) \
    F(Buffer_CopyToMemory) F(Client_CreateViewOfDeviceBuffer) F(Executable_Fingerprint) \
    F(Client_TopologyDescription) F(Executable_GetCompiledMemoryStats)

#define PJRT_MEMBER(type, name) type name;
#define PJRT_DECLARE_STRUCT(name, fields) \
    struct pjrt_##name { size_t struct_size; handle extension_start; fields };
#define PJRT_DECLARE_ARGUMENTS(name, fields) PJRT_DECLARE_STRUCT(name##_Args, fields)
#define PJRT_DECLARE_FUNCTION(name) handle (*name)(void *arguments);

PJRT_STRUCTS(PJRT_DECLARE_STRUCT, PJRT_MEMBER)
PJRT_CALLS(PJRT_DECLARE_ARGUMENTS, PJRT_MEMBER)

/// The table that a plugin gives. Every function returns an error or NULL, but those that destroy an error or tell
/// its message return nothing.
struct cpjrt_plugin {
    size_t struct_size;
    handle extension_start;
    struct pjrt_Api_Version pjrt_api_version;
    PJRT_FUNCTIONS(PJRT_DECLARE_FUNCTION)
};

#endif
