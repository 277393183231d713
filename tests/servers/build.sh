#!/bin/sh
# Build the real servers that tests run against into a cache outside the checkout, once.
#   tests/servers/build.sh [NAME...]      NAME: versitygw minio toxiproxy moto swift sshd fake-gcs-server gcsemulator azurite vendors-gcs-azure vendors-oss k8s
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
node_ok() {
    command -v npm >/dev/null 2>&1 || return 1
    v=$(node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/')
    [ "${v:-0}" -ge 20 ] 2>/dev/null
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
[ $# -gt 0 ] || set -- versitygw toxiproxy moto minio swift sshd fake-gcs-server gcsemulator azurite vendors-gcs-azure vendors-oss k8s
for name; do
    case $name in
    versitygw) go_build versitygw versitygw github.com/versity/versitygw/cmd/versitygw@v1.8.0 ;;
    minio) go_build minio minio github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c ;;
    fake-gcs-server) go_build fake-gcs-server fake-gcs-server github.com/fsouza/fake-gcs-server@v1.56.1 ;;
    gcsemulator) go_build gcsemulator gcsemulator github.com/fullstorydev/emulators/storage/cmd/gcsemulator@v0.0.0-20240401123056-edc69752f474 ;;
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
    swift)
        have_swift() { "${CKOPS_SWIFT_PYTHON:-/usr/bin/python3}" -c 'import swift, keystone, keystonemiddleware, swiftclient' 2>/dev/null; }
        if ! have_swift && [ "$(id -u)" = 0 ]; then
            { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
                python3-swift python3-keystone python3-swiftclient; } >"$cache/swift.log" 2>&1
        fi
        if ! have_swift; then
            missing swift "needs Debian's python3-swift, python3-keystone and python3-swiftclient, see $cache/swift.log"
        elif CKOPS_TEST_CACHE=$cache python3 "$(dirname "$0")/swift_server.py" build >>"$cache/swift.log" 2>&1; then
            echo "servers: swift ready"
        else
            missing swift "its identities could not be made, see $cache/swift.log"
        fi ;;
    sshd) # as root it needs a user of its own, so it is installed; nothing is to listen afterwards
        if [ ! -x /usr/sbin/sshd ] && [ "$(id -u)" = 0 ]; then
            policy=/usr/sbin/policy-rc.d
            [ -e $policy ] && policy= || { printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy; }
            { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
                openssh-server openssh-client; } >"$cache/sshd.log" 2>&1
            [ -z "$policy" ] || rm -f "$policy"
        fi
        if [ -x /usr/sbin/sshd ]; then
            echo "servers: sshd ready"
        else
            missing sshd "needs Debian's openssh-server, see $cache/sshd.log"
        fi ;;
    azurite)
        if [ -f "$cache/azurite/node_modules/azurite/dist/src/blob/main.js" ]; then
            echo "servers: azurite ready"
        elif ! node_ok; then
            missing azurite "needs Node 20 or newer with npm"
        elif npm install --prefix "$cache/azurite" azurite@3.35.0 --no-audit --no-fund --loglevel=error >"$cache/azurite.log" 2>&1; then
            echo "servers: azurite ready (installed)"
        else
            rm -rf "$cache/azurite"
            missing azurite "install failed, see $cache/azurite.log"
        fi ;;
    vendors-gcs-azure) # the vendors' own clients of gs:// and azureblob://
        if [ -x "$cache/vendors-gcs-azure/bin/python" ]; then
            echo "servers: vendors-gcs-azure ready"
        elif python3 -m venv "$cache/vendors-gcs-azure" >"$cache/vendors-gcs-azure.log" 2>&1 &&
            "$cache/vendors-gcs-azure/bin/pip" install -q google-cloud-storage==3.17.1 azure-storage-blob==12.31.1 >>"$cache/vendors-gcs-azure.log" 2>&1; then
            echo "servers: vendors-gcs-azure ready (installed)"
        else
            rm -rf "$cache/vendors-gcs-azure"
            missing vendors-gcs-azure "install failed, see $cache/vendors-gcs-azure.log"
        fi ;;
    vendors-oss) # the vendor's own clients of oss://, which check the double's signatures
        if [ -x "$cache/vendors-oss/bin/python" ]; then
            echo "servers: vendors-oss ready"
        elif python3 -m venv "$cache/vendors-oss" >"$cache/vendors-oss.log" 2>&1 &&
            "$cache/vendors-oss/bin/pip" install -q oss2==2.19.1 alibabacloud-oss-v2==1.4.1 >>"$cache/vendors-oss.log" 2>&1; then
            echo "servers: vendors-oss ready (installed)"
        else
            rm -rf "$cache/vendors-oss"
            missing vendors-oss "install failed, see $cache/vendors-oss.log"
        fi ;;
    k8s) # etcd from Debian; kube-apiserver, and kubectl where there is none, are built
        if ! command -v etcd >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
            policy=/usr/sbin/policy-rc.d
            [ -e $policy ] && policy= || { printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy; }
            { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
                etcd-server; } >"$cache/k8s.log" 2>&1
            [ -z "$policy" ] || rm -f "$policy"
        fi
        if ! command -v etcd >/dev/null 2>&1; then
            missing k8s "needs Debian's etcd-server, see $cache/k8s.log"
        elif [ -x "$cache/bin/kube-apiserver" ] && { [ -x "$cache/bin/kubectl" ] || command -v kubectl >/dev/null 2>&1; }; then
            echo "servers: k8s ready"
        elif ! go_ok; then
            missing k8s "needs Go 1.24 or newer"
        elif sh "$(dirname "$0")/k8s_build.sh" "$(realpath "$cache")" >>"$cache/k8s.log" 2>&1; then
            echo "servers: k8s ready (built)"
        else
            missing k8s "build failed, see $cache/k8s.log"
        fi ;;
    *) echo "servers: unknown server $name" >&2; exit 2 ;;
    esac
done
exit $status
