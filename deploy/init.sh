#!/usr/bin/env bash
# Makes what deploy/compose.yaml needs besides itself: deploy/.env and deploy/secrets/, with fresh random secrets.
# What is there already stays as it is, so that it may be run again.
#
#   deploy/init.sh             for ARIN
#   deploy/init.sh --sandbox   for a simulated ARIN in a container of its own; no API key is needed
set -euo pipefail
umask 077
cd "$(dirname "${BASH_SOURCE[0]}")"

ARIN_URLS=https://reg.arin.net,https://reg.ote.arin.net PROFILES=''
case ${1:-} in
'') ;;
--sandbox) ARIN_URLS=http://127.0.0.1:8081 PROFILES=sandbox ;;
*) sed -n '2,6s/^# \{0,1\}//p' "$(basename "$0")" >&2; exit 2 ;;
esac

if [ -e .env ] && ! grep -qx "COMPOSE_PROFILES=$PROFILES" .env; then
    echo 'deploy/.env is for the other ARIN; remove it and deploy/secrets/keys.toml first' >&2
    exit 1
fi

# Letters and digits, as many as wanted.
random() { head -c $(($1 * 16)) /dev/urandom | base64 | tr -dc 'A-Za-z0-9' | head -c "$1"; }

# Writes standard input to a file, unless there is one.
make() {
    if [ -e "$1" ]; then
        cat >/dev/null
        printf 'kept %s\n' "deploy/$1"
    else
        cat >"$1"
        printf 'made %s\n' "deploy/$1"
    fi
}

mkdir -p secrets

# NetBox makes a superuser "admin" at its first start, with this password and with the token nbt_KEY.TOKEN.
make secrets/netbox.env <<TEXT
DB_PASSWORD=$(random 40)
SECRET_KEY=$(random 64)
API_TOKEN_PEPPER_1=$(random 64)
SUPERUSER_PASSWORD=$(random 20)
SUPERUSER_API_KEY=$(random 12)
SUPERUSER_API_TOKEN=$(random 40)
TEXT

of_netbox() { sed -n "s/^$1=//p" secrets/netbox.env; }
make secrets/postgres.env <<<"POSTGRES_PASSWORD=$(of_netbox DB_PASSWORD)"

# What the sidecar reads.
make secrets/netbox-token <<<"nbt_$(of_netbox SUPERUSER_API_KEY).$(of_netbox SUPERUSER_API_TOKEN)"
make secrets/webhook-secret <<<"$(random 64)"
if [ "$PROFILES" = sandbox ]; then
    make secrets/keys.toml <<'TEXT'
# The key that the simulated ARIN knows.
[[key]]
config = "Sandbox"
user = "admin"
api_key = "API-SAND-BOX0-0000-0001"
TEXT
else
    make secrets/keys.toml <keys.example.toml
fi

# Nobody but their owner may read these files, so the sidecar's containers run as that: as you, or as the image's own user
# if you are root.
OWNER=$(id -u):$(id -g)
if [ "$(id -u)" = 0 ]; then
    OWNER=65532:65532
    chown "$OWNER" secrets/netbox-token secrets/webhook-secret secrets/keys.toml
fi

make .env <<TEXT
# Whose the sidecar's files in secrets/ are; its containers run as this user and group.
RIR_SIDECAR_USER=$OWNER
# The only places that API keys are sent to.
RIR_SIDECAR_ARIN_URLS=$ARIN_URLS
# Whether the simulated ARIN runs, too.
COMPOSE_PROFILES=$PROFILES
TEXT
