"""The image: what its recipe says, and that its last stage has all that the program needs."""

import json
import os
import re
import tomllib
from pathlib import Path

import pytest
from tools import REPO, SIDECAR, attempt, run

DOCKERFILE = REPO / "deploy" / "Dockerfile"
NETBOX = REPO / "deploy" / "netbox"

# What gcr.io/distroless/cc has: glibc and libgcc.
DISTROLESS_CC = {"libc.so.6", "libm.so.6", "libgcc_s.so.1", "libdl.so.2", "libpthread.so.0", "librt.so.1"}
LOADER = re.compile(r"ld-linux-.*\.so\.\d")
# Of Debian 13, which the last stage is.
GLIBC = (2, 41)


def instructions(path):
    """Name and rest of each instruction, with continued lines put together and comments left out."""
    lines = [line for line in path.read_text().splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [line.split(maxsplit=1) for line in joined.splitlines()]


def last_stage():
    found = instructions(DOCKERFILE)
    last = max(at for at, (name, _) in enumerate(found) if name == "FROM")
    return found[last:]


def rest_of(name, found):
    return [rest for other, rest in found if other == name]


@pytest.mark.parametrize("path", [DOCKERFILE, NETBOX / "Dockerfile"], ids=["rir-sidecar", "netbox"])
def test_has_nothing_that_a_linter_minds(path):
    run("hadolint", "--failure-threshold", "style", path)


@pytest.mark.parametrize("path", [DOCKERFILE, NETBOX / "Dockerfile"], ids=["rir-sidecar", "netbox"])
def test_each_base_has_a_tag_that_is_not_latest(path):
    found = instructions(path)
    stages = {rest.split(" AS ")[1] for rest in rest_of("FROM", found) if " AS " in rest} | {"for-${TARGETARCH}"}
    bases = [rest.split(" AS ")[0].split()[-1] for rest in rest_of("FROM", found)]
    outside = [base for base in bases if base not in stages]
    assert outside
    for base in outside:
        assert re.search(r":[\w.-]+$", base) and not base.endswith(":latest"), base


def test_dependencies_are_locked_and_built_before_our_sources():
    found = [" ".join(pair) for pair in instructions(DOCKERFILE)]
    builds = [at for at, line in enumerate(found) if "cargo build" in line]
    lock = next(at for at, line in enumerate(found) if line.startswith("COPY") and "Cargo.lock" in line)
    sources = found.index("COPY src src")
    assert lock < builds[0] < sources < builds[1]
    assert all("--locked" in found[at] for at in builds)


def test_both_architectures_have_a_stage():
    stages = {rest.split(" AS ")[1] for rest in rest_of("FROM", instructions(DOCKERFILE)) if " AS " in rest}
    assert {"for-amd64", "for-arm64"} <= stages


def test_the_compiler_is_at_least_the_oldest_that_is_supported():
    wanted = tomllib.loads((REPO / "Cargo.toml").read_text())["workspace"]["package"]["rust-version"]
    found = re.search(r"rust:(\d+)\.(\d+)", DOCKERFILE.read_text())
    assert tuple(map(int, found.groups())) >= tuple(map(int, wanted.split(".")))


def test_runs_as_a_user_that_is_seen_not_to_be_root():
    assert rest_of("USER", last_stage()) == ["65532:65532"]


def test_starts_and_asks_for_health_without_a_shell():
    last = last_stage()
    assert json.loads(rest_of("ENTRYPOINT", last)[0]) == ["/usr/local/bin/rir-sidecar"]
    assert json.loads(rest_of("CMD", last)[0]) == ["serve"]
    check = rest_of("HEALTHCHECK", last)[0].split("CMD ")[1]
    assert json.loads(check) == ["/usr/local/bin/rir-sidecar", "health"]
    assert "RUN" not in dict(last), "the last stage has no shell to run anything with"


def test_has_the_labels_that_registries_show():
    labels = rest_of("LABEL", last_stage())[0]
    for name in ("title", "description", "source", "licenses", "version", "revision"):
        assert f"org.opencontainers.image.{name}=" in labels


def test_its_version_is_the_crates():
    crate = tomllib.loads((REPO / "Cargo.toml").read_text())["package"]["version"]
    assert f"VERSION={crate}" in rest_of("ARG", last_stage())


def test_only_what_is_copied_reaches_the_builder():
    ignored = (REPO / ".dockerignore").read_text().split("\n")
    allowed = {line[1:] for line in ignored if line.startswith("!")}
    copied = {word for rest in rest_of("COPY", instructions(DOCKERFILE)) if "--from" not in rest for word in rest.split()[:-1]}
    assert "*" in ignored
    assert allowed == copied


def needed_libraries():
    """Path of each library by its name, as the loader finds it."""
    listed = run("ldd", SIDECAR).stdout
    found = dict(re.findall(r"^\s*(\S+) => (\S+)", listed, re.MULTILINE))
    loader = re.search(r"^\s*(/\S+ld-linux\S+)", listed, re.MULTILINE).group(1)
    return found, loader


def test_needs_no_library_that_the_last_stage_lacks():
    found, loader = needed_libraries()
    assert set(found) <= DISTROLESS_CC
    assert LOADER.search(loader)


def test_needs_no_newer_glibc_than_the_last_stage_has():
    versions = re.findall(rb"GLIBC_(\d+)\.(\d+)", SIDECAR.read_bytes())
    assert versions
    assert max((int(major), int(minor)) for major, minor in versions) <= GLIBC


def test_runs_with_nothing_but_the_program_and_its_libraries(world):
    for arguments, says in [(["--version"], "rir-sidecar"), (["config"], "[netbox]")]:
        ended = confined(world, arguments)
        assert ended.returncode == 0, ended.stderr
        assert says in ended.stdout


def test_needs_certificates_to_speak_https_and_finds_those_of_the_last_stage(world):
    place(world, "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/certs/ca-certificates.crt")
    assert "Connection refused" in checked(world)
    (world / "etc/ssl/certs/ca-certificates.crt").unlink()
    assert "Connection refused" not in checked(world)


@pytest.fixture(name="world")
def last_stage_played(tmp_path):
    """A folder with what the last stage has, but for the certificates."""
    found, loader = needed_libraries()
    for path in [*found.values(), loader]:
        place(tmp_path, path, path)
    place(tmp_path, SIDECAR, "/usr/local/bin/rir-sidecar")
    tmp_path.chmod(0o755)
    return tmp_path


def checked(root):
    """What `check` says of a NetBox that is not there."""
    ended = confined(root, ["check"], RIR_SIDECAR__NETBOX__URL="https://127.0.0.1:1/", RIR_SIDECAR__NETBOX__TOKEN="none")
    assert ended.returncode == 2, f"there are no API keys, which no other try mends\n{ended.stderr}"
    return ended.stdout


def place(root, source, path):
    target = root / str(path).lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(Path(source).read_bytes())
    target.chmod(0o555)


def confined(root, arguments, **environment):
    """Runs the program with `root` as its whole world, as the image's user if that can be."""
    us = ["chroot", "--userspec=65532:65532"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "chroot"]
    return attempt(*us, root, "/usr/local/bin/rir-sidecar", *arguments, env={"PATH": os.environ["PATH"], **environment})


def test_the_netbox_beside_it_has_the_versions_that_are_tried():
    pinned = dict(re.findall(r"^(\w+_VERSION)=(\S+)$", (REPO / "tests/lab/common.sh").read_text(), re.MULTILINE))
    assert rest_of("FROM", instructions(NETBOX / "Dockerfile")) == [f"netboxcommunity/netbox:v{pinned['NETBOX_VERSION']}"]
    assert (NETBOX / "requirements.txt").read_text().split() == [f"netboxlabs-netbox-custom-objects=={pinned['PLUGIN_VERSION']}"]
