"""The Helm chart: what it makes of which values, and what it refuses."""

import base64
import json
import re
import shutil
import tomllib

import pytest
import yaml
from chart import (
    BUNDLED_REDIS,
    CHART,
    CUSTOM,
    EVERYTHING,
    EXISTING,
    FOLDER,
    GIVEN_AS_VALUES,
    LEAST,
    MATRIX,
    SCALED,
    SPLIT,
    URL,
    WATCHED,
    containers,
    environment,
    files,
    labels,
    merged,
    objects,
    of_kind,
    pods,
    runs_the_program,
    selects,
    template,
    text,
    told,
    with_least,
)
from kubernetes import Cluster, served
from tools import REPO, SIDECAR, attempt, run

NAME = "rir-netbox-rir-sidecar"
NEWEST, OLDEST = "1.37", "1.30"

every_case = pytest.mark.parametrize("values", MATRIX.values(), ids=MATRIX.keys())


# ---- What reads it accepts it ----------------------------------------------------------------------------------------


@every_case
def test_helm_finds_no_fault(values, tmp_path):
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(values))
    run("helm", "lint", "--strict", "--quiet", CHART, "--values", file)


@pytest.mark.parametrize("version", [NEWEST, OLDEST])
def test_kubernetes_accepts_every_object(version, tmp_path):
    known = {case: [found for found in objects(values) if found["kind"] not in CUSTOM] for case, values in MATRIX.items()}
    for case, found in known.items():
        (tmp_path / f"{case}.yaml").write_text(yaml.safe_dump_all(found))
    said = run("kubernetes-validate", "--strict", "--kubernetes-version", version, *tmp_path.iterdir()).stdout
    assert "WARN" not in said, said
    assert said.count(f"against version {version}") == sum(map(len, known.values()))


def test_the_oldest_kubernetes_is_the_one_that_is_asked_for():
    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["kubeVersion"] == f">={OLDEST}.0-0"


def test_the_yaml_has_no_duplicate_keys_and_even_indents(tmp_path):
    for case, values in MATRIX.items():
        (tmp_path / f"{case}.yaml").write_text(text(values))
    rules = "{rules: {key-duplicates: enable, trailing-spaces: enable, indentation: {indent-sequences: whatever}}}"
    run("yamllint", "--strict", "--config-data", rules, tmp_path)


def test_it_renders_the_same_twice():
    assert template(with_least(EVERYTHING)).stdout == template(with_least(EVERYTHING)).stdout


def test_custom_objects_have_the_right_shape():
    values = with_least(EVERYTHING, {name: {"labels": {"release": "prom"}} for name in ("serviceMonitor", "prometheusRule")})

    monitor = of_kind("ServiceMonitor", values)[NAME]
    assert monitor["apiVersion"] == "monitoring.coreos.com/v1"
    assert labels(monitor)["release"] == "prom"
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint | {"relabelings": None} == {"port": "http", "path": "/metrics", "interval": "30s", "relabelings": None}
    watched = [name for name, service in of_kind("Service", values).items() if selects(monitor["spec"]["selector"], service)]
    assert sorted(watched) == [NAME, f"{NAME}-worker"]

    rule = of_kind("PrometheusRule", values)[NAME]
    assert rule["apiVersion"] == "monitoring.coreos.com/v1"
    assert labels(rule)["release"] == "prom"
    assert rule["spec"] == yaml.safe_load((CHART / "files/alerts.yaml").read_text())
    assert all(group["name"] and group["rules"] for group in rule["spec"]["groups"])

    route = of_kind("HTTPRoute", values)[NAME]
    assert route["apiVersion"] == "gateway.networking.k8s.io/v1"
    assert route["spec"]["parentRefs"] == [{"name": "public"}]
    assert route["spec"]["hostnames"] == ["rir.example.net"]
    (only,) = route["spec"]["rules"]
    assert only["backendRefs"] == [{"name": NAME, "port": 80}]
    paths = [match["path"] for match in only["matches"]]
    assert {"type": "PathPrefix", "value": "/webhooks"} in paths
    assert {"/health", "/metrics", "/"}.isdisjoint(path["value"] for path in paths)


def job_that_prometheus_sees(monitor, service):
    """The label `job` of what a ServiceMonitor finds, as the Prometheus operator writes its rules."""
    (endpoint,) = monitor["spec"]["endpoints"]
    replaced = [rule["replacement"] for rule in endpoint.get("relabelings", []) if rule.get("targetLabel") == "job"]
    return (replaced or [labels(service).get(monitor["spec"].get("jobLabel")) or service["metadata"]["name"]])[-1]


@pytest.mark.parametrize("values", [{}, {"fullnameOverride": "registry"}], ids=["plain", "another name"])
@pytest.mark.parametrize("alias", [None, "registry"])
def test_the_alert_that_it_is_down_finds_it_whatever_it_is_called(alias, values, tmp_path):
    values = with_least(WATCHED, values)
    found = objects(values) if alias is None else told({alias: values}, chart=umbrella(tmp_path / "umbrella", alias))
    only = {each["kind"]: each for each in found if each["kind"] in {"Service", "ServiceMonitor", "PrometheusRule"}}
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(only["PrometheusRule"]["spec"]))
    series = {"series": f'up{{job="{job_that_prometheus_sees(only["ServiceMonitor"], only["Service"])}"}}', "values": "0x10"}
    fires = {"eval_time": "6m", "expr": 'count(ALERTS{alertname="RirSidecarDown"})', "exp_samples": [{"labels": "{}", "value": 1}]}
    trial = {"interval": "1m", "input_series": [series], "promql_expr_test": [fires]}
    (tmp_path / "trial.yaml").write_text(yaml.safe_dump({"rule_files": ["rules.yaml"], "tests": [trial]}))
    run("promtool", "test", "rules", tmp_path / "trial.yaml")


def umbrella(folder, alias):
    """A chart that has ours as a dependency by another name."""
    shutil.copytree(CHART, folder / "charts" / CHART.name)
    version = yaml.safe_load((CHART / "Chart.yaml").read_text())["version"]
    dependency = {"name": CHART.name, "version": version, "alias": alias}
    (folder / "Chart.yaml").write_text(yaml.safe_dump({"apiVersion": "v2", "name": "umbrella", "version": "1.0.0", "dependencies": [dependency]}))
    return folder


def test_the_dashboard_is_the_file_and_grafana_finds_it():
    config = of_kind("ConfigMap", with_least(EVERYTHING))[f"{NAME}-dashboard"]
    assert labels(config)["grafana_dashboard"] == "1"
    (dashboard,) = config["data"].values()
    assert json.loads(dashboard) == json.loads((CHART / "files/dashboard.json").read_text())


@pytest.mark.parametrize(
    ("copy", "original"),
    [("alerts.yaml", "deploy/prometheus/alerts.yaml"), ("dashboard.json", "deploy/grafana/dashboard.json")],
)
def test_the_chart_has_the_same_files_as_other_deployments(copy, original):
    """Helm reads nothing outside the chart, and a link would not be packed on every system."""
    assert (CHART / "files" / copy).read_text() == (REPO / original).read_text(), f"cp {original} {CHART / 'files' / copy}"


BEHIND_PROXIES = {
    "ingress": {"ingress": {"enabled": True, "hosts": [{"host": "rir.example.net"}]}},
    "route": {"httpRoute": {"enabled": True, "parentRefs": [{"name": "public"}]}},
}


def client_address_headers(values):
    found = [pod for _, pod in pods(objects(with_least(values))) if runs_the_program(pod)]
    return {environment(container).get("RIR_SIDECAR__HTTP__CLIENT_ADDRESS_HEADER") for pod in found for container in containers(pod)}


@pytest.mark.parametrize("proxy", BEHIND_PROXIES.values(), ids=BEHIND_PROXIES.keys())
def test_behind_a_proxy_callers_are_told_apart(proxy):
    assert client_address_headers(proxy) == {"x-forwarded-for"}
    for named in ("x-real-ip", ""):
        config = f'[http]\nclient_address_header = "{named}"\n'
        assert client_address_headers(merged(proxy, {"config": config})) == {None}, "the environment would overrule it"


def test_without_a_proxy_nobody_can_write_an_address():
    assert client_address_headers({}) == {None}


# ---- Pods ------------------------------------------------------------------------------------------------------------


def test_hooks_tests_and_redis_are_among_the_pods_looked_at():
    found = [name for name, _ in pods(objects(with_least(EVERYTHING)))]
    assert sorted(found) == [
        f"Deployment/{NAME}",
        f"Deployment/{NAME}-redis",
        f"Deployment/{NAME}-worker",
        f"Job/{NAME}-bootstrap",
        f"Job/{NAME}-preflight",
        f"Job/{NAME}-removal",
        f"Job/{NAME}-webhook",
        f"Pod/{NAME}-test",
    ]


@every_case
def test_every_pod_is_restricted(values):
    """Pod Security's level "restricted", and a root file system that cannot be written."""
    for name, pod in pods(objects(values)):
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        chosen = [spec["securityContext"].get(key) for key in ("runAsUser", "runAsGroup", "fsGroup")]
        assert chosen == [None] * 3 if "openshift" in values else all(chosen), name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not {"hostNetwork", "hostPID", "hostIPC", "ephemeralContainers"} & spec.keys(), name
        allowed = {"name", "configMap", "emptyDir", "persistentVolumeClaim", "projected", "secret"}
        assert all(volume.keys() <= allowed for volume in spec["volumes"]), name
        for container in containers(pod):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name
            assert all("hostPort" not in port for port in container.get("ports", [])), name


def refused_by_restricted_v2(pod):
    """What OpenShift's security context constraint of that name, spelled out, has against a pod.

    It stands for a cluster's admission: its range of users and groups is the namespace's own, so that nothing that a chart
    could choose is in it.
    """
    spec, found = pod["spec"], []
    context = spec.get("securityContext", {})
    found += [key for key in ("runAsUser", "fsGroup", "supplementalGroups", "seLinuxOptions") if key in context]
    found += [key for key in ("hostNetwork", "hostPID", "hostIPC") if spec.get(key)]
    kinds = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
    found += [volume["name"] for volume in spec.get("volumes", []) if not kinds & volume.keys()]
    for container in containers(pod):
        mine = container.get("securityContext", {})
        profile = (mine.get("seccompProfile") or context.get("seccompProfile", {})).get("type")
        found += [key for key in ("runAsUser", "privileged") if mine.get(key)]
        found += ["allowPrivilegeEscalation"] * (mine.get("allowPrivilegeEscalation") is not False)
        found += ["capabilities"] * (mine.get("capabilities", {}).get("drop") != ["ALL"] or "add" in mine["capabilities"])
        found += ["seccompProfile"] * (profile not in (None, "RuntimeDefault"))
        found += ["hostPort"] * any("hostPort" in port for port in container.get("ports", []))
    return found


@pytest.mark.parametrize(
    ("openshift", "cluster_is", "left_out"),
    [("auto", True, True), ("auto", False, False), (True, False, True), (False, True, False)],
)
def test_openshift_chooses_user_and_groups_itself(openshift, cluster_is, left_out):
    api = ["--api-versions", "security.openshift.io/v1"] if cluster_is else []
    found = list(pods(told(with_least(EVERYTHING, {"openshift": openshift}), *api)))
    assert {name.split("/")[0] for name, _ in found} == {"Deployment", "Job", "Pod"}
    for name, pod in found:
        assert refused_by_restricted_v2(pod) == ([] if left_out else ["runAsUser", "fsGroup"]), name


def test_everything_listens_on_ipv6_too():
    """Redis does so by itself, unless it is told to bind to an address."""
    values = with_least(SPLIT)
    for _, pod in pods(objects(values)):
        for container in containers(pod):
            assert environment(container).get("RIR_SIDECAR__HTTP__LISTEN", "[::]:8080") == "[::]:8080"
            assert "--bind" not in container.get("command", [])


def test_services_have_the_addresses_that_are_asked_for():
    for values, chosen in ((EVERYTHING, ("PreferDualStack", ["IPv6", "IPv4"])), (SPLIT, (None, None))):
        services = of_kind("Service", with_least(values)).values()
        assert len(services) == 3
        assert all((each["spec"].get("ipFamilyPolicy"), each["spec"].get("ipFamilies")) == chosen for each in services)


@every_case
def test_no_pod_may_speak_to_kubernetes(values):
    assert all(pod["spec"]["automountServiceAccountToken"] is False for _, pod in pods(objects(values)))
    assert all(account["automountServiceAccountToken"] is False for account in of_kind("ServiceAccount", values).values())
    assert not {"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"} & {found["kind"] for found in objects(values)}


@every_case
def test_every_container_says_what_it_uses(values):
    for name, pod in pods(objects(values)):
        for container in containers(pod):
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys(), name
            assert "memory" in container["resources"]["limits"], name


@every_case
def test_what_serves_is_probed(values):
    for name, deployment in of_kind("Deployment", values).items():
        pod = deployment["spec"]["template"]
        (container,) = containers(pod)
        assert {"livenessProbe", "readinessProbe"} <= container.keys(), name
        if runs_the_program(pod):
            assert container["livenessProbe"]["httpGet"] == {"path": "/health/live", "port": "http"}
            assert container["readinessProbe"]["httpGet"] == {"path": "/health/ready", "port": "http"}
            assert environment(container)["RIR_SIDECAR__HTTP__LISTEN"] == "[::]:8080"
            assert container["ports"] == [{"name": "http", "containerPort": 8080}]


@every_case
def test_nothing_needs_a_shell(values):
    """The program's image has none, so it is started by its entry point, and neither hooks nor probes run a command."""
    for name, pod in pods(objects(values)):
        for container in containers(pod):
            if runs_the_program(pod):
                assert "command" not in container, name
                assert "exec" not in json.dumps([container.get(key) for key in ("lifecycle", "livenessProbe", "readinessProbe")])
            assert not {"sh", "bash", "/bin/sh", "/bin/bash"} & set(container.get("command", []) + container.get("args", [])), name


@pytest.mark.parametrize(("wait", "limit"), [(5, 25), (0, 60), (20, 10)])
def test_the_grace_period_is_longer_than_the_drain(wait, limit):
    values = with_least(SPLIT, {"shutdown": {"preStopSeconds": wait, "timeoutSeconds": limit}})
    deployments = of_kind("Deployment", values)
    for name, preStop in ((NAME, wait), (f"{NAME}-worker", 0)):
        spec = deployments[name]["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        assert container.get("lifecycle") == ({"preStop": {"sleep": {"seconds": preStop}}} if preStop else None)
        assert environment(container)["RIR_SIDECAR__WORKER__SHUTDOWN_TIMEOUT"] == f"{limit}s"
        assert spec["terminationGracePeriodSeconds"] > preStop + limit


def test_a_pod_that_no_other_stands_in_for_ends_at_once():
    """Without a Redis the requests that it still took would become jobs that end with it."""
    values = with_least({"shutdown": {"preStopSeconds": 20, "timeoutSeconds": 25}})
    spec = of_kind("Deployment", values)[NAME]["spec"]["template"]["spec"]
    assert "lifecycle" not in spec["containers"][0]
    assert spec["terminationGracePeriodSeconds"] == 30


def test_pods_are_spread_and_protected_from_drains_by_their_own_kind():
    values = with_least(SPLIT)
    for name, budget in of_kind("PodDisruptionBudget", values).items():
        chosen = [who for who, pod in pods(objects(values)) if selects(budget["spec"]["selector"], pod)]
        assert chosen == [f"Deployment/{name}"]
        pod = of_kind("Deployment", values)[name]["spec"]["template"]
        spread = pod["spec"]["topologySpreadConstraints"]
        assert {each["topologyKey"] for each in spread} == {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}
        assert all(each["labelSelector"]["matchLabels"] == budget["spec"]["selector"]["matchLabels"] for each in spread)
    assert len(of_kind("PodDisruptionBudget", values)) == 2


def test_pods_are_spread_as_told_by_their_own_kind():
    constraints = [
        {"topologyKey": "rack", "maxSkew": 2, "whenUnsatisfiable": "DoNotSchedule"},
        {"topologyKey": "row", "maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {"matchLabels": {"a": "b"}}},
    ]
    for enabled in (True, False):
        values = with_least(SPLIT, {"topologySpread": {"enabled": enabled}, "topologySpreadConstraints": constraints})
        for name in (NAME, f"{NAME}-worker"):
            spec = of_kind("Deployment", values)[name]["spec"]
            rack, row = spec["template"]["spec"]["topologySpreadConstraints"]
            assert rack == constraints[0] | {"labelSelector": {"matchLabels": spec["selector"]["matchLabels"]}}
            assert row == constraints[1]
    assert "topologySpreadConstraints" not in json.dumps(objects(with_least({"topologySpread": {"enabled": False}})))


def test_every_pod_knows_the_given_hosts():
    aliases = [{"ip": "2001:db8::1", "hostnames": ["netbox.example.net"]}]
    assert all(pod["spec"]["hostAliases"] == aliases for _, pod in pods(objects(with_least(EVERYTHING))))


def is_of_the_chart(found):
    return not found["metadata"]["name"].endswith("-more")


def test_every_object_has_the_common_labels_and_annotations():
    values = with_least(EVERYTHING)
    for found in filter(is_of_the_chart, objects(values)):
        name = f"{found['kind']}/{found['metadata']['name']}"
        assert labels(found)["department"] == "network", name
        assert found["metadata"]["annotations"]["owner"] == "noc", name
    assert all(labels(pod)["department"] == "network" for _, pod in pods(objects(values)))
    selectors = [found["spec"]["selector"] for found in objects(values) if "selector" in found.get("spec", {})]
    assert "department" not in json.dumps(selectors), "a selector can never be changed"


def test_what_is_said_of_one_object_counts_more_than_what_is_said_of_all():
    common = {"commonLabels": {"release": "all", "team": "all"}, "commonAnnotations": {"note": "all"}}
    values = with_least(EVERYTHING, common, {"serviceMonitor": {"labels": {"release": "one"}}, "podLabels": {"team": "one"}})
    assert labels(of_kind("ServiceMonitor", values)[NAME])["release"] == "one"
    assert {labels(pod)["team"] for _, pod in pods(objects(values))} == {"one"}
    assert of_kind("Service", values)[NAME]["metadata"]["annotations"]["note"] == "x"
    assert of_kind("Pod", values)[f"{NAME}-test"]["metadata"]["annotations"]["note"] == "x"


def test_more_objects_are_deployed_as_they_are_and_may_be_templates():
    more = {each["kind"]: each for each in objects(with_least(EVERYTHING)) if not is_of_the_chart(each)}
    assert more == {
        "ConfigMap": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "rir-more"}, "data": {"a": "b"}},
        "Secret": {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"{NAME}-more"}},
    }


# ---- How it is reached, and reaches others ---------------------------------------------------------------------------


def test_an_ingress_has_all_hosts_with_their_paths():
    spec = of_kind("Ingress", with_least(EVERYTHING))[NAME]["spec"]
    paths = {rule["host"]: [(path["path"], path["pathType"]) for path in rule["http"]["paths"]] for rule in spec["rules"]}
    assert paths == {
        "rir.example.net": [("/api", "Prefix"), ("/webhooks", "Prefix"), ("/docs", "Prefix"), ("/openapi.json", "Prefix")],
        "hooks.example.net": [("/webhooks/netbox", "Exact"), ("/docs", "Prefix")],
    }
    assert spec["tls"] == [{"secretName": "given", "hosts": ["rir.example.net", "hooks.example.net"]}]


@pytest.mark.parametrize("kind", ["configMap", "secret"])
@pytest.mark.parametrize("of", ["netbox", "arin", "queue"])
def test_a_certificate_authority_comes_from_either(kind, of):
    values = with_least({of: {"ca": {kind: "authority", "key": "company.pem"}}})
    source = {kind: {"name": "authority", "items": [{"key": "company.pem", "path": f"{of}-ca.crt"}]}}
    for name, pod in pods(objects(values)):
        assert environment(containers(pod)[0])[f"RIR_SIDECAR__{of.upper()}__CA_FILE"] == f"{FOLDER}{of}-ca.crt", name
        (settings,) = pod["spec"]["volumes"]
        assert source in settings["projected"]["sources"], name


# ---- Modes -----------------------------------------------------------------------------------------------------------


def arguments(values):
    """What the deployments of the program run."""
    return {
        name: containers(deployment["spec"]["template"])[0]["args"][2:]
        for name, deployment in of_kind("Deployment", values).items()
        if runs_the_program(deployment["spec"]["template"])
    }


def test_one_deployment_does_all_or_two_share_the_work():
    assert arguments(LEAST) == {NAME: ["serve"]}
    assert arguments(with_least(SPLIT)) == {NAME: ["serve", "--no-worker"], f"{NAME}-worker": ["work"]}


@pytest.mark.parametrize(("values", "target"), [(with_least(BUNDLED_REDIS, SCALED), NAME), (with_least(SPLIT, SCALED), f"{NAME}-worker")])
def test_the_autoscaler_scales_what_works_jobs_off(values, target):
    ((_, scaler),) = of_kind("HorizontalPodAutoscaler", values).items()
    assert scaler["spec"]["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": target}
    assert arguments(values)[target][-1] in ("work", "serve")
    for name in arguments(values):
        fixed = "replicas" in of_kind("Deployment", values)[name]["spec"]
        assert fixed == (name != target), f"{name}: an upgrade would undo what the autoscaler did"


def live(replicas=3, strategy="RollingUpdate", fields=(), annotations=None):
    """The deployment of a release as a cluster has it. The fields are who owns the number of its pods."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": NAME, "namespace": "lab", "annotations": annotations or {}, "managedFields": list(fields)},
        "spec": {"replicas": replicas, "strategy": {"type": strategy}},
    }


def upgraded(values, *found):
    """What an upgrade makes of the deployment, in a cluster that has these objects."""
    with served(Cluster(ended=None, found=found)) as url:
        asked = ["--dry-run=server", "--is-upgrade", "--disable-openapi-validation", "--kube-apiserver", url]
        (deployment,) = [each for each in told(values, *asked) if each["kind"] == "Deployment" and each["metadata"]["name"] == NAME]
    return deployment["spec"]


def owner(operation, *owned, **more):
    return {"manager": "x", "operation": operation, "fieldsV1": {"f:spec": {f"f:{field}": {} for field in owned}}} | more


MERGED_BY_HELM = [owner("Update", "replicas", "selector")]
MERGED_BY_THE_SERVER = [owner("Apply", "replicas", "selector")]
SCALED_SINCE = [owner("Apply", "selector"), owner("Update", "replicas", subresource="scale")]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (None, None),
        (live(3, fields=MERGED_BY_HELM), 3),
        (live(3, fields=MERGED_BY_THE_SERVER), 3),
        (live(3, fields=[*MERGED_BY_HELM, owner("Update", "replicas", subresource="scale")]), 3),
        (live(3, fields=SCALED_SINCE), None),
        (live(0, fields=MERGED_BY_THE_SERVER), 2),
        (live(1, fields=MERGED_BY_HELM), 2),
    ],
    ids=["not there yet", "merged by Helm", "merged by the server", "scaled, merged by Helm", "scaled, merged by the server", "none", "too few"],
)
def test_turning_the_autoscaler_on_keeps_the_pods_that_there_are(found, said):
    """A number that is said no more falls back to one. The server keeps it if it is somebody else's by then.

    That is how Kubernetes describes the move to an autoscaler; here it is only seen what Helm is told to say.
    """
    values = with_least(BUNDLED_REDIS, SCALED, {"autoscaling": {"minReplicas": 2}})
    assert upgraded(values, *filter(None, [found])).get("replicas") == said


def test_a_redis_is_added_and_taken_away_without_two_pods_that_do_not_know_each_other():
    alone, shared = LEAST, with_least(BUNDLED_REDIS)
    (told_alone,), (told_shared,) = [
        [each["metadata"]["annotations"] for each in of_kind("Deployment", values).values() if "redis" not in each["metadata"]["name"]]
        for values in (alone, shared)
    ]
    for now, before, expected in (
        (shared, live(1, "Recreate", annotations=told_alone), "Recreate"),
        (shared, live(1, "Recreate", annotations=told_shared), "RollingUpdate"),
        (shared, live(1, "RollingUpdate", annotations=told_shared), "RollingUpdate"),
        (alone, live(1, "RollingUpdate", annotations=told_shared), "Recreate"),
        # Installed by a chart that did not say yet where the jobs are.
        (shared, live(1, "Recreate"), "Recreate"),
        (shared, live(1, "RollingUpdate"), "RollingUpdate"),
    ):
        strategy = upgraded(now, before)["strategy"]
        assert strategy["type"] == expected
        assert ("rollingUpdate" in strategy) == (expected == "RollingUpdate"), "with Recreate the API server refuses it"


def test_without_a_redis_two_pods_never_run_at_once():
    (alone,) = of_kind("Deployment", LEAST).values()
    assert alone["spec"]["replicas"] == 1
    assert alone["spec"]["strategy"] == {"type": "Recreate"}
    shared = of_kind("Deployment", with_least(BUNDLED_REDIS))[NAME]
    assert shared["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


def test_a_redis_named_in_the_settings_counts_as_one():
    values = with_least({"mode": "split", "config": '[queue]\nurl = "redis://redis.example.net:6379/0"\n'})
    assert len(arguments(values)) == 2


def test_redis_keeps_what_it_is_given_and_is_reached_by_this_release_only():
    values = with_least(SPLIT, {"redis": {"persistence": {"enabled": True}}})
    pod = of_kind("Deployment", values)[f"{NAME}-redis"]["spec"]["template"]
    (container,) = containers(pod)
    assert container["command"][:3] == ["redis-server", "--appendonly", "yes"]
    assert container["volumeMounts"] == [{"name": "data", "mountPath": "/data"}]
    assert pod["spec"]["volumes"] == [{"name": "data", "persistentVolumeClaim": {"claimName": f"{NAME}-redis"}}]

    policy = of_kind("NetworkPolicy", values)[f"{NAME}-redis"]["spec"]
    assert selects(policy["podSelector"], pod)
    assert policy["policyTypes"] == ["Ingress", "Egress"] and "egress" not in policy
    ((source,),) = [rule["from"] for rule in policy["ingress"]]
    ours, theirs = pods(objects(values)), pods(objects(values, release="other"))
    assert all(selects(source["podSelector"], each) for _, each in ours)
    assert not any(selects(source["podSelector"], each) for _, each in theirs)


def test_the_network_policy_holds_for_the_program_and_leaves_name_resolution_and_redis_open():
    policy = of_kind("NetworkPolicy", with_least(EVERYTHING))[NAME]["spec"]
    for name, pod in pods(objects(with_least(EVERYTHING))):
        assert selects(policy["podSelector"], pod) == runs_the_program(pod), name
    assert policy["ingress"] == [{"ports": [{"port": "http"}], "from": [{"namespaceSelector": {}}]}]
    names, redis, given = policy["egress"]
    assert {"port": 53, "protocol": "UDP"} in names["ports"]
    assert redis["ports"] == [{"port": 6379}]
    (to,) = redis["to"]
    reached = [name for name, pod in pods(objects(with_least(EVERYTHING))) if selects(to["podSelector"], pod)]
    assert reached == [f"Deployment/{NAME}-redis"]
    assert given == {"ports": [{"port": 443}]}
    assert of_kind("NetworkPolicy", LEAST)[NAME]["spec"]["policyTypes"] == ["Ingress"]


# ---- Settings and secrets --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "config",
    ['[telemetry]\nlog = "debug"\n', "   # indented\n[arin]\n\n\nburst = 5  # {{ .Release.Name }} é\n", ""],
    ids=["plain", "odd", "empty"],
)
def test_the_settings_are_given_verbatim(config):
    given = [found["data"]["config.toml"].rstrip("\n") for found in of_kind("ConfigMap", with_least({"config": config})).values()]
    assert given == [config.rstrip("\n")] * 2


def templates(values):
    """The pods of the program's deployments, which roll when they change."""
    found = {name: deployment["spec"]["template"] for name, deployment in of_kind("Deployment", values).items()}
    return {name: pod for name, pod in found.items() if runs_the_program(pod)}


def sources(pod):
    """The objects that a pod reads its settings from, as kinds and names."""
    (volume,) = [volume["projected"] for volume in pod["spec"]["volumes"] if volume["name"] == "settings"]
    return [({"configMap": "ConfigMap", "secret": "Secret"}[kind], each["name"]) for source in volume["sources"] for kind, each in source.items()]


def made(values):
    """What the chart makes of the settings and secrets for the pods that stay."""
    found = [*of_kind("ConfigMap", values).values(), *of_kind("Secret", values).values()]
    return [each for each in found if labels(each).get("app.kubernetes.io/component") == "settings"]


@every_case
def test_what_holds_settings_never_changes_and_is_named_by_its_content(values):
    assert {found["kind"] for found in made(values)} >= {"ConfigMap"}
    for found in made(values):
        assert found["immutable"] is True
        assert "helm.sh/hook" not in found["metadata"]["annotations"]
    for _, pod in templates(values).items():
        assert {("ConfigMap", NAME), ("Secret", NAME)}.isdisjoint(sources(pod)), "its content would change under a pod of before"
    other = merged(values, {"config": "[arin]\nburst = 7\n", "secrets": {"keys": {"value": "a different value", "existingSecret": ""}}})
    names = [{(found["kind"], found["metadata"]["name"]) for found in made(each)} for each in (values, other)]
    assert names[0].isdisjoint(names[1])


@every_case
def test_secrets_are_mounted_as_a_folder_so_that_their_changes_arrive(values):
    """Kubernetes never renews a file that is mounted by itself, with a `subPath`."""
    for name, pod in pods(objects(values)):
        for container in containers(pod) if runs_the_program(pod) else []:
            (mount,) = [mount for mount in container["volumeMounts"] if mount["name"] == "settings"]
            assert mount == {"name": "settings", "mountPath": FOLDER.rstrip("/"), "readOnly": True}, name


@pytest.mark.parametrize(
    "change", [{"config": "[arin]\nburst = 5\n"}] + [{"secrets": {name: {"value": "a different value"}}} for name in GIVEN_AS_VALUES["secrets"]]
)
def test_changed_settings_and_secrets_roll_all_pods(change):
    values = merged(GIVEN_AS_VALUES, {"mode": "split"})
    before, after = templates(values), templates(merged(values, change))
    assert len(before) == 2
    assert all(before[name] != after[name] for name in before)
    assert before == templates(merged(values, {"service": {"port": 81}})), "and nothing else does"


@every_case
def test_secrets_are_in_secrets_only(values):
    given = [secret.get("value", "") for secret in values["secrets"].values()]
    forms = [form for value in given if value for form in (value, base64.b64encode(value.encode()).decode())]
    forms += [word for value in given for word in value.split() if "canary" in word.lower()]
    for found in objects(values):
        if found["kind"] != "Secret":
            assert not [form for form in forms if form in json.dumps(found)], found["metadata"]["name"]
    for _, pod in pods(objects(values)):
        for container in containers(pod):
            assert "envFrom" not in container
            assert all("valueFrom" not in each for each in container.get("env", []))


@pytest.mark.parametrize("case", ["least", "secrets as values", "everything"])
def test_the_program_accepts_its_settings_and_files(case, tmp_path):
    """Nobody is asked."""
    values = MATRIX[case]
    (pod,) = [pod for name, pod in pods(objects(values)) if name == f"Deployment/{NAME}"]
    for path, (mode, content) in files(pod, values).items():
        (tmp_path / path).write_text(content)
        (tmp_path / path).chmod(mode)
    (container,) = containers(pod)
    here = {key: value.replace(FOLDER, f"{tmp_path}/") for key, value in environment(container).items()}
    tried = attempt(SIDECAR, "--config", tmp_path / "config.toml", "check", "--settings-only", env=here)
    assert tried.returncode == 0, f"{tried.stdout}{tried.stderr}"
    assert ("keys.toml has 1 API key" in tried.stdout) == ("keys" in values["secrets"]), tried.stdout


def test_the_program_knows_all_arguments():
    rendered = [pod for values in MATRIX.values() for _, pod in pods(objects(values)) if runs_the_program(pod)]
    used = {tuple(container["args"]) for pod in rendered for container in containers(pod)}
    assert len(used) == 8
    for args in used:
        # There are no settings here. That this is said shows that all arguments were understood.
        tried = attempt(SIDECAR, *args, env={})
        assert tried.returncode == 2, f"{args}: {tried.stderr}"
        assert "/etc/rir-sidecar/config.toml" in tried.stderr, f"{args}: {tried.stderr}"


def test_only_jobs_that_change_netbox_get_the_token_for_that():
    values = merged(GIVEN_AS_VALUES, {"bootstrap": {"webhookUrl": "https://x/webhooks/netbox", "removeWebhook": True}})
    changing = {f"Job/{NAME}-{job}" for job in ("bootstrap", "webhook", "removal")}
    for name, pod in pods(objects(values)):
        _, token = files(pod, values)["netbox-token"]
        assert token == ("nbt_canary-bootstrap.secret" if name in changing else "nbt_canary-service.secret"), name


def annotations(kind, name, values):
    return of_kind(kind, values)[name]["metadata"]["annotations"]


def arguments_of(job, values):
    (container,) = containers(of_kind("Job", values)[f"{NAME}-{job}"]["spec"]["template"])
    return container["args"][2:]


def test_types_come_before_the_pods_and_webhooks_after_them():
    values = with_least(EVERYTHING)
    assert annotations("Job", f"{NAME}-bootstrap", values)["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert arguments_of("bootstrap", values) == ["bootstrap"]
    assert annotations("Job", f"{NAME}-webhook", values)["helm.sh/hook"] == "post-install,post-upgrade"
    assert arguments_of("webhook", values) == ["bootstrap", "--webhook-url", "https://rir.example.net/webhooks/netbox"]
    assert f"{NAME}-webhook" not in of_kind("Job", LEAST)


def test_settings_are_checked_first_and_then_bootstrap_runs_before_anything_of_the_release_is_there():
    values = merged(GIVEN_AS_VALUES, {"networkPolicy": {"egress": [{"ports": [{"port": 443}]}]}})
    weights = {}
    for found in objects(values):
        notes = found["metadata"].get("annotations", {})
        if notes.get("helm.sh/hook", "").startswith("pre-install"):
            weights[found["kind"], found["metadata"]["name"]] = int(notes["helm.sh/hook-weight"])
    order = sorted(weights, key=weights.get)
    jobs = [("Job", f"{NAME}-preflight"), ("Job", f"{NAME}-bootstrap")]
    assert order[-2:] == jobs
    assert {kind for kind, _ in order[:-2]} == {"ConfigMap", "Secret", "ServiceAccount", "NetworkPolicy"}
    for _, name in jobs:
        assert annotations("Job", name, values)["helm.sh/hook"] == "pre-install,pre-upgrade"
        pod = of_kind("Job", values)[name]["spec"]["template"]
        needed = {*sources(pod), ("ServiceAccount", pod["spec"]["serviceAccountName"])}
        assert needed <= weights.keys(), "it would wait for what is made later"
    policy = of_kind("NetworkPolicy", values)[f"{NAME}-setup"]["spec"]
    assert selects(policy["podSelector"], of_kind("Job", values)[f"{NAME}-bootstrap"]["spec"]["template"])
    assert policy["egress"][1:] == [{"ports": [{"port": 443}]}]


def test_what_no_other_try_mends_ends_a_job_at_once():
    for name, job in of_kind("Job", with_least(EVERYTHING)).items():
        spec = job["spec"]
        assert spec["template"]["spec"]["restartPolicy"] == "Never", name
        assert spec["backoffLimit"] > 0, "others get another try"
        ends = [rule for rule in spec["podFailurePolicy"]["rules"] if rule["action"] == "FailJob"]
        assert ends == [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [2]}}], name


def test_the_webhook_is_removed_only_if_that_is_asked_for():
    assert f"{NAME}-removal" not in of_kind("Job", with_least(EXISTING))
    values = with_least(EVERYTHING)
    assert annotations("Job", f"{NAME}-removal", values)["helm.sh/hook"] == "pre-delete"
    assert arguments_of("removal", values) == ["bootstrap", "--remove-webhook"]


def test_the_test_is_one_container_whose_log_helm_shows():
    pod = of_kind("Pod", with_least(BUNDLED_REDIS))[f"{NAME}-test"]
    assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
    assert [container["args"][2:] for container in containers(pod)] == [["check"]]


# ---- References ------------------------------------------------------------------------------------------------------


@every_case
def test_every_reference_resolves(values):
    names = {(found["kind"], found["metadata"]["name"]) for found in objects(values)}
    for name, pod in pods(objects(values)):
        spec = pod["spec"]
        account = spec["serviceAccountName"]
        assert ("ServiceAccount", account) in names or account == "default", name
        volumes = {volume["name"]: volume for volume in spec["volumes"]}
        for volume in volumes.values():
            if claim := volume.get("persistentVolumeClaim"):
                assert ("PersistentVolumeClaim", claim["claimName"]) in names, name
        for container in containers(pod):
            assert all(mount["name"] in volumes for mount in container["volumeMounts"]), name
            pointed = {value.removeprefix(FOLDER) for value in environment(container).values() if value.startswith(FOLDER)}
            if runs_the_program(pod):
                assert pointed | {"config.toml"} == files(pod, values).keys(), name
                assert container["args"][:2] == ["--config", f"{FOLDER}config.toml"], name

    for name, service in of_kind("Service", values).items():
        behind = [pod for _, pod in pods(objects(values)) if selects(service["spec"]["selector"], pod)]
        assert len(behind) == 1, name
        ports = {port["name"] for container in containers(behind[0]) for port in container["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports, name

    for deployment in of_kind("Deployment", values).values():
        assert selects(deployment["spec"]["selector"], deployment["spec"]["template"])
        url = environment(containers(deployment["spec"]["template"])[0]).get("RIR_SIDECAR__QUEUE__URL")
        if url:
            assert ("Service", url.removeprefix("redis://").split(":")[0]) in names

    for ingress in of_kind("Ingress", values).values():
        for path in [path for rule in ingress["spec"]["rules"] for path in rule["http"]["paths"]]:
            backend = path["backend"]["service"]
            assert backend["port"]["name"] in {port["name"] for port in of_kind("Service", values)[backend["name"]]["spec"]["ports"]}

    for scaler in of_kind("HorizontalPodAutoscaler", values).values():
        assert ("Deployment", scaler["spec"]["scaleTargetRef"]["name"]) in names


@pytest.mark.parametrize(
    ("one", "other"),
    [("a", "b"), ("rir", "rir-worker"), ("netbox-rir-sidecar", "x"), ("x", "x-netbox-rir-sidecar"), ("a" * 53, "a" * 52 + "b"), ("1", "true"), ("a.b", "a-b"), ("1", "r1")],
)
def test_two_releases_in_a_namespace_do_not_collide(one, other):
    values = with_least(EVERYTHING)
    first, second = objects(values, one), objects(values, other)

    def names(found):
        return {(each["kind"], each["metadata"]["name"]) for each in filter(is_of_the_chart, found)}

    assert names(first).isdisjoint(names(second))
    assert all(isinstance(value, str) for each in first + second for value in labels(each).values())
    assert all(len(name) <= 63 for _, name in names(first) | names(second))
    for selector in [each["spec"]["selector"] for each in first if each["kind"] in {"Service", "Deployment", "PodDisruptionBudget"}]:
        assert not any(selects(selector, pod) for _, pod in pods(second))
    shared = [
        {environment(container)["RIR_SIDECAR__QUEUE__PREFIX"] for _, pod in pods(found) if runs_the_program(pod) for container in containers(pod)}
        for found in (first, second)
    ]
    assert len(shared[0]) == len(shared[1]) == 1
    assert shared[0] != shared[1], "they would take each other's jobs from one Redis"


@pytest.mark.parametrize("release", ["my.release", "1.2", "7", "a" * 53, "a." * 26 + "b"])
def test_every_name_is_one_that_kubernetes_takes(release):
    values = with_least(EVERYTHING)
    found = objects(values, release)
    for each in filter(is_of_the_chart, found):
        name = each["metadata"]["name"]
        assert len(name) <= 63 and re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", name), f"{each['kind']}: {name} is no name of a Service"
        assert all(len(value) <= 63 and re.fullmatch(r"[A-Za-z0-9]([-.\w]*[A-Za-z0-9])?", value) for value in labels(each).values())
    services = {each["metadata"]["name"] for each in found if each["kind"] == "Service"}
    urls = {environment(container).get("RIR_SIDECAR__QUEUE__URL") for _, pod in pods(found) for container in containers(pod)} - {None}
    assert {url.removeprefix("redis://").split(":")[0] for url in urls} < services


# ---- What is refused -------------------------------------------------------------------------------------------------

REFUSED = {
    "no URL": ({"secrets": {"netboxToken": {"existingSecret": "given"}}}, ["netbox.url is not set", "--set netbox.url="]),
    "no token": ({"netbox": {"url": URL}}, ["no NetBox token", "set secrets.netboxToken.existingSecret"]),
    "nothing": ({}, ["netbox.url is not set", "no NetBox token"]),
    "a secret in two ways": (with_least({"secrets": {"netboxToken": {"value": "x"}}}), ["secrets.netboxToken has both", "set only one"]),
    "replicas": (with_least({"api": {"replicas": 2}}), ["api.replicas=2 needs a Redis", "set secrets.redisUrl.existingSecret"]),
    "split": (with_least({"mode": "split"}), ["mode=split needs a Redis", "redis.enabled=true"]),
    "scaled": (with_least(SCALED), ["autoscaling needs a Redis", "redis.enabled=true"]),
    "two Redis": (with_least(EXISTING, BUNDLED_REDIS), ["more than one Redis", "set only one of"]),
    "limits": (
        with_least(BUNDLED_REDIS, SCALED, {"autoscaling": {"minReplicas": 9}}),
        ["autoscaling.minReplicas is more than autoscaling.maxReplicas"],
    ),
    "unsigned": (
        with_least({"bootstrap": {"webhookUrl": "https://x/webhooks/netbox"}}),
        ["bootstrap.webhookUrl needs a secret", "set secrets.webhook.existingSecret"],
    ),
    "no host": (with_least({"ingress": {"enabled": True}}), ["ingress.hosts is empty", "--set ingress.hosts[0].host="]),
    "values that have gone": (
        with_least({"netbox": {"caConfigMap": "x"}, "ingress": {"enabled": True, "host": "x", "tlsSecret": "y"}}),
        [
            "netbox.caConfigMap is not a value any more: set netbox.ca.configMap",
            "ingress.host is not a value any more: set ingress.hosts[0].host",
            "ingress.tlsSecret is not a value any more: set ingress.tls[0].secretName",
        ],
    ),
    "an authority in two places": (
        with_least({"arin": {"ca": {"configMap": "x", "secret": "z"}}}),
        ["arin.ca has both configMap and secret: set only one"],
    ),
    "labels of the chart": (
        with_least(
            {
                "podLabels": {"app.kubernetes.io/component": "x"},
                "commonLabels": {"app.kubernetes.io/name": "x"},
                "dashboard": {"labels": {"helm.sh/chart": "x"}},
            }
        ),
        [
            "podLabels has app.kubernetes.io/component, which the chart sets",
            "commonLabels has app.kubernetes.io/name, which the chart sets",
            "dashboard.labels has helm.sh/chart, which the chart sets",
        ],
    ),
    "annotations of the chart": (
        with_least({"podAnnotations": {"checksum/config": "x"}, "commonAnnotations": {"helm.sh/hook": "test"}}),
        ["podAnnotations has checksum/config", "commonAnnotations has helm.sh/hook"],
    ),
    "environment of the chart": (
        with_least(
            {
                "extraEnv": [
                    {"name": "RIR_SIDECAR__HTTP__LISTEN", "value": "0.0.0.0:80"},
                    {"name": "RIR_SIDECAR__NETBOX__TOKEN", "value": "x"},
                    {"name": "RIR_SIDECAR__QUEUE__URL", "value": "redis://redis.example.net"},
                    {"name": "RIR_SIDECAR__QUEUE__PREFIX", "value": "x"},
                    {"name": "NO_PROXY", "value": "x"},
                    {"name": "NO_PROXY", "value": "z"},
                ]
            }
        ),
        [
            "extraEnv has RIR_SIDECAR__HTTP__LISTEN, which the chart sets: remove it there and set service.port",
            "extraEnv has RIR_SIDECAR__NETBOX__TOKEN, which the chart sets: remove it there and set secrets.netboxToken",
            "extraEnv has RIR_SIDECAR__QUEUE__URL, which the chart sets: remove it there and set secrets.redisUrl",
            "extraEnv has RIR_SIDECAR__QUEUE__PREFIX, which is set already",
            "extraEnv has NO_PROXY, which is set already",
        ],
    ),
    "volumes of the chart": (
        with_least({"extraVolumes": [{"name": "settings", "emptyDir": {}}], "extraVolumeMounts": [{"name": "x", "mountPath": "/etc/rir-sidecar/"}]}),
        ["extraVolumes has settings", "extraVolumeMounts has mountPath /etc/rir-sidecar"],
    ),
    "no gateway": (with_least({"httpRoute": {"enabled": True}}), ["httpRoute.parentRefs is not set", "--set httpRoute.parentRefs"]),
    "no TOML": (with_least({"config": "[netbox\n"}), ["config is not TOML"]),
    "secret settings": (
        with_least({"config": '[netbox]\ntoken = "x"\n[webhook]\nsecret = "y"\n[queue]\nurl = "redis://:z@redis"\n'}),
        ["config has netbox.token", "set secrets.netboxToken", "set secrets.webhook", "password in queue.url", "set secrets.redisUrl"],
    ),
    "the chart's settings": (
        with_least({"config": '[http]\nlisten = "0.0.0.0:80"\n[worker]\nshutdown_timeout = "5m"\n'}),
        ["config has http.listen", "set shutdown.timeoutSeconds"],
    ),
    "a URL that is none": (merged(LEAST, {"netbox": {"url": "netbox.example.net"}}), ["/netbox/url"]),
    "an unknown mode": (with_least({"mode": "both"}), ["/mode", "'all', 'split'"]),
    "a number as text": (with_least({"api": {"replicas": "2"}}), ["/api/replicas", "want integer"]),
}


@pytest.mark.parametrize(("values", "sentences"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_missing_or_wrong_is_refused_with_what_to_set(values, sentences):
    ended = template(values)
    assert ended.returncode != 0, "it was rendered"
    assert all(sentence in ended.stderr for sentence in sentences), ended.stderr


def test_unknown_values_are_refused_at_every_level():
    free = {"annotations", "labels", "commonAnnotations", "commonLabels", "podAnnotations", "podLabels"}
    free |= {"nodeSelector", "affinity", "requests", "limits"}
    levels = []

    def add_unknown(values, path):
        levels.append(path)
        values["unknown"] = 1
        for key, value in values.items():
            if isinstance(value, dict) and key not in free:
                add_unknown(value, f"{path}/{key}")

    values = yaml.safe_load((CHART / "values.yaml").read_text())
    add_unknown(values, "")
    ended = template(values)
    assert len(levels) > 20
    for level in levels:
        assert f"at '{level}': additional properties 'unknown' not allowed" in ended.stderr, level


# ---- Words -----------------------------------------------------------------------------------------------------------


def test_chart_and_crate_have_one_version():
    crate = tomllib.loads((REPO / "Cargo.toml").read_text())["package"]["version"]
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (crate, crate)
    (container,) = containers(of_kind("Deployment", LEAST)[NAME]["spec"]["template"])
    assert container["image"].endswith(f":{crate}")


def test_the_drain_is_as_long_as_the_program_has_it_by_default():
    settings = tomllib.loads((REPO / "src/config.default.toml").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert settings["worker"]["shutdown_timeout"] == f"{values['shutdown']['timeoutSeconds']}s"


def test_the_readme_lists_the_values_as_they_are(tmp_path):
    readme = shutil.copy(CHART / "README.md", tmp_path)
    run("readme-generator", "--values", CHART / "values.yaml", "--readme", readme)
    now = (tmp_path / "README.md").read_text()
    assert now == (CHART / "README.md").read_text(), "readme-generator --values values.yaml --readme README.md"


def notes(values):
    ended = run("helm", "install", "rir", CHART, "--dry-run=client", "--namespace", "lab", "--values", "-", input=yaml.safe_dump(values))
    return ended.stdout.split("NOTES:")[1]


def test_the_notes_tell_the_next_command():
    told = notes(LEAST)
    assert "The types are in NetBox." in told
    assert "helm -n lab test rir --logs" in told
    assert f"bootstrap.webhookUrl=http://{NAME}.lab.svc:80/webhooks/netbox" in told
    assert "secrets.keys.existingSecret" in told
    assert "There is no Redis" in told


def test_the_notes_keep_quiet_about_what_is_done():
    told = notes(with_least(EXISTING, {"bootstrap": {"webhookUrl": "https://rir.example.net/webhooks/netbox"}}))
    assert "NetBox sends them to https://rir.example.net/webhooks/netbox" in told
    assert "give the user of secrets.netboxToken its permissions" in told
    assert "secrets.keys" not in told
    assert "There is no Redis" not in told
