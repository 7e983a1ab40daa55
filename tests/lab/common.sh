# Paths, versions and small words that every part of the lab uses. Sourced by lab.sh.
# shellcheck shell=bash disable=SC2034

NETBOX_VERSION=4.7.3
PLUGIN_VERSION=0.7.1
PYREGRWS_VERSION=1.0.1
PYFTPDLIB_VERSION=2.2.0

CACHE_ROOT=${RIR_SIDECAR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/netbox-rir-sidecar}
CACHE=$CACHE_ROOT/netbox-$NETBOX_VERSION-$PLUGIN_VERSION
VENV=$CACHE/venv
DUMP=$CACHE/migrated.dump
SECRETS=$CACHE/secrets.env
IRRD_VERSION=4.5.4
IRRD=$CACHE_ROOT/irrd-$IRRD_VERSION
PYREGRWS=$CACHE_ROOT/pyregrws-$PYREGRWS_VERSION
PYFTPDLIB=$CACHE_ROOT/pyftpdlib-$PYFTPDLIB_VERSION
OPENAPI_TOOLS=$CACHE_ROOT/openapi-tools
DEPLOY_TOOLS=$CACHE_ROOT/deploy-tools
TEMPLATE=netbox_template
# The start of the name of the clusters made from the dump: a copy of one starts in a second.
CLUSTER=$CACHE/cluster

say() { printf 'lab: %s\n' "$*" >&2; }
die() { printf 'lab: %s\n' "$*" >&2; exit 1; }

# Runs a PostgreSQL program as the user PostgreSQL accepts: it refuses to run as root.
as_postgres() {
    if [ "$(id -u)" = 0 ]; then
        (cd / && HOME=/var/lib/postgresql setpriv --reuid=postgres --regid=postgres --init-groups -- "$@")
    else
        (cd / && "$@")
    fi
}

# The folder of the newest PostgreSQL installed; Debian keeps its server programs off the PATH.
postgres_bin() {
    local found
    found=$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort -V | tail -n 1)
    [ -x "$found" ] || found=$(command -v initdb) || return 1
    dirname "$(readlink -f "$found")"
}

# Becomes a command with the environment of one NetBox: its database, its Redis, its configuration. Call it in a subshell.
as_netbox() { # DIR NAME COMMAND...
    local dir=$1 name=$2
    shift 2
    set -a
    # shellcheck disable=SC1090
    . "$SECRETS"
    # shellcheck disable=SC1090,SC1091
    . "$dir/netbox/$name/settings.env"
    set +a
    cd "$dir/netbox/$name" || exit
    export PYTHONPATH=$LAB NETBOX_CONFIGURATION=configuration DJANGO_SETTINGS_MODULE=netbox.settings NETBOX_ROOT=$CACHE/root
    exec "$@"
}
