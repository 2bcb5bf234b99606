#ifndef RESNET_CPJRT_CALL_H
#define RESNET_CPJRT_CALL_H

#include "cpjrt.h"
#include "pjrt_subset.h"

#include <string.h>

/// A zeroed struct of PJRT with room behind it, and a pointer `name` to it. A plugin refuses structs that are smaller
/// than those it was built with and takes larger ones, so the room is for what later versions append.
#define PJRT_STRUCT(struct_name, name) \
    union { struct pjrt_##struct_name value; char room[sizeof(struct pjrt_##struct_name) + 128]; } name##_room; \
    memset(&name##_room, 0, sizeof name##_room); \
    struct pjrt_##struct_name *name = &name##_room.value; \
    name->struct_size = sizeof name##_room

/// The same for the arguments of a function.
#define PJRT_ARGUMENTS(function, name) PJRT_STRUCT(function##_Args, name)

/// Whether the plugin's table, which may be shorter than ours, has a function.
#define PJRT_HAS(plugin, function) \
    ((plugin)->struct_size >= offsetof(struct cpjrt_plugin, function) + sizeof (plugin)->function \
     && (plugin)->function)

/// Calls a function of the plugin; whether it succeeded. A NULL `failure` hears nothing.
#define PJRT_CALL(plugin, function, arguments, failure) \
    (PJRT_HAS(plugin, function) \
         ? pjrt_check(plugin, (plugin)->function(arguments), failure) \
         : pjrt_fail(failure, CPJRT_NO_SUCH_CALL, "the plugin lacks PJRT_" #function))

/// Turns an error of the plugin into a failure and destroys it; whether there was none.
bool pjrt_check(const cpjrt_plugin *plugin, handle error, cpjrt_failure *failure);
/// Records a failure of our own; always false.
bool pjrt_fail(cpjrt_failure *failure, int32_t code, const char *message);
/// Waits for an event and destroys it; whether what it stands for succeeded.
bool pjrt_await(const cpjrt_plugin *plugin, handle event, cpjrt_failure *failure);

/// The named values, NULL for none.
const struct pjrt_NamedValue *pjrt_options(const cpjrt_options *options, size_t *count);

#endif
