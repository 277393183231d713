/* Reader for the AWS shared config and credentials files. */
#include "auth/ini.h"

#include <stdlib.h>
#include <string.h>

static struct ck_map *section_of(struct ck_arena *a, struct ck_ini *ini, struct ck_slice name)
{
    struct ck_map *m = ck_map_getn(&ini->sections, name);
    if (!m) {
        m = ck_arena_alloc(a, sizeof *m);
        ck_map_putn(&ini->sections, name, m);
    }
    return m;
}

/* "[profile x]" → x; a name without the word is only meaningful for default and sessions. */
static struct ck_slice section_name(struct ck_slice s, bool config_file)
{
    s = ck_slice_trim(s);
    if (config_file && ck_slice_starts(s, "profile") && s.len > 7 &&
        (s.ptr[7] == ' ' || s.ptr[7] == '\t'))
        return ck_slice_trim(ck_slice_n(s.ptr + 7, s.len - 7));
    return s;
}

static struct ck_slice value_of(struct ck_slice v)
{
    v = ck_slice_trim(v);
    /* A comment starts at a mark that follows white space; inside a word it is part of the value.
     */
    for (size_t i = 1; i < v.len; i++)
        if ((v.ptr[i] == '#' || v.ptr[i] == ';') && (v.ptr[i - 1] == ' ' || v.ptr[i - 1] == '\t'))
            return ck_slice_trim(ck_slice_n(v.ptr, i));
    return v;
}

static char *lower(struct ck_arena *a, struct ck_slice s)
{
    char *p = ck_arena_strndup(a, s.ptr, s.len);
    for (char *c = p; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c + 32);
    return p;
}

int ck_ini_read(struct ck_arena *a, struct ck_ini *ini, const char *file, struct ck_slice text,
                bool config_file, struct ck_err *err)
{
    struct ck_slice line;
    struct ck_map *section = NULL;
    unsigned n = 0;
    while (ck_slice_next(&text, '\n', &line)) {
        n++;
        if (line.len && (line.ptr[0] == ' ' || line.ptr[0] == '\t'))
            continue;
        line = ck_slice_trim(line);
        if (!line.len || line.ptr[0] == '#' || line.ptr[0] == ';')
            continue;
        if (line.ptr[0] == '[') {
            size_t end = ck_slice_find(line, ']');
            if (end == line.len)
                return ck_fail(err, CK_INVALID, "%s:%u: a section needs a closing ]", file, n);
            section =
                section_of(a, ini, section_name(ck_slice_n(line.ptr + 1, end - 1), config_file));
            continue;
        }
        size_t eq = ck_slice_find(line, '=');
        if (eq == line.len || !section)
            return ck_fail(err, CK_INVALID, "%s:%u: expected \"key = value\" inside a section",
                           file, n);
        struct ck_slice v = value_of(ck_slice_n(line.ptr + eq + 1, line.len - eq - 1));
        ck_map_put(section, lower(a, ck_slice_trim(ck_slice_n(line.ptr, eq))),
                   ck_arena_strndup(a, v.ptr, v.len));
    }
    return 0;
}

bool ck_ini_has(const struct ck_ini *ini, const char *section)
{
    return ck_map_has(&ini->sections, section);
}

const char *ck_ini_get(const struct ck_ini *ini, const char *section, const char *key)
{
    const struct ck_map *m = ck_map_get(&ini->sections, section);
    const char *v = m ? ck_map_get(m, key) : NULL;
    return v && *v ? v : NULL;
}

void ck_ini_done(struct ck_ini *ini)
{
    for (size_t i = 0; i < ini->sections.n; i++)
        ck_map_done(ini->sections.e[i].val);
    ck_map_done(&ini->sections);
}
