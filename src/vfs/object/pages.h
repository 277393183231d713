/* Pages of a listing that never end. A server, or something on the way to it, may hand out the same
 * few page tokens again and again; without a look at them that is a listing without an end. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Starts as zeros; owns nothing. */
struct ck_pages_seen {
    unsigned char kept[32]; /* SHA-256 of one of the tokens so far */
    uint64_t n;             /* how many there were */
};

/* Take note of the token of the next page; true when the tokens go in a circle, of whatever length,
 * noticed after at most three times round. "" ends a listing and starts the notes over. */
bool ck_pages_repeat(struct ck_pages_seen *s, const char *token);
