/* Runs a command N times and prints the median wall time and the largest peak memory. A program of
 * its own because a child's peak starts from that of the process that forked it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    int n = argc > 2 ? atoi(argv[1]) : 0;
    if (n < 1 || n > 1000)
        return 2;
    double times[1000];
    long peak = 0;
    for (int i = 0; i < n; i++) {
        double start = now_ms();
        pid_t pid = fork();
        if (pid == 0) {
            int null = open("/dev/null", O_WRONLY);
            dup2(null, 1);
            dup2(null, 2);
            execvp(argv[2], argv + 2);
            _exit(127);
        }
        int status;
        struct rusage u;
        wait4(pid, &status, 0, &u);
        times[i] = now_ms() - start;
        if (u.ru_maxrss > peak)
            peak = u.ru_maxrss;
    }
    qsort(times, (size_t)n, sizeof *times, by_value);
    printf("%8.1f ms %8.1f MB\n", times[n / 2], (double)peak / 1024);
    return 0;
}
