# Starts and stops PostgreSQL, Redis and NetBox in one state folder. Sourced by lab.sh.
# shellcheck shell=bash
#
# DIR/env                      what `up` printed
# DIR/postgres                 text: where the private cluster lives (PostgreSQL's user must reach it)
# DIR/redis/                   redis.pid, port, redis.log
# DIR/netbox/NAME/             settings.env, pid, url, log; one folder for each NetBox

# ---- PostgreSQL -----------------------------------------------------------------------------------------------------

# Starts PostgreSQL on a copy of the cached cluster, which holds the migrated database as TEMPLATE.
start_postgres() { # DIR
    place_postgres "$1"
    cp -a --reflink=auto "$(cluster_of_this_postgres)" "$(<"$1/postgres")/data"
    run_postgres "$1"
}

# Chooses the private folder of the cluster; it stands apart because PostgreSQL's own user must reach it.
place_postgres() { # DIR
    local home
    home=$(mktemp -d "${TMPDIR:-/tmp}/rir-lab-pg.XXXXXX")
    [ "$(id -u)" != 0 ] || chown postgres: "$home"
    printf '%s\n' "$home" >"$1/postgres"
}

# Speed before safety: the data is thrown away. Reached through its socket alone, whose folder is private.
run_postgres() { # DIR
    local home
    home=$(<"$1/postgres")
    as_postgres "$(postgres_bin)/pg_ctl" -D "$home/data" -l "$home/log" -w start -o "-c listen_addresses='' -k $home \
        -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200 -c autovacuum=off \
        -c shared_buffers=128MB" >/dev/null || die "PostgreSQL did not start, see $home/log"
}

stop_postgres() { # DIR
    local home
    [ -f "$1/postgres" ] || return 0
    home=$(<"$1/postgres")
    halt_postgres "$1" immediate
    case $home in */rir-lab-pg.*) rm -rf "$home" ;; esac
    rm -f "$1/postgres"
}

halt_postgres() { # DIR fast|immediate
    local data
    data=$(<"$1/postgres")/data
    [ ! -f "$data/postmaster.pid" ] || as_postgres "$(postgres_bin)/pg_ctl" -D "$data" -m "$2" -w stop >/dev/null || true
}

# Runs a PostgreSQL client program against the cluster of DIR.
pg() { # DIR PROGRAM ARGUMENT...
    local dir=$1 program=$2
    shift 2
    PGHOST=$(<"$dir/postgres") PGUSER=netbox "$(postgres_bin)/$program" "$@"
}

# ---- Redis ----------------------------------------------------------------------------------------------------------

start_redis() { # DIR
    local try
    mkdir -p "$1/redis"
    for try in 1 2 3 4 5; do
        free_port >"$1/redis/port"
        redis-server --bind 127.0.0.1 --port "$(<"$1/redis/port")" --dir "$1/redis" --pidfile "$1/redis/redis.pid" \
            --logfile "$1/redis/redis.log" --daemonize yes --save '' --appendonly no --databases 64 >/dev/null
        ! wait_for 3 redis_answers "$1" || return 0
        say "Redis did not start (try $try)"
    done
    die "Redis did not start, see $1/redis/redis.log"
}

redis_answers() { redis-cli -p "$(<"$1/redis/port")" ping >/dev/null 2>&1 && [ -s "$1/redis/redis.pid" ]; }

stop_redis() { # DIR
    [ ! -d "$1/redis" ] || stop_process "$1/redis/redis.pid" "$1/redis"
}

# Below the ports that clients are given. Somebody may be faster, so whoever uses it tries again.
free_port() {
    local port
    while port=$(shuf -n 1 -i 20000-32000) && (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
    printf '%s\n' "$port"
}

# ---- NetBox ---------------------------------------------------------------------------------------------------------

# Writes what tells one NetBox from the next: its database and its two Redis databases.
settle_netbox() { # DIR NAME DATABASE
    local dir=$1 name=$2 number
    number=$(find "$dir" -path '*/netbox/*/settings.env' ! -path "*/$name/*" | wc -l)
    mkdir -p "$dir/netbox/$name"
    {
        printf 'RIR_LAB_DATABASE=%q\n' "$3"
        printf 'RIR_LAB_PG_SOCKET=%q\n' "$(<"$dir/postgres")"
        printf 'RIR_LAB_REDIS_PORT=%q\n' "$(<"$dir/redis/port")"
        printf 'RIR_LAB_REDIS_DB=%q\n' "$((number * 2))"
    } >"$dir/netbox/$name/settings.env"
}

clone_database() { # DIR DATABASE
    pg "$1" dropdb --force --if-exists "$2" 2>/dev/null
    pg "$1" createdb -T "$TEMPLATE" "$2"
}

# Empties the tables that tests write to, or of those only the custom objects' and the change log. Through the REST API
# the same takes seconds.
empty_tables() { # DIR DATABASE [objects]
    local ipam="'ipam_aggregate', 'ipam_prefix', 'ipam_vrf', 'ipam_rir', 'tenancy_tenantgroup', 'tenancy_tenant', 'dcim_site', 'extras_tag', "
    [ "${3:-}" != objects ] || ipam=''
    pg "$1" psql -q -v ON_ERROR_STOP=1 "$2" <<SQL
SET client_min_messages = warning;
DO \$\$
DECLARE names text;
BEGIN
    SELECT string_agg(format('%I', tablename), ', ') INTO names FROM pg_tables
    WHERE schemaname = 'public'
      AND (tablename LIKE 'custom\\_objects\\_%'
           OR tablename IN (${ipam}'core_objectchange'));
    EXECUTE 'TRUNCATE ' || names || ' CASCADE';
END \$\$;
SQL
}

# Makes the change log look as if the changes in it had been made one after the other over an hour. Nothing but the
# database can: NetBox stamps them itself.
age_changes() { # DIR DATABASE
    pg "$1" psql -q -v ON_ERROR_STOP=1 "$2" <<SQL
UPDATE core_objectchange AS change
SET time = now() - interval '62 minutes' + numbered.number * interval '1 hour' / numbered.total
FROM (SELECT id, row_number() OVER (ORDER BY time, id) AS number, count(*) OVER () AS total FROM core_objectchange) AS numbered
WHERE numbered.id = change.id;
SQL
}

# The pid is known from the first moment, so that a start that is interrupted leaves nothing behind.
start_netbox() { # DIR NAME
    local here=$1/netbox/$2
    as_netbox "$1" "$2" setsid "$VENV/bin/gunicorn" --config "$LAB/gunicorn.conf.py" \
        --workers "${RIR_LAB_WORKERS:-2}" --threads 3 --no-control-socket "${NETBOX_APP:-netbox.wsgi}" \
        </dev/null >"$here/log" 2>&1 &
    printf '%s\n' $! >"$here/pid"
    if ! wait_for 120 netbox_answers_or_died "$here" || gone "$(<"$here/pid")"; then
        tail -n 20 "$here/log" >&2
        die "NetBox did not start"
    fi
}

netbox_answers_or_died() { netbox_answers "$1" || gone "$(<"$1/pid")"; }

netbox_answers() { # DIR/netbox/NAME
    local url
    url=$(sed -n 's/.*Listening at: \(http[^ ]*\).*/\1/p' "$1/log" | head -n 1)
    [ -n "$url" ] || return 1
    printf '%s\n' "$url" >"$1/url"
    # shellcheck disable=SC1090
    (. "$SECRETS" && curl -sf -m 20 -o /dev/null -H "Authorization: Bearer nbt_$RIR_LAB_ADMIN_KEY.$RIR_LAB_ADMIN_SECRET" "$url/api/status/")
}

stop_netbox() { # DIR NAME
    stop_process "$1/netbox/$2/rqworker.pid" "$1/netbox/$2"
    stop_process "$1/netbox/$2/pid" "$1/netbox/$2"
}

# Replaces the workers by fresh ones: the master, which knows no database, forks them again at once. They end hard,
# since a graceful end waits for clients that keep their connections open.
reload_netbox() { # DIR NAME
    local master workers worker
    master=$(<"$1/netbox/$2/pid")
    is_ours "$master" "$1/netbox/$2" || die "NetBox $2 has died, see $1/netbox/$2/log"
    read -ra workers <"/proc/$master/task/$master/children" || true
    for worker in "${workers[@]}"; do kill -KILL "$worker" 2>/dev/null || true; done
    for worker in "${workers[@]}"; do wait_for 10 gone "$worker" || die "a worker of NetBox does not end: $worker"; done
    wait_for 30 netbox_answers "$1/netbox/$2" || die "NetBox does not answer after the reset, see $1/netbox/$2/log"
}

# Empties the two Redis databases of one NetBox.
forget_cached() { # DIR NAME
    local number
    number=$(sed -n 's/^RIR_LAB_REDIS_DB=//p' "$1/netbox/$2/settings.env")
    redis-cli -p "$(<"$1/redis/port")" -n "$number" flushdb >/dev/null
    redis-cli -p "$(<"$1/redis/port")" -n "$((number + 1))" flushdb >/dev/null
}

start_rqworker() { # DIR NAME
    local here=$1/netbox/$2
    as_netbox "$1" "$2" setsid "$VENV/bin/netbox" rqworker high default low </dev/null >"$here/rqworker.log" 2>&1 &
    printf '%s\n' $! >"$here/rqworker.pid"
}

# ---- Processes ------------------------------------------------------------------------------------------------------

# Ends the process of a pid file and its children, if it still is the one we started there: its working folder or its
# command line says so. Nothing it holds is worth a graceful end.
# Tests need not wait for what earlier ones left to do, such as updates of the search index.
renew_rqworker() { # DIR NAME
    local db
    stop_process "$1/netbox/$2/rqworker.pid" "$1/netbox/$2"
    db=$(sed -n 's/^RIR_LAB_REDIS_DB=//p' "$1/netbox/$2/settings.env")
    redis-cli -p "$(<"$1/redis/port")" -n "$db" del rq:queue:high rq:queue:default rq:queue:low >/dev/null
    start_rqworker "$1" "$2"
}

stop_process() { # PIDFILE FOLDER
    local pid child children=()
    [ -s "$1" ] || return 0
    pid=$(<"$1")
    if is_ours "$pid" "$2"; then
        read -ra children 2>/dev/null <"/proc/$pid/task/$pid/children" || true
        for child in "$pid" "${children[@]}"; do kill -KILL "$child" 2>/dev/null || true; done
        wait_for 10 gone "$pid" || say "process $pid does not end"
    fi
    rm -f "$1"
}

is_ours() { # PID FOLDER
    [ -d "/proc/$1" ] || return 1
    [ "$(readlink "/proc/$1/cwd")" = "$(readlink -f "$2")" ] || tr '\0' '\n' <"/proc/$1/cmdline" | grep -qF "$2/"
}

gone() { [ ! -d "/proc/$1" ] || grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null; }

wait_for() { # SECONDS COMMAND...
    local until=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$until" ] || return 1
        sleep 0.1
    done
}
