#include "base/call.h"

#include <stdio.h>

void cria_call_init(struct cria_call *call, struct cria_arena *arena)
{
    *call = (struct cria_call){.arena = arena};
}

static enum cria_status fail(struct cria_call *call, enum cria_status status, const char *format,
                             va_list args)
{
    call->status = status;
    call->retry = CRIA_RETRY_UNSAID;
    vsnprintf(call->error, sizeof(call->error), format, args);
    return status;
}

enum cria_status cria_fail(struct cria_call *call, enum cria_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fail(call, status, format, args);
    va_end(args);
    return status;
}

enum cria_status cria_fail_final(struct cria_call *call, enum cria_status status,
                                 const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fail(call, status, format, args);
    va_end(args);
    call->retry = CRIA_RETRY_NEVER;
    return status;
}

enum cria_status cria_fail_memory(struct cria_call *call)
{
    return cria_fail(call, CRIA_E_NO_MEMORY, "Out of memory for this request");
}

bool cria_call_stopped(const struct cria_call *call, uint64_t now_ns)
{
    if (call->cancelled && atomic_load_explicit(call->cancelled, memory_order_relaxed)) return true;
    return call->deadline_ns && now_ns >= call->deadline_ns;
}
