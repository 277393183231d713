/* Shared between the files of this folder. */
#pragma once

#include "ops/fsck/fsck.h"

/* One cluster while it is looked at. */
struct ck_fsck_cluster {
    struct ck_arena *a;
    const struct ck_store *s;
    const struct ck_fsck_opts *opts;
    struct ck_fsck *out;
    const char *name;   /* of its folder */
    struct ck_path dir; /* S/N */
    bool loaded;        /* config could be read: obj */
    bool base_closed;   /* configBase is in a store that could not be listed */
    struct ck_object obj;
    struct ck_object *groups; /* those that could be read */
    size_t n_groups, cap_groups;
    bool groups_whole; /* all could: what is missing is missing */
    struct ck_object completed;
    bool has_completed;
};

struct ck_fsck_finding *ck_fsck_add(struct ck_arena *a, struct ck_fsck *out,
                                    enum ck_fsck_level level, const char *rule, const char *path,
                                    const char *fmt, ...) CK_PRINTF(6, 7);

/* ---- objects.c ---- */
/* One file of config, instance group or completed specification. */
void ck_fsck_config(struct ck_fsck_cluster *c, const char *path, struct ck_slice data);
void ck_fsck_group(struct ck_fsck_cluster *c, const char *path, const char *name,
                   struct ck_slice data);
void ck_fsck_completed(struct ck_fsck_cluster *c, const char *path, struct ck_slice data);
void ck_fsck_addons(struct ck_fsck_cluster *c, const char *path, struct ck_slice data);
/* What only all of them together can tell. */
void ck_fsck_together(struct ck_fsck_cluster *c);
bool ck_fsck_has_group(const struct ck_fsck_cluster *c, const char *name);

/* ---- keys.c ---- */
void ck_fsck_secret(struct ck_fsck_cluster *c, const char *path, struct ck_slice data);
void ck_fsck_ssh(struct ck_fsck_cluster *c, const char *path, const char *id, struct ck_slice data);
int ck_fsck_keysets(struct ck_fsck_cluster *c, struct ck_err *err);

/* ---- files.c ---- */
/* All files of a folder: known or not, and each by its kind. */
int ck_fsck_files(struct ck_fsck_cluster *c, const struct ck_path *dir, struct ck_err *err);

/* ---- local.c ---- */
/* Modes, temporary files and links below a local folder; nothing elsewhere. */
void ck_fsck_local(struct ck_arena *a, const struct ck_path *root, const char *below, int64_t now_s,
                   struct ck_fsck *out);
