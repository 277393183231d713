#!/bin/sh
# Build the real servers that tests run against into a cache outside the checkout, once.
#   tests/servers/build.sh [NAME...]      NAME: versitygw minio toxiproxy moto
# Prints one line per server: ready, or skipped with the reason. With CKOPS_SERVERS_REQUIRED=1 a
# server that cannot be had is a failure.
set -u
cache=${CKOPS_TEST_CACHE:-$HOME/.cache/ckops-test}
mkdir -p "$cache/bin" "$cache/go" || exit 1
status=0
missing() {
    echo "servers: $1 skipped: $2"
    [ "${CKOPS_SERVERS_REQUIRED:-0}" = 1 ] && status=1
}
go_ok() {
    command -v go >/dev/null 2>&1 || return 1
    v=$(go env GOVERSION 2>/dev/null | sed 's/^go1\.\([0-9]*\).*/\1/')
    [ "${v:-0}" -ge 24 ] 2>/dev/null
}
go_build() { # name binary module
    if [ -x "$cache/bin/$1" ]; then echo "servers: $1 ready"; return; fi
    if ! go_ok; then missing "$1" "needs Go 1.24 or newer"; return; fi
    if GOBIN="$cache/go/$1" GOFLAGS=-trimpath CGO_ENABLED=0 go install -ldflags '-s -w' "$3" >"$cache/$1.log" 2>&1 &&
        mv "$cache/go/$1/$2" "$cache/bin/$1"; then
        echo "servers: $1 ready (built)"
    else
        missing "$1" "build failed, see $cache/$1.log"
    fi
}
[ $# -gt 0 ] || set -- versitygw toxiproxy moto minio
for name; do
    case $name in
    versitygw) go_build versitygw versitygw github.com/versity/versitygw/cmd/versitygw@v1.8.0 ;;
    minio) go_build minio minio github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c ;;
    toxiproxy) go_build toxiproxy server github.com/Shopify/toxiproxy/v2/cmd/server@v2.5.0 ;;
    moto)
        if [ -x "$cache/moto/bin/moto_server" ]; then
            echo "servers: moto ready"
        elif python3 -m venv "$cache/moto" >"$cache/moto.log" 2>&1 &&
            "$cache/moto/bin/pip" install -q 'moto[server]==5.2.5' boto3 >>"$cache/moto.log" 2>&1; then
            echo "servers: moto ready (installed)"
        else
            rm -rf "$cache/moto"
            missing moto "install failed, see $cache/moto.log"
        fi ;;
    *) echo "servers: unknown server $name" >&2; exit 2 ;;
    esac
done
exit $status
