#!/bin/sh
# Peer checks: recorded runs of kOps and its golden files, found in the folder given.
#   tools/peers.sh PROGRAM FOLDER
set -u
bin=$1 shared=$2 status=0
cd "$(dirname "$0")/.." || exit 1
py=python3
$py -c 'import yaml' 2>/dev/null || py=/usr/bin/python3
t() { start=$(date +%s); "$@" || status=1; echo "   $(($(date +%s) - start)) s"; }
echo "== transcripts of kOps"
t $py tests/e2e/transcripts.py --bin "$bin" --corpus "$shared/corpus"
if "$bin" create cluster --help 2>/dev/null | grep -q -- --dry-run; then
    echo "== create cluster goldens"
    t $py "$shared/goldens/score_create_cluster.py" --bin "$bin"
fi
if "$bin" update cluster --help 2>/dev/null | grep -q -- --target; then
    echo "== update cluster goldens (add-ons are our own text: their hashes and files are not those of kOps)"
    t $py "$shared/goldens/score_update_cluster.py" --bin "$bin"
fi
exit $status
