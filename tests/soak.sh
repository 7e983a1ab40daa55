#!/usr/bin/env bash
# Runs three replicas, a real Redis and simulated systems full of faults for a while, kills one of them every twenty seconds,
# and looks whether anything was lost or doubled. Prints tables in Markdown, and ends with 1 if something does not hold, or
# was not tried enough to tell.
#
#   tests/soak.sh [MINUTES]
#
# Thirty minutes unless told otherwise; three more until everything has come to an end. Not a part of CI.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

MINUTES=${1:-30}
case $MINUTES in
'' | *[!0-9]*) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
if ! command -v redis-server >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends redis-server >/dev/null
fi
exec cargo bench --locked --bench soak -- "$MINUTES"
