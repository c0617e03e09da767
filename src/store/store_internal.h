/* store_internal.h - what the files of this room share besides query.h. */
#ifndef CRIA_STORE_STORE_INTERNAL_H
#define CRIA_STORE_STORE_INTERNAL_H

enum { CRIA_STORE_PATH = 3000 };

#endif
