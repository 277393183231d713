/* The field schema: what every structure of the API may hold, in both versions.
 *
 * The tables are made from fields.def at build time; everything that knows field names (decoding,
 * writing, conversion, --set, the field reference) goes through here. */
#pragma once

#include "base/slice.h"
#include "doc/val.h"
#include "spec/object.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    CK_T_STRUCT,
    CK_T_STRING,
    CK_T_BOOL,
    CK_T_INT,
    CK_T_INT16,
    CK_T_INT32,
    CK_T_INT64,
    CK_T_UINT8,
    CK_T_UINT32,
    CK_T_BYTES,
    CK_T_TIME,
    CK_T_DURATION,
    CK_T_QUANTITY,
    CK_T_INTORSTRING,
    CK_T_ANY,
};

enum { CK_SHAPE_ONE, CK_SHAPE_LIST, CK_SHAPE_MAP, CK_SHAPE_MAPLIST };

enum {
    CK_F_PTR = 1,        /* a pointer in Go: its zero value is written */
    CK_F_ELEM_PTR = 2,   /* the items of the list are pointers */
    CK_F_REQ = 4,        /* written even when absent */
    CK_F_RETIRED = 8,    /* accepted, not kept */
    CK_F_GONE = 16,      /* accepted, not kept; kOps does not know it any more */
    CK_F_NO3 = 32,       /* v1alpha2 alone */
    CK_F_INV = 64,       /* the other version says the opposite */
    CK_F_ABS = 128,      /* `to` is a path below the spec */
    CK_F_INLINE = 256,   /* v1alpha3 has the members in the structure's place */
    CK_F_SYNTH = 512,    /* a structure of v1alpha3 alone: its members live elsewhere in v1alpha2 */
    CK_F_RETYPED = 1024, /* v1alpha3 has another type */
};

struct ck_field {
    uint16_t name;  /* offset in ck_field_names, as all of these */
    uint16_t to;    /* path in the other version; "" : the same name */
    uint16_t sub;   /* index in ck_types, for structures */
    uint16_t go;    /* Go type name, "" : the plain one */
    uint16_t enums; /* known values, separated by commas */
    uint16_t cloud; /* "aws,what it is" when only that cloud has it */
    uint16_t doc;   /* offset in ck_field_docs_text */
    uint8_t type, shape;
    uint16_t flags;
};

enum {
    CK_TYPE_V3 = 1,     /* a v1alpha3 structure */
    CK_TYPE_SAME = 2,   /* the same in both versions, with all below it */
    CK_TYPE_ALWAYS = 4, /* has fields that are written even when absent */
};

struct ck_type {
    uint16_t go;       /* Go type name */
    uint16_t first, n; /* its fields in ck_fields */
    uint16_t slots;    /* its hash table in ck_field_slots */
    uint8_t bits;      /* 1 << bits slots */
    uint8_t flags;
};

extern const struct ck_type ck_types[];
extern const struct ck_field ck_fields[];
extern const uint8_t ck_field_slots[];
extern const char ck_field_names[];
extern const char ck_field_docs_text[];

enum { CK_TYPE_FIELDS_MAX = 128 };

static inline const char *ck_field_text(uint16_t offset)
{
    return ck_field_names + offset;
}

static inline const char *ck_field_name(const struct ck_field *f)
{
    return ck_field_names + f->name;
}

static inline bool ck_field_retired(const struct ck_field *f)
{
    return (f->flags & (CK_F_RETIRED | CK_F_GONE)) != 0;
}

/* The structure's field of that name, or NULL. */
const struct ck_field *ck_field_find(const struct ck_type *t, struct ck_slice name);
/* The i-th field in Go's order. */
static inline const struct ck_field *ck_field_at(const struct ck_type *t, size_t i)
{
    return &ck_fields[t->first + i];
}
static inline const struct ck_type *ck_field_struct(const struct ck_field *f)
{
    return &ck_types[f->sub];
}
/* The path the field has in the other version, "" never: its name when it does not move. */
static inline const char *ck_field_to(const struct ck_field *f)
{
    return ck_field_names + (f->to ? f->to : f->name);
}

/* The root structure of a kind (not CK_KIND_OTHER). */
const struct ck_type *ck_type_of(enum ck_object_kind kind, bool v3);
/* Kind by its name ("Cluster"); CK_KIND_OTHER when there is none. */
enum ck_object_kind ck_kind_of(struct ck_slice name);
const char *ck_kind_name(enum ck_object_kind kind);

/* ---- checking (check.c) ---- */

struct ck_check {
    struct ck_arena *arena;
    const struct ck_decode_opts *opts; /* NULL: repair in silence, report nothing */
    const char *version;               /* "v1alpha2" or "v1alpha3" */
    enum ck_object_kind kind;          /* for hints */
    struct ck_buf problems;            /* one per line */
    size_t n_problems;
};

/* Bring the tree into the form in which it is written: known fields, Go's omission of zero values,
 * canonical durations, quantities and times. What cannot be is a line in c->problems. In place. */
void ck_check_tree(struct ck_check *c, const struct ck_type *root, struct ck_val *v);

/* "FILE:LINE:COL", "LINE:COL", "FILE" or "", whatever is known. */
void ck_put_pos(struct ck_buf *out, const struct ck_decode_opts *opts, struct ck_pos pos);

/* Where the other version's field `path` is in this one ("spec.networkCIDR" in a v1alpha3 document:
 * "spec.networking.networkCIDR"); NULL when the other version has no such field. */
const char *ck_field_elsewhere(struct ck_arena *a, enum ck_object_kind kind, bool v3,
                               const char *path);

/* ---- conversion (convert.c, quirks.c) ---- */

/* A v1alpha3 spec as a v1alpha2 one and back; both checked. INVALID when it cannot be expressed. */
int ck_spec_from_v3(struct ck_arena *a, enum ck_object_kind kind, struct ck_val *root,
                    struct ck_val **ret, struct ck_err *err);
struct ck_val *ck_spec_to_v3(struct ck_arena *a, enum ck_object_kind kind,
                             const struct ck_val *root);
/* What reading adds (api-objects.md §4.7). */
void ck_spec_defaults(struct ck_arena *a, enum ck_object_kind kind, struct ck_val *root);
/* What a pass through kOps' internal types changes (§5): role names, policy keys and so on. */
void ck_spec_canonical(struct ck_arena *a, enum ck_object_kind kind, struct ck_val *root);
/* kOps' refusals while converting: unknown cloud, options of another cloud. */
int ck_spec_refuse(enum ck_object_kind kind, const struct ck_val *root,
                   const struct ck_decode_opts *opts, struct ck_err *err);
/* Check and canonicalise without defaults and without reporting: before writing and comparing. */
void ck_object_settle(struct ck_arena *a, struct ck_object *o);
