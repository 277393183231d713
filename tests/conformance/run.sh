#!/bin/sh
# Run the conformance program on a fresh local store.
set -eu
program=$(realpath "$2")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
unset CKOPS_MEMFS_ROOT
case $1 in
file) export CK_STORE_URL="file://$dir/store" ;;
path) cd "$dir" && export CK_STORE_URL=./store CK_RACE_ROUNDS=10 CK_CAS_STEPS=20 ;;
memory) export CK_STORE_URL=memfs://store ;;
memory-folder) export CK_STORE_URL=memfs://store CKOPS_MEMFS_ROOT="$dir" CK_RACE_ROUNDS=10 CK_CAS_STEPS=20 ;;
esac
"$program"
