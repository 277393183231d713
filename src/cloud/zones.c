/* The table of known zones: for completion and for remarks on spelling, never for a refusal. */
#include "cloud/zones.h"

#include "base/attr.h"
#include "base/mem.h"

#include <string.h>

/* A region, and the letters of its zones; no letters: the zone is called like the region. */
static const struct {
    const char *cloud, *region, *letters;
} regions[] = {
    {"aws", "af-south-1", "abc"},
    {"aws", "ap-east-1", "abc"},
    {"aws", "ap-northeast-1", "abcd"},
    {"aws", "ap-northeast-2", "abcd"},
    {"aws", "ap-northeast-3", "abc"},
    {"aws", "ap-south-1", "abc"},
    {"aws", "ap-south-2", "abc"},
    {"aws", "ap-southeast-1", "abc"},
    {"aws", "ap-southeast-2", "abc"},
    {"aws", "ap-southeast-3", "abc"},
    {"aws", "ap-southeast-4", "abc"},
    {"aws", "ca-central-1", "abc"},
    {"aws", "ca-west-1", "abc"},
    {"aws", "cn-north-1", "abc"},
    {"aws", "cn-northwest-1", "abc"},
    {"aws", "eu-central-1", "abc"},
    {"aws", "eu-central-2", "abc"},
    {"aws", "eu-north-1", "abc"},
    {"aws", "eu-south-1", "abc"},
    {"aws", "eu-south-2", "abc"},
    {"aws", "eu-west-1", "abc"},
    {"aws", "eu-west-2", "abc"},
    {"aws", "eu-west-3", "abc"},
    {"aws", "il-central-1", "abc"},
    {"aws", "me-central-1", "abc"},
    {"aws", "me-south-1", "abc"},
    {"aws", "sa-east-1", "abc"},
    {"aws", "us-east-1", "abcdef"},
    {"aws", "us-east-2", "abc"},
    {"aws", "us-gov-east-1", "abc"},
    {"aws", "us-gov-west-1", "abc"},
    {"aws", "us-west-1", "abc"},
    {"aws", "us-west-2", "abcd"},
    {"gce", "africa-south1-", "abc"},
    {"gce", "asia-east1-", "abc"},
    {"gce", "asia-east2-", "abc"},
    {"gce", "asia-northeast1-", "abc"},
    {"gce", "asia-northeast2-", "abc"},
    {"gce", "asia-northeast3-", "abc"},
    {"gce", "asia-south1-", "abc"},
    {"gce", "asia-south2-", "abc"},
    {"gce", "asia-southeast1-", "abc"},
    {"gce", "asia-southeast2-", "abc"},
    {"gce", "australia-southeast1-", "abc"},
    {"gce", "australia-southeast2-", "abc"},
    {"gce", "europe-central2-", "abc"},
    {"gce", "europe-north1-", "abc"},
    {"gce", "europe-southwest1-", "abc"},
    {"gce", "europe-west1-", "bcd"},
    {"gce", "europe-west10-", "abc"},
    {"gce", "europe-west12-", "abc"},
    {"gce", "europe-west2-", "abc"},
    {"gce", "europe-west3-", "abc"},
    {"gce", "europe-west4-", "abc"},
    {"gce", "europe-west6-", "abc"},
    {"gce", "europe-west8-", "abc"},
    {"gce", "europe-west9-", "abc"},
    {"gce", "me-central1-", "abc"},
    {"gce", "me-central2-", "abc"},
    {"gce", "me-west1-", "abc"},
    {"gce", "northamerica-northeast1-", "abc"},
    {"gce", "northamerica-northeast2-", "abc"},
    {"gce", "southamerica-east1-", "abc"},
    {"gce", "southamerica-west1-", "abc"},
    {"gce", "us-central1-", "abcf"},
    {"gce", "us-east1-", "bcd"},
    {"gce", "us-east4-", "abc"},
    {"gce", "us-east5-", "abc"},
    {"gce", "us-south1-", "abc"},
    {"gce", "us-west1-", "abc"},
    {"gce", "us-west2-", "abc"},
    {"gce", "us-west3-", "abc"},
    {"gce", "us-west4-", "abc"},
    {"digitalocean", "ams3", ""},
    {"digitalocean", "blr1", ""},
    {"digitalocean", "fra1", ""},
    {"digitalocean", "lon1", ""},
    {"digitalocean", "nyc1", ""},
    {"digitalocean", "nyc2", ""},
    {"digitalocean", "nyc3", ""},
    {"digitalocean", "sfo2", ""},
    {"digitalocean", "sfo3", ""},
    {"digitalocean", "sgp1", ""},
    {"digitalocean", "syd1", ""},
    {"digitalocean", "tor1", ""},
    {"hetzner", "ash", ""},
    {"hetzner", "fsn1", ""},
    {"hetzner", "hel1", ""},
    {"hetzner", "hil", ""},
    {"hetzner", "nbg1", ""},
    {"hetzner", "sin", ""},
    {"linode", "ap-south", ""},
    {"linode", "eu-central", ""},
    {"linode", "eu-west", ""},
    {"linode", "us-central", ""},
    {"linode", "us-east", ""},
    {"linode", "us-southeast", ""},
    {"linode", "us-west", ""},
    {"scaleway", "fr-par-1", ""},
    {"scaleway", "fr-par-2", ""},
    {"scaleway", "fr-par-3", ""},
    {"scaleway", "nl-ams-1", ""},
    {"scaleway", "nl-ams-2", ""},
    {"scaleway", "nl-ams-3", ""},
    {"scaleway", "pl-waw-1", ""},
    {"scaleway", "pl-waw-2", ""},
    {"scaleway", "pl-waw-3", ""},
};

static void add_region(size_t i, struct ck_strv *ret)
{
    const char *letters = regions[i].letters;
    if (!*letters)
        ck_strv_push(ret, regions[i].region);
    for (; *letters; letters++)
        ck_strv_push_take(ret, ck_xasprintf("%s%c", regions[i].region, *letters));
}

void ck_zones_known(const char *cloud, struct ck_strv *ret)
{
    for (size_t i = 0; i < CK_ARRAY_LEN(regions); i++)
        if (!*cloud || strcmp(cloud, regions[i].cloud) == 0)
            add_region(i, ret);
}

bool ck_zones_listed(const char *cloud)
{
    for (size_t i = 0; i < CK_ARRAY_LEN(regions); i++)
        if (strcmp(cloud, regions[i].cloud) == 0)
            return true;
    return false;
}

bool ck_zone_is_known(const char *cloud, const char *zone)
{
    for (size_t i = 0; i < CK_ARRAY_LEN(regions); i++) {
        size_t n = strlen(regions[i].region);
        if (strcmp(cloud, regions[i].cloud) != 0 || strncmp(zone, regions[i].region, n) != 0)
            continue;
        const char *rest = zone + n;
        if (*regions[i].letters ? *rest && !rest[1] && strchr(regions[i].letters, *rest) : !*rest)
            return true;
    }
    return false;
}
