#!/usr/bin/env bash
# Fuzzes the targets one after the other with libFuzzer, which is led by the code that each input reaches.
#
#   tests/fuzz.sh [SECONDS [TARGET...]]
#
# Ten minutes each unless told otherwise. A target is a test in a module `fuzz`, such as outbound::fuzz; part of its name
# will do. Needs a C++ compiler. What was learnt stays in target/fuzz/corpus. An input that is found stays in
# target/fuzz/found, and is shown; the script then ends with 1.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
export CARGO_TERM_COLOR=never
HOST=$(rustc -vV | sed -n 's/^host: //p')
FOLDER=$PWD/target/fuzz
SECONDS_EACH=${1:-600}
[ $# -eq 0 ] || shift
case $SECONDS_EACH in
'' | *[!0-9]*) sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac

say() { printf 'fuzz: %s\n' "$*" >&2; }

# The compiler's own counters of the code that is reached. Naming the target keeps them out of build scripts.
build() {
    local pass=-Cllvm-args=-sanitizer-coverage
    CARGO_TARGET_DIR=$FOLDER/build CARGO_PROFILE_DEV_OPT_LEVEL=1 CARGO_PROFILE_DEV_DEBUG=line-tables-only \
        CARGO_ENCODED_RUSTFLAGS=$(printf '%s\x1f' --cfg fuzzing --cfg fuzzing_libfuzzer -Ccodegen-units=1 \
            -Cpasses=sancov-module "$pass-level=4" "$pass-inline-8bit-counters" "$pass-pc-table" "$pass-trace-compares" |
            sed 's/\x1f$//') \
        cargo test --locked --lib --target "$HOST" --no-run --message-format=json-render-diagnostics |
        sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -n 1
}

say "building"
PROGRAM=$(build)
mapfile -t ALL < <("$PROGRAM" --list 2>/dev/null | sed -n 's/^\(.*::fuzz::.*\): test$/\1/p')
mkdir -p "$FOLDER/corpus" "$FOLDER/found"
FOUND=0
for target in "${ALL[@]}"; do
    wanted=$#
    for part in "$@"; do [[ $target != *"$part"* ]] || wanted=0; done
    [ "$wanted" = 0 ] || continue
    name=${target//::/-}
    log=$FOLDER/$name.log
    words=$FOLDER/corpus/$name.words
    [ -e "$words" ] || echo '# written by the target' >"$words"
    if RIR_FUZZ_CORPUS=$FOLDER/corpus/$name \
        BOLERO_LIBFUZZER_ARGS="$FOLDER/corpus/$name -max_total_time=$SECONDS_EACH -timeout=10 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 -dict=$words -artifact_prefix=$FOLDER/found/$name-" \
        "$PROGRAM" --exact "$target" --nocapture >"$log" 2>&1; then
        result=nothing
    else
        result="something, see $log"
        FOUND=1
    fi
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    reached=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
    say "$target: ${runs:-0} inputs, ${reached:-0} places in the code reached, found $result"
done
exit "$FOUND"
