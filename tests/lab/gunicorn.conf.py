"""Serves one NetBox of the lab; workers, pid and log files are given on the command line."""

import os

# Port 0: the system picks a free one and the log says which ("Listening at: ..."). One that is started again keeps its port.
bind = f'127.0.0.1:{os.environ.get("RIR_LAB_PORT", "0")}'
worker_class = 'gthread'
timeout = 120
# NetBox is loaded once and forked: that halves the start, and workers forked again from the untouched master remember
# no object types of a database that is gone.
preload_app = True


def when_ready(server):
    """Asks the first questions, so that no worker pays for what NetBox sets up at its first answer."""
    from django.test import Client

    token = f'Bearer nbt_{os.environ["RIR_LAB_ADMIN_KEY"]}.{os.environ["RIR_LAB_ADMIN_SECRET"]}'
    client = Client(headers={'Authorization': token, 'Host': '127.0.0.1'})
    for path in ('/api/status/', '/api/ipam/prefixes/', '/api/plugins/custom-objects/custom-object-types/'):
        server.log.info('First answer of %s: %s', path, client.get(path).status_code)


def pre_fork(server, worker):
    """Keeps the master's database connections from being shared."""
    from django.db import connections

    connections.close_all()
