/* Hex, base64, percent-encoding, Go quoting, UTF-8. */
#include "base/enc.h"

#include <string.h>

static const char hexdigits[] = "0123456789abcdef";

void ck_hex_encode(struct ck_buf *out, const void *p, size_t n)
{
    const unsigned char *s = p;
    for (size_t i = 0; i < n; i++) {
        ck_buf_putc(out, hexdigits[s[i] >> 4]);
        ck_buf_putc(out, hexdigits[s[i] & 15]);
    }
}

static int hexval(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool ck_hex_decode(struct ck_buf *out, struct ck_slice in)
{
    if (in.len % 2)
        return false;
    for (size_t i = 0; i < in.len; i += 2) {
        int hi = hexval(in.ptr[i]), lo = hexval(in.ptr[i + 1]);
        if (hi < 0 || lo < 0)
            return false;
        ck_buf_putc(out, (char)(hi << 4 | lo));
    }
    return true;
}

static const char b64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void ck_base64_encode(struct ck_buf *out, const void *p, size_t n)
{
    const unsigned char *s = p;
    for (size_t i = 0; i < n; i += 3) {
        size_t left = n - i;
        unsigned v = (unsigned)s[i] << 16;
        if (left > 1)
            v |= (unsigned)s[i + 1] << 8;
        if (left > 2)
            v |= s[i + 2];
        ck_buf_putc(out, b64[v >> 18]);
        ck_buf_putc(out, b64[v >> 12 & 63]);
        ck_buf_putc(out, left > 1 ? b64[v >> 6 & 63] : '=');
        ck_buf_putc(out, left > 2 ? b64[v & 63] : '=');
    }
}

static int b64val(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Three bytes at once where the buffer has room for all there will be. */
static void put_three(struct ck_buf *out, unsigned v, size_t n, bool roomy)
{
    const char three[3] = {(char)(v >> 16), (char)(v >> 8), (char)v};
    if (!roomy) {
        ck_buf_putn(out, three, n);
        return;
    }
    memcpy(out->ptr + out->len, three, n);
    out->len += n;
    out->ptr[out->len] = '\0';
}

bool ck_base64_decode(struct ck_buf *out, struct ck_slice in)
{
    unsigned v = 0, n = 0, pad = 0;
    size_t most = in.len / 4 * 3 + 3;
    bool roomy = !out->max || (out->len < out->max && most <= out->max - out->len);
    if (roomy)
        ck_buf_reserve(out, most);
    for (size_t i = 0; i < in.len; i++) {
        char c = in.ptr[i];
        if (c == '\n' || c == '\r')
            continue;
        if (c == '=') {
            if (++pad > 2 || n + pad > 4 || n < 2)
                return false;
            continue;
        }
        int d = b64val(c);
        if (d < 0 || pad)
            return false;
        v = v << 6 | (unsigned)d;
        if (++n == 4) {
            put_three(out, v, 3, roomy);
            v = n = 0;
        }
    }
    if (n == 0)
        return pad == 0;
    if (n + pad != 4)
        return false;
    put_three(out, v << 6 * pad, n - 1, roomy);
    return true;
}

static bool unreserved(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void ck_pct_encode(struct ck_buf *out, struct ck_slice in, enum ck_pct set)
{
    static const char upper[] = "0123456789ABCDEF";
    for (size_t i = 0; i < in.len; i++) {
        unsigned char c = (unsigned char)in.ptr[i];
        if (unreserved(c) || (set == CK_PCT_PATH && c == '/')) {
            ck_buf_putc(out, (char)c);
        } else {
            char e[3] = {'%', upper[c >> 4], upper[c & 15]};
            ck_buf_putn(out, e, 3);
        }
    }
}

bool ck_pct_decode(struct ck_buf *out, struct ck_slice in)
{
    for (size_t i = 0; i < in.len; i++) {
        if (in.ptr[i] != '%') {
            ck_buf_putc(out, in.ptr[i]);
            continue;
        }
        if (in.len - i < 3)
            return false;
        int hi = hexval(in.ptr[i + 1]), lo = hexval(in.ptr[i + 2]);
        if (hi < 0 || lo < 0)
            return false;
        ck_buf_putc(out, (char)(hi << 4 | lo));
        i += 2;
    }
    return true;
}

size_t ck_utf8_decode(const char *p, size_t n, uint32_t *ret_cp)
{
    const unsigned char *s = (const unsigned char *)p;
    if (n == 0)
        return 0;
    if (s[0] < 0x80) {
        *ret_cp = s[0];
        return 1;
    }
    size_t len = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
    if (s[0] < 0xC2 || s[0] > 0xF4 || n < len)
        return 0;
    uint32_t cp = s[0] & (0x7Fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((s[i] & 0xC0) != 0x80)
            return 0;
        cp = cp << 6 | (s[i] & 0x3F);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (cp < least[len] || cp > 0x10FFFF || (cp >= 0xD800 && cp < 0xE000))
        return 0;
    *ret_cp = cp;
    return len;
}

size_t ck_utf8_encode(uint32_t cp, char out[4])
{
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (char)(0xC0 | cp >> 6);
        out[1] = (char)(0x80 | (cp & 0x3F));
        return 2;
    }
    if (cp < 0x10000) {
        out[0] = (char)(0xE0 | cp >> 12);
        out[1] = (char)(0x80 | (cp >> 6 & 0x3F));
        out[2] = (char)(0x80 | (cp & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | cp >> 18);
    out[1] = (char)(0x80 | (cp >> 12 & 0x3F));
    out[2] = (char)(0x80 | (cp >> 6 & 0x3F));
    out[3] = (char)(0x80 | (cp & 0x3F));
    return 4;
}

bool ck_utf8_valid(struct ck_slice s)
{
    uint32_t cp;
    for (size_t i = 0, l; i < s.len; i += l)
        if ((l = ck_utf8_decode(s.ptr + i, s.len - i, &cp)) == 0)
            return false;
    return true;
}

size_t ck_utf8_len(struct ck_slice s)
{
    size_t count = 0;
    uint32_t cp;
    for (size_t i = 0, l; i < s.len; i += l ? l : 1, count++)
        l = ck_utf8_decode(s.ptr + i, s.len - i, &cp);
    return count;
}

/* Go's strconv.IsPrint is a table; the ranges that matter here are controls, separators other than
 * the plain space, surrogates and noncharacters. */
static bool go_printable(uint32_t cp)
{
    if (cp < 0x20 || (cp >= 0x7F && cp < 0xA1) || cp == 0xAD)
        return false;
    if ((cp >= 0x2000 && cp <= 0x200F) || (cp >= 0x2028 && cp <= 0x202F) ||
        (cp >= 0x205F && cp <= 0x206F) || cp == 0x3000 || cp == 0xFEFF)
        return false;
    if ((cp >= 0xD800 && cp <= 0xF8FF) || (cp & 0xFFFE) == 0xFFFE || cp >= 0xE0000)
        return false;
    return true;
}

static bool short_escape(struct ck_buf *out, uint32_t cp)
{
    static const char from[] = "\a\b\f\n\r\t\v\\\"", to[] = "abfnrtv\\\"";
    const char *at = cp && cp < 0x80 ? memchr(from, (int)cp, sizeof from - 1) : NULL;
    if (!at)
        return false;
    ck_buf_putc(out, '\\');
    ck_buf_putc(out, to[at - from]);
    return true;
}

void ck_put_printable(struct ck_buf *b, struct ck_slice text, bool one_line)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        unsigned char next = i + 1 < text.len ? (unsigned char)text.ptr[i + 1] : 0;
        bool lines = !one_line && (c == '\n' || c == '\t');
        if (c == 0xc2 && next >= 0x80 && next < 0xa0) { /* U+0080 … U+009F */
            ck_buf_fmt(b, "\\x%02x", next);
            i++;
        } else if ((c < 0x20 && !lines) || c == 0x7f) {
            ck_buf_fmt(b, "\\x%02x", c);
        } else {
            ck_buf_putc(b, (char)c);
        }
    }
}

void ck_goquote(struct ck_buf *out, struct ck_slice in)
{
    ck_buf_putc(out, '"');
    for (size_t i = 0, l; i < in.len; i += l) {
        uint32_t cp = 0;
        l = ck_utf8_decode(in.ptr + i, in.len - i, &cp);
        if (l == 0) {
            l = 1;
            ck_buf_fmt(out, "\\x%02x", (unsigned char)in.ptr[i]);
        } else if (short_escape(out, cp)) {
            continue;
        } else if (go_printable(cp)) {
            ck_buf_putn(out, in.ptr + i, l);
        } else if (cp < 0x20 || cp == 0x7F) {
            ck_buf_fmt(out, "\\x%02x", (unsigned)cp);
        } else if (cp < 0x10000) {
            ck_buf_fmt(out, "\\u%04x", (unsigned)cp);
        } else {
            ck_buf_fmt(out, "\\U%08x", (unsigned)cp);
        }
    }
    ck_buf_putc(out, '"');
}

static const char SHELL_PLAIN[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@%+,";

void ck_shquote(struct ck_buf *out, struct ck_slice in)
{
    bool plain = in.len != 0;
    for (size_t i = 0; i < in.len; i++)
        plain = plain && in.ptr[i] && strchr(SHELL_PLAIN, in.ptr[i]);
    if (plain) {
        ck_buf_put(out, in);
        return;
    }
    ck_buf_putc(out, '\'');
    for (size_t i = 0; i < in.len; i++) {
        if (in.ptr[i] == '\'')
            ck_buf_puts(out, "'\\''");
        else
            ck_buf_putc(out, in.ptr[i]);
    }
    ck_buf_putc(out, '\'');
}
