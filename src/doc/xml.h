/* XML replies (S3, EC2, Azure …) into values. DTDs are refused. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "doc/val.h"

/* Elements become maps, text-only elements strings (white space kept), repeated child elements a
 * list under their name; attributes and namespaces are dropped. *ret is a map with the root
 * element's name as its only key. Errors: INVALID (not well-formed, DOCTYPE), LIMIT (64 levels,
 * max_bytes). */
int ck_xml_parse(struct ck_arena *a, struct ck_slice text, size_t max_bytes, struct ck_val **ret,
                 struct ck_err *err);
/* The children called `name`, as a list, whether XML had none, one or several. Never NULL. */
const struct ck_val *ck_xml_list(struct ck_arena *a, const struct ck_val *parent, const char *name);
/* Append s as character data or attribute value. */
void ck_xml_escape(struct ck_buf *out, struct ck_slice s);
