/* Runs a fuzz target over the files named on the command line: the corpus as a test. */
#include "base/file.h"
#include "fuzz.h"

#include <stdio.h>

enum { INPUT_MAX = 16 << 20 };

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
        CK_AUTOERR err = CK_ERR_INIT;
        if (ck_file_read(argv[i], INPUT_MAX, &b, &err) < 0) {
            fprintf(stderr, "%s\n", ck_err_msg(&err));
            return 1;
        }
        LLVMFuzzerTestOneInput((const uint8_t *)ck_buf_str(&b), b.len);
    }
    printf("%d inputs\n", argc - 1);
    return 0;
}
