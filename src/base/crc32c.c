/* CRC-32C, four bits at a time: some 200 MB a second, where objects have kilobytes. */
#include "base/crc32c.h"

/* The remainder of each value of four bits, reflected, for the polynomial 0x82F63B78. */
static const uint32_t table[16] = {
    0x00000000, 0x105EC76F, 0x20BD8EDE, 0x30E349B1, 0x417B1DBC, 0x5125DAD3, 0x61C69362, 0x7198540D,
    0x82F63B78, 0x92A8FC17, 0xA24BB5A6, 0xB21572C9, 0xC38D26C4, 0xD3D3E1AB, 0xE330A81A, 0xF36E6F75,
};

uint32_t ck_crc32c(struct ck_slice data)
{
    uint32_t c = 0xFFFFFFFFU;
    for (size_t i = 0; i < data.len; i++) {
        c ^= (unsigned char)data.ptr[i];
        c = table[c & 15] ^ (c >> 4);
        c = table[c & 15] ^ (c >> 4);
    }
    return c ^ 0xFFFFFFFFU;
}
