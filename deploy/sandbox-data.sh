#!/usr/bin/env bash
# Puts something to look up into the NetBox of compose.yaml: some of the space that the simulated ARIN knows, and an RIR
# config for it. For a NetBox that was started for the first time, and only with `init.sh --sandbox`.
#
#   deploy/sandbox-data.sh
#
# NETBOX_URL and ARIN_URL (as the sidecar reaches it) say where they are; the defaults are those of compose.yaml.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

NETBOX=${NETBOX_URL:-http://localhost:8000}
ARIN=${ARIN_URL:-http://127.0.0.1:8081}
TOKEN=${NETBOX_TOKEN:-$(<secrets/netbox-token)}

# The token goes in by a file descriptor, as everybody can see a command's arguments.
call() { curl -fsS --config <(printf 'header = "Authorization: Bearer %s"\n' "$TOKEN") -H 'Content-Type: application/json' "$@"; }

post() { # PATH JSON
    call "$NETBOX/api/$1/" -d "$2"
}

id_of() { sed -n 's/^{"id":\([0-9]*\),.*/\1/p'; }

for _ in $(seq 60); do
    ! call "$NETBOX/api/status/" >/dev/null 2>&1 || break
    sleep 2
done

rir=$(post ipam/rirs '{"name": "ARIN", "slug": "arin"}' | id_of)
post ipam/aggregates "[{\"prefix\": \"23.144.0.0/20\", \"rir\": $rir}, {\"prefix\": \"2600:4000::/32\", \"rir\": $rir}]" >/dev/null
post ipam/prefixes '[{"prefix": "23.144.1.0/24"}, {"prefix": "23.144.2.0/24"}, {"prefix": "23.144.8.0/22"}]' >/dev/null
config=$(post plugins/custom-objects/rir-config \
    "{\"name\": \"Sandbox\", \"rir\": $rir, \"registry\": \"arin\", \"org_handle\": \"EXAMPLE-NET-1\", \"api_url\": \"$ARIN\"}" | id_of)
printf 'made RIR %s with two aggregates and three prefixes, and RIR config %s\n' "$rir" "$config"
