/* A note in the program that names a library it opens by itself, so that packaging tools see the
 * dependency ldd cannot show. Format: the UAPI group's "ELF dlopen metadata". */
#pragma once

#include <stdint.h>

#define CK_DLOPEN_NOTE(name, text)                                                                 \
    __attribute__((used, section(".note.dlopen"), aligned(4))) static const struct {               \
        uint32_t name_size, text_size, type;                                                       \
        char owner[4];                                                                             \
        _Alignas(4) char json[sizeof(text)];                                                       \
    } name = {4, sizeof(text), 0x407c0c0a, "FDO", text}
