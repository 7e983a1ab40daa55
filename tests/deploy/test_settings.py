"""The examples of settings, tried with the program, and the systemd unit that runs with them."""

import re
import shutil

import pytest
import yaml
from tools import REPO, SIDECAR, attempt, run

DEPLOY = REPO / "deploy"
UNIT = DEPLOY / "rir-sidecar.service"


def placed(folder):
    """The examples in a folder of their own, with the files that they name, and nothing listening where NetBox should be."""
    text = (DEPLOY / "config.example.toml").read_text().replace("/etc/rir-sidecar/", f"{folder}/")
    (folder / "config.toml").write_text(text.replace("https://netbox.example.net/", "http://127.0.0.1:1/"))
    shutil.copy(DEPLOY / "keys.example.toml", folder / "keys.toml")
    for name, content in [
        ("netbox-token", "nbt_0123456789ab.0123456789abcdef0123456789abcdef01234567"),
        ("redis-url", "redis://127.0.0.1:6379/0"),
        ("webhook-secret", "0123456789abcdef0123456789abcdef"),
    ]:
        (folder / name).write_text(content)
    for path in folder.iterdir():
        path.chmod(0o640)
    return folder / "config.toml"


def test_the_examples_can_be_used(tmp_path):
    ended = attempt(SIDECAR, "--config", placed(tmp_path), "check")
    assert ended.returncode == 1, f"2 would be settings that cannot be used\n{ended.stdout}{ended.stderr}"
    assert re.search(r"ok\s+┆ keys file\s+┆ .* with 1\s+│", ended.stdout) or "1 key(s)" in " ".join(ended.stdout.split())
    assert "FAILED ┆ NetBox" in ended.stdout


def test_a_mistake_in_them_would_be_seen(tmp_path):
    config = placed(tmp_path)
    config.write_text(config.read_text().replace("log_format", "log_fromat"))
    ended = attempt(SIDECAR, "--config", config, "check")
    assert ended.returncode == 2
    assert "telemetry.log_fromat: is not a setting" in ended.stderr


def test_the_unit_is_understood(tmp_path):
    run("systemd-analyze", "verify", "--man=no", unit_of(tmp_path))


def test_the_unit_is_closed_off(tmp_path):
    # In tenths: 1.5 of 10, of which most is that it may talk to the network.
    run("systemd-analyze", "security", "--offline=true", "--threshold=15", unit_of(tmp_path))


def unit_of(folder):
    """The unit with a program that is there."""
    unit = folder / UNIT.name
    unit.write_text(UNIT.read_text().replace("/usr/local/bin/rir-sidecar", str(SIDECAR)))
    return unit


def test_the_unit_has_time_to_finish_and_gives_up_on_bad_settings():
    text = UNIT.read_text()
    assert "TimeoutStopSec=30s" in text
    assert "RestartPreventExitStatus=2" in text


@pytest.mark.parametrize("line", re.findall(r"^#   install .* (deploy/\S+)", UNIT.read_text(), re.MULTILINE))
def test_what_the_unit_says_to_install_is_there(line):
    assert (REPO / line).is_file()


def test_all_yaml_is_tidy():
    tracked = run("git", "-C", REPO, "ls-files", "--cached", "--others", "--exclude-standard", "*.yaml", "*.yml").stdout.split()
    assert "deploy/compose.yaml" in tracked
    run("yamllint", "--strict", "--config-file", REPO / ".yamllint.yaml", *tracked, cwd=REPO)
    for path in tracked:
        if "/templates/" not in path:
            list(yaml.safe_load_all((REPO / path).read_text()))
