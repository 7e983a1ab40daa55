# Starts and stops an IRRd with a database of its own, beside the PostgreSQL and the Redis of one state folder. Sourced by
# lab.sh.
# shellcheck shell=bash
#
# DIR/irrd/                    settings.yaml, irrd.pid, irrd.log, export/, nrtm4/, env

# The Redis database that it keeps its own things in; NetBox has those from 0 on, tests have 63.
IRRD_REDIS_DB=60

install_irrd() {
    mkdir -p "$IRRD"
    (
        flock -n 9 || { say "another install is running, waiting for it"; flock 9; }
        postgres_bin >/dev/null || apt_install postgresql
        command -v redis-server >/dev/null || apt_install redis-server
        find_python 3 11 >/dev/null || apt_install python3-venv
        install_venv "$IRRD/venv" "$LAB/irrd.txt" 'IRRd needs Python 3.9 or newer' 3 11
    ) 9>"$IRRD/lock"
}

start_irrd() { # DIR
    local dir=$1 started try
    [ ! -e "$dir/irrd/env" ] || die "an IRRd runs in $dir already"
    install_irrd
    started=$(now)
    [ -e "$dir/postgres" ] || init_cluster "$dir"
    pg "$dir" dropdb --force --if-exists irrd 2>/dev/null
    pg "$dir" createdb irrd
    pg "$dir" psql -q irrd -c 'CREATE EXTENSION IF NOT EXISTS pgcrypto'
    mkdir -p "$dir"/irrd/{gnupg,export,nrtm4}
    for try in 1 2 3; do
        settle_irrd "$dir"
        "$IRRD/venv/bin/irrd_database_upgrade" --config "$dir/irrd/settings.yaml" >>"$dir/irrd/out" 2>&1 \
            || die "IRRd could not make its tables, see $dir/irrd/out"
        as_irrd "$dir" setsid "$IRRD/venv/bin/irrd" --config "$dir/irrd/settings.yaml" >>"$dir/irrd/out" 2>&1 </dev/null &
        ! wait_for 30 irrd_answers "$dir" || break
        [ "$try" != 3 ] || die "IRRd did not start, see $dir/irrd/irrd.log"
        say "IRRd did not start (try $try)"
        stop_process "$dir/irrd/irrd.pid" "$dir/irrd"
    done
    tell_irrd "$dir" >"$dir/irrd/env"
    say "IRRd is up in $(since "$started") s"
}

# TEST is a source of its own, whose changes it tells over NRTMv3 and whose dumps it exports every few seconds.
settle_irrd() { # DIR
    local dir=$1
    free_port >"$dir/irrd/whois"
    free_port >"$dir/irrd/http"
    cat >"$dir/irrd/settings.yaml" <<YAML
irrd:
  database_url: 'postgresql://netbox@/irrd?host=$(<"$dir/postgres")'
  redis_url: 'redis://127.0.0.1:$(<"$dir/redis/port")/$IRRD_REDIS_DB'
  piddir: '$dir/irrd'
  access_lists:
    here: ['127.0.0.0/8', '::1']
  server:
    http:
      interface: 127.0.0.1
      port: $(<"$dir/irrd/http")
      url: 'http://127.0.0.1:$(<"$dir/irrd/http")/'
      status_access_list: here
    whois: {interface: 127.0.0.1, port: $(<"$dir/irrd/whois"), max_connections: 10}
  auth:
    gnupg_keyring: '$dir/irrd/gnupg'
    override_password: '\$1\$J6KycItM\$MbPaBU6iFSGFV299Rk7Di0'
    password_hashers: {md5-pw: enabled}
  email: {footer: '', from: 'irrd@example.net', smtp: localhost}
  log: {level: INFO, logfile_path: '$dir/irrd/irrd.log'}
  rpki: {roa_source: null}
  sources:
    TEST:
      authoritative: true
      keep_journal: true
      nrtm_access_list: here
      export_destination: '$dir/irrd/export'
      export_timer: 3
YAML
}

# IRRd does not run as root. The cache may be in a folder that only root can enter, so whoever runs it may read all files.
as_irrd() { # DIR COMMAND...
    local dir=$1
    shift
    if [ "$(id -u)" = 0 ]; then
        chown -R nobody:nogroup "$dir/irrd"
        setpriv --reuid=nobody --regid=nogroup --clear-groups --inh-caps=+dac_override --ambient-caps=+dac_override -- "$@"
    else
        "$@"
    fi
}

irrd_answers() { # DIR
    local port answer
    port=$(<"$1/irrd/whois")
    # shellcheck disable=SC2016
    answer=$("$IRRD/venv/bin/python" -c '
import socket, sys
whois = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 2)
whois.sendall(b"!jTEST\n")
print(whois.recv(100).decode())' "$port" 2>/dev/null) && [ -n "$answer" ] && [ -s "$1/irrd/irrd.pid" ]
}

tell_irrd() { # DIR
    printf 'export %s=%q\n' \
        RIR_LAB_IRRD_WHOIS "127.0.0.1:$(<"$1/irrd/whois")" \
        RIR_LAB_IRRD_DIR "$1/irrd" \
        RIR_LAB_IRRD_BIN "$IRRD/venv/bin"
}

stop_irrd() { # DIR
    local pid
    [ -s "$1/irrd/irrd.pid" ] || return 0
    pid=$(<"$1/irrd/irrd.pid")
    # It ends its own processes, and theirs, when it is asked to.
    ! is_ours "$pid" "$1/irrd" || { kill -TERM "$pid" && wait_for 15 gone "$pid"; } || true
    stop_process "$1/irrd/irrd.pid" "$1/irrd"
}
