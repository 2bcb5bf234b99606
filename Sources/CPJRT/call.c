#include "call.h"

#include <stdlib.h>

/// Copies a message of known size. Without memory the code alone is told.
static bool record(cpjrt_failure *failure, int32_t code, const char *message, size_t size) {
    if (!failure) { return false; }
    cpjrt_failure_clear(failure);
    failure->code = code;
    failure->message = size ? malloc(size) : NULL;
    if (failure->message) {
        memcpy(failure->message, message, size);
        failure->size = size;
    }
    return false;
}

bool pjrt_fail(cpjrt_failure *failure, int32_t code, const char *message) {
    return record(failure, code, message, strlen(message));
}

bool pjrt_check(const cpjrt_plugin *plugin, handle error, cpjrt_failure *failure) {
    if (!error) { return true; }
    PJRT_ARGUMENTS(Error_GetCode, code);
    code->error = error;
    // An error in telling the code, which no plugin has, would be one too many.
    handle second = plugin->Error_GetCode(code);
    PJRT_ARGUMENTS(Error_Message, message);
    message->error = error;
    plugin->Error_Message(message);
    record(failure, code->code ? code->code : 2, message->message, message->message ? message->message_size : 0);
    PJRT_ARGUMENTS(Error_Destroy, destroy);
    destroy->error = error;
    plugin->Error_Destroy(destroy);
    if (second) {
        destroy->error = second;
        plugin->Error_Destroy(destroy);
    }
    return false;
}

bool pjrt_await(const cpjrt_plugin *plugin, handle event, cpjrt_failure *failure) {
    if (!event) { return true; }
    PJRT_ARGUMENTS(Event_Await, await);
    await->event = event;
    bool done = PJRT_CALL(plugin, Event_Await, await, failure);
    PJRT_ARGUMENTS(Event_Destroy, destroy);
    destroy->event = event;
    PJRT_CALL(plugin, Event_Destroy, destroy, NULL);
    return done;
}

void cpjrt_failure_clear(cpjrt_failure *failure) {
    free(failure->message);
    memset(failure, 0, sizeof *failure);
}
