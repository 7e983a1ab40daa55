#!/usr/bin/env bash
# Measures syncs against a real NetBox and prints tables in Markdown; docs/benchmarks.md explains them.
#
#   tests/bench.sh [S] [M] [L]
#
# Worlds: S (4 aggregates, 100 prefixes), M (10, 1,000), L (40, 10,000; takes half an hour). Without any: S and M.
# Installs what is missing, starts a NetBox with two workers, and stops what it started.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
LAB=tests/lab/lab.sh

for world in "$@"; do
    case $world in
    S | M | L) ;;
    *) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
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

cargo bench --locked --bench sync --no-run
RIR_LAB_WORKERS=2 "$LAB" up --dir "$STATE/lab" --env "$STATE/env" >/dev/null
# shellcheck disable=SC1091
. "$STATE/env"
# As after any bootstrap: workers that saw the types change may fail over them (Custom Objects plugin 0.7.1).
RIR_SIDECAR__NETBOX__URL=$RIR_LAB_NETBOX_URL RIR_SIDECAR__NETBOX__TOKEN=$RIR_LAB_NETBOX_TOKEN \
    cargo run --quiet --release --locked -- bootstrap >/dev/null
"$LAB" restart --dir "$STATE/lab"
cargo bench --locked --bench sync -- "$@"
