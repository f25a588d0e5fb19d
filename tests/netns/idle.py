# SPDX-License-Identifier: GPL-2.0-only
"""idle.py ADDR PORT COUNT: keep connections that say nothing, a new one for each that ends."""

import select
import socket
import sys
import time

address = (sys.argv[1], int(sys.argv[2]))
idle = [socket.create_connection(address) for _ in range(int(sys.argv[3]))]
while True:
    for ended in select.select(idle, [], [])[0]:
        idle.remove(ended)
        ended.close()
        idle.append(socket.create_connection(address))
    time.sleep(0.01)
