#!/bin/sh
# Install what building (and with "test", testing) needs, from Debian's packages. Does nothing for
# packages that are there already.
set -eu
build="gcc meson ninja-build pkg-config python3 git ca-certificates libcurl4-openssl-dev libssl-dev libyaml-dev libexpat1-dev libjansson-dev"
test="libcmocka-dev clang-14 clang-format-14 clang-tidy-14 libclang-rt-14-dev python3-pytest python3-yaml python3-venv openssl openssh-client strace valgrind"
want=$build
[ "${1:-build}" = test ] && want="$build $test"
need=
for p in $want; do
    dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || need="$need $p"
done
[ -z "$need" ] && exit 0
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $need >/dev/null
