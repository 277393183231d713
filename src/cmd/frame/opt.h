/* Parsing a command line against the command table (cobra's and pflag's rules).
 *
 * Internal to cmd/: commands see only their filled options struct. Source: cli.md §1.1-1.2; cobra
 * command.go (Find, stripFlags), pflag flag.go. */
#pragma once

#include "base/map.h"
#include "cmd/cmd.h"

enum { CK_CMD_DEPTH = 8 };

/* A command line taken apart. */
struct ck_parsed {
    const struct ck_cmd *path[CK_CMD_DEPTH]; /* root first, the command to run last */
    size_t depth;
    struct ck_ctx *ctx;  /* the root's options live in it */
    void *opts;          /* options struct of the command; in the arena */
    struct ck_map given; /* names of the options on the command line */
    struct ck_strv args; /* positional arguments */
    struct ck_buf notices;
    bool help;
};
void ck_parsed_done(struct ck_parsed *p);

extern const struct ck_opt ck_opt_help;

static inline const struct ck_cmd *ck_parsed_cmd(const struct ck_parsed *p)
{
    return p->path[p->depth - 1];
}

/* "ckops get clusters"; in the arena. */
const char *ck_parsed_path(const struct ck_parsed *p);

/* Follow sub-command names as far as they go; *args (n words) loses them. The rest stays in place.
 * Returns the index of the first word that is neither flag nor value, or the new *n. */
size_t ck_parse_find(struct ck_parsed *p, const char **args, size_t *n);

/* Make the options struct with its defaults, then read flags and positional arguments.
 * Errors: INVALID with pflag's texts. */
int ck_parse_flags(struct ck_parsed *p, const char *const *args, size_t n, struct ck_err *err);

/* `required flag(s) "a", "b" not set` (sorted). */
int ck_parse_required(const struct ck_parsed *p, struct ck_err *err);

/* The option called `name` (or with that shorthand) that the command sees, or NULL. */
const struct ck_opt *ck_parsed_opt(const struct ck_parsed *p, struct ck_slice name);
const struct ck_opt *ck_parsed_short(const struct ck_parsed *p, char c);
/* What `--name` without a value means; NULL: it needs one. */
const char *ck_opt_bare(const struct ck_opt *o);
/* Whether the option appears in help and completion. */
bool ck_opt_visible(const struct ck_opt *o);

/* ---- values ---- */
/* Set a value from text; `first` false: lists accumulate. Errors: INVALID with Go's texts. */
int ck_opt_set(struct ck_arena *a, const struct ck_opt *o, void *base, const char *text, bool first,
               struct ck_err *err);
/* Set the default. `env_dflt` overrides the table's when not NULL; INVALID: it cannot be a value.
 */
int ck_opt_set_default(struct ck_arena *a, const struct ck_opt *o, void *base, const char *env_dflt,
                       struct ck_err *err);
/* One record of comma-separated values as Go's encoding/csv reads it. */
int ck_csv_split(const char *text, bool lazy_quotes, struct ck_strv *ret, struct ck_err *err);
/* Go's strconv.ParseInt with base 0 (or 10) and its error texts. */
int ck_parse_int(const char *text, int base, int bits, int64_t *ret, struct ck_err *err);
int ck_parse_bool(const char *text, bool *ret, struct ck_err *err);

/* ---- usage ---- */
/* The usage block of the command, newline-terminated. */
void ck_usage(struct ck_buf *out, const struct ck_parsed *p);
/* Description, blank line, usage block. */
void ck_usage_help(struct ck_buf *out, const struct ck_parsed *p);
/* "\n\nDid you mean this?\n\tcreate\n", or nothing. */
void ck_usage_suggest(struct ck_buf *out, const struct ck_cmd *parent, const char *typed);

/* ---- completion ---- */
int ck_complete_run(struct ck_ctx *ctx, int argc, char **argv, bool descriptions,
                    struct ck_err *err);
