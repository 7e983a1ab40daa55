"""The Helm chart as Helm itself installs, upgrades and removes it: what is there when, and what is left."""

import base64
import os

import pytest
import yaml
from chart import CHART, FOLDER, NAMESPACE, containers, content, environment, merged
from kubernetes import Cluster, served
from tools import SIDECAR, attempt

NAME = "rir-netbox-rir-sidecar"
VALUES = {
    "netbox": {"url": "http://127.0.0.1:9/"},
    "secrets": {"netboxToken": {"value": "nbt_a.secret"}, "keys": {"existingSecret": "given"}},
}
# Each job that Helm waits for takes a second or two.
WITHOUT_JOBS = {"preflight": {"enabled": False}, "bootstrap": {"enabled": False}}
CHANGED = merged(VALUES, {"config": "[arin]\nburst = 5\n", "secrets": {"netboxToken": {"value": "nbt_another.secret"}}})
FIRST, SECOND = merged(VALUES, WITHOUT_JOBS), merged(CHANGED, WITHOUT_JOBS)
THIRD = merged(SECOND, {"config": "[arin]\nburst = 6\n"})
MISTAKEN = merged(VALUES, {"config": "[arin]\nburts = 5\n"})
KEYS = '[[key]]\nconfig = "Example"\nuser = "jdoe"\napi_key = "API-EXAMPLE"\n'


class Release:
    """A release in a cluster of its own, where nothing but a Secret of the operator is yet."""

    def __init__(self, folder):
        self.folder = folder
        given = {"keys.toml": base64.b64encode(KEYS.encode()).decode()}
        found = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "given"}, "data": given}
        self.cluster = Cluster(self.ended, [found])
        self.ends = {}

    def reach(self, url):
        """Tells Helm where the cluster is."""
        context = {"cluster": "only", "user": "only", "namespace": NAMESPACE}
        access = {
            "current-context": "only",
            "clusters": [{"name": "only", "cluster": {"server": url}}],
            "contexts": [{"name": "only", "context": context}],
            "users": [{"name": "only", "user": {}}],
        }
        (self.folder / "access").write_text(yaml.safe_dump(access))

    def ended(self, pod):
        """The end of a pod: what a test says of its container, else what the program itself does with its settings."""
        (container,) = containers(pod)
        return self.ends.get(container["name"]) or self.run(pod)

    def run(self, pod):
        """Lets the program check the settings of a pod, with the files that it would have now."""
        (volume,) = [volume["projected"] for volume in pod["spec"]["volumes"] if volume["name"] == "settings"]
        for source in volume["sources"]:
            ((kind, wanted),) = source.items()
            data = content(self.cluster.of_kind({"configMap": "ConfigMap", "secret": "Secret"}[kind])[wanted["name"]])
            for item in wanted.get("items", [{"key": key, "path": key} for key in data]):
                file = self.folder / item["path"]
                file.unlink(missing_ok=True)
                file.write_text(data[item["key"]])
                file.chmod(volume["defaultMode"])
        env = {key: value.replace(FOLDER, f"{self.folder}/") for key, value in environment(containers(pod)[0]).items()}
        done = attempt(SIDECAR, "--config", self.folder / "config.toml", "check", "--settings-only", env=env)
        return done.returncode, done.stdout + done.stderr

    def helm(self, command, *options, values=None):
        given = ["--values", "-"] if values else []
        chart = [CHART] if command in ("install", "upgrade") else []
        env = os.environ | {"KUBECONFIG": str(self.folder / "access")}
        return attempt("helm", command, "rir", *chart, *options, *given, "-n", NAMESPACE, input=yaml.safe_dump(values), env=env)

    def good(self, command, *options, values=None):
        done = self.helm(command, *options, values=values)
        assert done.returncode == 0, f"{done.stdout}{done.stderr}"
        return done.stdout

    def there(self):
        """The kinds and names of all objects but those that Helm and the controllers keep."""
        return sorted((kind, name) for kind, name in self.cluster.objects if kind != "ReplicaSet" and not is_helms(name))

    def replica_sets(self):
        """What pods of all revisions are made from."""
        return [found["spec"]["template"] for found in self.cluster.of_kind("ReplicaSet").values()]


def is_helms(name):
    """Whether it is what Helm keeps of a revision."""
    return name.startswith("sh.helm.release.")


@pytest.fixture
def release(tmp_path):
    release = Release(tmp_path)
    release.ends["bootstrap"] = (0, "")
    with served(release.cluster) as url:
        release.reach(url)
        yield release


def test_settings_that_cannot_be_used_change_nothing_and_helm_shows_why(release):
    release.good("install", values=VALUES)
    before = release.there()
    release.cluster.happened.clear()
    done = release.helm("upgrade", values=MISTAKEN)
    assert done.returncode != 0
    assert "arin.burts: is not a setting; correct its name or remove it" in done.stdout + done.stderr
    touched = {name for _, kind, name in release.cluster.happened if not is_helms(name)}
    assert touched == {f"{NAME}-setup", f"{NAME}-preflight"}, "the pods of before go on as they are"
    left = {(kind, f"{NAME}-preflight") for kind in ("Job", "Pod")}
    assert set(release.there()) - set(before) == left, "with its log"
    release.good("upgrade", values=CHANGED)
    assert left.isdisjoint(release.there())


def test_a_failed_upgrade_leaves_the_pods_of_before_their_settings(release):
    release.good("install", values=FIRST)
    done = release.helm("upgrade", "--wait", "--timeout", "3s", values=SECOND)
    assert done.returncode != 0 and "not ready" in done.stderr, done.stderr
    before, after = release.replica_sets()
    for pod in (before, after):
        code, said = release.run(pod)
        assert code == 0, said
    release.run(before)
    assert (release.folder / "netbox-token").read_text() == "nbt_a.secret"
    assert "burst" not in (release.folder / "config.toml").read_text()

    # The one after it knows of both, although Helm counts from the last that was deployed.
    release.good("upgrade", values=THIRD)
    assert [release.run(pod)[0] for pod in release.replica_sets()] == [0, 0, 0]
    release.good("rollback", "1")
    assert release.run(before)[0] == 0


def test_settings_go_with_the_last_replica_set_that_names_them(release):
    release.good("install", values=FIRST)
    release.good("upgrade", values=SECOND)
    names = {name for kind, name in release.there() if kind in {"ConfigMap", "Secret"}}
    # As Kubernetes does with those that are older than the history is long.
    release.cluster.delete("ReplicaSet", next(iter(release.cluster.of_kind("ReplicaSet"))))
    release.good("upgrade", values=SECOND)
    gone = names - {name for _, name in release.there()}
    assert len(names) == 5 and len(gone) == 2, (names, gone)
    assert "given" not in gone
    touched = [what for what, _, name in release.cluster.happened if name == "given"]
    assert not touched, "it is the operator's"


def test_netbox_gets_its_types_before_there_are_new_pods(release):
    for command, values in (("install", VALUES), ("upgrade", CHANGED)):
        release.cluster.happened.clear()
        release.good(command, values=values)
        told = [(kind, name) for _, kind, name in release.cluster.happened]
        preflight, bootstrap = (told.index(("Job", f"{NAME}-{job}")) for job in ("preflight", "bootstrap"))
        assert preflight < bootstrap < told.index(("Deployment", NAME)), command


def test_a_bootstrap_that_fails_leaves_the_pods_of_before_alone(release):
    release.good("install", values=VALUES)
    release.cluster.happened.clear()
    release.ends["bootstrap"] = (2, "NetBox does not take the token")
    done = release.helm("upgrade", values=CHANGED)
    assert done.returncode != 0 and "NetBox does not take the token" in done.stdout + done.stderr
    assert not [name for _, kind, name in release.cluster.happened if kind == "Deployment"]


def test_what_bootstrap_says_is_shown_when_it_succeeds(release):
    release.ends["bootstrap"] = (0, "Restart NetBox's web workers now")
    done = release.helm("install", values=VALUES)
    assert "Restart NetBox's web workers now" in done.stdout + done.stderr


@pytest.mark.parametrize("code", [0, 1])
def test_a_test_shows_its_log_and_leaves_nothing(release, code):
    release.ends["check"] = (code, "Redis answers")
    release.good("install", values=FIRST)
    before = release.there()
    done = release.helm("test", "--logs")
    assert (done.returncode != 0) == bool(code)
    assert "Redis answers" in done.stdout
    assert release.there() == before


@pytest.mark.parametrize("remove", [False, True])
def test_nothing_stays_and_the_webhook_goes_first_if_that_is_asked_for(release, remove):
    release.ends["removal"] = (0, "")
    release.good("install", values=merged(FIRST, {"bootstrap": {"removeWebhook": remove}}))
    release.good("upgrade", values=merged(SECOND, {"bootstrap": {"removeWebhook": remove}}))
    release.cluster.happened.clear()
    release.good("uninstall")
    told = [(what, kind) for what, kind, name in release.cluster.happened if not is_helms(name)]
    assert (("ADDED", "Job") in told) == remove
    if remove:
        assert told.index(("ADDED", "Job")) < told.index(("DELETED", "Deployment"))
    assert release.there() == [("Secret", "given")]
