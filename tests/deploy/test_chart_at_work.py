"""The pods of the Helm chart do their work: their commands, settings and files, on the simulated NetBox and ARIN."""

import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from chart import FOLDER, LEAST, containers, environment, files, labels, objects, of_kind, pods
from tools import SIDECAR, attempt, run

DEADLINE = 30


@pytest.fixture(scope="module")
def simulated():
    """URLs and secrets of a simulated NetBox and ARIN that know each other."""
    with subprocess.Popen([SIDECAR, "demo", "--keep"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as demo:
        try:
            said = ""
            while "ApiKey" not in said:
                line = demo.stdout.readline()
                assert line, f"the demo ended:\n{said}"
                said += line
            netbox, token = re.search(r"^NetBox +(\S+)/api/ .*Bearer (\S+)\)", said, re.MULTILINE).groups()
            arin, key = re.search(r"^ARIN +(\S+)/rest/ .*ApiKey (\S+)\)", said, re.MULTILINE).groups()
            yield {"netbox": netbox, "token": token, "arin": arin, "key": key}
        finally:
            demo.send_signal(signal.SIGINT)


@pytest.fixture
def chart_pods(simulated, tmp_path):
    """The command and environment of each component's container, with its folder here instead of where Kubernetes mounts it."""
    values = {
        "netbox": {"url": simulated["netbox"]},
        "config": f'[arin]\nallowed_base_urls = ["{simulated["arin"]}"]\n',
        "secrets": {
            "netboxToken": {"value": simulated["token"]},
            "keys": {"value": f'[[key]]\nconfig = "example-arin"\nuser = "sandbox"\napi_key = "{simulated["key"]}"\n'},
            "webhook": {"value": "a secret of the test's own"},
        },
        "bootstrap": {"webhookUrl": "http://rir.lab.svc/webhooks/netbox", "removeWebhook": True},
    }
    found = {}
    for name, pod in pods(objects(values)):
        folder = tmp_path / name.replace("/", "-")
        folder.mkdir()
        for path, (mode, content) in files(pod, values).items():
            (folder / path).write_text(content)
            (folder / path).chmod(mode)
        (container,) = containers(pod)
        args = [arg.replace(FOLDER, f"{folder}/") for arg in container["args"]]
        env = {key: value.replace(FOLDER, f"{folder}/") for key, value in environment(container).items()}
        component = labels(pod)["app.kubernetes.io/component"]
        found[component] = ([SIDECAR, *args], env)
    return found


def said(component, chart_pods):
    command, env = chart_pods[component]
    return run(*command, env=env).stdout


def test_the_jobs_of_an_installation_do_their_work_and_the_test_passes(chart_pods):
    assert "The settings can be used" in said("preflight", chart_pods)
    said("bootstrap", chart_pods)
    assert 'webhook "rir-sidecar" to http://rir.lab.svc/webhooks/netbox' in said("webhook", chart_pods)
    assert "FAILED" not in said("test", chart_pods)


def test_the_job_of_a_removal_takes_the_webhook_away(chart_pods):
    said("webhook", chart_pods)
    assert '- webhook "rir-sidecar"' in said("removal", chart_pods)


def test_a_refused_token_ends_the_bootstrap_job_at_its_first_try(chart_pods):
    command, env = chart_pods["bootstrap"]
    token = Path(env["RIR_SIDECAR__NETBOX__TOKEN_FILE"])
    token.chmod(0o600)
    token.write_text("nbt_nobodys.token")
    ends = [job["spec"]["podFailurePolicy"]["rules"][-1]["onExitCodes"] for job in of_kind("Job", LEAST).values()]
    assert ends == [{"operator": "In", "values": [attempt(*command, env=env).returncode]}] * len(ends)


def test_the_service_gets_ready_and_ends_in_time(chart_pods):
    command, env = chart_pods["api"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = "127.0.0.1:{}".format(free.getsockname()[1])
    with subprocess.Popen(command, env=env | {"RIR_SIDECAR__HTTP__LISTEN": address}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as service:
        try:
            assert answer(f"http://{address}/health/ready") == 200
            assert answer(f"http://{address}/health/live") == 200
        finally:
            service.terminate()
        assert service.wait(DEADLINE) == 0


def answer(url):
    """The status of what is asked, as soon as somebody answers and is ready."""
    until = time.monotonic() + DEADLINE
    while True:
        try:
            return urllib.request.urlopen(url, timeout=5).status
        except urllib.error.URLError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
