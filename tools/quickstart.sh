#!/bin/sh
# Install, build, and walk through the everyday work on a local store: store a highly available
# cluster from a manifest, list it, show it, change it, look at the difference, write YAML and JSON.
set -eu
cd "$(dirname "$0")/.."
sh tools/deps.sh build
[ -d build ] || meson setup build -Dtests=false --buildtype=release >/dev/null
ninja -C build -v ckops >build/quickstart.log 2>&1 || { cat build/quickstart.log; exit 1; }
bin=$PWD/build/ckops
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export KOPS_STATE_STORE=$work/store
mkdir "$KOPS_STATE_STORE"
run() {
    echo
    echo "\$ ckops $*"
    "$bin" "$@"
}
run version
run create -f examples/ha.yaml
run get clusters
run get instancegroups --name ha.example.com
run get cluster ha.example.com -o yaml >"$work/before.yaml"
cat "$work/before.yaml" | head -n 12
run edit cluster ha.example.com --set spec.kubernetesVersion=1.34.2 --set spec.networking.cilium.enableL7Proxy=true
run get cluster ha.example.com -o yaml >"$work/after.yaml"
echo
echo "\$ diff before.yaml after.yaml"
diff -u "$work/before.yaml" "$work/after.yaml" | sed 1,2d || true
run get all ha.example.com -o yaml >"$work/all.yaml"
run get instancegroups --name ha.example.com -o json >"$work/igs.json"
ls -l "$work"/all.yaml "$work"/igs.json | sed "s|$work/||"
echo
echo "The program is $bin; try: KOPS_STATE_STORE=/tmp/store $bin --help"
