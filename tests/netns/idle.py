# SPDX-License-Identifier: GPL-2.0-only
"""idle.py ADDR PORT COUNT: is a question answered beside connections that say nothing, while most
of these are still waited for? Exit 1 where it is not."""

import select
import socket
import sys

address = (sys.argv[1], int(sys.argv[2]))
idle = [socket.create_connection(address) for _ in range(int(sys.argv[3]))]
asks = socket.create_connection(address)
asks.sendall(b"GET / HTTP/1.1\r\n\r\n")
answer = asks.recv(4096)
ended = select.select(idle, [], [], 0)[0]
print(answer.decode().splitlines()[:1], len(ended), "ended")
sys.exit(not answer.startswith(b"HTTP/1.1 200 ") or len(ended) > len(idle) // 2)
