/* Whose files and command line this program is compatible with. */
#pragma once

/* The kops release; what it writes to kops-version.txt and compares channels with. */
#define CK_KOPS_VERSION "1.37.0-alpha.1"
