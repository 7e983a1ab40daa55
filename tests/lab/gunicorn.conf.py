"""Serves one NetBox of the lab; workers, pid and log files are given on the command line."""

from django.db import connections

# Port 0: the system picks a free one and the log says which ("Listening at: ...").
bind = '127.0.0.1:0'
worker_class = 'gthread'
timeout = 120
graceful_timeout = 5
# NetBox is loaded once and forked, which halves the start; a reload (SIGHUP) forks again from the untouched master,
# so that no worker remembers the object types of a database that is gone.
preload_app = True


def pre_fork(server, worker):
    """Keeps the master's database connections from being shared."""
    connections.close_all()
