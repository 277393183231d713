/* The program: everything happens in cmd/. */
int main(void)
{
    return 0;
}
