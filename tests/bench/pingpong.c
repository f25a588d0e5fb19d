// SPDX-License-Identifier: GPL-2.0-only
/*
 * pingpong serve PORT
 * pingpong rr|crr ADDRESS PORT COUNT
 *
 * One byte there and one back over TCP, COUNT times: over one connection (rr), or over a
 * new one each time (crr). Prints nanoseconds per exchange. Some go before, unmeasured.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define WARM_UP	64

static int open_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0)
		err(1, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static void serve(int port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd, one = 1, listener = open_socket();
	char byte;

	if (bind(listener, (void *)&addr, sizeof(addr)) || listen(listener, 128))
		err(1, "port %d", port);
	for (;;) {
		fd = accept(listener, NULL, NULL);
		if (fd < 0)
			err(1, "accept");
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		while (read(fd, &byte, 1) == 1 && write(fd, &byte, 1) == 1)
			;
		close(fd);
	}
}

static int dial(const struct sockaddr_in *addr)
{
	int fd = open_socket();

	if (connect(fd, (const void *)addr, sizeof(*addr)))
		err(1, "connect");
	return fd;
}

static void exchange(int fd)
{
	char byte = 'x';

	if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1)
		err(1, "the connection was cut");
}

static void run(const struct sockaddr_in *addr, int again, long count)
{
	int fd = again ? -1 : dial(addr);
	long i;

	for (i = 0; i < count; i++) {
		if (again)
			fd = dial(addr);
		exchange(fd);
		if (again)
			close(fd);
	}
	if (!again)
		close(fd);
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	double start;
	long count;

	if (argc == 3 && !strcmp(argv[1], "serve"))
		serve(atoi(argv[2]));
	if (argc != 5 || inet_pton(AF_INET, argv[2], &addr.sin_addr) != 1)
		errx(2, "pingpong serve PORT | rr|crr ADDRESS PORT COUNT");
	addr.sin_port = htons(atoi(argv[3]));
	count = atol(argv[4]);
	run(&addr, !strcmp(argv[1], "crr"), WARM_UP);
	start = seconds();
	run(&addr, !strcmp(argv[1], "crr"), count);
	printf("%.1f\n", (seconds() - start) * 1e9 / count);
	return 0;
}
