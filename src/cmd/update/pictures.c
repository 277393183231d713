/* `--graph` and `--graph-tasks`: DOT files, and SVG through Graphviz. */
#include "cmd/update/pictures.h"

#include "base/file.h"
#include "target/graph.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FILE_MODE = 0644, EXEC_FAILED = 127 };

static int run_dot(const char *dot, const char *svg, struct ck_err *err)
{
    char *const argv[] = {(char[]){"dot"}, (char[]){"-Tsvg"}, (char[]){"-o"},
                          (char *)svg,     (char *)dot,       NULL};
    extern char **environ;
    pid_t pid;
    int status = 0, e = posix_spawnp(&pid, "dot", NULL, NULL, argv, environ);
    if (!e)
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
    if (e || (WIFEXITED(status) && WEXITSTATUS(status) == EXEC_FAILED))
        return ck_fail(err, CK_UNSUPPORTED,
                       "drawing %s takes Graphviz' dot, which is not installed; name a .dot file "
                       "instead",
                       svg);
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        return ck_fail(err, CK_IO, "dot could not draw %s", svg);
    return 0;
}

static int draw(struct ck_arena *a, const char *file, const struct ck_buf *dot, struct ck_err *err)
{
    if (ck_str_ends(file, ".dot"))
        return ck_file_write(file, ck_buf_slice(dot), FILE_MODE, err);
    if (!ck_str_ends(file, ".svg"))
        return ck_fail(err, CK_INVALID, "a picture's name ends in .dot or .svg: \"%s\"", file);
    const char *source = ck_arena_printf(a, "%s.dot", file);
    int r = ck_file_write(source, ck_buf_slice(dot), FILE_MODE, err);
    if (r)
        return r;
    r = run_dot(source, file, err);
    unlink(source);
    return r;
}

int ck_update_pictures(struct ck_ctx *ctx, const struct ck_update *u, const struct ck_plan *plan,
                       const char *cluster_file, const char *tasks_file, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf cluster = CK_BUF_INIT;
    CK_AUTOBUF struct ck_buf tasks = CK_BUF_INIT;
    int r = 0;
    if (*cluster_file) {
        ck_graph_cluster(u->order, u->tasks.n, u->model.name, &cluster);
        r = draw(ctx->arena, cluster_file, &cluster, err);
    }
    if (!r && *tasks_file) {
        ck_graph_tasks(u->order, u->tasks.n, plan, &tasks);
        r = draw(ctx->arena, tasks_file, &tasks, err);
    }
    return r;
}
