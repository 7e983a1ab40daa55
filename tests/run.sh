#!/usr/bin/env bash
# Runs all tests, the real NetBox included. Installs what is missing, and stops what it started.
#
#   tests/run.sh [--quick] [-- NEXTEST ARGUMENT...]
#
# --quick leaves out the tests against the real NetBox (the modules `lab::`).
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
LAB=tests/lab/lab.sh
QUICK='' RUNNING=''

while [ $# -gt 0 ]; do
    case $1 in
    --quick) QUICK=yes; shift ;;
    --) shift; break ;;
    *) sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
    esac
done

say() { printf 'run: %s\n' "$*" >&2; }

# Runs a command so that a signal reaches this script at once and not only when the command has ended.
watch_over() {
    local rc=0
    "$@" &
    RUNNING=$!
    wait "$RUNNING" || rc=$?
    RUNNING=''
    return "$rc"
}

# Ends a process and what it started; the lab's servers are no longer under it and are stopped by `down`.
end_tree() {
    local child children=()
    read -ra children 2>/dev/null <"/proc/$1/task/$1/children" || true
    for child in "${children[@]}"; do end_tree "$child"; done
    kill -TERM "$1" 2>/dev/null || true
}

leave() {
    local rc=$?
    trap - EXIT INT TERM
    if [ -n "$RUNNING" ]; then
        end_tree "$RUNNING"
        wait "$RUNNING" 2>/dev/null || true
    fi
    if [ -n "${STATE:-}" ]; then
        [ ! -d "$STATE/lab" ] || "$LAB" down --dir "$STATE/lab" || say "the lab did not stop cleanly"
        rm -rf "$STATE"
    fi
    exit "$rc"
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

STATE=$(mktemp -d "${TMPDIR:-/tmp}/rir-run.XXXXXX")

cargo nextest --version >/dev/null 2>&1 || watch_over cargo install cargo-nextest --locked

say "building"
watch_over cargo nextest run --workspace --locked --no-run

watch_over "$LAB" pyregrws >"$STATE/pyregrws"
RIR_LAB_PYREGRWS_PYTHON=$(<"$STATE/pyregrws")
export RIR_LAB_PYREGRWS_PYTHON
watch_over "$LAB" pyftpdlib >"$STATE/pyftpdlib"
RIR_LAB_PYFTPDLIB_PYTHON=$(<"$STATE/pyftpdlib")
export RIR_LAB_PYFTPDLIB_PYTHON
watch_over "$LAB" openapi >"$STATE/openapi"
RIR_LAB_OPENAPI_TOOLS=$(<"$STATE/openapi")
export RIR_LAB_OPENAPI_TOOLS
watch_over "$LAB" deploy >"$STATE/deploy"

PATH=$(<"$STATE/deploy"):$PATH watch_over pytest -p no:cacheprovider tests/deploy

if [ -n "$QUICK" ]; then
    watch_over "$LAB" redis up --dir "$STATE/lab" --env "$STATE/env" >/dev/null
    # shellcheck disable=SC1091
    . "$STATE/env"
    watch_over cargo nextest run --workspace --locked --profile quick "$@"
    say "passed without the real NetBox (--quick)"
else
    watch_over "$LAB" up --dir "$STATE/lab" --env "$STATE/env" >/dev/null
    # shellcheck disable=SC1091
    . "$STATE/env"
    # With our types in place before any test, in workers that have seen no others: a worker that saw a type before it
    # changed may answer writes to it with 500 from then on (Custom Objects plugin 0.7.1).
    export RIR_SIDECAR__NETBOX__URL=$RIR_LAB_NETBOX_URL RIR_SIDECAR__NETBOX__TOKEN=$RIR_LAB_NETBOX_TOKEN
    watch_over "${CARGO_TARGET_DIR:-target}/debug/rir-sidecar" bootstrap >/dev/null
    unset RIR_SIDECAR__NETBOX__URL RIR_SIDECAR__NETBOX__TOKEN
    watch_over "$LAB" restart --dir "$STATE/lab"
    watch_over "$LAB" irrd --dir "$STATE/lab" --env "$STATE/irrd" >/dev/null
    # shellcheck disable=SC1091
    . "$STATE/irrd"
    watch_over cargo nextest run --workspace --locked "$@"
    say "passed, the tests against a real NetBox among them"
fi
