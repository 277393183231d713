/* What HTTP's statuses mean, for services that say no more than the status. */
#include "net/http.h"

static const struct {
    int status;
    enum ck_code code;
    const char *reason;
} statuses[] = {
    {400, CK_INVALID, "Bad Request"},
    {401, CK_UNAUTHENTICATED, "Unauthorized"},
    {403, CK_DENIED, "Forbidden"},
    {404, CK_NOT_FOUND, "Not Found"},
    {405, CK_INVALID, "Method Not Allowed"},
    {408, CK_UNAVAILABLE, "Request Timeout"},
    {409, CK_CONFLICT, "Conflict"},
    {410, CK_INVALID, "Gone"},
    {411, CK_INVALID, "Length Required"},
    {412, CK_CONFLICT, "Precondition Failed"},
    {413, CK_LIMIT, "Content Too Large"},
    {416, CK_INVALID, "Range Not Satisfiable"},
    {422, CK_INVALID, "Unprocessable Content"},
    {429, CK_UNAVAILABLE, "Too Many Requests"},
    {500, CK_UNAVAILABLE, "Internal Server Error"},
    {501, CK_UNAVAILABLE, "Not Implemented"},
    {502, CK_UNAVAILABLE, "Bad Gateway"},
    {503, CK_UNAVAILABLE, "Service Unavailable"},
    {504, CK_UNAVAILABLE, "Gateway Timeout"},
    {507, CK_UNAVAILABLE, "Insufficient Storage"},
};

const char *ck_http_reason(int status)
{
    for (size_t i = 0; i < CK_ARRAY_LEN(statuses); i++)
        if (statuses[i].status == status)
            return statuses[i].reason;
    if (status >= 300 && status < 400)
        return "Redirect";
    return status >= 500 ? "Server Error" : "Unexpected Reply";
}

enum ck_code ck_http_class(int status)
{
    for (size_t i = 0; i < CK_ARRAY_LEN(statuses); i++)
        if (statuses[i].status == status)
            return statuses[i].code;
    return status >= 500 ? CK_UNAVAILABLE : CK_INVALID;
}
