"""Renders the Helm chart, and finds one's way in what comes out."""

import base64
import copy
from functools import cache

import yaml
from tools import REPO, attempt

CHART = REPO / "helm" / "netbox-rir-sidecar"
NAMESPACE = "lab"

# Where pods have the settings and all files they point to.
FOLDER = "/etc/rir-sidecar/"

# Nobody answers there: a test that runs the program with these settings ends at once.
URL = "http://127.0.0.1:9/"
TOKEN = {"existingSecret": "given"}

# All that has to be set.
LEAST = {"netbox": {"url": URL}, "secrets": {"netboxToken": TOKEN}}


def merged(*values):
    """The values of several files as Helm merges them, the last one on top."""
    result = {}
    for more in values:
        for key, value in copy.deepcopy(more).items():
            both = isinstance(value, dict) and isinstance(result.get(key), dict)
            result[key] = merged(result[key], value) if both else value
    return result


def with_least(*values):
    return merged(LEAST, *values)


SECRETS = ["netboxToken", "keys", "webhook", "webhookPrevious", "seal", "redisUrl", "bootstrapToken"]
EXISTING = {"secrets": {name: {"existingSecret": "given"} for name in SECRETS}}
GIVEN_AS_VALUES = {
    "netbox": {"url": URL},
    "secrets": {
        "netboxToken": {"value": "nbt_canary-service.secret"},
        "keys": {"value": '[[key]]\nconfig = "canary-config"\nuser = "jdoe"\napi_key = "API-CANARY-KEYS"\n'},
        "webhook": {"value": "canary-webhook-secret"},
        "webhookPrevious": {"value": "canary-previous-secret"},
        "seal": {"value": "canary-seal-of-thirty-two-characters"},
        "redisUrl": {"value": "redis://:canary-password@redis.example.net:6379/0"},
        "bootstrapToken": {"value": "nbt_canary-bootstrap.secret"},
    },
}
BUNDLED_REDIS = {"redis": {"enabled": True}}
SPLIT = merged(BUNDLED_REDIS, {"mode": "split"})
SCALED = {"autoscaling": {"enabled": True}}
WATCHED = {name: {"enabled": True} for name in ("serviceMonitor", "prometheusRule", "dashboard")}
EVERYTHING = merged(
    SPLIT,
    SCALED,
    WATCHED,
    {
        "netbox": {"ca": {"configMap": "authority"}},
        "arin": {"ca": {"secret": "authority"}},
        "queue": {"ca": {"configMap": "authority", "key": "redis.crt"}},
        "secrets": {"webhook": {"existingSecret": "given"}},
        "bootstrap": {"webhookUrl": "https://rir.example.net/webhooks/netbox", "removeWebhook": True},
        "api": {"replicas": 3},
        "redis": {"persistence": {"enabled": True, "storageClass": "fast"}},
        "service": {"annotations": {"note": "x"}, "ipFamilyPolicy": "PreferDualStack", "ipFamilies": ["IPv6", "IPv4"]},
        "ingress": {
            "enabled": True,
            "className": "nginx",
            "hosts": [
                {"host": "rir.example.net"},
                {"host": "hooks.example.net", "paths": [{"path": "/webhooks/netbox", "pathType": "Exact"}, {"path": "/docs"}]},
            ],
            "tls": [{"secretName": "given", "hosts": ["rir.example.net", "hooks.example.net"]}],
            "annotations": {"note": "x"},
        },
        "httpRoute": {"enabled": True, "parentRefs": [{"name": "public"}], "hostnames": ["rir.example.net"]},
        "networkPolicy": {
            "from": [{"namespaceSelector": {}}],
            "egress": [{"ports": [{"port": 443}]}],
        },
        "image": {"digest": "sha256:" + "0" * 64},
        "imagePullSecrets": [{"name": "given"}],
        "podDisruptionBudget": {"maxUnavailable": "50%"},
        "serviceAccount": {"annotations": {"note": "x"}},
        "commonLabels": {"department": "network"},
        "commonAnnotations": {"owner": "noc"},
        "extraDeploy": [
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{ .Release.Name }}-more"}, "data": {"a": "b"}},
            'apiVersion: v1\nkind: Secret\nmetadata:\n  name: {{ include "sidecar.fullname" . }}-more\n',
        ],
        "hostAliases": [{"ip": "2001:db8::1", "hostnames": ["netbox.example.net"]}],
        "podAnnotations": {"note": "x"},
        "podLabels": {"team": "network"},
        "nodeSelector": {"kubernetes.io/arch": "arm64"},
        "tolerations": [{"key": "spot", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "priorityClassName": "high",
        "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy.example.net:3128"}],
        "extraVolumes": [{"name": "more", "secret": {"secretName": "given"}}],
        "extraVolumeMounts": [{"name": "more", "mountPath": "/more", "readOnly": True}],
    },
)
NOTHING_OPTIONAL = {
    name: {"enabled": False} for name in ("preflight", "bootstrap", "networkPolicy", "podDisruptionBudget", "topologySpread")
} | {"serviceAccount": {"create": False}, "shutdown": {"preStopSeconds": 0}}

MATRIX = {
    "least": LEAST,
    "existing secrets": with_least(EXISTING),
    "secrets as values": GIVEN_AS_VALUES,
    "several with a Redis": with_least(EXISTING, {"api": {"replicas": 2}}, SCALED),
    "split": with_least(SPLIT),
    "split and scaled by the queue": with_least(
        EXISTING,
        {"mode": "split"},
        SCALED,
        {
            "autoscaling": {
                "metrics": [
                    {
                        "type": "External",
                        "external": {"metric": {"name": "rir_sidecar_queue_jobs"}, "target": {"type": "Value", "value": 20}},
                    }
                ]
            }
        },
    ),
    "everything": with_least(EVERYTHING),
    "nothing optional": with_least(NOTHING_OPTIONAL),
    "openshift": with_least(SPLIT, {"openshift": True}),
}
# Of definitions that are not Kubernetes' own.
CUSTOM = {"ServiceMonitor", "PrometheusRule", "HTTPRoute"}


def template(values, release="rir", more=(), chart=CHART):
    """Lets Helm render the chart; it may refuse."""
    command = ["helm", "template", release, chart, "--namespace", NAMESPACE, "--values", "-", *more]
    return attempt(*command, input=yaml.safe_dump(values))


def told(values, *more, chart=CHART):
    """The objects that Helm renders when it is told more than the values."""
    ended = template(values, more=more, chart=chart)
    assert ended.returncode == 0, ended.stderr
    return [found for found in yaml.load_all(ended.stdout, yaml.CSafeLoader) if found]


def text(values, release="rir"):
    """What Helm renders of values that it accepts."""
    return _rendered(yaml.safe_dump(values), release)[0]


def objects(values, release="rir"):
    """The same as objects, which all tests share: look at them only."""
    return _rendered(yaml.safe_dump(values), release)[1]


@cache
def _rendered(values, release):
    ended = template(yaml.safe_load(values), release)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout, [found for found in yaml.load_all(ended.stdout, yaml.CSafeLoader) if found]


def of_kind(kind, values, release="rir"):
    """All objects of a kind by their names."""
    return {found["metadata"]["name"]: found for found in objects(values, release) if found["kind"] == kind}


def pods(found):
    """Pods and templates of pods, each with the name of what makes them."""
    for each in found:
        name = f"{each['kind']}/{each['metadata']['name']}"
        if each["kind"] == "Pod":
            yield name, each
        elif each["kind"] in {"Deployment", "Job"}:
            yield name, each["spec"]["template"]


def containers(pod):
    return pod["spec"].get("initContainers", []) + pod["spec"]["containers"]


def runs_the_program(pod):
    return all("netbox-rir-sidecar" in container["image"] for container in containers(pod))


def environment(container):
    return {each["name"]: each.get("value") for each in container.get("env", [])}


def labels(found):
    return found["metadata"].get("labels", {})


def selects(selector, found):
    """Whether a selector with labels and expressions chooses an object."""
    if "matchLabels" not in selector and "matchExpressions" not in selector:
        selector = {"matchLabels": selector}
    has = labels(found)
    return all(has.get(key) == value for key, value in selector.get("matchLabels", {}).items()) and all(
        {"In": has.get(each["key"]) in each["values"], "NotIn": has.get(each["key"]) not in each["values"]}[each["operator"]]
        for each in selector.get("matchExpressions", [])
    )


# What is in Secrets and config maps that are not of the chart.
ELSEWHERE = {
    "keys.toml": '[[key]]\nconfig = "Example"\nuser = "jdoe"\napi_key = "API-EXAMPLE"\n',
    "redis-url": "redis://redis.example.net:6379/0",
    "ca.crt": (REPO / "tests/fixtures/tls/guide.pem").read_text(),
    "redis.crt": (REPO / "tests/fixtures/tls/other.pem").read_text(),
}


def files(pod, values):
    """The files in the settings folder as Kubernetes would write them, each with its mode. All that they come from is there."""
    (volume,) = [volume["projected"] for volume in pod["spec"]["volumes"] if volume["name"] == "settings"]
    found = {}
    for source in volume["sources"]:
        ((kind, wanted),) = source.items()
        ours = of_kind({"configMap": "ConfigMap", "secret": "Secret"}[kind], values)
        if wanted["name"] in ours:
            data = content(ours[wanted["name"]])
        else:
            assert wanted["name"] in {"given", "authority"}, f"nobody makes {wanted['name']}"
            data = {item["key"]: ELSEWHERE.get(item["key"], "of-16-letters-at-least") for item in wanted["items"]}
        for item in wanted.get("items", [{"key": key, "path": key} for key in data]):
            assert item["path"] not in found
            found[item["path"]] = (volume["defaultMode"], data[item["key"]])
    return found


def content(found):
    """The entries of a ConfigMap or Secret as text."""
    if found["kind"] == "ConfigMap":
        return found["data"]
    return {key: base64.b64decode(value).decode() for key, value in found["data"].items()}
