/* What facts say of images and machine types. Internal to model/aws/. */
#pragma once

#include "model/model.h"

struct ck_aws_image {
    const char *id, *root_device;
};

/* By "ami-…", "OWNER/NAME" or NAME, the newest by creation date; owner aliases are resolved. An id
 * that no fact describes is itself, with the usual root device. False: unknown. */
bool ck_aws_image_find(const struct ck_model *m, const char *name, struct ck_aws_image *ret);
/* The account of an owner's name ("ubuntu"); anything else is an account already. */
const char *ck_aws_image_owner(struct ck_arena *a, const char *owner, size_t len);
/* {device_name, virtual_name} of the disks inside machines of this type; NULL when none. */
const struct ck_val *ck_aws_ephemeral_devices(const struct ck_model *m, const char *machine_type);
/* The facts of a machine type; NULL. */
const struct ck_val *ck_aws_machine_type(const struct ck_model *m, const char *machine_type);
/* A quantity as a whole number, 0 when absent or fractional; a duration in nanoseconds. */
int64_t ck_aws_quantity(const struct ck_val *v);
int64_t ck_aws_duration(const struct ck_val *v);
