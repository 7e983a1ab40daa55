"""compose.yaml with the files that init.sh makes, as the real docker compose reads it."""

import os
import re
import shutil
import tomllib

import pytest
import yaml
from tools import REPO, attempt, run

OURS = ["rir-sidecar", "bootstrap", "arin-sandbox"]


def install(folder, *arguments):
    """A copy of deploy/ with what init.sh makes."""
    shutil.copytree(REPO / "deploy", folder, ignore=shutil.ignore_patterns(".env", "secrets"))
    run(folder / "init.sh", *arguments)
    return folder


@pytest.fixture(scope="module", name="deploy")
def deploy_with_sandbox(tmp_path_factory):
    return install(tmp_path_factory.mktemp("compose") / "deploy", "--sandbox")


@pytest.fixture(scope="module", name="services")
def services_of(deploy):
    return configured(deploy)["services"]


def configured(deploy):
    ended = run("docker-compose", "--project-directory", deploy, "-f", deploy / "compose.yaml", "config")
    assert not ended.stderr, "docker compose warns"
    return yaml.safe_load(ended.stdout)


def settings_of(path):
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line and not line.startswith("#"))


def test_says_what_to_do_first(tmp_path):
    folder = tmp_path / "deploy"
    shutil.copytree(REPO / "deploy", folder, ignore=shutil.ignore_patterns(".env", "secrets"))
    ended = attempt("docker-compose", "--project-directory", folder, "-f", folder / "compose.yaml", "config")
    assert ended.returncode != 0
    assert "run deploy/init.sh first" in ended.stderr


def test_the_sandbox_runs_only_if_it_is_wanted(tmp_path, services):
    assert "arin-sandbox" in services
    without = configured(install(tmp_path / "deploy"))["services"]
    assert "arin-sandbox" not in without
    allowed = without["rir-sidecar"]["environment"]["RIR_SIDECAR__ARIN__ALLOWED_BASE_URLS"]
    assert allowed == "https://reg.arin.net,https://reg.ote.arin.net"


@pytest.mark.parametrize("name", OURS)
def test_our_containers_may_do_nothing_but_run(name, services):
    service = services[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "volumes" not in service and "privileged" not in service
    if os.geteuid() == 0:
        assert service["user"] == "65532:65532"


def test_our_version_is_the_crates(services):
    version = tomllib.loads((REPO / "Cargo.toml").read_text())["package"]["version"]
    for name in OURS:
        assert services[name]["image"] == f"ghcr.io/netbox-rir-sidecar/netbox-rir-sidecar:{version}"


def test_only_this_machine_reaches_anything(services):
    ports = {name: port for name, service in services.items() for port in service.get("ports", [])}
    assert set(ports) == {"rir-sidecar", "netbox"}
    assert all(port["host_ip"] == "127.0.0.1" for port in ports.values())


def test_everything_starts_after_what_it_needs(services):
    needs = {name: {other: need["condition"] for other, need in service.get("depends_on", {}).items()} for name, service in services.items()}
    assert needs["rir-sidecar"] == {"bootstrap": "service_completed_successfully", "redis": "service_healthy"}
    assert needs["bootstrap"] == {"netbox": "service_healthy"}
    assert needs["netbox-worker"]["netbox"] == "service_healthy"
    for name, others in needs.items():
        for other, condition in others.items():
            assert condition != "service_healthy" or "test" in services[other]["healthcheck"], f"{name} waits for {other}"


def test_netbox_and_the_sidecar_find_each_other(services):
    settings = services["rir-sidecar"]["environment"]
    assert settings == services["bootstrap"]["environment"]
    assert settings["RIR_SIDECAR__NETBOX__URL"] == "http://netbox:8080/"
    assert "netbox" in services["netbox"]["environment"]["ALLOWED_HOSTS"].split()
    assert services["bootstrap"]["command"] == ["bootstrap", "--webhook-url", "http://rir-sidecar:8080/webhooks/netbox"]
    assert settings["RIR_SIDECAR__QUEUE__URL"] == "redis://redis:6379/0"
    assert settings["RIR_SIDECAR__ARIN__ALLOWED_BASE_URLS"] == "http://127.0.0.1:8081"
    assert services["arin-sandbox"]["command"] == ["sandbox", "--listen", "127.0.0.1:8081"]


def test_each_file_that_a_setting_names_is_there(services):
    for name in ("rir-sidecar", "bootstrap"):
        named = {value for value in services[name]["environment"].values() if value.startswith("/run/secrets/")}
        given = {f"/run/secrets/{secret['source']}" for secret in services[name]["secrets"]}
        assert named == given


def test_jobs_outlive_a_restart(services):
    redis = services["redis"]
    assert redis["command"][1:] == ["--appendonly", "yes", "--maxmemory-policy", "noeviction"]
    assert [volume["target"] for volume in redis["volumes"]] == ["/data"]


def test_there_is_time_to_finish(services):
    assert services["rir-sidecar"]["stop_grace_period"] == "30s"
    assert 'shutdown_timeout = "25s"' in (REPO / "src/config.default.toml").read_text()


def test_the_token_is_the_one_that_netbox_makes(deploy):
    made = settings_of(deploy / "secrets/netbox.env")
    token = (deploy / "secrets/netbox-token").read_text().strip()
    assert token == f"nbt_{made['SUPERUSER_API_KEY']}.{made['SUPERUSER_API_TOKEN']}"
    assert re.fullmatch(r"[A-Za-z0-9]{12}", made["SUPERUSER_API_KEY"])
    assert re.fullmatch(r"[A-Za-z0-9]{40}", made["SUPERUSER_API_TOKEN"])
    assert len(made["SECRET_KEY"]) >= 50 and len(made["API_TOKEN_PEPPER_1"]) >= 50
    assert made["DB_PASSWORD"] == settings_of(deploy / "secrets/postgres.env")["POSTGRES_PASSWORD"]


def test_secrets_are_for_their_owner_alone_and_new_each_time(tmp_path, deploy):
    files = [*(deploy / "secrets").iterdir(), deploy / ".env"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)
    other = install(tmp_path / "deploy", "--sandbox")
    for name in ("netbox-token", "webhook-secret", "netbox.env"):
        assert (other / "secrets" / name).read_text() != (deploy / "secrets" / name).read_text()


def test_making_them_again_changes_nothing(deploy):
    before = {path: path.read_text() for path in (deploy / "secrets").iterdir()}
    run(deploy / "init.sh", "--sandbox")
    assert {path: path.read_text() for path in (deploy / "secrets").iterdir()} == before


def test_the_other_arin_is_not_mixed_in(deploy):
    ended = attempt(deploy / "init.sh")
    assert ended.returncode == 1
    assert "remove it" in ended.stderr


def test_the_sandboxes_key_is_the_one_it_knows(deploy):
    options = (REPO / "crates/sandbox/src/regrws/options.rs").read_text()
    known = re.search(r'pub const KEY: &str = "(.+)";', options).group(1)
    keys = tomllib.loads((deploy / "secrets/keys.toml").read_text())["key"]
    assert [key["api_key"] for key in keys] == [known]


def test_git_never_sees_them():
    ignored = (REPO / ".gitignore").read_text().split()
    assert {"/deploy/.env", "/deploy/secrets/"} <= set(ignored)
