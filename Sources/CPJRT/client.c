#include "call.h"

cpjrt_handle cpjrt_client_create(
    const cpjrt_plugin *plugin, const cpjrt_options *options, cpjrt_failure *failure) {
    PJRT_ARGUMENTS(Client_Create, create);
    create->create_options = pjrt_options(options, &create->num_options);
    return PJRT_CALL(plugin, Client_Create, create, failure) ? create->client : NULL;
}

void cpjrt_client_destroy(const cpjrt_plugin *plugin, cpjrt_handle client) {
    PJRT_ARGUMENTS(Client_Destroy, destroy);
    destroy->client = client;
    PJRT_CALL(plugin, Client_Destroy, destroy, NULL);
}

bool cpjrt_client_platform(const cpjrt_plugin *plugin, cpjrt_handle client, cpjrt_text *name,
                           cpjrt_text *version, cpjrt_failure *failure) {
    PJRT_ARGUMENTS(Client_PlatformName, get_name);
    get_name->client = client;
    PJRT_ARGUMENTS(Client_PlatformVersion, get_version);
    get_version->client = client;
    if (!PJRT_CALL(plugin, Client_PlatformName, get_name, failure)
        || !PJRT_CALL(plugin, Client_PlatformVersion, get_version, failure)) {
        return false;
    }
    *name = (cpjrt_text){get_name->platform_name, get_name->platform_name_size};
    *version = (cpjrt_text){get_version->platform_version, get_version->platform_version_size};
    return true;
}

bool cpjrt_client_devices(const cpjrt_plugin *plugin, cpjrt_handle client,
                          const cpjrt_handle **devices, size_t *count, cpjrt_failure *failure) {
    PJRT_ARGUMENTS(Client_AddressableDevices, get);
    get->client = client;
    bool done = PJRT_CALL(plugin, Client_AddressableDevices, get, failure);
    *devices = get->addressable_devices;
    *count = get->num_addressable_devices;
    return done;
}

bool cpjrt_device_describe(const cpjrt_plugin *plugin, cpjrt_handle device,
                           cpjrt_device *description, cpjrt_failure *failure) {
    PJRT_ARGUMENTS(Device_GetDescription, get);
    get->device = device;
    if (!PJRT_CALL(plugin, Device_GetDescription, get, failure)) { return false; }
    PJRT_ARGUMENTS(DeviceDescription_Id, id);
    PJRT_ARGUMENTS(DeviceDescription_Kind, kind);
    PJRT_ARGUMENTS(DeviceDescription_ToString, to_string);
    id->device_description = get->device_description;
    kind->device_description = get->device_description;
    to_string->device_description = get->device_description;
    if (!PJRT_CALL(plugin, DeviceDescription_Id, id, failure)
        || !PJRT_CALL(plugin, DeviceDescription_Kind, kind, failure)
        || !PJRT_CALL(plugin, DeviceDescription_ToString, to_string, failure)) {
        return false;
    }
    description->id = id->id;
    description->kind = (cpjrt_text){kind->device_kind, kind->device_kind_size};
    description->description = (cpjrt_text){to_string->to_string, to_string->to_string_size};
    return true;
}

bool cpjrt_device_memory_of(const cpjrt_plugin *plugin, cpjrt_handle device,
                            cpjrt_device_memory *memory, cpjrt_failure *failure) {
    PJRT_ARGUMENTS(Device_MemoryStats, get);
    get->device = device;
    if (!PJRT_CALL(plugin, Device_MemoryStats, get, failure)) { return false; }
    memory->in_use = get->bytes_in_use;
    memory->peak = get->peak_bytes_in_use_is_set ? get->peak_bytes_in_use : -1;
    memory->limit = get->bytes_limit_is_set ? get->bytes_limit : -1;
    return true;
}
