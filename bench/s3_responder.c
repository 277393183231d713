/* An S3 server for one measurement: N clusters under one bucket, each reply sent a fixed time after
 * its request. It answers ListObjectsV2 with a delimiter (pages of 1,000, url-encoded keys) and GET
 * of objects with their true MD5 as the ETag; it checks no signature and stores nothing. One thread
 * and one epoll loop, so that it takes little of the processor that the client is measured on.
 *
 *     s3_responder COUNT DELAY_MS TEMPLATE    prints its port; "GET /requests" tells and resets the
 * count
 *
 * The object of a cluster is TEMPLATE with "%s" replaced by the cluster's name. */
#define _GNU_SOURCE
#include <openssl/evp.h>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 1000, MAX_CONN = 4096, IN_SIZE = 16384, EVENTS = 256 };

struct conn {
    int fd;
    size_t len;
    char in[IN_SIZE];
};

/* A reply that waits for its moment; the delay is the same for all, so they stay in order. */
struct late {
    struct late *next;
    int64_t due_us;
    int fd;
    unsigned serial;
    size_t len;
    char text[];
};

static struct conn *conns[MAX_CONN];
static unsigned serials[MAX_CONN];
static struct late *first, **last = &first;
static unsigned long requests;
static long count, delay_ms;
static const char *template;

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void reply(int fd, int64_t delay_us, const char *status, const char *headers,
                  const char *body, size_t n)
{
    char head[512];
    int h = snprintf(head, sizeof head,
                     "HTTP/1.1 %s\r\nServer: AmazonS3\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
                     "x-amz-request-id: 0123456789ABCDEF\r\nx-amz-id-2: bench\r\n%s"
                     "Content-Length: %zu\r\n\r\n",
                     status, headers, n);
    struct late *l = malloc(sizeof *l + (size_t)h + n);
    *l = (struct late){
        .due_us = now_us() + delay_us, .fd = fd, .serial = serials[fd], .len = (size_t)h + n};
    memcpy(l->text, head, (size_t)h);
    memcpy(l->text + h, body, n);
    if (delay_us == 0) {
        l->next = first;
        first = l;
        if (!l->next)
            last = &l->next;
    } else {
        *last = l;
        last = &l->next;
    }
}

static void list(int fd, const char *target)
{
    const char *token = strstr(target, "continuation-token=");
    long at = token ? strtol(token + 19, NULL, 10) : 0, end = at + PAGE < count ? at + PAGE : count;
    char *body = malloc((size_t)PAGE * 96 + 1024);
    int n = sprintf(body,
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult "
                    "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>many</Name><Prefix>"
                    "</Prefix><MaxKeys>1000</MaxKeys><Delimiter>/</Delimiter><EncodingType>url"
                    "</EncodingType><IsTruncated>%s</IsTruncated>",
                    end < count ? "true" : "false");
    if (end < count)
        n += sprintf(body + n, "<NextContinuationToken>%ld</NextContinuationToken>", end);
    for (long i = at; i < end; i++)
        n += sprintf(body + n,
                     "<CommonPrefixes><Prefix>c%05ld.example.com/</Prefix></CommonPrefixes>", i);
    n += sprintf(body + n, "</ListBucketResult>");
    reply(fd, delay_ms * 1000, "200 OK", "Content-Type: application/xml\r\n", body, (size_t)n);
    free(body);
}

static void object(int fd, const char *name)
{
    char body[4096], headers[256];
    unsigned char md[16];
    unsigned len = 0;
    const char *end = strstr(name, "/config ");
    if (!end || end - name > 64) {
        static const char none[] = "<Error><Code>NoSuchKey</Code><Message>none</Message></Error>";
        reply(fd, delay_ms * 1000, "404 Not Found", "", none, sizeof none - 1);
        return;
    }
    const char *mark = strstr(template, "%s");
    int n = snprintf(body, sizeof body, "%.*s%.*s%s", (int)(mark - template), template,
                     (int)(end - name), name, mark + 2);
    EVP_Digest(body, (size_t)n, md, &len, EVP_md5(), NULL);
    char *p = headers + sprintf(headers, "ETag: \"");
    for (unsigned i = 0; i < len; i++)
        p += sprintf(p, "%02x", md[i]);
    sprintf(p, "\"\r\nContent-Type: application/octet-stream\r\nAccept-Ranges: bytes\r\n"
               "Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n");
    reply(fd, delay_ms * 1000, "200 OK", headers, body, (size_t)n);
}

static void answer(int fd, const char *request)
{
    if (strncmp(request, "GET /requests ", 14) == 0) {
        char text[32];
        int n = sprintf(text, "%lu\n", requests);
        requests = 0;
        reply(fd, 0, "200 OK", "", text, (size_t)n);
        return;
    }
    requests++;
    const char *target = request + 4, *slash = strpbrk(target + 1, "/? ");
    if (*slash == '/' && slash[1] != '?')
        object(fd, slash + 1);
    else
        list(fd, target);
}

static void hang_up(int fd)
{
    close(fd);
    serials[fd]++;
    free(conns[fd]);
    conns[fd] = NULL;
}

/* False at the end of the connection. Requests have no body here. */
static bool take(struct conn *c)
{
    ssize_t n = recv(c->fd, c->in + c->len, IN_SIZE - 1 - c->len, MSG_DONTWAIT);
    if (n <= 0)
        return false;
    c->len += (size_t)n;
    c->in[c->len] = '\0';
    for (char *end; (end = strstr(c->in, "\r\n\r\n"));) {
        end += 4;
        answer(c->fd, c->in);
        c->len -= (size_t)(end - c->in);
        memmove(c->in, end, c->len + 1);
    }
    return c->len < IN_SIZE - 1;
}

static void send_due(void)
{
    int64_t now = now_us();
    while (first && first->due_us <= now) {
        struct late *l = first;
        first = l->next;
        if (!first)
            last = &first;
        if (conns[l->fd] && serials[l->fd] == l->serial)
            for (size_t at = 0; at < l->len;) {
                ssize_t n = send(l->fd, l->text + at, l->len - at, MSG_NOSIGNAL);
                if (n <= 0)
                    break;
                at += (size_t)n;
            }
        free(l);
    }
}

static void serve(int listener)
{
    struct epoll_event e = {.events = EPOLLIN, .data.fd = listener}, ready[EVENTS];
    int poller = epoll_create1(0), one = 1;
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &e);
    for (;;) {
        int64_t wait = first ? (first->due_us - now_us() + 999) / 1000 : -1;
        int n = epoll_wait(poller, ready, EVENTS, first ? (int)(wait < 0 ? 0 : wait) : -1);
        for (int i = 0; i < n; i++) {
            int fd = ready[i].data.fd;
            if (fd != listener) {
                if (!take(conns[fd]))
                    hang_up(fd);
                continue;
            }
            while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
                if (fd >= MAX_CONN) {
                    close(fd);
                    continue;
                }
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                conns[fd] = calloc(1, sizeof *conns[fd]);
                conns[fd]->fd = fd;
                e = (struct epoll_event){.events = EPOLLIN, .data.fd = fd};
                epoll_ctl(poller, EPOLL_CTL_ADD, fd, &e);
            }
        }
        send_due();
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    if (argc != 4 || !strstr(argv[3], "%s"))
        return 2;
    count = strtol(argv[1], NULL, 10);
    delay_ms = strtol(argv[2], NULL, 10);
    template = argv[3];
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr *)&a, sizeof a) != 0 || listen(listener, 1024) != 0 ||
        getsockname(listener, (struct sockaddr *)&a, &len) != 0)
        return 1;
    printf("%d\n", ntohs(a.sin_port));
    fflush(stdout);
    serve(listener);
}
