/* kOps' API objects: manifests in, objects in memory, store files and listings out.
 *
 * An object in memory is a value tree in v1alpha2 form (the form kOps writes), checked and
 * normalised against the field table; v1alpha3 input is converted on decode. Accessors of
 * doc/val.h work on it ("spec.networking.cilium.version").
 *
 * Source: shared facts api-objects.md; kOps pkg/apis/kops, pkg/kopscodecs. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/strv.h"
#include "doc/val.h"

#include <stdbool.h>

enum ck_object_kind {
    CK_KIND_CLUSTER,
    CK_KIND_INSTANCE_GROUP,
    CK_KIND_KEYSET,
    CK_KIND_SSH_CREDENTIAL,
    CK_KIND_HOST,
    CK_KIND_OTHER, /* not of group kops.k8s.io: an additional object, kept as it is */
};

struct ck_object {
    enum ck_object_kind kind;
    struct ck_val *root; /* apiVersion, kind, metadata, spec */
    const char *file;    /* where it came from, for messages; may be NULL */
};

struct ck_decode_opts {
    const char *file;     /* for positions; may be NULL */
    unsigned line_offset; /* of the section within the file */
    bool lenient;         /* kOps' behaviour: unknown fields and duplicates are dropped silently */
    /* Told about what is accepted but lost or deprecated ("FILE:12:3: spec.x …"). May be NULL. */
    void (*warn)(void *arg, const char *text);
    void *warn_arg;
};

/* A section of a manifest file: split at "\n---\n" after CRLF→LF, as kOps splits. */
struct ck_section {
    struct ck_slice text;
    unsigned line_offset;
};
size_t ck_manifest_split(struct ck_arena *a, struct ck_slice text, struct ck_section **ret);

/* Decode one section.
 *
 * kOps' own refusals keep kOps' text ("Object 'Kind' is missing in 'null'", `no kind "X" is
 * registered …`, `json: cannot unmarshal …`), followed by the position; unknown fields, duplicate
 * and wrong-case keys are collected, one line each: FILE:LINE:COL, path, nearest name.
 * Errors: INVALID, LIMIT. */
int ck_object_decode(struct ck_arena *a, struct ck_slice section, const struct ck_decode_opts *opts,
                     struct ck_object *ret, struct ck_err *err);
/* The same from a value tree (JSON, --set results, our own construction): normalises and checks. */
int ck_object_from_val(struct ck_arena *a, struct ck_val *root, const struct ck_decode_opts *opts,
                       struct ck_object *ret, struct ck_err *err);

/* The bytes kOps would write (v1alpha2 YAML). */
void ck_object_yaml(struct ck_arena *a, struct ck_buf *out, const struct ck_object *o);
/* One compact JSON line in Go's declaration order, newline-terminated (v1alpha2). */
void ck_object_json(struct ck_arena *a, struct ck_buf *out, const struct ck_object *o);
/* YAML in v1alpha3 spelling. */
int ck_object_yaml_v1alpha3(struct ck_arena *a, struct ck_buf *out, const struct ck_object *o,
                            struct ck_err *err);

struct ck_object ck_object_clone(struct ck_arena *a, const struct ck_object *o);
const char *ck_object_name(const struct ck_object *o);    /* metadata.name or "" */
struct ck_val *ck_object_spec(const struct ck_object *o); /* never NULL for kOps' kinds */
const char *ck_object_label(const struct ck_object *o, const char *label); /* NULL when absent */
void ck_object_set_label(struct ck_arena *a, struct ck_object *o, const char *label,
                         const char *value);
#define CK_LABEL_CLUSTER "kops.k8s.io/cluster"
struct ck_object ck_object_new(struct ck_arena *a, enum ck_object_kind kind, const char *name);

/* Whether the specs are semantically equal after normalisation (decides generation + 1). */
bool ck_object_spec_eq(const struct ck_object *a, const struct ck_object *b);

/* One difference between two objects, by field path in v1alpha2 names. */
struct ck_change {
    const char *path;
    const struct ck_val *from, *to; /* NULL: absent */
};
struct ck_changes {
    struct ck_change *v;
    size_t n, cap;
};
void ck_object_diff(struct ck_arena *a, const struct ck_object *from, const struct ck_object *to,
                    struct ck_changes *ret);

/* --set "PATH=VALUE" and --unset "PATH", with kOps' internal names, the v1alpha2 names, and kOps'
 * messages (cli.md §8.4). The object is changed in place (clone first to keep the old one). */
int ck_object_set(struct ck_arena *a, struct ck_object *o, const char *assignment,
                  struct ck_err *err);
int ck_object_unset(struct ck_arena *a, struct ck_object *o, const char *path, struct ck_err *err);
/* The internal (v1alpha3-like) spelling kOps uses in validation messages for a v1alpha2 path. */
const char *ck_field_internal_path(struct ck_arena *a, enum ck_object_kind kind, const char *path);
/* Reference documentation of every field of a kind, as Markdown. */
void ck_field_docs(struct ck_buf *out, enum ck_object_kind kind);
