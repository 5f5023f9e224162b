"""Runs main() of a module in a process that a warm one forks: `python -SE warm_client.py ADDRESS MODULE ARGUMENT...`.

For whoever starts a program by its command line. The process has this one's files, folder and environment.
"""

import json
import os
import socket
import sys
from pathlib import Path


def main() -> None:
    address, module, *arguments = sys.argv[1:]
    request = json.dumps([module, arguments, str(Path.cwd()), dict(os.environ)]).encode()
    with socket.socket(socket.AF_UNIX) as asked:
        asked.connect(address)
        socket.send_fds(asked, [len(request).to_bytes(4, "big")], [0, 1, 2])
        asked.sendall(request)
        with asked.makefile() as told:
            _, code = told.readline(), int(told.readline())  # its number, and how it ended
    if code < 0:
        os.kill(os.getpid(), -code)
    sys.exit(code)


if __name__ == "__main__":
    main()
