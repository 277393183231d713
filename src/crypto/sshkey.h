/* SSH public keys in authorized_keys form. */
#pragma once

#include "base/err.h"
#include "base/slice.h"

enum { CK_SSHKEY_ID_SIZE = 16 * 3 }; /* "xx:xx:…" and its NUL */

/* The MD5 fingerprint of the first key in `text`: comments, blank lines, lines that hold no key and
 * options in front of a key are skipped, as Go's ssh.ParseAuthorizedKey does.
 * Errors: INVALID `error parsing SSH public key: ssh: no key found`. */
int ck_sshkey_id(struct ck_slice text, char ret[CK_SSHKEY_ID_SIZE], struct ck_err *err);
