// SPDX-License-Identifier: GPL-2.0-only
/* toPorts and icmps of the kinds of cilium.io. */
#include <netinet/in.h>
#include <stdlib.h>

#include "cilium.h"

#define PORTS_MAX	40	/* in one list, as Cilium has it */

/* ---- toPorts ---- */

/* By protocol; "ANY" is the three that have ports. Returns how many, 0: said. */
static unsigned int read_protocols(struct reader *r, const struct node *node, uint8_t *protos)
{
	static const uint8_t any[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP };
	const char *text = "ANY";

	if (node && !node_string(r, node, &text))
		return 0;
	memcpy(protos, any, sizeof(any));
	if (!strcmp(text, "ANY"))
		return COUNT(any);
	if (!strcmp(text, "UDP"))
		protos[0] = IPPROTO_UDP;
	else if (!strcmp(text, "SCTP"))
		protos[0] = IPPROTO_SCTP;
	else if (strcmp(text, "TCP")) {
		bad(r, node, "protocol \"%s\" is not supported here: TCP, UDP, SCTP or ANY", text);
		return 0;
	}
	return 1;
}

static bool read_port_text(struct reader *r, const struct node *node, struct port *port)
{
	const char *text;
	uint64_t number;

	port->max = UINT16_MAX;
	if (!node)
		return true;
	if (!node_string(r, node, &text))
		return false;
	if (port_name_is_valid(text)) {
		port->name = intern(r->m, text);
		port->where = where_is(r, node);
		return true;
	}
	/* Cilium takes a 0 in front for the sign of another base. */
	if (strspn(text, "0123456789") != strlen(text) || (text[0] == '0' && text[1]) ||
	    wattle_number_parse(&number, text, 0, UINT16_MAX)) {
		bad(r, node, "\"%s\" is neither a number from 0 to 65535 nor the name of a port",
		    text);
		return false;
	}
	if (number) {
		port->min = number;
		port->max = number;
	}
	return true;
}

static void read_port(struct reader *r, struct node *node, struct rule *rule)
{
	static const char *const fields[] = { "port", "endPort", "protocol", NULL };
	struct node *end = node_get(node, "endPort");
	struct port port = {};
	unsigned int i, count;
	uint8_t protos[3];
	long value;

	if (!node_expect(r, node, NODE_MAP) || !node_fields(r, node, fields) ||
	    !read_port_text(r, node_get(node, "port"), &port))
		return;
	if (end) {
		if (!node_number(r, end, 0, UINT16_MAX, &value))
			return;
		if (value && (port.name || !port.min)) {
			bad(r, end, "needs a port that is a number");
			return;
		}
		if (value && value < port.min) {
			bad(r, end, "%ld is less than the port, %u", value, port.min);
			return;
		}
		if (value)
			port.max = value;
	}
	count = read_protocols(r, node_get(node, "protocol"), protos);
	for (i = 0; i < count; i++) {
		port.proto = protos[i];
		*APPEND(rule->port, rule->port_count) = port;
	}
}

static void read_to_ports(struct reader *r, struct node *node, struct rule *rule)
{
	static const char *const fields[] = {
		"ports", "rules", "terminatingTLS", "originatingTLS", "serverNames", "listener",
		NULL
	};
	static const char *const layer7[] = { "rules", NULL };
	static const char *const tls[] = { "terminatingTLS", "originatingTLS", NULL };
	static const char *const names[] = { "serverNames", NULL };
	static const char *const listener[] = { "listener", NULL };
	struct node *list, *child;

	if (!node_expect(r, node, NODE_MAP))
		return;
	node_fields(r, node, fields);
	child = node_get(node, "rules");
	if (child && (child->type != NODE_MAP || child->count))
		node_refuse(r, node, layer7, "layer 7 rules are not supported");
	node_refuse(r, node, tls, "TLS interception is not supported");
	node_refuse(r, node, names, "rules by TLS server name are not supported");
	node_refuse(r, node, listener, "listeners (proxies) are not supported");
	list = node_list(r, node, "ports");
	if (!list || !list->count) {
		bad(r, list ? list : node, "%snames no port: leave out toPorts for all of them",
		    list ? "" : "ports: ");
		return;
	}
	if (list->count > PORTS_MAX)
		bad(r, list, "more than %d ports", PORTS_MAX);
	for_each_node(child, list)
		read_port(r, child, rule);
}

/* ---- icmps ---- */

struct icmp_type {
	const char *name;
	uint8_t type;
};

static const struct icmp_type icmp4_types[] = {
	{ "EchoReply", 0 }, { "DestinationUnreachable", 3 }, { "Redirect", 5 },
	{ "Echo", 8 }, { "EchoRequest", 8 }, { "RouterAdvertisement", 9 },
	{ "RouterSelection", 10 }, { "TimeExceeded", 11 }, { "ParameterProblem", 12 },
	{ "Timestamp", 13 }, { "TimestampReply", 14 }, { "Photuris", 40 },
	{ "ExtendedEchoRequest", 42 }, { "ExtendedEchoReply", 43 },
};

static const struct icmp_type icmp6_types[] = {
	{ "DestinationUnreachable", 1 }, { "PacketTooBig", 2 }, { "TimeExceeded", 3 },
	{ "ParameterProblem", 4 }, { "EchoRequest", 128 }, { "EchoReply", 129 },
	{ "MulticastListenerQuery", 130 }, { "MulticastListenerReport", 131 },
	{ "MulticastListenerDone", 132 }, { "RouterSolicitation", 133 },
	{ "RouterAdvertisement", 134 }, { "NeighborSolicitation", 135 },
	{ "NeighborAdvertisement", 136 }, { "RedirectMessage", 137 },
	{ "RouterRenumbering", 138 }, { "ICMPNodeInformationQuery", 139 },
	{ "ICMPNodeInformationResponse", 140 },
	{ "InverseNeighborDiscoverySolicitation", 141 },
	{ "InverseNeighborDiscoveryAdvertisement", 142 },
	{ "HomeAgentAddressDiscoveryRequest", 144 }, { "HomeAgentAddressDiscoveryReply", 145 },
	{ "MobilePrefixSolicitation", 146 }, { "MobilePrefixAdvertisement", 147 },
	{ "DuplicateAddressRequestCodeSuffix", 157 },
	{ "DuplicateAddressConfirmationCodeSuffix", 158 },
	{ "ExtendedEchoRequest", 160 }, { "ExtendedEchoReply", 161 },
};

static bool icmp_named(const struct icmp_type *types, size_t count, const char *name, long *type)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (strcmp(types[i].name, name))
			continue;
		*type = types[i].type;
		return true;
	}
	return false;
}

/* A number, bare or in quotes, or a name. */
static bool read_icmp_type(struct reader *r, const struct node *node, bool v6, long *type)
{
	const char *text;
	uint64_t number;

	if (node_is_number(node))
		return node_number(r, node, 0, 255, type);
	if (!node_string(r, node, &text))
		return false;
	if (!wattle_number_parse(&number, text, 0, 255)) {
		*type = number;
		return true;
	}
	if (v6 ? icmp_named(icmp6_types, COUNT(icmp6_types), text, type) :
	    icmp_named(icmp4_types, COUNT(icmp4_types), text, type))
		return true;
	bad(r, node, "\"%s\" is not a type of ICMP%s", text, v6 ? "v6" : "");
	return false;
}

static void read_icmp_field(struct reader *r, struct node *node, struct rule *rule)
{
	static const char *const fields[] = { "family", "type", NULL };
	const char *family = "IPv4";
	struct port port = {};
	struct node *child;
	long type;

	if (!node_expect(r, node, NODE_MAP) || !node_fields(r, node, fields))
		return;
	child = node_get(node, "family");
	if (child && !node_string(r, child, &family))
		return;
	if (strcmp(family, "IPv4") && strcmp(family, "IPv6")) {
		bad(r, child, "\"%s\" is not IPv4 or IPv6", family);
		return;
	}
	child = node_get(node, "type");
	if (!child) {
		bad(r, node, "type: is missing");
		return;
	}
	if (!read_icmp_type(r, child, family[3] == '6', &type))
		return;
	/* Whatever the code. */
	port.proto = family[3] == '6' ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	port.min = type << 8;
	port.max = type << 8 | 0xff;
	*APPEND(rule->port, rule->port_count) = port;
}

static void read_icmp(struct reader *r, struct node *node, struct rule *rule)
{
	static const char *const fields[] = { "fields", NULL };
	struct node *list, *child;

	if (!node_expect(r, node, NODE_MAP) || !node_fields(r, node, fields))
		return;
	list = node_list(r, node, "fields");
	if (!list || !list->count) {
		bad(r, list ? list : node, "%snames no type of ICMP", list ? "" : "fields: ");
		return;
	}
	if (list->count > PORTS_MAX)
		bad(r, list, "more than %d types", PORTS_MAX);
	for_each_node(child, list)
		read_icmp_field(r, child, rule);
}

void cilium_read_ports(struct reader *r, struct node *node, struct rule *rule)
{
	struct node *ports = node_list(r, node, "toPorts"), *icmps = node_list(r, node, "icmps");
	struct node *child;

	if (ports && ports->count && icmps && icmps->count) {
		bad(r, icmps, "icmps and toPorts cannot be in one rule: make it two");
		return;
	}
	for_each_node(child, ports)
		read_to_ports(r, child, rule);
	for_each_node(child, icmps)
		read_icmp(r, child, rule);
	if ((!ports || !ports->count) && (!icmps || !icmps->count))
		*APPEND(rule->port, rule->port_count) =
			(struct port){ .any = true, .max = UINT16_MAX };
}
