/* status.h - the closed list of outcomes every function of the server may report.
 * Room: base. api/reply.c alone turns a status into an HTTP answer. */
#ifndef CRIA_BASE_STATUS_H
#define CRIA_BASE_STATUS_H

#include <stddef.h>

enum cria_status {
    CRIA_OK = 0,
    CRIA_E_BAD_REQUEST,  /* 400 shape is right, but it cannot be acted on */
    CRIA_E_UNAUTHORIZED, /* 401 no key, or not a good one */
    CRIA_E_FORBIDDEN,    /* 403 a good key without the right */
    CRIA_E_NOT_FOUND,    /* 404 no such thing in this project */
    CRIA_E_CONFLICT,     /* 409 the state of the thing forbids it */
    CRIA_E_TOO_LARGE,    /* 413 more bytes than the limit of the route */
    CRIA_E_MEDIA_TYPE,   /* 415 a body of another type */
    CRIA_E_INVALID,      /* 422 a parameter or member is missing, mistyped or out of range */
    CRIA_E_LIMIT,        /* 429 too many at once or in a time */
    CRIA_E_INTERNAL,     /* 500 our fault */
    CRIA_E_UNAVAILABLE,  /* 503 starting, stopping, or something we need is away */
    CRIA_E_NO_SPACE,     /* 507 the disk is full */
    CRIA_E_NO_MEMORY,    /* 503 an allocation failed or an arena reached its limit */
    CRIA_E_TIMEOUT,      /* 503 a deadline passed */
    CRIA_E_CANCELLED,    /* the caller took it back */
    CRIA_E_IO,           /* 500 read, write, socket or child process failed */
    CRIA_E_CORRUPT       /* 500 stored bytes fail their check */
};

/** A word for logs and tests; never NULL; static. */
const char *cria_status_name(enum cria_status status);

#if defined(__GNUC__)
#define CRIA_MUST_CHECK __attribute__((warn_unused_result))
#define CRIA_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define cria_unreachable() __builtin_unreachable()
#else
#define CRIA_MUST_CHECK
#define CRIA_PRINTF(fmt, args)
#define cria_unreachable() abort()
#endif

#define CRIA_COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CRIA_CONTAINER(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#endif
