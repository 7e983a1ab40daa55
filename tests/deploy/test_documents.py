"""What the documents say can be followed: links lead somewhere, examples are accepted, versions are the current one."""

import re
import tomllib

import pytest
import yaml
from tools import REPO, run

DOCUMENTS = [*sorted(REPO.glob("*.md")), *sorted(REPO.glob("docs/*.md")), *sorted(REPO.glob("helm/*/*.md"))]
README = (REPO / "README.md").read_text()
CHART = REPO / "helm" / "netbox-rir-sidecar"


def headings(path):
    """Anchors as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
    found = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(REPO)))
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        other = (path.parent / file).resolve() if file else path
        assert other.exists(), target
        assert not anchor or anchor in headings(other), target


@pytest.mark.parametrize("name", ["README.md", "deploy/compose.yaml", "deploy/Dockerfile"])
def test_versions_are_the_current_one(name):
    version = tomllib.loads((REPO / "Cargo.toml").read_text())["package"]["version"]
    named = re.findall(r"(?:--version |RIR_SIDECAR_VERSION:-|ARG VERSION=)(\d+\.\d+\.\d+)", (REPO / name).read_text())
    assert named
    assert set(named) == {version}


def test_the_readmes_values_install_the_chart_where_netbox_is_told_it_is(tmp_path):
    values = re.search(r"`values\.yaml`.*?```yaml\n(.*?)```", README, re.DOTALL).group(1)
    (tmp_path / "values.yaml").write_text(re.sub(r"^   ", "", values, flags=re.MULTILINE))
    install = re.search(r"helm -n (\S+) install (\S+) oci://", README)
    made = run("helm", "template", install[2], CHART, "-n", install[1], "--values", tmp_path / "values.yaml").stdout
    objects = [one for one in yaml.safe_load_all(made) if one]
    services = {one["metadata"]["name"] for one in objects if one["kind"] == "Service"}
    told = yaml.safe_load((tmp_path / "values.yaml").read_text())["bootstrap"]["webhookUrl"]
    host, namespace = re.match(r"http://([\w-]+)\.([\w-]+)\.svc/", told).groups()
    assert host in services and namespace == install[1]
    secret = re.search(r"create secret generic (\S+)(.*?)```", README, re.DOTALL)
    given = set(re.findall(r"--from-(?:file|literal)=([\w.-]+)", secret[2]))
    wanted = {item["key"] for one in objects for source in sources(one) if source["name"] == secret[1] for item in source["items"]}
    assert wanted <= given


def sources(node):
    """Each place in a manifest where files come from a Secret."""
    if isinstance(node, dict):
        if isinstance(node.get("secret"), dict):
            yield node["secret"]
        for value in node.values():
            yield from sources(value)
    elif isinstance(node, list):
        for value in node:
            yield from sources(value)


def test_the_readme_names_every_setting():
    text = (REPO / "src" / "config.default.toml").read_text()
    # Those whose absence means something have no default, only an example.
    settings = tomllib.loads(re.sub(r"^# (own_\w+ = .*)$", r"\1", text, flags=re.MULTILINE))
    rows = dict(re.findall(r"^\| `(\w+)` \| (`.*`) \|$", README, re.MULTILINE))
    assert {section: set(re.findall(r"`(\w+)`", rows[section])) for section in settings} == {
        section: set(keys) for section, keys in settings.items()
    }


def test_nothing_is_left_to_be_done():
    tracked = run("git", "-C", REPO, "ls-files", "deploy", "docs", "helm", ".github", ".ci", "*.md").stdout.split()
    for name in tracked:
        if not name.endswith(".png"):
            assert not re.search(r"\b(TODO|FIXME|XXX)\b", (REPO / name).read_text().replace("API-XXXX-XXXX-XXXX-XXXX", "")), name
