/* Locations that are no stores, http(s):// and metadata://, over scripted exchanges. */
#include "net/replay.h"
#include "vfs/vfs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Reads `location` over the scripted exchanges: its content or error text into `out`. */
static int fetch(struct ck_env *env, const char *script, const char *location, struct ck_buf *out)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    struct ck_vfs_ctx ctx = {.env = env, .arena = a};
    struct ck_replay *replay = ck_replay_new(script, &err);
    assert_non_null(replay);
    ctx.http = ck_http_new(env, &ck_replay_ops, replay);
    int r = ck_vfs_read_location(&ctx, location, out, &err);
    if (r < 0) {
        ck_buf_reset(out);
        ck_buf_puts(out, ck_err_msg(&err));
    }
    CK_AUTOERR end = CK_ERR_INIT;
    if (ck_replay_finished(replay, &end) < 0)
        fail_msg("%s: %s (%s)", location, ck_err_msg(&end), ck_buf_str(out));
    ck_vfs_ctx_done(&ctx);
    return r;
}

static void gives(const char *script, const char *location, int want, const char *text)
{
    struct ck_env env = {0};
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    assert_int_equal(fetch(&env, script, location, &out), want);
    assert_string_equal(ck_buf_str(&out), text);
    ck_env_done(&env);
}

static void test_an_http_location_is_read(void **state)
{
    gives("> GET https://x.example.com/channels/stable\n< 200\n<= body\n",
          "https://x.example.com/channels/stable", 0, "body");
}

static void test_redirects_of_http_locations_are_followed(void **state)
{
    gives("> GET https://x.example.com/a\n< 302\n< location: https://y.example.com/b\n"
          "> GET https://y.example.com/b\n< 200\n<= moved\n",
          "https://x.example.com/a", 0, "moved");
}

static void test_V102_absent_locations_are_not_found(void **state)
{
    gives("> GET https://x.example.com/a\n< 404\n", "https://x.example.com/a", -CK_NOT_FOUND,
          "file does not exist");
}

static void test_V102_403_fails_at_once(void **state)
{
    gives("> GET https://x.example.com/a\n< 403\n<= no\n", "https://x.example.com/a", -CK_INVALID,
          "unexpected response code \"403\" for \"https://x.example.com/a\": no");
}

static void test_V102_5xx_is_retried(void **state)
{
    gives("> GET https://x.example.com/a\n< 503\n"
          "> GET https://x.example.com/a\n< 200\n<= back\n",
          "https://x.example.com/a", 0, "back");
}

static void test_V103_gce_metadata_has_its_header_and_no_double_slash(void **state)
{
    gives("> GET http://169.254.169.254/computeMetadata/v1/instance/hostname\n"
          "> metadata-flavor: Google\n< 200\n<= host-1\n",
          "metadata://gce/instance/hostname", 0, "host-1");
}

static void test_aws_metadata_takes_a_session_token(void **state)
{
    gives("> PUT http://169.254.169.254/latest/api/token\n"
          "> x-aws-ec2-metadata-token-ttl-seconds: 300\n< 200\n<= tok\n"
          "> GET http://169.254.169.254/latest/meta-data/instance-id\n"
          "> x-aws-ec2-metadata-token: tok\n< 200\n<= i-1\n",
          "metadata://aws/meta-data/instance-id", 0, "i-1");
    gives("", "metadata://aws/user-data", -CK_INVALID, "unhandled aws metadata path \"user-data\"");
}

static void test_other_metadata_services(void **state)
{
    gives("> GET http://169.254.169.254/metadata/v1/id\n< 200\n<= 7\n",
          "metadata://digitalocean/id", 0, "7");
    gives("> GET http://169.254.169.254/latest/meta-data/local-hostname\n< 200\n<= h\n",
          "metadata://openstack/local-hostname", 0, "h");
    gives("", "metadata://moon/x", -CK_INVALID,
          "unknown metadata type: \"moon\" in \"metadata://moon/x\"");
}

static void test_metadata_redirects_are_not_followed(void **state)
{
    gives("> GET http://169.254.169.254/metadata/v1/id\n< 302\n< location: http://evil.example/\n",
          "metadata://digitalocean/id", -CK_INVALID,
          "unexpected response code \"302\" for \"metadata://digitalocean/id\": ");
}

static void test_credentials_in_a_location_are_not_repeated(void **state)
{
    struct ck_env env = {0};
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    assert_int_equal(fetch(&env, "", "https://user:hidden@x.example.com/a", &out), -CK_INVALID);
    assert_null(strstr(ck_buf_str(&out), "hidden"));
}

static void test_anything_else_is_a_store_or_a_file(void **state)
{
    char path[] = "/tmp/ckops-location-XXXXXX", url[64];
    int fd = mkstemp(path);
    assert_int_equal(write(fd, "x", 1), 1);
    close(fd);
    snprintf(url, sizeof url, "file://%s", path);
    gives("", path, 0, "x");
    gives("", url, 0, "x");
    unlink(path);
    gives("", path, -CK_NOT_FOUND, "file does not exist");
    gives("", "foo://x", -CK_INVALID, "unknown / unhandled path type: \"foo://x\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_http_location_is_read),
        cmocka_unit_test(test_redirects_of_http_locations_are_followed),
        cmocka_unit_test(test_V102_absent_locations_are_not_found),
        cmocka_unit_test(test_V102_403_fails_at_once),
        cmocka_unit_test(test_V102_5xx_is_retried),
        cmocka_unit_test(test_V103_gce_metadata_has_its_header_and_no_double_slash),
        cmocka_unit_test(test_aws_metadata_takes_a_session_token),
        cmocka_unit_test(test_other_metadata_services),
        cmocka_unit_test(test_metadata_redirects_are_not_followed),
        cmocka_unit_test(test_credentials_in_a_location_are_not_repeated),
        cmocka_unit_test(test_anything_else_is_a_store_or_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
