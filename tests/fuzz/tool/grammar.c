// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whatever the words of a call are, the tool answers and does not fall. Each line of the
 * input is one: its words are parsed, and what they make is encoded and read back. The
 * bytes are then taken for a message of the kernel, too.
 *
 * Built with clang -fsanitize=fuzzer, or with -DALONE: then it has a driver of its own,
 * "grammar SECONDS [SEED]", which glues words of the grammar together and spoils them.
 */
#include <linux/netlink.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../unit/parse_all.h"
#include "libwattle/internal.h"
#include "wattlectl/wattlectl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct call call;

static void read_back(const struct nlmsghdr *nlh)
{
	struct wattle_rule rule;
	char text[64];

	parse_all(nlh);
	if (!wattle_rule_parse(nlh, &rule))
		rule_text(text, sizeof(text), &rule);
}

static void fuzz_message(const uint8_t *data, size_t size)
{
	struct nlmsghdr *nlh;

	if (size < NLMSG_HDRLEN)
		return;
	nlh = malloc(size);
	memcpy(nlh, data, size);
	nlh->nlmsg_len = size;
	read_back(nlh);
	free(nlh);
}

/* "set" of a backend asks the kernel what there is: that is not for here. */
static bool asks(void)
{
	return call.verb->how == WATTLE_SET && call.object == &backend_object;
}

static void fuzz_line(char *line)
{
	char *words[256], *word;
	int count = 0;

	while (count < 256 && (word = strsep(&line, " \t")))
		if (*word)
			words[count++] = word;
	if (!count)
		return;
	complete(count, words);
	if (call_parse(&call, count, words) || !call.verb->encode || asks())
		return;
	if (!encode_call(&call, scratch()))
		read_back(nlmsg_hdr(scratch()));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *rest = text, *line;

	fuzz_message(data, size);
	memcpy(text, data, size);
	text[size] = '\0';
	while ((line = strsep(&rest, "\n")))
		fuzz_line(line);
	free(text);
	return 0;
}

#ifdef ALONE

static const char *const words[] = {
	"device", "node", "identity", "endpoint", "policy", "service", "backend", "explain", "flow",
	"monitor", "stats", "version", "add", "del", "replace", "set", "show", "list", "get", "flush",
	"name", "addr", "local", "cidr", "id", "via", "pod", "ip", "enforce", "both", "none", "ingress",
	"egress", "peer", "any", "outside", "proto", "tcp", "udp", "sctp", "icmp", "icmpv6", "port",
	"type", "code", "allow", "deny", "priority", "origin", "alg", "maglev", "random", "affinity",
	"affinity-with", "maglev-size", "scope", "empty", "reject", "drop", "source", "source-policy",
	"dsr", "range", "to", "weight", "state", "active", "terminating", "quarantined", "src", "dst",
	"sport", "dport", "mode", "gbp", "plain", "vni", "mtu", "strict", "on", "off", "underlay", "4",
	"6", "cache", "csum", "ttl", "audit", "192.0.2.1", "fd00::1", "::", "10.0.0.0/8", "10.0.0.1/8",
	"fd00::/8", "::/0", "0.0.0.0/0", "10.0.0.1:80/tcp", "[fd00::1]:53/udp", "10.0.0.1:80",
	"[fd00::1]:80", "80", "80-90", "90-80", "0", "1", "255", "256", "65535", "65536", "4294967295",
	"4294967296", "18446744073709551616", "0xff", "-1", "lo", "n2", "a/b", "[", "]", ":", "/", "-",
	"[]:/", "::::", "1.2.3.4:", "[fd00::1]", "[fd00::1]:", "#", "\"", "%s%n", "\xff\xfe",
};

static uint64_t state;

static uint32_t roll(uint32_t sides)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 16) % sides;
}

static size_t make(char *text, size_t size)
{
	uint32_t count = 1 + roll(14), i;
	size_t len = 0;

	/* Mostly an object and a verb, so that it comes far. */
	for (i = 0; i < count && len + 32 < size; i++) {
		uint32_t w = i == 0 && roll(8) ? roll(12) : i == 1 && roll(8) ? 12 + roll(8) :
			     roll(ARRAY_SIZE(words));

		len += snprintf(text + len, size - len, "%s%s", i ? " " : "", words[w]);
	}
	for (i = roll(4); i && len; i--) {
		size_t at = roll(len);

		switch (roll(4)) {
		case 0:
			text[at] = roll(256);
			break;
		case 1:
			memmove(text + at, text + at + 1, len - at - 1);
			len--;
			break;
		case 2:
			len = at;
			break;
		case 3:
			memmove(text + at + 1, text + at, len - at);
			text[at] = " .:/[]-0"[roll(8)];
			len++;
			break;
		}
	}
	return len;
}

int main(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 10);
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL);
	unsigned long count = 0;
	char text[2048];

	/* What is said of the words is not looked at, only that it is said. */
	printf("# seed %llu\n", (unsigned long long)seed);
	fflush(stdout);
	if (!freopen("/dev/null", "w", stderr) || !freopen("/dev/null", "w", stdout))
		return 1;
	state = seed * 2862933555777941757ULL + 3037000493ULL;
	do {
		size_t len = make(text, sizeof(text));

		LLVMFuzzerTestOneInput((uint8_t *)text, len);
	} while (++count % 1024 || time(NULL) < end);
	call_release(&call);
	kernel_close();
	return count ? 0 : 1;
}

#endif
