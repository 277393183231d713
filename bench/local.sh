#!/bin/sh
# Figures on local stores: start-up, memory, listings, YAML. Prints medians; fails nothing.
#   bench/local.sh PROGRAM [KOPS]
set -eu
bin=$(realpath "$1")
kops=${2:-}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export KOPS_STATE_STORE="" HOME="$dir"
cc -O2 -o "$dir/peak" "$(dirname "$0")/peak.c"
median() { "$dir/peak" "$@"; } # runs command... : milliseconds (median) and peak memory
row() { # title runs command...
    title=$1; shift
    printf '%-36s %s\n' "$title" "$(median "$@")"
    if [ -n "$kops" ]; then
        n=$1; shift 2
        printf '%-36s %s\n' "  kops" "$(median "$n" "$kops" "$@")"
    fi
}
clusters() { # count folder
    i=0
    while [ $i -lt "$1" ]; do
        mkdir -p "$2/c$i.example.com"
        sed "s/ha.example.com/c$i.example.com/" "$dir/config" >"$2/c$i.example.com/config"
        i=$((i + 1))
    done
}
cd "$(dirname "$0")/.."
"$bin" create -f examples/ha.yaml --state "$dir/one" >/dev/null
cp "$dir/one/ha.example.com/config" "$dir/config"
clusters 100 "$dir/c100"
clusters 1000 "$dir/c1000"
{ printf 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: big\ndata:\n'; i=0; while [ $i -lt 12000 ]; do echo "  key$i: some value of the usual length, more or less, number $i"; i=$((i + 1)); done; } >"$dir/large.yaml"
{ sed -n '1,/^---$/p' examples/ha.yaml | sed '$d' | sed 's/ha.example.com/big.example.com/'; echo ---; cat "$dir/large.yaml"; } >"$dir/big.yaml"
size=$(stat -c %s "$dir/config")
strip -o "$dir/stripped" "$bin"
echo "stripped binary: $(stat -c %s "$dir/stripped") bytes; one config: $size bytes"
row "version" 31 "$bin" version
row "get clusters, 1" 21 "$bin" get clusters --state "$dir/one"
row "get clusters, 100" 21 "$bin" get clusters --state "$dir/c100"
row "get clusters, 1000" 11 "$bin" get clusters --state "$dir/c1000"
row "get clusters -o yaml, 1000" 7 "$bin" get clusters -o yaml --state "$dir/c1000"
row "get clusters -o json, 1000" 7 "$bin" get clusters -o json --state "$dir/c1000"
row "create cluster --dry-run" 11 "$bin" create cluster b.example.com --cloud aws --zones us-east-1a --dry-run -o yaml --state "$dir/one"
"$bin" create cluster g.example.com --cloud aws --zones us-east-1a --dry-run -o yaml --state "$dir/one" 2>/dev/null >"$dir/g.yaml"
for n in 500 1000 2000; do
    awk -v n=$n 'BEGIN { RS = "\n---\n" } NR < 3 { print $0 "\n---" } NR == 3 { for (i = 0; i < n; i++) { t = $0; gsub("nodes-us-east-1a", "n" i, t); print t "\n---" } }' "$dir/g.yaml" | sed '$d' >"$dir/g$n.yaml"
    row "populate and validate, $n groups" 7 "$bin" validate -f "$dir/g$n.yaml"
done
"$bin" create -f "$dir/big.yaml" --state "$dir/big" >/dev/null
row "read and write 1 MB YAML (get all)" 7 "$bin" get all big.example.com -o yaml --state "$dir/big"
