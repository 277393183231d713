#!/bin/sh
# Install what the tests need and run them: unit, conformance, crash, end to end, transcripts,
# sanitizers, a second compiler, formatting, layers, style, fuzz corpora.
#   tools/test.sh [--quick]     --quick: one build, no sanitizers, no second compiler, no analysis
# Prints a line per stage with its time and ends with "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 1
quick=0
[ "${1:-}" = --quick ] && quick=1
out=${CKOPS_BUILD_ROOT:-$PWD/build-test}
mkdir -p "$out"
passed=0 failed=0
py=python3
stage() { # name command...
    name=$1; shift
    start=$(date +%s)
    log=$out/$(echo "$name" | tr ' /' '__').log
    if "$@" >"$log" 2>&1; then
        passed=$((passed + 1)); verdict=ok
    else
        failed=$((failed + 1)); verdict=FAILED
    fi
    echo "== $name: $verdict ($(($(date +%s) - start)) s)"
    if [ $verdict = FAILED ]; then tail -n 200 "$log"; else grep -E '^(skipped|different|transcripts|servers):' "$log"; fi
    true
}
build() { # dir options...
    dir=$1; shift
    [ -f "$dir/build.ninja" ] || meson setup "$dir" "$@" || return 1
    ninja -C "$dir"
}
unit() {
    meson test -C "$1" --no-rebuild --print-errorlogs --timeout-multiplier "${2:-1}"
    status=$?
    grep -ah '^skipped:' "$1/meson-logs/testlog.txt" | sort -u
    return $status
}
e2e() {
    dir=$1; shift
    CKOPS_BIN=$dir/ckops CKOPS_BUILD=$dir $py tests/e2e/run.py "$@"
}
# The commands that use threads. Where the kernel spreads addresses wider than gcc 12's ThreadSanitizer can bear, it is told not to.
THREADED=store_copy,store_guarded,store_migrate,store_lock,several_stores,keysneeded,keys
threads() {
    dir=$1 calm=
    "$dir/ckops" version >/dev/null 2>&1 || calm="setarch -R"
    CKOPS_BIN=$dir/ckops CKOPS_BUILD=$dir TSAN_OPTIONS=exitcode=66 $calm $py tests/e2e/run.py --files $THREADED -m "not slow"
}
formatted() {
    files=$(git ls-files 'src/*.c' 'src/*.h' 'tests/*.c' 'tests/*.h')
    # shellcheck disable=SC2086
    clang-format-14 --dry-run -Werror $files
}
analysis() {
    dir=$out/analyzer
    [ -f "$dir/build.ninja" ] || meson setup "$dir" -Dtests=false -Dc_args=-fanalyzer -Dwerror=true --buildtype=debugoptimized || return 1
    ninja -C "$dir"
}
fuzz_replay() { $py tests/fuzz/replay.py --build "$1"; }

echo "installing what is missing"
sh tools/deps.sh test || exit 1
$py -c 'import pytest, yaml' 2>/dev/null || py=/usr/bin/python3
export PYTHONDONTWRITEBYTECODE=1

stage "layers" $py tools/check_layers.py
stage "style" $py tools/check_style.py
stage "formatting" formatted
stage "build gcc" build "$out/gcc" -Dwerror=true --buildtype=release -Db_ndebug=false
stage "unit" unit "$out/gcc"
stage "test servers" tests/servers/build.sh
stage "end to end" e2e "$out/gcc"
if [ $quick = 0 ]; then
    stage "build asan+ubsan" build "$out/asan" -Db_sanitize=address,undefined -Db_lundef=false
    stage "unit asan+ubsan" env CK_RACE_ROUNDS=10 CK_CAS_STEPS=20 ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 sh -c "cd '$PWD' && meson test -C '$out/asan' --no-rebuild --print-errorlogs --timeout-multiplier 6"
    CKOPS_SANITIZED=1
    export CKOPS_SANITIZED
    stage "end to end asan+ubsan" e2e "$out/asan" -m "not slow"
    stage "build tsan" build "$out/tsan" -Db_sanitize=thread -Db_lundef=false --buildtype=debugoptimized
    stage "end to end tsan" threads "$out/tsan"
    unset CKOPS_SANITIZED
    stage "fuzz corpora" fuzz_replay "$out/asan"
    CC=clang-14
    export CC
    stage "build clang" build "$out/clang" -Dwerror=true
    unset CC
    stage "unit clang" env CK_RACE_ROUNDS=5 CK_CAS_STEPS=10 meson test -C "$out/clang" --no-rebuild --print-errorlogs
    stage "static analysis" analysis
fi
echo "$passed passed, $failed failed"
[ $failed = 0 ]
