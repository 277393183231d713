/* A fast reader for the YAML that programs write. Internal to doc/. */
#pragma once

#include "doc/yaml.h"

/* Read `text` when it is nothing but block maps and lists of one-line scalars in ASCII, without
 * comments, anchors, tags, documents and duplicate keys, and within `limits` (all members set).
 * The tree, positions included, is the one the full reader makes. False: the full reader must see
 * the text, whether it is YAML or not; nothing is decided here. */
bool ck_yaml_read_plain(struct ck_arena *a, struct ck_slice text, unsigned line_offset,
                        const struct ck_yaml_limits *limits, struct ck_val **ret);
