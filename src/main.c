/* The program: everything happens in cmd/. */
#include "cmd/cmd.h"

int main(int argc, char **argv)
{
    return ck_main(argc, argv);
}
