/* klog-format lines on standard error, one write per line. */
#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/enc.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

static int verbosity;

void ck_log_set_verbosity(int v)
{
    verbosity = v;
}

int ck_log_verbosity(void)
{
    return verbosity;
}

void ck_log_line(char level, const char *file, int line, const char *fmt, ...)
{
    const char *slash = strrchr(file, '/');
    int64_t now = ck_now_ns();
    time_t t = (time_t)(now / 1000000000);
    struct tm tm;
    localtime_r(&t, &tm);
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT, text = CK_BUF_INIT;
    ck_buf_fmt(&b, "%c%02d%02d %02d:%02d:%02d.%06d %7ld %s:%d] ", level, tm.tm_mon + 1, tm.tm_mday,
               tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(now % 1000000000 / 1000), (long)getpid(),
               slash ? slash + 1 : file, line);
    va_list ap;
    va_start(ap, fmt);
    ck_buf_vfmt(&text, fmt, ap);
    va_end(ap);
    ck_put_printable(&b, ck_buf_slice(&text), false);
    if (b.ptr[b.len - 1] != '\n')
        ck_buf_putc(&b, '\n');
    ssize_t r = write(2, b.ptr, b.len);
    (void)r;
}
