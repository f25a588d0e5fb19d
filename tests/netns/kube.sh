#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Services of manifests on the live datapath: node ports, load balancers, traffic policies, host
# ports, health checks; what a node serves is what it was promised.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/traffic.bash"

dir=$(mktemp -d)
trap 'rm -rf "$dir"; wt_finish' EXIT
LB=198.51.100.9

again() { [ "$(apply_both "$@" | sort -u)" = "nothing changed" ]; }
client() { ask tcp "$1" "$2" "$3" | cut -d ' ' -f 1,2; }
refused() { ask tcp "$@" | grep -qi refused; }
frontends() { w "$1" -j service show | jq -r '.[] | "\(.frontend) \(.scope) \(.empty) \(.backends | length)"' | sort; }

# health NODE: status and body of the answer
health()
{
	at net bash -c "exec 3<>/dev/tcp/192.0.2.${1#n}/32000 && printf 'GET / HTTP/1.1\r\n\r\n' >&3 && cat <&3" |
		tr -d '\r' | sed -n '1s/HTTP.1.1 \(.*\)/\1 /p; /^$/,$p' | tr -d '\n\t'
}

# slice NAME PORT TYPE ENDPOINTS
slice()
{
	cat <<-END
	---
	apiVersion: discovery.k8s.io/v1
	kind: EndpointSlice
	metadata: {name: $1-$3, namespace: x, labels: {kubernetes.io/service-name: $1}}
	addressType: $3
	ports: [{name: http, port: $2}]
	endpoints: [$4]
	END
}

cat >"$dir/services.yaml" <<END
apiVersion: v1
kind: Service
metadata: {name: lb, namespace: x}
spec:
  type: LoadBalancer
  clusterIPs: [10.96.0.20, "fd00:96::20"]
  externalTrafficPolicy: Local
  healthCheckNodePort: 32000
  loadBalancerSourceRanges: [$OUT/32, ${POD4[p1a]}/32]
  ports: [{name: http, port: 80, nodePort: 30080}]
status: {loadBalancer: {ingress: [{ip: $LB}]}}
---
apiVersion: v1
kind: Service
metadata: {name: near, namespace: x}
spec: {clusterIP: 10.96.0.30, internalTrafficPolicy: Local, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: far, namespace: x}
spec: {type: NodePort, clusterIP: 10.96.0.40, ports: [{name: http, port: 80, nodePort: 30081}]}
$(slice near 80 IPv4 '{addresses: [10.1.0.5], nodeName: n1}')
$(slice far 81 IPv4 '{addresses: [10.2.0.8], nodeName: n2}')
END
# backends of lb
{
	slice lb 80 IPv4 '{addresses: [10.1.0.5], nodeName: n1}'
	slice lb 80 IPv6 '{addresses: ["fd00:1::5"], nodeName: n1}'
} >"$dir/ready.yaml"
sed 's/nodeName: n1/&, conditions: {ready: false, serving: true, terminating: true}/' "$dir/ready.yaml" >"$dir/leaving.yaml"
# a port of its node for one pod
sed '/name: p1b/,/status/s/containers: \[{name: c}\]/containers: [{name: c, ports: [{containerPort: 81, hostPort: 8081}]}]/' \
	tests/netns/manifests/cluster.yaml >"$dir/cluster.yaml"
all="-f $dir/cluster.yaml -f $dir/services.yaml"

world_empty
ask name lb $LB
at net ip route add $LB/32 via $N1
for n in n1 n2; do ask sysctl $n net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1; done
for p in $PODS1; do w n1 endpoint add "$p" pod "x/$p"; done
w n2 endpoint add p2a pod x/p2a
w n2 endpoint add p2b pod y/p2b
for p in $PODS1 $PODS2; do for port in 80 81; do ask serve "$p" tcp $port; done; done

# shellcheck disable=SC2086
check "applied on both" apply_both $all -f "$dir/ready.yaml"
# shellcheck disable=SC2086
check "applied twice, nothing changes" again $all -f "$dir/ready.yaml"
equals "what a node with a backend serves" "$(sort <<-END
	0.0.0.0:8081/tcp any reject 1
	[::]:8081/tcp any reject 1
	0.0.0.0:30080/tcp any reject 1
	0.0.0.0:30080/tcp outside drop 1
	0.0.0.0:30081/tcp any reject 1
	[::]:30080/tcp any reject 1
	[::]:30080/tcp outside drop 1
	10.96.0.10:8080/tcp any reject 1
	10.96.0.20:80/tcp any reject 1
	10.96.0.30:80/tcp any drop 1
	10.96.0.40:80/tcp any reject 1
	$LB:80/tcp any reject 1
	$LB:80/tcp outside drop 1
	[fd00:96::20]:80/tcp any reject 1
	END
)" "$(frontends n1)"
equals "and one that has none" "0.0.0.0:30080/tcp outside drop 0" \
	"$(frontends n2 | grep '^0.0.0.0:30080/tcp outside')"
equals "its sources, shown" "${POD4[p1a]}/32 $OUT/32 allow" "$(w n1 -j service show $LB:80/tcp scope outside |
	jq -r '.[0] // . | (.sources | sort | join(" ")) + " " + .source_policy')"

equals "outside, a node port, where a backend is" "p1a $OUT" "$(client net n1 30080)"
equals "over IPv6" "p1a $OUT6" "$(client net n1/6 30080)"
check "outside, where none is" ask blocked n2 no_backend net tcp n2 30080
check "explain agrees" ask explain n2 net n2 tcp 30080 verdict=drop reason=no_backend
check "but a pod there" ask tcp p2a n2 30080
check "and a node" ask tcp n2 n2 30080
equals "a node port for all, by the other node" "p2b $N1" "$(client net n1 30081)"
check "its ClusterIP" ask tcp p1b 10.96.0.40 80
check "the other one's" ask tcp p2b 10.96.0.20 80
equals "a load balancer's address" "p1a $OUT" "$(client net lb 80)"
check "a pod that may" ask tcp p1a lb 80
check "a pod that may not" ask blocked n1 source_range p1b tcp lb 80
check "nor the node itself" ask blocked n1 source_range n1 tcp lb 80
check "internalTrafficPolicy Local, here" ask tcp p1b 10.96.0.30 80
check "there" ask blocked n2 no_backend p2a tcp 10.96.0.30 80
equals "a pod's port of its node" "p1b $OUT" "$(client net n1 8081)"
equals "over IPv6" "p1b $OUT6" "$(client net n1/6 8081)"
check "not of another node" refused net n2 8081

# Health ---------------------------------------------------------------------------------------
for n in n1 n2; do
	# shellcheck disable=SC2086
	background $n "$WATTLECTL" health serve $all -f "$dir/ready.yaml"
done
check "health is served" eventually 20 health n2
answer='{"service": {"namespace": "x","name": "lb"},"localEndpoints": NUMBER,"serviceProxyHealthy": true}'
# one pod, with an address of each family
equals "where a backend is" "200 OK ${answer/NUMBER/1}" "$(health n1)"
equals "where none is" "503 Service Unavailable ${answer/NUMBER/0}" "$(health n2)"
check "who asks nothing keeps nobody out" eventually 60 at net python3 tests/netns/idle.py 192.0.2.1 32000 64
# shellcheck disable=SC2086
check "it leaves" apply_both $all -f "$dir/leaving.yaml"
equals "and serves on" "p1a $OUT" "$(client net n1 30080)"
equals "but asks for no more" "503 Service Unavailable ${answer/NUMBER/0}" "$(health n1)"

# Not ready, and gone --------------------------------------------------------------------------------
sed 's/nodeName: n1/&, conditions: {ready: false, serving: false}/' "$dir/ready.yaml" >"$dir/unready.yaml"
lasts() { ask open "$1" "$2" tcp "$3" "$4" >/dev/null && ask talk "$1"; }
# shellcheck disable=SC2086
check "all of it is ready again" apply_both $all -f "$dir/ready.yaml"
check "a pod has a connection" lasts pods p2a 10.96.0.20 80
check "a node has" lasts node n2 10.96.0.20 80
check "who is outside has" lasts out net n1 30080
# shellcheck disable=SC2086
check "its backend is not ready" apply_both $all -f "$dir/unready.yaml"
# shellcheck disable=SC2086
check "which is no more of a change" again $all -f "$dir/unready.yaml"
check "there are no new connections" refused p2a 10.96.0.20 80
check "nor from outside" refused net n1 30080
sleep 1
for name in pods node out; do check "connections live on: $name" ask talk $name; done
# shellcheck disable=SC2086
check "ready, it takes them again" apply_both $all -f "$dir/ready.yaml"
check "as before" ask tcp p2a 10.96.0.20 80
# shellcheck disable=SC2086
check "it is gone" apply_both $all
for name in pods node out; do
	check "connections end: $name" eventually 30 eval '[ "$(ask talk $name)" = ECONNRESET ]'
	ask close $name >/dev/null
done

check "all of it taken back" apply_both -f tests/netns/manifests/cluster.yaml
check "the node port is nobody's" refused net n1 30080
check "nor the pod's" refused net n1 8081
equals "no health without frontends" 503 "$(health n1 | cut -c 1-3)"

# The module goes, and comes again under another number --------------------------------------------
w n1 device del wattle0
w n2 device del wattle0
check "the module goes" wt_unload
check_not "which is no health" grep -q '"serviceProxyHealthy": true' <<<"$(health n1)"
check "it comes again" wt_load
check "so does the device" w n1 device add wattle0 local $N1
# shellcheck disable=SC2086
check "and what is in it" w n1 apply --node n1 $all -f "$dir/ready.yaml"
equals "health is told as before" "200 OK ${answer/NUMBER/1}" "$(health n1)"

finish
