#!/usr/bin/env bash
# Measures syncs against a real NetBox, the queue and the service, and prints tables in Markdown; docs/benchmarks.md
# explains them.
#
#   tests/bench.sh [S] [M] [L] [listing] [queue] [service] [memory] [sweep] [findings] [refresh]
#                  [irr] [irr-million]
#
# Worlds: S (4 aggregates, 100 prefixes), M (10, 1,000), L (40, 10,000; takes half an hour). Without any: S M queue service.
# listing: what ARIN's public listing spares in M, in L, and in M with 50,000 loopbacks; takes a quarter of an hour.
# findings: the judging of 10,000 and 100,000 prefixes by itself.
# refresh: what it costs to bring the findings up to date after a sync.
# irr: mirrors of routing registries, next to a real IRRd that takes 200,000 objects; ten minutes. irr-million: and with one
# that takes 1,000,000, too; half an hour.
# Installs what is missing, starts a NetBox with two workers and a Redis, and stops what it started.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
LAB=tests/lab/lab.sh

WORLDS=() SERVICES=() LISTING='' IRR=''
[ $# -gt 0 ] || set -- S M queue service
for what in "$@"; do
    case $what in
    S | M | L) WORLDS+=("$what") ;;
    listing) LISTING=1 ;;
    irr) IRR=irr ;;
    irr-million) IRR=million ;;
    queue | service | memory | sweep | findings | refresh) SERVICES+=("$what") ;;
    *) sed -n '2,15s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
    esac
done

leave() {
    local rc=$?
    trap - EXIT INT TERM
    [ ! -d "$STATE/lab" ] || "$LAB" down --dir "$STATE/lab" || rc=1
    rm -rf "$STATE"
    exit "$rc"
}
STATE=$(mktemp -d "${TMPDIR:-/tmp}/rir-bench.XXXXXX")
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

cargo bench --locked --bench sync --bench listing --bench queue --bench service --bench memory --bench sweep \
    --bench findings --bench refresh --bench irr --no-run
RIR_LAB_WORKERS=2 "$LAB" up --dir "$STATE/lab" --env "$STATE/env" >/dev/null
# shellcheck disable=SC1091
. "$STATE/env"
# As after any bootstrap: workers that saw the types change may fail over them (Custom Objects plugin 0.7.1).
RIR_SIDECAR__NETBOX__URL=$RIR_LAB_NETBOX_URL RIR_SIDECAR__NETBOX__TOKEN=$RIR_LAB_NETBOX_TOKEN \
    "${CARGO_TARGET_DIR:-target}/release/rir-sidecar" bootstrap >/dev/null
"$LAB" restart --dir "$STATE/lab"
for what in "${SERVICES[@]}"; do
    cargo bench --locked --bench "$what"
done
if [ -n "$IRR" ]; then
    "$LAB" irrd --dir "$STATE/lab" --env "$STATE/irrd.env" >/dev/null
    # shellcheck disable=SC1091
    . "$STATE/irrd.env"
    cargo bench --locked --bench irr -- "$IRR"
fi
if [ ${#WORLDS[@]} -gt 0 ]; then
    cargo bench --locked --bench sync -- "${WORLDS[@]}"
fi
if [ -n "$LISTING" ]; then
    cargo bench --locked --bench listing
fi
