/* Making records of what AWS has. Shared by the kinds' find functions; `w` is their world. */
#pragma once

#include "cloud/aws/read.h"
#include "task/aws/aws.h"

/* A record of the same kind and name, empty, outside of any set. */
struct ck_task *ck_aws_actual(struct ck_aws_read *w, const struct ck_task *t);
/* Remember under which id a task's object was found; and look it up. An object the user brought has
 * the id he gave. NULL: not found so far. */
void ck_aws_found(struct ck_aws_read *w, const struct ck_task *t, const char *id);
const char *ck_aws_id(const struct ck_aws_read *w, const struct ck_task *t);
/* The same of the DNS name a balancer answers to. "" when it is not known. */
void ck_aws_found_dns(struct ck_aws_read *w, const struct ck_task *t, const char *name);
const char *ck_aws_dns(const struct ck_aws_read *w, const struct ck_task *t);
/* The id of the task in a REF field. NULL: unset or not found. */
const char *ck_aws_ref_id(const struct ck_aws_read *w, const struct ck_task *t, const char *field);

/* The one object of an EC2 describe call that is the task's: by the id in its field ID, else by the
 * tags Name and KubernetesCluster. *ret NULL: none. Errors: INVALID when there are several. */
int ck_aws_ec2_one(struct ck_aws_read *w, const struct ck_task *t, const char *action,
                   const char *set, const char *id_key, const struct ck_val **ret,
                   struct ck_err *err);

/* Copy a text of the reply into a field: kept as text, number or truth as the field wants. An
 * absent text leaves it unset. */
void ck_aws_take(struct ck_task *actual, const char *field, const struct ck_val *item,
                 const char *path);
/* Tags without those AWS adds itself. */
void ck_aws_take_tags(struct ck_aws_read *w, struct ck_task *actual, const struct ck_val *set);
/* What the object names in place of the wanted task: that task if the ids agree, otherwise a record
 * named by the id. */
void ck_aws_take_ref(struct ck_aws_read *w, struct ck_task *actual, const struct ck_task *t,
                     const char *field, const char *id);
/* The same for a list of ids. */
void ck_aws_take_refs(struct ck_aws_read *w, struct ck_task *actual, const struct ck_task *t,
                      const char *field, const struct ck_val *ids);
/* A document of the reply, in the wanted text when both say the same as JSON (order and white space
 * aside); `have` may be percent-encoded, as IAM gives it. */
struct ck_slice ck_aws_same_json_text(struct ck_aws_read *w, const char *want, const char *have);
/* The same for a BYTES field. */
struct ck_slice ck_aws_same_json(struct ck_aws_read *w, const struct ck_task *t, const char *field,
                                 const char *have);

/* ---- what is left over (extra.c) ---- */
/* Whether tags (a map) make an object the cluster's own, and not that of a controller in it. */
bool ck_aws_owned(const struct ck_aws_read *w, const struct ck_val *tags);
/* How EC2 lists the objects of a kind. */
struct ck_aws_ec2_list {
    const char *action, *set, *id_key;
    const char *name_key;                    /* NULL: the tag Name */
    bool (*only)(const struct ck_val *tags); /* further condition; may be NULL */
};
/* Owned objects that are no task of the kind: by name, because that is how tasks find theirs. */
int ck_aws_ec2_extras(struct ck_aws_read *w, const struct ck_tasks *wanted,
                      const struct ck_task_kind *kind, const struct ck_aws_ec2_list *l,
                      struct ck_extras *ret, struct ck_err *err);
/* What belongs to single objects of another kind: hooks of a group, listeners of a balancer. */
struct ck_aws_children {
    const struct ck_task_kind *of;
    /* What the found object has; `id` is its own. */
    int (*list)(struct ck_aws_read *w, const char *id, const struct ck_val **ret,
                struct ck_err *err);
    /* Adds one of these to *ret unless a task wants it. */
    void (*look)(struct ck_aws_read *w, const struct ck_tasks *wanted, const struct ck_task *parent,
                 const struct ck_val *item, struct ck_extras *ret);
};
int ck_aws_child_extras(struct ck_aws_read *w, const struct ck_tasks *wanted,
                        const struct ck_aws_children *c, struct ck_extras *ret, struct ck_err *err);
/* The next task of a kind from *at on, which moves on; NULL: no more. */
const struct ck_task *ck_aws_next(const struct ck_tasks *set, const struct ck_task_kind *kind,
                                  size_t *at);

/* ---- balancer/tags.c ---- */
int ck_aws_take_elb_tags(struct ck_aws_read *w, struct ck_task *actual, const char *arn,
                         struct ck_err *err);
/* How balancers or target groups are listed; those of the cluster's own that are no task of the
 * kind are left over. */
struct ck_aws_elb_list {
    const char *action, *set, *arn_key;
    const char *name_key; /* NULL: the tag Name */
};
int ck_aws_elb_extras(struct ck_aws_read *w, const struct ck_tasks *wanted,
                      const struct ck_task_kind *kind, const struct ck_aws_elb_list *l,
                      struct ck_extras *ret, struct ck_err *err);
