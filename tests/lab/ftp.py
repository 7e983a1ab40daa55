"""Serves a folder over FTP to everybody, until the standard input ends: ftp.py FOLDER

Prints its port, and then each file that somebody has fetched.
"""

import os
import sys
import threading

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer


class Handler(FTPHandler):
    authorizer = DummyAuthorizer()

    def on_file_sent(self, file):
        print(os.path.basename(file), flush=True)


def leave():
    sys.stdin.read()
    os._exit(0)


Handler.authorizer.add_anonymous(sys.argv[1])
server = FTPServer(("127.0.0.1", 0), Handler)
print(server.address[1], flush=True)
threading.Thread(target=leave, daemon=True).start()
server.serve_forever()
