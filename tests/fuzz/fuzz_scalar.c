/* Durations, quantities, versions, ranges, networks: a text that was accepted has one canonical
 * form, which is accepted and stays. */
#include "doc/cidr.h"
#include "doc/scalar.h"

#include "fuzz.h"

#include <stdlib.h>

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void duration(struct ck_slice s)
{
    CK_AUTOERR err = CK_ERR_INIT;
    int64_t ns, again;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    if (ck_duration_parse(s, &ns, &err) < 0)
        return;
    ck_duration_put(&b, ns);
    require(ck_duration_parse(ck_buf_slice(&b), &again, NULL) == 0 && again == ns);
}

static void quantity(struct ck_slice s)
{
    CK_AUTOERR err = CK_ERR_INIT;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT, again = CK_BUF_INIT;
    if (ck_quantity_canonical(s, &b, &err) < 0)
        return;
    require(ck_quantity_canonical(ck_buf_slice(&b), &again, NULL) == 0);
    require(ck_slice_eq(ck_buf_slice(&b), ck_buf_slice(&again)));
}

/* The first line is a version, what follows a range. */
static void version(struct ck_slice s)
{
    CK_AUTOERR err = CK_ERR_INIT;
    CK_AUTOBUF struct ck_buf range = CK_BUF_INIT;
    struct ck_semver v, w;
    struct ck_slice line;
    bool in;
    if (!ck_slice_next(&s, '\n', &line) || !ck_semver_parse_tolerant(line, &v))
        return;
    if (ck_semver_parse(line, &w))
        require(ck_semver_cmp(&v, &w) == 0);
    ck_buf_put(&range, s);
    ck_semver_in_range(&v, ck_buf_str(&range), &in, &err);
}

static void network(struct ck_slice s)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    struct ck_cidr c, again, part[4];
    if (ck_cidr_parse(s, &c, NULL) < 0)
        return;
    ck_cidr_put(&b, &c);
    require(ck_cidr_parse(ck_buf_slice(&b), &again, NULL) == 0);
    require(again.len == c.len && ck_ipaddr_eq(&again.net, &c.net));
    require(!ck_cidr_has_host_bits(&again) && ck_cidr_overlap(&again, &c));
    if (ck_cidr_split(&c, 4, part))
        for (int i = 0; i < 4; i++)
            require(ck_cidr_within(&c, &part[i]) && !(i && ck_cidr_overlap(&part[0], &part[i])));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ck_slice s = ck_slice_n((const char *)data, size);
    duration(s);
    quantity(s);
    version(s);
    network(s);
    return 0;
}
