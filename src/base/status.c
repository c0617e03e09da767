#include "base/status.h"

const char *cria_status_name(enum cria_status status)
{
    switch (status) {
    case CRIA_OK: return "ok";
    case CRIA_E_BAD_REQUEST: return "bad_request";
    case CRIA_E_UNAUTHORIZED: return "unauthorized";
    case CRIA_E_FORBIDDEN: return "forbidden";
    case CRIA_E_NOT_FOUND: return "not_found";
    case CRIA_E_CONFLICT: return "conflict";
    case CRIA_E_TOO_LARGE: return "too_large";
    case CRIA_E_MEDIA_TYPE: return "media_type";
    case CRIA_E_INVALID: return "invalid";
    case CRIA_E_LIMIT: return "limit";
    case CRIA_E_INTERNAL: return "internal";
    case CRIA_E_UNAVAILABLE: return "unavailable";
    case CRIA_E_NO_SPACE: return "no_space";
    case CRIA_E_NO_MEMORY: return "no_memory";
    case CRIA_E_TIMEOUT: return "timeout";
    case CRIA_E_CANCELLED: return "cancelled";
    case CRIA_E_IO: return "io";
    case CRIA_E_CORRUPT: return "corrupt";
    }
    return "unknown";
}
