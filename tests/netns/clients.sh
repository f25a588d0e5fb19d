#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Services with the programs that people use: curl and nginx, dig and dnsmasq; and the same
# requests once more with rules of nftables as kube-proxy makes them.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/traffic.bash"

work=$(mktemp -d)
slow=10
[ "${WATTLE_KERNEL-}" != debug ] || slow=60
# By itself: what the host has, for a guest has no network to get one by.
nginx=${WEB_SERVER:-$(scripts/nginx)} || fatal "there is an nginx"
export LC_ALL=C.UTF-8

# A pod's servers say its name, and whom they see.
serve_web() # POD
{
	cat >"$work/$1.conf" <<-END
	user root;
	pid $work/$1.pid;
	daemon off;
	events {}
	http {
		access_log off;
		client_body_temp_path $work/tmp;
		proxy_temp_path $work/tmp;
		fastcgi_temp_path $work/tmp;
		uwsgi_temp_path $work/tmp;
		scgi_temp_path $work/tmp;
		server {
			listen 8080;
			listen [::]:8080;
			location / { return 200 "$1 \$remote_addr\n"; }
			location /large { alias $work/large; }
		}
	}
	END
	background "$1" "$nginx" -e "$work/$1.err" -c "$work/$1.conf"
	eventually 60 at "$1" curl -sf -m $slow http://127.0.0.1:8080/ || fatal "nginx in $1"
}

serve_names() # POD
{
	background "$1" dnsmasq --no-daemon --conf-file=/dev/null --no-resolv --no-hosts \
		--port=5353 --user=root --group=root --pid-file="$work/$1.dns" \
		--address=/web.test/192.0.2.77 --address=/web.test/2001:db8::77 \
		--txt-record=who.test,"$1"
	eventually 60 at "$1" dig +short +time=1 +tries=1 -p 5353 @127.0.0.1 web.test ||
		fatal "dnsmasq in $1"
}

get() { at "$1" curl -sS -m $slow "${@:2}"; }
query() { at "$1" dig +short +tries=1 +time=$slow "${@:2}"; }

# Who answers twenty requests, each on a connection of its own.
twenty() # CLIENT ADDRESS[:PORT]
{
	local said

	said=$(get "$1" --fail-early -H "Connection: close" "http://$2/?[1-20]" 2>/dev/null) ||
		{ echo "curl: $?"; return; }
	awk '{ print $1 }' <<<"$said" | sort -u | xargs
}

# Does the service spread connections as the weights say? Chi-square, three backends: what is
# more than 27.6 comes by chance once in a million times.
spread() # ADDRESS PORT p1b=WEIGHT p2a=WEIGHT p2b=WEIGHT
{
	at p1a python3 - "$@" <<-'END'
	import socket, sys
	from collections import Counter
	address, port, n = sys.argv[1], int(sys.argv[2]), 300
	weights = {k: int(v) for k, v in (a.split("=") for a in sys.argv[3:])}
	seen = Counter()
	for i in range(n):
	    with socket.create_connection((address, port), 60) as s:
	        s.sendall(b"GET / HTTP/1.0\r\n\r\n")
	        data = b""
	        while piece := s.recv(4096):
	            data += piece
	    seen[data.split(b"\r\n\r\n")[1].split()[0].decode()] += 1
	want = {k: n * w / sum(weights.values()) for k, w in weights.items()}
	chi = sum((seen[k] - e) ** 2 / e for k, e in want.items())
	print(dict(seen), "chi-square %.1f" % chi)
	sys.exit(chi > 27.6 or sum(seen[k] for k in want) != n)
	END
}

# A and AAAA from one socket, sent at the same time on two processors, as resolvers do.
both_at_once() # ADDRESS
{
	at p1a python3 - "$1" $slow <<-'END'
	import os, socket, struct, sys, time
	def query(number, kind):
	    return struct.pack("!6H", number, 0x100, 1, 0, 0, 0) + b"\3web\4test\0" + \
	        struct.pack("!2H", kind, 1)
	lost = 0
	for i in range(100):
	    s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET,
	                      socket.SOCK_DGRAM)
	    s.connect((sys.argv[1], 53))
	    s.settimeout(int(sys.argv[2]))
	    start = time.monotonic_ns() + 3000000
	    child = os.fork()
	    os.sched_setaffinity(0, {0 if child else 1})
	    while time.monotonic_ns() < start:
	        pass
	    s.send(query(1, 1) if child else query(2, 28))
	    if not child:
	        os._exit(0)
	    os.waitpid(child, 0)
	    got = set()
	    try:
	        while len(got) < 2:
	            got.add(struct.unpack("!H", s.recv(512)[:2])[0])
	    except TimeoutError:
	        lost += 1
	    s.close()
	print("lost %d of 100" % lost)
	sys.exit(lost > 0)
	END
}

world 4
ask sysctl n1 net.ipv4.ip_forward=1
head -c 3000000 /dev/urandom >"$work/large"
for p in p1b p2a p2b; do serve_web $p; done
for p in p2a p2b; do serve_names $p; done

both <<-END
service add $VIP:80/tcp
backend add $VIP:80/tcp to 10.1.0.6:8080
backend add $VIP:80/tcp to 10.2.0.7:8080
backend add $VIP:80/tcp to 10.2.0.8:8080
service add $VIP:81/tcp
backend add $VIP:81/tcp to 10.1.0.6:8080 weight 100
backend add $VIP:81/tcp to 10.2.0.7:8080 weight 200
backend add $VIP:81/tcp to 10.2.0.8:8080 weight 700
service add $VIP:82/tcp alg maglev
backend add $VIP:82/tcp to 10.1.0.6:8080
backend add $VIP:82/tcp to 10.2.0.7:8080
backend add $VIP:82/tcp to 10.2.0.8:8080
service add [$VIP6]:80/tcp
backend add [$VIP6]:80/tcp to [fd00:2::7]:8080
backend add [$VIP6]:80/tcp to [fd00:2::8]:8080
service add 0.0.0.0:30080/tcp
backend add 0.0.0.0:30080/tcp to 10.1.0.6:8080
backend add 0.0.0.0:30080/tcp to 10.2.0.7:8080
service add $VIP:53/udp
backend add $VIP:53/udp to 10.2.0.7:5353
backend add $VIP:53/udp to 10.2.0.8:5353
service add $VIP:53/tcp
backend add $VIP:53/tcp to 10.2.0.7:5353
backend add $VIP:53/tcp to 10.2.0.8:5353
service add [$VIP6]:53/udp
backend add [$VIP6]:53/udp to [fd00:2::7]:5353
backend add [$VIP6]:53/udp to [fd00:2::8]:5353
service add 0.0.0.0:30053/udp
backend add 0.0.0.0:30053/udp to 10.2.0.7:5353
END

# curl and nginx -------------------------------------------------------------------------------

for v in "$VIP" "[$VIP6]"; do
	for c in p1a n1; do
		check "$c gets $v" get $c -o /dev/null -f "http://$v/"
		check "$c gets 3 MB of $v, and what was sent" eval \
			"get $c http://$v/large | cmp - '$work/large'"
	done
done
equals "all of them are used" "p1b p2a p2b" "$(twenty p1a $VIP)"
equals "a connection stays with one" 1 \
	"$(get p1a "http://$VIP/" "http://$VIP/" "http://$VIP/" "http://$VIP/" | sort -u | wc -l)"
equals "who asks is seen as who it is" 10.1.0.5 "$(get p1a "http://$VIP/" | cut -d ' ' -f 2)"
equals "from outside, by the address of a node" "p1b p2a" "$(twenty net 192.0.2.1:30080)"
check "a large answer there" eval "get net http://192.0.2.1:30080/large | cmp - '$work/large'"
check "connections spread evenly" spread $VIP 80 p1b=1 p2a=1 p2b=1
check "by weight" spread $VIP 81 p1b=1 p2a=2 p2b=7
check "evenly by Maglev" spread $VIP 82 p1b=1 p2a=1 p2b=1

# dig and dnsmasq ------------------------------------------------------------------------------

for v in $VIP $VIP6; do
	equals "a name, $v" 192.0.2.77 "$(query p1a @$v web.test)"
	equals "its other address, $v" 2001:db8::77 "$(query p1a @$v web.test aaaa)"
	check "both at once from one socket, $v" both_at_once $v
done
equals "a node asks" 192.0.2.77 "$(query n1 @$VIP web.test)"
equals "over TCP" 192.0.2.77 "$(query p1a +tcp @$VIP web.test)"
equals "from outside, by the address of a node" 192.0.2.77 \
	"$(query net -p 30053 @192.0.2.1 web.test)"
equals "both servers are asked" '"p2a" "p2b"' "$(for i in {1..20}; do query p1a @$VIP who.test txt; done | sort -u | paste -sd ' ')"

# Beside kube-proxy --------------------------------------------------------------------------

# An address that Wattle does not know but for these.
CIP=10.96.0.11
# Each kind of client and of address: who answers. (Not as whom he saw the client, for kube-proxy
# hides more of them than need be.)
requests()
{
	local c to

	for c in p1a p1b n1 net; do
		for to in $CIP:83 192.0.2.1:30083 192.0.2.100:83 $CIP:84 192.0.2.1:30084; do
			[ "$c $to" != "net $CIP:84" ] || continue
			echo "$c $to: $(twenty $c $to)"
		done
	done
}

at net ip route replace 10.96.0.0/16 via $N1
at net ip route replace 192.0.2.100/32 via $N1
w n1 <<-END
service add $CIP:83/tcp
backend add $CIP:83/tcp to 10.1.0.6:8080
backend add $CIP:83/tcp to 10.2.0.7:8080
service add 192.0.2.100:83/tcp
backend add 192.0.2.100:83/tcp to 10.1.0.6:8080
backend add 192.0.2.100:83/tcp to 10.2.0.7:8080
service add 0.0.0.0:30083/tcp
backend add 0.0.0.0:30083/tcp to 10.1.0.6:8080
backend add 0.0.0.0:30083/tcp to 10.2.0.7:8080
service add $CIP:84/tcp
service add 0.0.0.0:30084/tcp
END
requests >"$work/wattle"
for s in $CIP:83/tcp 192.0.2.100:83/tcp 0.0.0.0:30083/tcp $CIP:84/tcp 0.0.0.0:30084/tcp; do
	echo "service del $s"
done | w n1
at n1 nft -f - <<-END
table ip kube-proxy {
	map services {
		type ipv4_addr . inet_service : verdict
		elements = { $CIP . 83 : goto service, 192.0.2.100 . 83 : goto service }
	}
	map node-ports {
		type inet_service : verdict
		elements = { 30083 : goto service }
	}
	map no-endpoints {
		type ipv4_addr . inet_service : verdict
		elements = { $CIP . 84 : goto refuse }
	}
	chain refuse { reject with tcp reset; }
	chain to-masquerade { meta mark set meta mark or 0x4000; }
	chain to-p1b { ip saddr 10.1.0.6 jump to-masquerade; ip protocol tcp dnat to 10.1.0.6:8080; }
	chain to-p2a { ip saddr 10.2.0.7 jump to-masquerade; ip protocol tcp dnat to 10.2.0.7:8080; }
	chain choose { numgen random mod 2 vmap { 0 : goto to-p1b, 1 : goto to-p2a }; }
	chain service {
		ip saddr != { 10.1.0.0/24, 10.2.0.0/24 } fib saddr type != local jump to-masquerade
		goto choose
	}
	chain dispatch {
		ip daddr . tcp dport vmap @services
		fib daddr type local ip daddr != 127.0.0.0/8 tcp dport vmap @node-ports
	}
	chain filter-dispatch {
		ip daddr . tcp dport vmap @no-endpoints
		fib daddr type local tcp dport 30084 goto refuse
	}
	chain nat-prerouting { type nat hook prerouting priority -100; tcp dport 1-65535 jump dispatch; }
	chain nat-output { type nat hook output priority -100; tcp dport 1-65535 jump dispatch; }
	chain filter-prerouting { type filter hook prerouting priority -110; jump filter-dispatch; }
	chain filter-output { type filter hook output priority -110; jump filter-dispatch; }
	chain nat-postrouting {
		type nat hook postrouting priority 100
		meta mark & 0x4000 != 0 masquerade
	}
}
END
requests >"$work/kube-proxy"
check "the same requests give the same as with kube-proxy's rules" \
	diff "$work/kube-proxy" "$work/wattle"
note "$(cat "$work/wattle")"
equals "and most of them are answered" 12 "$(grep -c 'p1b p2a' "$work/wattle")"
at n1 nft delete table ip kube-proxy

rm -rf "$work"
finish
