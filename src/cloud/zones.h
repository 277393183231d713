/* Zones that this version has heard of. Clouds add zones: a zone that is not here may exist. */
#pragma once

#include "base/strv.h"

#include <stdbool.h>

/* Append the zones of a cloud in order; "" for the zones of all clouds. */
void ck_zones_known(const char *cloud, struct ck_strv *ret);
/* Whether the cloud's zones are listed here at all, and this one among them. */
bool ck_zones_listed(const char *cloud);
bool ck_zone_is_known(const char *cloud, const char *zone);
