#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Services, EndpointSlices and host ports: which frontends they make on a node, with which
# backends; what is refused, and in which words. As kube-proxy does it. No kernel. TAP.
set -u
. "$(dirname "$0")/lib.bash"

# The nodes that there are; n3 does not say in which zone it is.
for i in 1 2 3; do
	zone=
	[ $i = 3 ] || zone=", labels: {topology.kubernetes.io/zone: z$i}"
	printf 'apiVersion: v1\nkind: Node\nmetadata: {name: n%d%s}\n' "$i" "$zone"
	printf 'status: {addresses: [{type: InternalIP, address: 192.0.2.%d}]}\n---\n' "$i"
done >"$dir/nodes.yaml"

# service NAME SPEC [STATUS [METADATA]]
service()
{
	printf '\n---\napiVersion: v1\nkind: Service\nmetadata: {name: %s, namespace: shop%s}\n' "$1" "${4:+, $4}"
	printf 'spec: {%s}\nstatus: {%s}\n' "$2" "${3-}"
}

# slice NAME PORTS ENDPOINTS [TYPE [METADATA]]: of the service of that name
slice()
{
	local type=${4:-IPv4}

	printf '\n---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n'
	printf 'metadata: {name: %s-%s, namespace: shop, labels: {kubernetes.io/service-name: %s}%s}\n' \
		"$1" "$RANDOM$RANDOM" "$1" "${5:+, $5}"
	printf 'addressType: %s\nports: [%s]\nendpoints: [%s]\n' "$type" "$2" "$3"
}

# pod NAME NODE IP PORTS [SPEC [METADATA [STATUS]]]
pod()
{
	printf '\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: %s, namespace: shop%s}\n' "$1" "${6:+, $6}"
	printf 'spec: {nodeName: %s, containers: [{name: c, ports: [%s]}]%s}\n' "$2" "$4" "${5:+, $5}"
	printf 'status: {podIP: "%s"%s}\n' "$3" "${7:+, $7}"
}

# What a dry run would make of nothing: a line for each frontend, its backends behind it.
cat >"$dir/lines.py" <<'END'
import json, sys
lines, backends = [], {}
for row in json.load(sys.stdin):
    words = row["what"].split(" ")
    key = words[0] + (" outside" if words[1:3] == ["scope", "outside"] else "")
    rest = words[3 if key.endswith(" outside") else 1:]
    if row["table"] == "service":
        if rest[:2] == ["alg", "random"]:
            rest = rest[2:]
        lines.append((key, " ".join([key] + rest)))
    elif row["table"] == "backend":
        to, weight, state = rest[1], rest[3], rest[5]
        backends.setdefault(key, []).append(
            to + ("" if weight == "100" else "*" + weight) + ("" if state == "active" else " " + state))
for key, line in lines:
    print(line + " -> " + (", ".join(backends.get(key, [])) or "none"))
END

# plan NODE: what is in m.yaml, for that node, into out
plan()
{
	$tool -j apply --node "$1" -f "$dir/nodes.yaml" -f "$dir/m.yaml" --dry-run --diff \
		>"$dir/json" 2>"$dir/err" || return
	python3 "$dir/lines.py" <"$dir/json" >"$dir/out"
}

# serves WHAT NODE LINES MANIFESTS: just these frontends, in any order
serves()
{
	printf '%s\n' "$4" >"$dir/m.yaml"
	rm -f "$dir/out" "$dir/diff"
	plan "$2" && diff <(sed '/^$/d; s/^[ \t]*//' <<<"$3" | sort) <(sort "$dir/out") >"$dir/diff"
	local status=$?
	[ $status -eq 0 ] || cat "$dir/diff" >>"$dir/err" 2>/dev/null
	tap $status "$1"
}

warned() # REGEX: the last one taken, with these words
{
	grep -qE -- "^warning: $1" "$dir/err"
	tap $? "with a warning: $1"
}

here='{addresses: [10.1.0.5], nodeName: n1}'
there='{addresses: [10.2.0.7], nodeName: n2}'
both="$here, $there"
web=$(slice web '{name: http, port: 8080}' "$both")
web6=$(slice web '{name: http, port: 8080}' '{addresses: ["fd00:1::5"], nodeName: n1}' IPv6)
one='clusterIP: 10.96.0.10, ports: [{name: http, port: 80}]'

# ClusterIP -------------------------------------------------------------------------------------
serves "a ClusterIP" n1 '10.96.0.10:80/tcp -> 10.1.0.5:8080, 10.2.0.7:8080' \
	"$(service web "$one")$web"
serves "of two families, each with its own" n1 '10.96.0.10:80/tcp -> 10.1.0.5:8080, 10.2.0.7:8080
	[fd00:96::10]:80/tcp -> [fd00:1::5]:8080' \
	"$(service web 'clusterIP: 10.96.0.10, clusterIPs: [10.96.0.10, "fd00:96::10"], ports: [{name: http, port: 80}]')$web$web6"
serves "UDP and SCTP" n1 '10.96.0.10:53/udp -> 10.1.0.5:53
	10.96.0.10:9/sctp -> none' \
	"$(service web 'clusterIP: 10.96.0.10, ports: [{name: dns, port: 53, protocol: UDP}, {name: s, port: 9, protocol: SCTP}]')$(
		slice web '{name: dns, port: 53, protocol: UDP}, {name: s, port: 9, protocol: UDP}' "$here")"
serves "ports by their names" n1 '10.96.0.10:80/tcp -> 10.1.0.5:8080
	10.96.0.10:90/tcp -> 10.1.0.5:9090' \
	"$(service web 'clusterIP: 10.96.0.10, ports: [{name: a, port: 80}, {name: b, port: 90}]')$(
		slice web '{name: b, port: 9090}, {name: a, port: 8080}, {name: c, port: 7070}, {name: d}' "$here")"
serves "no endpoint: reject" n1 '10.96.0.10:80/tcp -> none' "$(service web "$one")"
serves "headless" n1 '' "$(service web 'clusterIP: None, type: ClusterIP, externalIPs: [198.51.100.7], ports: [{name: http, port: 80}]')$web"
serves "headless by the list alone" n1 '' "$(service web 'clusterIPs: [None], ports: [{name: http, port: 80}]')$web"
serves "ExternalName" n1 '' "$(service web 'type: ExternalName, externalName: a.example, ports: [{port: 80}]')"
serves "another proxy's service" n1 '' "$(service web "$one" '' 'labels: {service.kubernetes.io/service-proxy-name: mine}')$web"
serves "a service that is marked as headless" n1 '' "$(service web "$one" '' 'labels: {service.kubernetes.io/headless: ""}')$web"
serves "ClientIP affinity" n1 '10.96.0.10:80/tcp affinity 10800 -> none' "$(service web "$one, sessionAffinity: ClientIP")"
serves "kept for each port and family by itself" n1 '10.96.0.10:53/udp affinity 10800 -> none
	10.96.0.10:80/tcp affinity 10800 -> none
	[fd00:96::10]:53/udp affinity 10800 -> none
	[fd00:96::10]:80/tcp affinity 10800 -> none' \
	"$(service web 'clusterIPs: [10.96.0.10, "fd00:96::10"], sessionAffinity: ClientIP, ports: [{name: http, port: 80}, {name: dns, port: 53, protocol: UDP}]')"
serves "with its time" n1 '10.96.0.10:80/tcp affinity 30 -> none' \
	"$(service web "$one, sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 30}}")"
serves "Maglev by annotation" n1 '10.96.0.10:80/tcp alg maglev -> none' \
	"$(service web "$one" '' 'annotations: {service.cilium.io/lb-algorithm: maglev}')"
serves "weights by annotation" n1 '10.96.0.10:80/tcp -> 10.1.0.5:8080*7' \
	"$(service web "$one")$(slice web '{name: http, port: 8080}' "$here" IPv4 'annotations: {service.cilium.io/weight: "7"}')"
refused 'Service shop/web: spec.ports\[0\]: port: is missing' "$(service web 'clusterIP: 10.96.0.10, ports: [{name: http}]')"
refused 'spec.type: "Nodeport" is not ClusterIP, ExternalName, NodePort or LoadBalancer' "$(service web "$one, type: Nodeport")"
refused 'spec.sessionAffinity: "Client" is not None or ClientIP' "$(service web "$one, sessionAffinity: Client")"
refused 'timeoutSeconds: 86401 is not from 1 to 86400' \
	"$(service web "$one, sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 86401}}")"
refused 'spec.clusterIP: 0.0.0.0 cannot be the address of a service' "$(service web 'clusterIP: 0.0.0.0, ports: [{port: 80}]')"
refused 'spec.clusterIP: 127.0.0.1 cannot be' "$(service web 'clusterIP: 127.0.0.1, ports: [{port: 80}]')"
refused 'spec.clusterIPs\[0\]: ff02::1 cannot be' "$(service web 'clusterIPs: ["ff02::1"], ports: [{port: 80}]')"
refused 'lb-algorithm: "ring" is not random or maglev' "$(service web "$one" '' 'annotations: {service.cilium.io/lb-algorithm: ring}')"

# Endpoints and their conditions ------------------------------------------------------------------
serves "conditions" n1 '10.96.0.10:80/tcp -> 10.1.0.1:8080, 10.1.0.2:8080, 10.1.0.4:8080 terminating' \
	"$(service web "$one")$(slice web '{name: http, port: 8080}' '{addresses: [10.1.0.1]},
		{addresses: [10.1.0.2], conditions: {ready: true}}, {addresses: [10.1.0.3], conditions: {ready: false}},
		{addresses: [10.1.0.4], conditions: {ready: false, serving: true, terminating: true}},
		{addresses: [10.1.0.5], conditions: {ready: false, serving: false, terminating: true}},
		{addresses: [10.1.0.6], conditions: {ready: false, serving: true}}')"
serves "serving, unless it says that it is not" n1 '10.96.0.10:80/tcp -> 10.1.0.4:8080 terminating' \
	"$(service web "$one")$(slice web '{name: http, port: 8080}' \
		'{addresses: [10.1.0.4], conditions: {ready: false, serving: null, terminating: true}}')"
serves "publishNotReadyAddresses" n1 '10.96.0.10:80/tcp -> 10.1.0.3:8080' \
	"$(service web "$one, publishNotReadyAddresses: true")$(
		slice web '{name: http, port: 8080}' '{addresses: [10.1.0.3], conditions: {ready: false}}')"
serves "the first address of an endpoint" n1 '10.96.0.10:80/tcp -> 10.1.0.5:8080' \
	"$(service web "$one")$(slice web '{name: http, port: 8080}' '{addresses: [10.1.0.5, 10.1.0.6]}')"
serves "an endpoint in two slices is one, and ready if one says so" n1 '10.96.0.10:80/tcp -> 10.1.0.5:8080' \
	"$(service web "$one")$(slice web '{name: http, port: 8080}' \
		'{addresses: [10.1.0.5], conditions: {ready: false, serving: true, terminating: true}}')$(slice web '{name: http, port: 8080}' "$here")"
serves "a port of 0 in a slice is none" n1 '10.96.0.10:80/tcp -> 10.2.0.7:8080' \
	"$(service web "$one")$(slice web '{name: http, port: 0}' "$here")$(slice web '{name: http, port: 8080}' "$there")"
serves "another port in another slice" n1 '10.96.0.10:80/tcp -> 10.1.0.5:8080, 10.2.0.7:9090' \
	"$(service web "$one")$(slice web '{name: http, port: 8080}' "$here")$(slice web '{name: http, port: 9090}' "$there")"
serves "a slice of another proxy" n1 '10.96.0.10:80/tcp -> none' \
	"$(service web "$one")$(sed 's/labels: {/&service.kubernetes.io\/service-proxy-name: mine, /' <<<"$web")"
serves "nor one of a headless service" n1 '10.96.0.10:80/tcp -> none' \
	"$(service web "$one")$(sed 's/labels: {/&service.kubernetes.io\/headless: "", /' <<<"$web")"
serves "a slice without the label is nobody's" n1 '10.96.0.10:80/tcp -> none' \
	"$(service web "$one")$(sed 's/, labels: {[^}]*}//' <<<"$web")"
serves "nor does one of another namespace count" n1 '10.96.0.10:80/tcp -> none' \
	"$(service web "$one")$(sed 's/namespace: shop/namespace: ops/' <<<"$web")"
serves "nor one of the other family" n1 '10.96.0.10:80/tcp -> none' "$(service web "$one")$web6"
serves "nor one of names" n1 '10.96.0.10:80/tcp -> none' \
	"$(service web "$one")$(slice web '{name: http, port: 80}' '{addresses: [a.example]}' FQDN)"
endpoints='
---
apiVersion: v1
kind: Endpoints
metadata: {name: web, namespace: shop}
subsets: [{addresses: [{ip: 10.9.0.1}], notReadyAddresses: [{ip: 10.9.0.2}], ports: [{name: http, port: 8080}]}]'
serves "Endpoints" n1 '10.96.0.10:80/tcp -> 10.9.0.1:8080' "$(service web "$one")$endpoints"
serves "which do not count beside slices" n1 '10.96.0.10:80/tcp -> 10.1.0.5:8080, 10.2.0.7:8080' \
	"$(service web "$one")$endpoints$web"
refused 'endpoints\[0\].addresses\[0\]: fd00::1 is not of the slice.s addressType' \
	"$(service web "$one")$(slice web '{name: http, port: 80}' '{addresses: ["fd00::1"]}')"
refused 'weight: is not a number from 0 to 65535' \
	"$(slice web '{name: http, port: 80}' "$here" IPv4 'annotations: {service.cilium.io/weight: "-1"}')"

# internalTrafficPolicy ----------------------------------------------------------------------------
local="$one, internalTrafficPolicy: Local"
serves "internalTrafficPolicy Local" n1 '10.96.0.10:80/tcp empty drop -> 10.1.0.5:8080' "$(service web "$local")$web"
serves "an endpoint in two slices is here if one says so" n1 '10.96.0.10:80/tcp empty drop -> 10.1.0.5:8080' \
	"$(service web "$local")$(slice web '{name: http, port: 8080}' '{addresses: [10.1.0.5]}')$(slice web '{name: http, port: 8080}' "$here")"
serves "who only leaves, and elsewhere, has others look there" n1 '10.96.0.10:80/tcp empty drop -> none' \
	"$(service web "$local")$(slice web '{name: http, port: 8080}' \
		'{addresses: [10.2.0.7], nodeName: n2, conditions: {ready: false, serving: true, terminating: true}}')"
serves "on a node that has none: drop" n3 '10.96.0.10:80/tcp empty drop -> none' "$(service web "$local")$web"
serves "but reject where nobody has any" n3 '10.96.0.10:80/tcp -> none' "$(service web "$local")"
serves "a host that spells its name otherwise" N1 '10.96.0.10:80/tcp empty drop -> 10.1.0.5:8080' "$(service web "$local")$web"
serves "one that leaves stands in for those of its node" n1 '10.96.0.10:80/tcp empty drop -> 10.1.0.5:8080 terminating' \
	"$(service web "$local")$(slice web '{name: http, port: 8080}' \
		"{addresses: [10.1.0.5], nodeName: n1, conditions: {ready: false, serving: true, terminating: true}}, $there")"
refused 'internalTrafficPolicy: "local" is not Cluster or Local' "$(service web "$one, internalTrafficPolicy: local")"

# NodePort -----------------------------------------------------------------------------------------
node='type: NodePort, clusterIP: 10.96.0.10, ports: [{name: http, port: 80, nodePort: 30080}]'
serves "NodePort" n3 '0.0.0.0:30080/tcp -> 10.1.0.5:8080, 10.2.0.7:8080
	10.96.0.10:80/tcp -> 10.1.0.5:8080, 10.2.0.7:8080' "$(service web "$node")$web"
serves "of two families" n3 '0.0.0.0:30080/tcp -> 10.1.0.5:8080, 10.2.0.7:8080
	[::]:30080/tcp -> [fd00:1::5]:8080
	10.96.0.10:80/tcp -> 10.1.0.5:8080, 10.2.0.7:8080
	[fd00:96::10]:80/tcp -> [fd00:1::5]:8080' \
	"$(service web 'type: NodePort, clusterIPs: [10.96.0.10, "fd00:96::10"], ports: [{name: http, port: 80, nodePort: 30080}]')$web$web6"
serves "of the other family alone" n3 '[::]:30080/tcp -> none
	[fd00:96::10]:80/tcp -> none' \
	"$(service web 'type: NodePort, clusterIP: "fd00:96::10", ports: [{name: http, port: 80, nodePort: 30080}]')"
serves "families that are asked for, before there is an address" n1 '[::]:30080/tcp -> none' \
	"$(service web 'type: NodePort, ipFamilies: [IPv6], ports: [{name: http, port: 80, nodePort: 30080}]')"
serves "a port of 0 is none" n1 '10.96.0.10:80/tcp -> none' "$(service web "${node/30080/0}")"
serves "externalTrafficPolicy Local" n1 '0.0.0.0:30080/tcp -> 10.1.0.5:8080, 10.2.0.7:8080
	0.0.0.0:30080/tcp outside empty drop -> 10.1.0.5:8080
	10.96.0.10:80/tcp -> 10.1.0.5:8080, 10.2.0.7:8080' "$(service web "$node, externalTrafficPolicy: Local")$web"
serves "on a node that has none: drop for outside, all for who is inside" n3 '0.0.0.0:30080/tcp -> 10.1.0.5:8080, 10.2.0.7:8080
	0.0.0.0:30080/tcp outside empty drop -> none
	10.96.0.10:80/tcp -> 10.1.0.5:8080, 10.2.0.7:8080' "$(service web "$node, externalTrafficPolicy: Local")$web"
serves "but reject where nobody has any" n3 '0.0.0.0:30080/tcp -> none
	0.0.0.0:30080/tcp outside -> none
	10.96.0.10:80/tcp -> none' "$(service web "$node, externalTrafficPolicy: Local")"
serves "both policies Local" n1 '0.0.0.0:30080/tcp -> 10.1.0.5:8080, 10.2.0.7:8080
	0.0.0.0:30080/tcp outside empty drop -> 10.1.0.5:8080
	10.96.0.10:80/tcp empty drop -> 10.1.0.5:8080' \
	"$(service web "$node, externalTrafficPolicy: Local, internalTrafficPolicy: Local")$web"
serves "the time, the way of choosing and the clients are those of all" n1 '
	0.0.0.0:30080/tcp alg maglev affinity 9 affinity-with 10.96.0.10:80/tcp -> none
	0.0.0.0:30080/tcp outside alg maglev affinity 9 affinity-with 10.96.0.10:80/tcp -> none
	10.96.0.10:80/tcp alg maglev affinity 9 -> none' \
	"$(service web "$node, externalTrafficPolicy: Local, sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 9}}" '' \
		'annotations: {service.cilium.io/lb-algorithm: maglev}')"
refused 'ports\[0\].nodePort: is for services of type NodePort or LoadBalancer' "$(service web "${node/NodePort/ClusterIP}")"
refused 'ports\[0\].nodePort: 65536 is not from 0 to 65535' "$(service web "${node/30080/65536}")"
refused 'externalTrafficPolicy: "Global" is not Cluster or Local' "$(service web "$node, externalTrafficPolicy: Global")"
refused 'ipFamilies\[0\]: "v6" is not IPv4 or IPv6' "$(service web 'ipFamilies: [v6], ports: [{port: 80}]')"

# externalIPs --------------------------------------------------------------------------------------
serves "externalIPs" n3 '10.96.0.10:80/tcp -> 10.1.0.5:8080, 10.2.0.7:8080
	198.51.100.7:80/tcp -> 10.1.0.5:8080, 10.2.0.7:8080' "$(service web "$one, externalIPs: [198.51.100.7]")$web"
serves "externalTrafficPolicy Local" n2 '10.96.0.10:80/tcp -> 10.1.0.5:8080, 10.2.0.7:8080
	198.51.100.7:80/tcp -> 10.1.0.5:8080, 10.2.0.7:8080
	198.51.100.7:80/tcp outside empty drop -> 10.2.0.7:8080' \
	"$(service web "$one, externalIPs: [198.51.100.7], externalTrafficPolicy: Local")$web"
serves "one that is the ClusterIP is that" n2 '10.96.0.10:80/tcp -> 10.1.0.5:8080, 10.2.0.7:8080' \
	"$(service web "$one, externalIPs: [10.96.0.10], externalTrafficPolicy: Local")$web"
serves "given twice it is one" n2 '10.96.0.10:80/tcp -> none
	198.51.100.7:80/tcp -> none' "$(service web "$one, externalIPs: [198.51.100.7, 198.51.100.7]")"
serves "of a family that the service is not of" n1 '10.96.0.10:80/tcp -> none' "$(service web "$one, externalIPs: ['2001:db8::7']")"
warned '.*Service shop/web: spec.externalIPs\[0\]: 2001:db8::7 is of a family that the service is not of: left out'
refused 'spec.externalIPs\[0\]: "198.51.100" is not an IPv4 or IPv6 address' "$(service web "$one, externalIPs: ['198.51.100']")"
refused 'spec.externalIPs\[1\]: 127.0.0.1 cannot be the address of a service' "$(service web "$one, externalIPs: [198.51.100.7, 127.0.0.1]")"

# Load balancers -----------------------------------------------------------------------------------
lb='type: LoadBalancer, clusterIP: 10.96.0.10, ports: [{name: http, port: 80}]'
at='loadBalancer: {ingress: [{ip: 198.51.100.9}]}'
serves "the addresses of a load balancer" n3 '10.96.0.10:80/tcp -> 10.1.0.5:8080, 10.2.0.7:8080
	198.51.100.8:80/tcp -> 10.1.0.5:8080, 10.2.0.7:8080
	198.51.100.9:80/tcp -> 10.1.0.5:8080, 10.2.0.7:8080' \
	"$(service web "$lb" 'loadBalancer: {ingress: [{ip: 198.51.100.8, ipMode: VIP}, {ip: 198.51.100.9}]}')$web"
serves "but not of one that is a proxy, nor of a name" n3 '10.96.0.10:80/tcp -> 10.1.0.5:8080, 10.2.0.7:8080' \
	"$(service web "$lb" 'loadBalancer: {ingress: [{ip: 198.51.100.8, ipMode: Proxy}, {hostname: lb.example}]}')$web"
serves "nor of loopback" n3 '10.96.0.10:80/tcp -> none' "$(service web "$lb" 'loadBalancer: {ingress: [{ip: 127.0.0.1}]}')"
warned '.*status.loadBalancer.ingress\[0\].ip: 127.0.0.1 cannot be the address of a service: left out'
serves "externalTrafficPolicy Local" n1 '10.96.0.10:80/tcp -> 10.1.0.5:8080, 10.2.0.7:8080
	198.51.100.9:80/tcp -> 10.1.0.5:8080, 10.2.0.7:8080
	198.51.100.9:80/tcp outside empty drop -> 10.1.0.5:8080' "$(service web "$lb, externalTrafficPolicy: Local" "$at")$web"
serves "with a node port" n1 '0.0.0.0:30080/tcp -> none
	10.96.0.10:80/tcp -> none
	198.51.100.9:80/tcp -> none' "$(service web "${lb/80\}/80, nodePort: 30080\}}, allocateLoadBalancerNodePorts: true" "$at")"
ranges='loadBalancerSourceRanges: ["203.0.113.0/24", " 192.0.2.0/25\t", "203.0.113.0/24"]'
serves "loadBalancerSourceRanges are for its addresses alone" n1 '0.0.0.0:30080/tcp -> none
	0.0.0.0:30080/tcp outside -> none
	10.96.0.10:80/tcp -> none
	198.51.100.7:80/tcp -> none
	198.51.100.7:80/tcp outside -> none
	198.51.100.9:80/tcp source-policy allow source 192.0.2.0/25 source 203.0.113.0/24 -> none
	198.51.100.9:80/tcp outside source-policy allow source 192.0.2.0/25 source 203.0.113.0/24 -> none' \
	"$(service web "${lb/80\}/80, nodePort: 30080\}}, externalTrafficPolicy: Local, externalIPs: [198.51.100.7], $ranges" "$at")"
serves "which may be those that do not reach it" n1 '10.96.0.10:80/tcp -> none
	198.51.100.9:80/tcp source-policy deny source 192.0.2.0/25 source 203.0.113.0/24 -> none' \
	"$(service web "$lb, $ranges" "$at" 'annotations: {service.cilium.io/src-ranges-policy: deny}')"
serves "an external address that is the load balancer's is guarded" n1 '10.96.0.10:80/tcp -> none
	198.51.100.9:80/tcp source-policy allow source 10.0.0.0/8 -> none' \
	"$(service web "$lb, externalIPs: [198.51.100.9], loadBalancerSourceRanges: [10.0.0.0/8]" "$at")"
dual='type: LoadBalancer, clusterIPs: [10.96.0.10, "fd00:96::10"], ports: [{name: http, port: 80}]'
at2='loadBalancer: {ingress: [{ip: 198.51.100.9}, {ip: "2001:db8::9"}]}'
serves "prefixes of each family for its address" n1 '10.96.0.10:80/tcp -> none
	[fd00:96::10]:80/tcp -> none
	198.51.100.9:80/tcp source-policy allow source 10.0.0.0/8 -> none
	[2001:db8::9]:80/tcp source-policy allow source fd00::/8 -> none' \
	"$(service web "$dual, loadBalancerSourceRanges: [10.0.0.0/8, 'fd00::/8']" "$at2")"
serves "a family without any is closed" n1 '10.96.0.10:80/tcp -> none
	[fd00:96::10]:80/tcp -> none
	198.51.100.9:80/tcp source-policy allow source 10.0.0.0/8 -> none' \
	"$(service web "$dual, loadBalancerSourceRanges: [10.0.0.0/8]" "$at2")"
warned '.*ingress\[1\].ip: loadBalancerSourceRanges has no prefix of its family: left out'
serves "unless they deny" n1 '10.96.0.10:80/tcp -> none
	[fd00:96::10]:80/tcp -> none
	198.51.100.9:80/tcp source-policy deny source 10.0.0.0/8 -> none
	[2001:db8::9]:80/tcp -> none' \
	"$(service web "$dual, loadBalancerSourceRanges: [10.0.0.0/8]" "$at2" 'annotations: {service.cilium.io/src-ranges-policy: deny}')"
serves "host bits" n1 '10.96.0.10:80/tcp -> none
	198.51.100.9:80/tcp source-policy allow source 10.1.0.0/16 -> none' "$(service web "$lb, loadBalancerSourceRanges: [10.1.2.3/16]" "$at")"
warned '.*loadBalancerSourceRanges\[0\]: 10.1.2.3/16 has bits set beyond its length: taken for 10.1.0.0/16'
refused 'spec.loadBalancerSourceRanges\[1\]: "10.0.0.0/x"|10.0.0.0/x: the length of the prefix' \
	"$(service web "$lb, loadBalancerSourceRanges: [10.0.0.0/8, 10.0.0.0/x]")"
refused 'spec.loadBalancerSourceRanges\[0\]: "10.0.0.1" is not a prefix' "$(service web "$lb, loadBalancerSourceRanges: [10.0.0.1]")"
refused 'ipMode: "Vip" is not VIP or Proxy' "$(service web "$lb" 'loadBalancer: {ingress: [{ip: 198.51.100.8, ipMode: Vip}]}')"
refused 'src-ranges-policy: "block" is not allow or deny' \
	"$(service web "$lb" "$at" 'annotations: {service.cilium.io/src-ranges-policy: block}')"

# Annotations ----------------------------------------------------------------------------------------
serves "forwarding-mode snat" n1 '10.96.0.10:80/tcp -> none' "$(service web "$one" '' 'annotations: {service.cilium.io/forwarding-mode: snat}')"
! [ -s "$dir/err" ]
tap $? "is what there is"
serves "forwarding-mode dsr" n1 '10.96.0.10:80/tcp dsr on -> none' "$(service web "$one" '' 'annotations: {service.cilium.io/forwarding-mode: dsr}')"
serves "which SCTP does not have" n1 '10.96.0.10:53/udp dsr on -> none
	10.96.0.10:9/sctp -> none' "$(service web 'clusterIP: 10.96.0.10, ports: [{name: dns, port: 53, protocol: UDP}, {name: s, port: 9, protocol: SCTP}]' '' 'annotations: {service.cilium.io/forwarding-mode: dsr}')"
! [ -s "$dir/err" ]
tap $? "without a warning"
for what in lb-l7 proxy-delegation; do
	serves "$what" n1 '10.96.0.10:80/tcp -> none' "$(service web "$one" '' "annotations: {service.cilium.io/$what: enabled}")"
	warned ".*$what: is not supported"
done
for what in type node node-selector; do
	refused "Service shop/web: metadata.annotations.service.cilium.io/$what: is not supported" \
		"$(service web "$one" '' "annotations: {service.cilium.io/$what: x}")"
done

# Hints ------------------------------------------------------------------------------------------------
zones()
{
	slice web '{name: http, port: 8080}' "{addresses: [10.1.0.1], nodeName: n1, hints: {forZones: [{name: z1}]}},
		{addresses: [10.2.0.2], nodeName: n2, hints: {forZones: [{name: z2}, {name: z3}]}}${1:+, $1}"
}
all='10.96.0.10:80/tcp -> 10.1.0.1:8080, 10.2.0.2:8080'
serves "hints for a zone" n1 '10.96.0.10:80/tcp -> 10.1.0.1:8080' "$(service web "$one")$(zones)"
serves "another zone" n2 '10.96.0.10:80/tcp -> 10.2.0.2:8080' "$(service web "$one")$(zones)"
serves "a node of no zone" n3 "$all" "$(service web "$one")$(zones)"
serves "one without a hint: none holds" n1 "$all, 10.3.0.3:8080" "$(service web "$one")$(zones '{addresses: [10.3.0.3]}')"
serves "one that is not ready does not count" n1 '10.96.0.10:80/tcp -> 10.1.0.1:8080, 10.3.0.3:8080 terminating' \
	"$(service web "$one")$(zones '{addresses: [10.3.0.3], conditions: {ready: false, serving: true, terminating: true}}')"
serves "none for this zone: none holds" n1 '10.96.0.10:80/tcp -> 10.2.0.2:8080, 10.3.0.1:8080' \
	"$(service web "$one")$(zones | sed 's/name: z1/name: z9/; s/10.1.0.1/10.3.0.1/' )"
nodes()
{
	slice web '{name: http, port: 8080}' "{addresses: [10.1.0.1], hints: {forZones: [{name: z1}], forNodes: [{name: n1}]}},
		{addresses: [10.1.0.2], hints: {forZones: [{name: z1}], forNodes: [{name: n9}]}},
		{addresses: [10.2.0.2], hints: {forZones: [{name: z2}], forNodes: [{name: n8}]}}${1:+, $1}"
}
serves "hints for a node go before" n1 '10.96.0.10:80/tcp -> 10.1.0.1:8080' "$(service web "$one, trafficDistribution: PreferSameNode")$(nodes)"
serves "a node that no hint names is of its zone" n2 '10.96.0.10:80/tcp -> 10.2.0.2:8080' "$(service web "$one")$(nodes)"
serves "one without a hint for a node: zones hold" n1 '10.96.0.10:80/tcp -> 10.1.0.1:8080, 10.1.0.2:8080' \
	"$(service web "$one")$(nodes '{addresses: [10.2.0.9], hints: {forZones: [{name: z2}]}}')"
serves "Local goes before hints" n2 '10.96.0.10:80/tcp empty drop -> 10.2.0.2:8080' \
	"$(service web "$local")$(zones | sed 's/name: z2/name: z1/')"
serves "and who is inside follows them" n1 '10.96.0.10:80/tcp -> 10.1.0.1:8080
	198.51.100.7:80/tcp -> 10.1.0.1:8080
	198.51.100.7:80/tcp outside empty drop -> 10.1.0.1:8080' \
	"$(service web "$one, externalIPs: [198.51.100.7], externalTrafficPolicy: Local")$(zones)"
serves "each family by itself" n1 '10.96.0.10:80/tcp -> 10.1.0.1:8080
	[fd00:96::10]:80/tcp -> [fd00:1::5]:8080' \
	"$(service web 'clusterIPs: [10.96.0.10, "fd00:96::10"], ports: [{name: http, port: 80}]')$(zones)$web6"
refused 'hints.forZones\[0\]: is a string, and should be an object' \
	"$(slice web '{name: http, port: 80}' '{addresses: [10.1.0.1], hints: {forZones: [z1]}}')"

# hostPort -----------------------------------------------------------------------------------------------
host='{containerPort: 8080, hostPort: 80}'
serves "hostPort" n1 '0.0.0.0:80/tcp -> 10.1.0.5:8080' "$(pod a n1 10.1.0.5 "$host")"
serves "on the pod's node alone" n2 '' "$(pod a n1 10.1.0.5 "$host")$(pod b n2 10.2.0.5 '{containerPort: 80}')"
serves "of two families" n1 '0.0.0.0:80/udp -> 10.1.0.5:8080
	[::]:80/udp -> [fd00:1::5]:8080' \
	"$(pod a n1 10.1.0.5 '{containerPort: 8080, hostPort: 80, protocol: UDP}' '' '' 'podIPs: [{ip: 10.1.0.5}, {ip: "fd00:1::5"}]')"
serves "hostIP" n1 '192.0.2.1:80/tcp -> 10.1.0.5:8080' \
	"$(pod a n1 10.1.0.5 '{containerPort: 8080, hostPort: 80, hostIP: 192.0.2.1}' '' '' 'podIPs: [{ip: 10.1.0.5}, {ip: "fd00:1::5"}]')"
serves "hostIP for all of one family" n1 '[::]:80/tcp -> [fd00:1::5]:8080' \
	"$(pod a n1 10.1.0.5 '{containerPort: 8080, hostPort: 80, hostIP: "::"}' '' '' 'podIPs: [{ip: 10.1.0.5}, {ip: "fd00:1::5"}]')"
long=$(printf 'a%.0s' {1..200})
serves "a name that no endpoint can have, elsewhere" n2 '' "$(pod "$long" n1 10.1.0.5 "$host")"
! grep -q 'no endpoint' "$dir/err"
tap $? "without a warning"
serves "and here" n1 '0.0.0.0:80/tcp -> 10.1.0.5:8080' "$(pod "$long" n1 10.1.0.5 "$host")"
warned ".*Pod shop/$long: no endpoint can be named for it: longer than 127 bytes"
$tool -j policy check -f "$dir/nodes.yaml" -f "$dir/m.yaml" from "shop/$long" >"$dir/out" 2>"$dir/err"
tap $? "policy check takes it"
serves "hostIP of loopback" n1 '' "$(pod a n1 10.1.0.5 '{containerPort: 8080, hostPort: 80, hostIP: 127.0.0.1}')"
warned '.*Pod shop/a: spec.containers\[0\].ports\[0\].hostPort: at 127.0.0.1 is not served: left out'
serves "hostNetwork" n1 '' "$(pod a n1 192.0.2.1 '{containerPort: 80, hostPort: 80}' 'hostNetwork: true')"
serves "a pod that is done" n1 '' "$(pod a n1 10.1.0.5 "$host" '' '' 'phase: Failed')"
serves "a pod without an address" n1 '' "$(pod a n1 '' "$host")"
serves "a sidecar" n1 '0.0.0.0:81/tcp -> 10.1.0.5:8081' \
	"$(pod a n1 10.1.0.5 '' 'initContainers: [{name: i, restartPolicy: Always, ports: [{containerPort: 8081, hostPort: 81}]}]')"
serves "a pod that leaves, and its successor" n1 '0.0.0.0:80/tcp -> 10.1.0.5:8080, 10.1.0.6:8080 terminating' \
	"$(pod a n1 10.1.0.6 "$host" '' 'deletionTimestamp: "2026-01-01T00:00:00Z"')$(pod b n1 10.1.0.5 "$host")"
serves "two that stay: the older has it" n1 '0.0.0.0:80/tcp -> 10.1.0.6:8080' \
	"$(pod a n1 10.1.0.5 "$host" '' 'creationTimestamp: "2026-01-02T00:00:00Z"')$(
		pod b n1 10.1.0.6 "$host" '' 'creationTimestamp: "2026-01-01T00:00:00Z"')"
warned '.*Pod shop/a: spec.containers\[0\].ports\[0\].hostPort: 0.0.0.0:80/tcp is left out: .*Pod shop/b: spec.containers.* has it'
refused 'Pod shop/a: spec.containers\[0\].ports\[1\].hostPort: 0.0.0.0:80/tcp is claimed twice' "$(pod a n1 10.1.0.5 "$host, $host")"
serves "two nodes, two pods" n1 '0.0.0.0:80/tcp -> 10.1.0.5:8080' "$(pod a n1 10.1.0.5 "$host")$(pod b n2 10.2.0.6 "$host")"
refused 'hostPort: 65536 is not from 0 to 65535' "$(pod a n1 10.1.0.5 '{containerPort: 8080, hostPort: 65536}')"
refused 'hostIP: "here" is not an IPv4 or IPv6 address' "$(pod a n1 10.1.0.5 '{containerPort: 8080, hostPort: 80, hostIP: here}')"

# Who claims what ----------------------------------------------------------------------------------------
refused '^[^ ]*m.yaml:[0-9]+: Service shop/web: spec.clusterIP: 10.96.0.10:80/tcp is claimed twice, as well by .*m.yaml:[0-9]+: Service shop/api: spec.clusterIP$' \
	"$(service api "$one")$(service web "$one")"
refused 'Service shop/web: spec.ports\[0\].nodePort: 0.0.0.0:30080/tcp is claimed twice, as well by .*Service shop/api: spec.ports\[0\].nodePort' \
	"$(service api "$node, externalTrafficPolicy: Local")$(service web "${node/10.96.0.10/10.96.0.11}, externalTrafficPolicy: Local")"
[ "$(grep -c 'claimed twice' "$dir/err")" -eq 1 ]
tap $? "and that once"
refused 'Service shop/web: spec.ports\[1\].nodePort: 0.0.0.0:30080/tcp is claimed twice, as well by .*Service shop/web: spec.ports\[0\].nodePort' \
	"$(service web 'type: NodePort, clusterIP: 10.96.0.10, externalTrafficPolicy: Local, ports: [{name: a, port: 80, nodePort: 30080}, {name: b, port: 81, nodePort: 30080}]')"
# What anybody can ask for is no error: one has it, for both scopes.
external="$one, externalIPs: [198.51.100.9]"
serves "a load balancer's address goes before an external one" n1 '10.96.0.10:80/tcp -> none
	10.96.0.11:80/tcp -> 10.1.0.5:8080, 10.2.0.7:8080
	198.51.100.9:80/tcp -> 10.1.0.5:8080, 10.2.0.7:8080' \
	"$(service api "$external, externalTrafficPolicy: Local")$(service web "${lb/.10,/.11,}" "$at")$web"
warned '[^ ]*m.yaml:[0-9]+: Service shop/api: spec.externalIPs\[0\]: 198.51.100.9:80/tcp is left out: .*Service shop/web: status.loadBalancer.ingress\[0\].ip has it$'
[ "$(grep -c 'is left out' "$dir/err")" -eq 1 ]
tap $? "and that once, too"
serves "a ClusterIP before both" n1 '10.96.0.10:80/tcp -> 10.1.0.5:8080, 10.2.0.7:8080
	10.96.0.11:80/tcp -> none' \
	"$(service api "${one/.10,/.11,}, externalIPs: [10.96.0.10]")$(service web "$one")$web"
serves "of two that are external the older" n1 '10.96.0.10:80/tcp -> none
	10.96.0.11:80/tcp -> 10.1.0.5:8080, 10.2.0.7:8080
	198.51.100.9:80/tcp -> 10.1.0.5:8080, 10.2.0.7:8080' \
	"$(service api "$external" '' 'creationTimestamp: "2026-02-01T00:00:00Z"')$(
		service web "${external/.10,/.11,}" '' 'creationTimestamp: 2026-01-31T23:59:59Z')$web"
serves "or the first where neither is" n1 '10.96.0.10:80/tcp -> none
	10.96.0.11:80/tcp -> 10.1.0.5:8080, 10.2.0.7:8080
	198.51.100.9:80/tcp -> none' "$(service api "$external")$(service web "${external/.10,/.11,}")$web"
serves "a node port before a pod's" n1 '0.0.0.0:30080/tcp -> 10.1.0.5:8080, 10.2.0.7:8080
	10.96.0.10:80/tcp -> 10.1.0.5:8080, 10.2.0.7:8080' \
	"$(pod a n1 10.1.0.9 '{containerPort: 8080, hostPort: 30080}' '' 'creationTimestamp: "2026-01-01T00:00:00Z"')$(
		service web "$node" '' 'creationTimestamp: "2026-02-01T00:00:00Z"')$web"
warned '.*Pod shop/a: .*hostPort: 0.0.0.0:30080/tcp is left out: .*Service shop/web: spec.ports\[0\].nodePort has it'
serves "also of one that leaves" n1 '0.0.0.0:30080/tcp -> none
	10.96.0.10:80/tcp -> none' \
	"$(pod a n1 10.1.0.9 '{containerPort: 8080, hostPort: 30080}' '' 'deletionTimestamp: "2026-01-01T00:00:00Z"')$(service web "$node")"
serves "one address, two ports of two services" n1 '10.96.0.10:80/tcp -> none
	10.96.0.11:81/tcp -> none
	198.51.100.7:80/tcp -> none
	198.51.100.7:81/tcp -> none' \
	"$(service api "$one, externalIPs: [198.51.100.7]")$(
		service web 'clusterIP: 10.96.0.11, externalIPs: [198.51.100.7], ports: [{port: 81}]')"
serves "one port, two protocols" n1 '10.96.0.10:53/tcp -> none
	10.96.0.10:53/udp -> none' \
	"$(service web 'clusterIP: 10.96.0.10, ports: [{name: a, port: 53}, {name: b, port: 53, protocol: UDP}]')"

# ServiceCIDR ------------------------------------------------------------------------------------------
# cidr NAME SPEC
cidr() { printf -- '\n---\napiVersion: networking.k8s.io/v1\nkind: ServiceCIDR\nmetadata: {name: %s}\nspec: %s\n' "$1" "$2"; }

# ranges WHAT LINES MANIFESTS: just these
ranges()
{
	printf '%s\n' "$3" >"$dir/m.yaml"
	plan n1 && jq -r '.[] | select(.table == "range") | .change + " " + .what' "$dir/json" >"$dir/out" &&
		[ "$(cat "$dir/out")" = "$2" ]
	tap $? "$1"
}

ranges "no ServiceCIDR, no range" '' "$(service web "$one")"
ranges "of both families" $'+ 10.96.0.0/12\n+ fd00:96::/108' "$(cidr kubernetes '{cidrs: [10.96.0.0/12, "fd00:96::/108"]}')"
ranges "several, each once" $'+ 10.96.0.0/12\n+ 10.112.0.0/24' \
	"$(cidr a '{cidrs: [10.112.0.0/24, 10.96.0.0/12]}')$(cidr b '{cidrs: [10.96.0.0/12]}')"
ranges "host bits are cleared" '+ 10.96.0.0/12' "$(cidr a '{cidrs: [10.96.0.1/12]}')"
warned '.*10.96.0.1/12 has bits set'
foreign='labels: {service.kubernetes.io/service-proxy-name: mine}'
ranges "not one of which another proxy serves a part" '+ 10.112.0.0/24' \
	"$(cidr a '{cidrs: [10.96.0.0/12, 10.112.0.0/24]}')$(service web "$one" '' "$foreign")"
warned '.*ServiceCIDR a: spec.cidrs\[0\]: left out, for another proxy serves 10.96.0.10'
ranges "that has no address" '+ 10.96.0.0/12' \
	"$(cidr a '{cidrs: [10.96.0.0/12]}')$(service web "${one/10.96.0.10/None}" '' "$foreign")"
refused 'ServiceCIDR a: spec: cidrs: is missing' "$(cidr a '{}')"
refused 'ServiceCIDR a: spec: cidrs: is empty' "$(cidr a '{cidrs: []}')"
refused 'spec: is missing' "$(cidr a '{}' | sed '/^spec/d')"
refused 'cidrs\[0\]: a range of all addresses' "$(cidr a '{cidrs: [0.0.0.0/0]}')"
refused 'cidrs\[0\]: "10.96.0.1" is not a prefix' "$(cidr a '{cidrs: [10.96.0.1]}')"
refused 'ServiceCIDR a: spec.cidr: unknown field' "$(cidr a '{cidr: [10.96.0.0/12]}')"

# What the kernel would refuse, before it is asked ---------------------------------------------------
prefixes() { python3 -c 'import sys; print(", ".join(sys.argv[1] % (i >> 8, i & 255) for i in range(int(sys.argv[2]))))' "$@"; }
at6='loadBalancer: {ingress: [{ip: "fd00:99::9"}]}'
lb6='type: LoadBalancer, clusterIP: "fd00:96::10", ports: [{name: http, port: 80}]'
range='Service shop/web: spec.loadBalancerSourceRanges: 257 prefixes of'
refused "$range IPv4: a service takes at most 256" \
	"$(service web "$lb, loadBalancerSourceRanges: [$(prefixes '10.%d.%d.0/24' 257)]" "$at")"
refused "$range IPv6: a service takes at most 256" \
	"$(service web "$lb6, loadBalancerSourceRanges: [$(prefixes '"fd00:%x:%x::/48"' 257)]" "$at6")"
service web "$lb, loadBalancerSourceRanges: [$(prefixes '10.%d.%d.0/24' 256), $(
	prefixes '"fd00:%x:%x::/48"' 256)]" "$at" >"$dir/m.yaml"
plan n1
tap $? "256 of each family are taken"
service web "$lb, loadBalancerSourceRanges: [$(prefixes '10.%d.%d.0/24' 257)]" >"$dir/m.yaml"
plan n1
tap $? "and more where no load balancer is there yet"
for a in 0.0.0.0 127.0.0.1 224.0.0.1 255.255.255.255; do
	refused "EndpointSlice .*: endpoints\[0\].addresses\[0\]: $a cannot be the address of a backend" \
		"$(service web "$one")$(slice web '{name: http, port: 8080}' "{addresses: [$a]}")"
	refused "Pod shop/p: status.podIP: $a cannot be the address of a pod" "$(pod p n1 $a '')"
done
refused 'EndpointSlice .*addresses\[0\]: ff02::1 cannot be the address of a backend' \
	"$(service web "$one")$(slice web '{name: http, port: 8080}' '{addresses: ["ff02::1"]}' IPv6)"
refused 'Endpoints shop/web: subsets\[0\].addresses\[0\].ip: 127.0.0.1 cannot be the address of a backend' \
	"$(service web "$one")
---
{apiVersion: v1, kind: Endpoints, metadata: {name: web, namespace: shop},
 subsets: [{addresses: [{ip: 127.0.0.1}], ports: [{name: http, port: 80}]}]}"
refused 'Pod shop/p: spec.containers\[0\].ports\[0\].hostIP: 224.0.0.1 cannot be the address of a service' \
	"$(pod p n1 10.1.0.5 '{containerPort: 80, hostPort: 80, hostIP: 224.0.0.1}')"
node() # NAME ADDRESS CIDR
{
	printf '\n---\n{apiVersion: v1, kind: Node, metadata: {name: %s}, spec: {podCIDRs: [%s]},\n' "$1" "$3"
	printf ' status: {addresses: [{type: InternalIP, address: "%s"}]}}\n' "$2"
}
refused 'Node n4: status.addresses: 0.0.0.0 cannot be the address of a node' "$(node n4 0.0.0.0 10.4.0.0/24)"
refused 'Node n4: status.addresses: ::1 cannot be the address of a node' "$(node n4 ::1 10.4.0.0/24)"
refused 'Node n4: status.addresses: 192.0.2.3 is of Node n3 as well' "$(node n4 192.0.2.3 10.4.0.0/24)"
refused 'Node n5: spec.podCIDRs: 10.4.0.0/24 is of Node n4 as well' \
	"$(node n4 192.0.2.4 10.4.0.0/24)$(node n5 192.0.2.5 10.4.0.0/24)"
refused 'Node n4: spec.podCIDRs: 10.4.0.0/24 is of Node n4 as well' \
	"$(node n4 192.0.2.4 '10.4.0.0/24, 10.4.0.0/24')"
node n4 127.0.0.1 10.4.0.0/24 >"$dir/m.yaml"
plan n4
tap $? "a node does not need a tunnel to itself"

# What load balancers ask ----------------------------------------------------------------------------------
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("", 0)); print(s.getsockname()[1])'; }
ask() # METHOD: status, the length and what came, without a kernel to ask
{
	python3 - "$1" "$port" <<-'END' 2>>"$dir/err"
	import http.client, sys
	c = http.client.HTTPConnection("localhost", int(sys.argv[2]), timeout=10)
	c.request(sys.argv[1], "/healthz")
	r = c.getresponse()
	body = r.read().decode().replace("\n", "\\n").replace("\t", "\\t")
	print(r.status, r.getheader("Content-Type"), r.getheader("Content-Length"), body)
	END
}
answers() # WHAT REGEX METHOD
{
	ask "$3" >"$dir/out"
	grep -qxE "$2" "$dir/out"
	tap $? "$1"
}
health='type: LoadBalancer, clusterIP: 10.96.0.10, externalTrafficPolicy: Local, ports: [{name: http, port: 80, nodePort: 30080}]'
printf '%s\n' "$(service web "$lb, externalTrafficPolicy: Cluster, healthCheckNodePort: 31000" "$at")$(
	service api "${node/.10,/.11,}, externalTrafficPolicy: Local, healthCheckNodePort: 31001")" >"$dir/m.yaml"
$tool health serve -f "$dir/m.yaml" >"$dir/out" 2>"$dir/err"
[ $? -eq 1 ] && grep -q 'no service of type LoadBalancer has externalTrafficPolicy Local' "$dir/err"
tap $? "health: nothing to tell"
refused 'healthCheckNodePort: 65536 is not from 0 to 65535' "$(service web "$health, healthCheckNodePort: 65536")"
port=$(free_port)
service web "$health, healthCheckNodePort: $port" >"$dir/m.yaml"
# What asks it writes there, too.
: >"$dir/err"
$tool health serve -f "$dir/m.yaml" >"$dir/served" 2>>"$dir/err" &
pid=$!
for i in $(seq 100); do [ -s "$dir/served" ] && break; sleep 0.05; done
grep -qx "shop/web: port $port" "$dir/served"
tap $? "health: it says where"
# To the byte what kube-proxy says.
body='{\n\t"service": {\n\t\t"namespace": "shop",\n\t\t"name": "web"\n\t},\n'
body+='\t"localEndpoints": 0,\n\t"serviceProxyHealthy": false\n}'
body=$(sed 's/[\\{}]/\\&/g' <<<"$body")
answers "health: without a kernel it is not well" "503 application/json 112 $body" GET
answers "health: the same without the words" "503 application/json 112 " HEAD
answers "health: nothing can be done there" "405 .*" POST
python3 - "$port" <<'END' 2>>"$dir/err"
import socket, sys
# Who says nothing, and more than there is room for: others are served once those are gone.
idle = [socket.create_connection(("localhost", int(sys.argv[1]))) for i in range(80)]
long = socket.create_connection(("localhost", int(sys.argv[1])), timeout=20)
try:
    long.sendall(b"GET /" + b"x" * 4000)
    assert long.recv(100).startswith(b"HTTP/1.1 431 ")
except ConnectionResetError:
    pass
END
tap $? "health: who says nothing, or too much, is let go"
answers "health: and it goes on" "503 .*" GET
$tool health serve -f "$dir/m.yaml" >"$dir/out" 2>"$dir/again"
[ $? -eq 1 ] && grep -qE "Service shop/web: healthCheckNodePort $port: Address already in use" "$dir/again"
tap $? "health: a port that is taken"

# Files that change under it
said() # FILE REGEX: such a line comes within some seconds
{
	for i in $(seq 200); do grep -aqxE -- "$2" "$dir/$1" && return; sleep 0.05; done
	return 1
}
at_port() { local port=$1; shift; answers "$@"; }
first=$port second=$(free_port) third=$(free_port)
web=$(service web "$health, healthCheckNodePort: $first")
other=${health/30080/30081}
api=$(service api "${other/.10,/.11,}, healthCheckNodePort: $second")
other=${health/30080/30082}
late=$(service late "${other/.10,/.12,}, healthCheckNodePort: $third")
python3 - "$first" >"$dir/kept" 2>&1 <<'END' &
import socket, sys, time
# Of a listener that stays: asked before the files change, answered after that.
s = socket.create_connection(("localhost", int(sys.argv[1])), timeout=20)
time.sleep(3)
s.sendall(b"GET / HTTP/1.0\r\n\r\n")
print(s.recv(1000).split(b"\r\n")[0].decode())
END
keeper=$!
printf '%s\n' "$web$api" >"$dir/m.new"
mv "$dir/m.new" "$dir/m.yaml"
said served "shop/api: port $second"
tap $? "health: a service that comes, by a file put in place"
at_port "$second" "health: it is answered for" "503 .*\"name\": \"api\".*" GET
[ "$(grep -c "shop/web" "$dir/served")" = 1 ]
tap $? "health: the other one stays"
wait $keeper
grep -q '^HTTP/1.1 503' "$dir/kept"
tap $? "health: with its connections"
printf 'kind: Service\n' >"$dir/m.yaml"
said err ".*: the services stay as they were"
tap $? "health: a bad file is told of"
at_port "$second" "health: and changes nothing" "503 .*" GET
printf '%s\n' "$api" >"$dir/m.yaml"
said served "shop/web: port $first: no longer"
tap $? "health: a service that goes, by a file written anew"
! port=$first ask GET >"$dir/out"
tap $? "health: nobody listens there"
python3 -c 'import socket, sys, time
s = socket.create_server(("::", int(sys.argv[1])), family=socket.AF_INET6, dualstack_ipv6=True)
print("there", flush=True)
time.sleep(60)' "$third" >"$dir/taken" &
taken=$!
said taken there
printf '%s\n' "$api$late" >"$dir/m.yaml"
said err ".*Service shop/late: healthCheckNodePort $third: Address already in use"
tap $? "health: a port that is taken by then"
at_port "$second" "health: is no harm to others" "503 .*" GET
kill $taken
wait $taken 2>/dev/null
kill -HUP $pid
said served "shop/late: port $third"
tap $? "health: SIGHUP has it try again"
kill $pid
wait $pid
tap $? "health: it ends when it is told to"
mkdir -p "$dir/map/..1" "$dir/map/..2"
printf '%s\n' "$web" >"$dir/map/..1/m.yaml"
printf '%s\n' "$api" >"$dir/map/..2/m.yaml"
ln -s ..1 "$dir/map/..data"
ln -s ..data/m.yaml "$dir/map/m.yaml"
$tool health serve -f "$dir/map" >"$dir/served" 2>>"$dir/err" &
pid=$!
said served "shop/web: port $first"
ln -s ..2 "$dir/map/..tmp"
mv -T "$dir/map/..tmp" "$dir/map/..data"
said served "shop/api: port $second" && said served "shop/web: port $first: no longer"
tap $? "health: files that Kubernetes swaps, in a directory"
kill $pid
wait $pid
printf '%s\n' "$web" >"$dir/map/..1/m.yaml"
$tool health serve -f "$dir/map/m.yaml" >"$dir/served" 2>>"$dir/err" &
pid=$!
said served "shop/api: port $second"
ln -s ..1 "$dir/map/..tmp"
mv -T "$dir/map/..tmp" "$dir/map/..data"
said served "shop/web: port $first" && said served "shop/api: port $second: no longer"
tap $? "health: or by the name of the file"
kill $pid
wait $pid
mkfifo "$dir/pipe"
$tool health serve -f "$dir/map/m.yaml" >"$dir/pipe" 2>>"$dir/err" &
pid=$!
read -r line <"$dir/pipe"
ln -s ..2 "$dir/map/..tmp"
mv -T "$dir/map/..tmp" "$dir/map/..data"
for i in $(seq 200); do port=$second ask GET >"$dir/out" 2>/dev/null && break; sleep 0.05; done
[ "$line" = "shop/web: port $first" ]
tap $? "health: who has read where it is goes away"
at_port "$second" "health: it goes on all the same" "503 .*" GET
kill $pid
wait $pid
tap $? "health: and ends well"

tap_end
