#!/bin/sh
# Build kube-apiserver, and kubectl where there is none, into CACHE/bin. Called by build.sh.
#   k8s_build.sh CACHE
# The module k8s.io/kubernetes cannot be installed directly: its go.mod replaces the staging modules
# by folders. A module of our own repeats the replacements with their published versions.
set -eu
cache=$1
version=1.36.3
staging=v0.${version#1.}
work=$cache/go/k8s
mkdir -p "$work" "$cache/bin"
cd "$work"
export GOFLAGS=-trimpath CGO_ENABLED=0 GOTOOLCHAIN=local
mod=$(go mod download -json "k8s.io/kubernetes@v$version" | sed -n 's/.*"GoMod": "\(.*\)".*/\1/p')
{
    printf 'module wrap\ngo 1.26.0\nrequire k8s.io/kubernetes v%s\n' "$version"
    sed -n 's/^[[:space:]]*\(replace \)\{0,1\}\([^ ]*\) => \.\/staging.*/\2/p' "$mod" |
        while read -r name; do printf 'replace %s => %s %s\n' "$name" "$name" "$staging"; done
} >go.mod
wanted=kube-apiserver
command -v kubectl >/dev/null 2>&1 || wanted="$wanted kubectl"
{
    printf '//go:build tools\n\npackage wrap\n\nimport (\n'
    for name in $wanted; do printf '\t_ "k8s.io/kubernetes/cmd/%s"\n' "$name"; done
    printf ')\n'
} >tools.go
go mod tidy || for name in $wanted; do go get "k8s.io/kubernetes/cmd/$name@v$version"; done
v=k8s.io/component-base/version
for name in $wanted; do
    go build -ldflags "-s -w -X $v.gitVersion=v$version -X $v.gitMajor=1 -X $v.gitMinor=36 -X $v.gitTreeState=clean" \
        -o "$cache/bin/$name.new" "k8s.io/kubernetes/cmd/$name"
    mv "$cache/bin/$name.new" "$cache/bin/$name"
done
cd "$cache"
rm -rf "$work"
