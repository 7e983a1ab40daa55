#!/usr/bin/env bash
# A real NetBox with the Custom Objects plugin, for tests. See README.md beside this file.
set -euo pipefail

LAB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lab/common.sh
. "$LAB/common.sh"
# shellcheck source=tests/lab/install.sh
. "$LAB/install.sh"
# shellcheck source=tests/lab/services.sh
. "$LAB/services.sh"
# shellcheck source=tests/lab/irrd.sh
. "$LAB/irrd.sh"

usage() {
    cat >&2 <<'TEXT'
usage: lab.sh COMMAND [OPTION]...

  install     fill the cache: packages, NetBox, its migrated database (8 minutes, once)
  pyregrws    install the pyregrws client into a cached environment and print its Python
  pyftpdlib   install the FTP server pyftpdlib into a cached environment and print its Python
  openapi     install the tools that the OpenAPI document is tried with and print their folder
  up          start PostgreSQL, Redis and a NetBox; print what to export
  redis up    start Redis alone; print what to export
  irrd        start an IRRd beside a running Redis, with a NetBox or without; print what to export
  netbox      start one more NetBox with a database of its own beside a running one (--name)
  reset       give a running NetBox a fresh database
  restart     give a running NetBox fresh worker processes
  stop        end a NetBox's processes; its database stays (--name)
  start       start them again (--name, --rqworker)
  rqworker    give a running NetBox's background queue a fresh worker; what waits there is dropped (--name)
  sql         run the SQL of the standard input in the database of a running NetBox (--name)
  wipe        remove all custom objects, aggregates, prefixes, VRFs, RIRs, tenants, sites and tags of a running NetBox; keeps the types
  age         spread the changes in a running NetBox's change log over an hour that ended two minutes ago (--name)
  down        stop everything that was started in the state folder
  status      tell what runs there
  static      collect the static files, so that `up --static` shows pages in a browser

  --dir DIR   the state folder; default: $RIR_LAB_DIR, and `up` makes a new one
  --env FILE  write the variables there too (up, redis up, netbox)
  --name X    which NetBox; default: main (netbox, reset, restart, wipe)
  --objects   only custom objects and the change log; the IPAM stays (wipe)
  --static    serve the static files (up, netbox)
  --rqworker  start a worker of NetBox's background queue: webhooks need it (up, netbox)
TEXT
    exit 2
}

main() {
    local command=${1:-}
    DIR=${RIR_LAB_DIR:-} NAME=main ENV_FILE='' RQWORKER='' NETBOX_APP=netbox.wsgi OBJECTS=''
    [ $# -eq 0 ] || shift
    if [ "$command" = redis ]; then
        command="redis ${1:-}"
        [ $# -eq 0 ] || shift
    fi
    while [ $# -gt 0 ]; do
        case $1 in
        --dir) DIR=${2:?--dir wants a folder}; shift 2 ;;
        --env) ENV_FILE=${2:?--env wants a file}; shift 2 ;;
        --name) NAME=${2:?--name wants a name}; shift 2 ;;
        --objects) OBJECTS=objects; shift ;;
        --static) NETBOX_APP=static_wsgi; shift ;;
        --rqworker) RQWORKER=yes; shift ;;
        *) usage ;;
        esac
    done
    [[ $NAME =~ ^[a-z][a-z0-9_]{0,30}$ ]] || die "a name is lower-case letters, digits and _, not '$NAME'"
    case $command in
    install) install_all ;;
    pyregrws) install_pyregrws; printf '%s\n' "$PYREGRWS/venv/bin/python" ;;
    pyftpdlib) install_pyftpdlib; printf '%s\n' "$PYFTPDLIB/venv/bin/python" ;;
    openapi) install_openapi_tools; printf '%s\n' "$OPENAPI_TOOLS" ;;
    deploy) install_deploy_tools; printf '%s\n' "$DEPLOY_TOOLS/bin" ;;
    static) install_all; collect_static ;;
    up) up ;;
    'redis up') redis_up ;;
    irrd) find_lab; start_irrd "$DIR"; [ -z "$ENV_FILE" ] || cp "$DIR/irrd/env" "$ENV_FILE"; cat "$DIR/irrd/env" ;;
    netbox) find_lab; add_netbox ;;
    reset) find_lab; reset ;;
    restart) find_lab; reload_netbox "$DIR" "$NAME" ;;
    stop) find_lab; stop_netbox "$DIR" "$NAME" ;;
    start) find_lab; start_again ;;
    rqworker) find_lab; renew_rqworker "$DIR" "$NAME" ;;
    sql) find_lab; pg "$DIR" psql -q -v ON_ERROR_STOP=1 "netbox_$NAME" ;;
    age) find_lab; age_changes "$DIR" "netbox_$NAME" ;;
    wipe) find_lab; empty_tables "$DIR" "netbox_$NAME" "$OBJECTS" ;;
    down | 'redis down') find_lab; down ;;
    status) find_lab; status ;;
    *) usage ;;
    esac
}

up() {
    local started
    refuse_folder_in_use
    install_all
    [ "$NETBOX_APP" = netbox.wsgi ] || collect_static
    started=$(now)
    make_folder
    start_redis "$DIR"
    start_postgres "$DIR"
    NAME=main add_netbox
    trap - EXIT INT TERM
    say "up in $(since "$started") s"
}

redis_up() {
    refuse_folder_in_use
    command -v redis-server >/dev/null || apt_install redis-server
    make_folder
    start_redis "$DIR"
    trap - EXIT INT TERM
    tell_redis >"$DIR/env"
    [ -z "$ENV_FILE" ] || cp "$DIR/env" "$ENV_FILE"
    cat "$DIR/env"
}

refuse_folder_in_use() {
    if [ -n "$DIR" ] && { [ -e "$DIR/postgres" ] || [ -e "$DIR/redis" ]; }; then
        die "$DIR is in use: stop it first with '$0 down --dir $DIR'"
    fi
}

# Makes the state folder; until it is complete, whatever ends this script stops what was started there.
make_folder() {
    if [ -n "$DIR" ]; then mkdir -p "$DIR"; else
        DIR=$(mktemp -d "${TMPDIR:-/tmp}/rir-lab.XXXXXX")
        : >"$DIR/disposable"
    fi
    DIR=$(cd "$DIR" && pwd)
    trap 'down' EXIT
    trap 'exit 130' INT TERM
}

add_netbox() {
    [ ! -e "$DIR/netbox/$NAME/pid" ] || die "a NetBox named $NAME runs already"
    settle_netbox "$DIR" "$NAME" "netbox_$NAME"
    clone_database "$DIR" "netbox_$NAME"
    start_netbox "$DIR" "$NAME"
    [ -z "$RQWORKER" ] || start_rqworker "$DIR" "$NAME"
    tell >"$DIR/netbox/$NAME/env"
    [ "$NAME" != main ] || cp "$DIR/netbox/main/env" "$DIR/env"
    [ -z "$ENV_FILE" ] || cp "$DIR/netbox/$NAME/env" "$ENV_FILE"
    cat "$DIR/netbox/$NAME/env"
}

# On the port it had.
start_again() {
    local url
    url=$(<"$DIR/netbox/$NAME/url")
    RIR_LAB_PORT=${url##*:} start_netbox "$DIR" "$NAME"
    [ -z "$RQWORKER" ] || start_rqworker "$DIR" "$NAME"
}

# What a test needs to know.
tell() (
    # shellcheck disable=SC1090
    . "$SECRETS"
    printf 'export %s=%q\n' \
        RIR_LAB_NETBOX_URL "$(<"$DIR/netbox/$NAME/url")" \
        RIR_LAB_NETBOX_TOKEN "nbt_$RIR_LAB_ADMIN_KEY.$RIR_LAB_ADMIN_SECRET" \
        RIR_LAB_NETBOX_TOKEN_V1 "$RIR_LAB_ADMIN_V1" \
        RIR_LAB_READER_TOKEN "nbt_$RIR_LAB_READER_KEY.$RIR_LAB_READER_SECRET" \
        RIR_LAB_NETBOX_USER lab-admin \
        RIR_LAB_NETBOX_PASSWORD "$RIR_LAB_ADMIN_PASSWORD"
    tell_redis
)

# The databases from 0 on are NetBox's.
tell_redis() {
    printf 'export %s=%q\n' \
        RIR_LAB_DIR "$DIR" \
        RIR_LAB_REDIS_URL "redis://127.0.0.1:$(<"$DIR/redis/port")/63"
}

reset() {
    local started
    started=$(now)
    [ -e "$DIR/netbox/$NAME/pid" ] || die "no NetBox named $NAME runs in $DIR"
    clone_database "$DIR" "netbox_$NAME"
    forget_cached "$DIR" "$NAME"
    reload_netbox "$DIR" "$NAME"
    say "reset $NAME in $(since "$started") s"
}

down() {
    local netbox
    for netbox in "$DIR"/netbox/*/; do
        [ ! -d "$netbox" ] || stop_netbox "$DIR" "$(basename "$netbox")"
    done
    stop_irrd "$DIR"
    stop_postgres "$DIR"
    stop_redis "$DIR"
    if [ -e "$DIR/disposable" ]; then rm -rf "$DIR"; else rm -rf "$DIR/netbox" "$DIR/irrd" "$DIR/redis" "$DIR/env"; fi
}

status() {
    local netbox
    printf 'state folder  %s\n' "$DIR"
    [ ! -e "$DIR/postgres" ] || printf 'PostgreSQL    socket in %s\n' "$(<"$DIR/postgres")"
    ! redis_answers "$DIR" || printf 'Redis         127.0.0.1:%s\n' "$(<"$DIR/redis/port")"
    for netbox in "$DIR"/netbox/*/; do
        [ -s "$netbox/pid" ] || continue
        printf 'NetBox %-6s %s %s\n' "$(basename "$netbox")" "$(<"$netbox/url")" \
            "$(netbox_answers "${netbox%/}" && echo answers || echo 'does not answer')"
    done
}

find_lab() {
    [ -n "$DIR" ] || die "which one? Give --dir DIR or set RIR_LAB_DIR"
    [ -d "$DIR" ] || die "there is no $DIR"
    DIR=$(cd "$DIR" && pwd)
}

now() { date +%s%N; }
since() { printf '%d.%d' $((($(now) - $1) / 1000000000)) $((($(now) - $1) / 100000000 % 10)); }

main "$@"
