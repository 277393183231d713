/* User data in several parts: the boot script and what users add for their machines' cloud-init.
 * Lines end with LF alone, which cloud-init reads as well as CR LF and people can diff. Mirrors
 * kOps pkg/model/bootstrapscript.go (AddBootstrapScripts, MIME). */
#include "model/nodeup/internal.h"

#include <string.h>

static const char BOUNDARY[] = "MIMEBOUNDARY";

static void put_part(struct ck_buf *out, const char *name, const char *type, struct ck_slice body)
{
    ck_buf_fmt(out,
               "--%s\n"
               "Content-Disposition: attachment; filename=\"%s\"\n"
               "Content-Transfer-Encoding: 7bit\n"
               "Content-Type: %s\n"
               "Mime-Version: 1.0\n\n",
               BOUNDARY, name, type);
    ck_buf_put(out, body);
    ck_buf_puts(out, "\n");
}

/* What stands in a header must not start another one. */
static int check_header(const struct ck_object *group, size_t i, const char *field,
                        const char *value, struct ck_err *err)
{
    if (!strpbrk(value, "\r\n\""))
        return 0;
    return ck_fail(err, CK_INVALID,
                   "instance group \"%s\": spec.additionalUserData[%zu].%s must not contain quotes "
                   "or line breaks",
                   ck_object_name(group), i, field);
}

int ck_nodeup_mime(const struct ck_object *group, struct ck_slice script, struct ck_buf *out,
                   struct ck_err *err)
{
    const struct ck_val *parts = ck_get(ck_object_spec(group), "additionalUserData");
    if (!ck_len(parts)) {
        ck_buf_put(out, script);
        return 0;
    }
    ck_buf_fmt(out, "Content-Type: multipart/mixed; boundary=\"%s\"\nMIME-Version: 1.0\n\n",
               BOUNDARY);
    if (script.len)
        put_part(out, "nodeup.sh", "text/x-shellscript", script);
    for (size_t i = 0; i < ck_len(parts); i++) {
        const char *name = ck_str_at(ck_item(parts, i), "name");
        const char *type = ck_str_at(ck_item(parts, i), "type");
        int r = check_header(group, i, "name", name, err);
        if (!r)
            r = check_header(group, i, "type", type, err);
        if (r)
            return r;
        put_part(out, name, type, ck_slice_of(ck_str_at(ck_item(parts, i), "content")));
    }
    ck_buf_fmt(out, "--%s--\n", BOUNDARY);
    return 0;
}
