/* The member `examine` of drivers that have little of their own to say (clouds.c). */
#pragma once

#include "vfs/vfs.h"

int ck_gs_examine(struct ck_vfs *v, const char *key, struct ck_exam *x, struct ck_err *err);
int ck_azure_examine(struct ck_vfs *v, const char *key, struct ck_exam *x, struct ck_err *err);
int ck_k8s_examine(struct ck_vfs *v, const char *key, struct ck_exam *x, struct ck_err *err);
int ck_oss_examine(struct ck_vfs *v, const char *key, struct ck_exam *x, struct ck_err *err);
int ck_swift_examine(struct ck_vfs *v, const char *key, struct ck_exam *x, struct ck_err *err);
int ck_ssh_examine(struct ck_vfs *v, const char *key, struct ck_exam *x, struct ck_err *err);
