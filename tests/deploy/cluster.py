"""A Kubernetes API that can only be read: it has the objects that a test puts there.

It stands for the cluster that Helm asks when it renders a chart for an upgrade. What a real API server makes of an upgrade,
such as who owns a field afterwards, it does not know.
"""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KINDS = {
    "v1": ["ConfigMap", "PersistentVolumeClaim", "Pod", "Secret", "Service", "ServiceAccount"],
    "apps/v1": ["Deployment"],
    "autoscaling/v2": ["HorizontalPodAutoscaler"],
    "batch/v1": ["Job"],
    "networking.k8s.io/v1": ["Ingress", "NetworkPolicy"],
    "policy/v1": ["PodDisruptionBudget"],
}


@contextmanager
def cluster(*live):
    """Serves these objects, and yields what Helm has to be told to ask there as for an upgrade."""
    found = known() | {path(each): each for each in live}

    class Api(BaseHTTPRequestHandler):
        def do_GET(self):
            asked = self.path.partition("?")[0]
            answer = found.get(asked, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404})
            body = json.dumps(answer).encode()
            self.send_response(200 if asked in found else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Api) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            url = f"http://127.0.0.1:{server.server_port}"
            yield ["--dry-run=server", "--is-upgrade", "--disable-openapi-validation", "--kube-apiserver", url]
        finally:
            server.shutdown()


def known():
    """What the API says of itself."""
    groups = [group.partition("/")[0] for group in KINDS if "/" in group]
    versions = {group: {"groupVersion": f"{group}/{version}", "version": version} for group, _, version in (each.partition("/") for each in KINDS)}
    return {
        "/version": {"major": "1", "minor": "36", "gitVersion": "v1.36.0"},
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/apis": {
            "kind": "APIGroupList",
            "apiVersion": "v1",
            "groups": [{"name": group, "versions": [versions[group]], "preferredVersion": versions[group]} for group in groups],
        },
    } | {
        root(group): {
            "kind": "APIResourceList",
            "apiVersion": "v1",
            "groupVersion": group,
            "resources": [{"name": plural(kind), "kind": kind, "namespaced": True, "verbs": ["get"]} for kind in kinds],
        }
        for group, kinds in KINDS.items()
    }


def root(group):
    return f"/apis/{group}" if "/" in group else f"/api/{group}"


def plural(kind):
    return (kind.removesuffix("y") + "ies" if kind.endswith("y") else kind + "es" if kind.endswith("ss") else kind + "s").lower()


def path(found):
    return f"{root(found['apiVersion'])}/namespaces/{found['metadata']['namespace']}/{plural(found['kind'])}/{found['metadata']['name']}"
