/*
 * A load generator for datagram echoes.
 *
 *   datagram-load PORT BYTES SECONDS window N [SOURCES]   keeps N datagrams in flight: the next is sent when one came back
 *   datagram-load PORT BYTES SECONDS rate N [SOURCES]     sends N a second, whatever comes back: for overload
 *
 * Speaks to 127.0.0.1:PORT from SOURCES sockets (default 1), each bound to an address of its own, 127.0.1.1 and up. System
 * calls are batched (sendmmsg, recvmmsg), so that one core of load can fill one core of server; at a rate the kernel also cuts
 * each message into up to 64 datagrams (UDP_SEGMENT), so that it can flood one. Prints one line:
 * "sent N received N wrong N seconds S". `wrong` counts answers whose bytes are not those that were sent.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum { BATCH = 32, MAX_BYTES = 65507, MAX_SOURCES = 1024, MAX_SEGMENTS = 64 };
/* A lost datagram would shrink the window for ever: it is filled up again when nothing has come for so long. */
static const double REFILL_AFTER_SECONDS = 0.05;

static uint8_t payload[MAX_BYTES + 1];
static uint8_t answers[BATCH][MAX_BYTES + 1];
static struct iovec sendVectors[BATCH], receiveVectors[BATCH];
static struct mmsghdr sends[BATCH], receives[BATCH];
static struct pollfd polls[MAX_SOURCES];
static long sent, received, wrong;
/* Datagrams in one message. */
static long segments = 1;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static int openSource(int port, int number, size_t bytes) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  if (fd < 0) fail("socket");
  int bufferBytes = 4 << 20;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bufferBytes, sizeof bufferBytes);
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000101u + (uint32_t)number)};
  struct sockaddr_in server = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
  if (bind(fd, (struct sockaddr *)&own, sizeof own) < 0) fail("bind");
  if (connect(fd, (struct sockaddr *)&server, sizeof server) < 0) fail("connect");
  int segmentBytes = (int)bytes;
  if (segments > 1 && setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segmentBytes, sizeof segmentBytes) < 0) fail("UDP_SEGMENT");
  return fd;
}

/* Sends `count` datagrams, rounded up to whole messages. */
static void sendBatch(int fd, long count) {
  while (count > 0) {
    long messages = (count + segments - 1) / segments;
    int done = sendmmsg(fd, sends, messages < BATCH ? (unsigned)messages : BATCH, 0);
    if (done <= 0) return;
    sent += done * segments;
    count -= done * segments;
  }
}

static long receiveAll(int fd, size_t bytes) {
  long total = 0;
  for (;;) {
    int got = recvmmsg(fd, receives, BATCH, MSG_DONTWAIT, NULL);
    if (got <= 0) return total;
    for (int index = 0; index < got; index += 1)
      if (receives[index].msg_len != bytes || memcmp(answers[index], payload, bytes) != 0) wrong += 1;
    total += got;
    if (got < BATCH) return total;
  }
}

int main(int argc, char **argv) {
  if (argc < 6) {
    fprintf(stderr, "usage: datagram-load PORT BYTES SECONDS window|rate N [SOURCES]\n");
    return 2;
  }
  int port = atoi(argv[1]);
  size_t bytes = (size_t)atol(argv[2]);
  double seconds = atof(argv[3]);
  int closedLoop = strcmp(argv[4], "window") == 0;
  long amount = atol(argv[5]);
  int sources = argc > 6 ? atoi(argv[6]) : 1;
  if (bytes > MAX_BYTES || sources < 1 || sources > MAX_SOURCES) return 2;
  if (!closedLoop && bytes > 0) segments = MAX_BYTES / (long)bytes < MAX_SEGMENTS ? MAX_BYTES / (long)bytes : MAX_SEGMENTS;
  /* All datagrams are alike, so that an answer can be checked whichever it answers. */
  for (size_t index = 0; index < sizeof payload; index += 1) payload[index] = (uint8_t)((bytes > 0 ? index % bytes : index) * 31);
  for (int index = 0; index < BATCH; index += 1) {
    sendVectors[index] = (struct iovec){.iov_base = payload, .iov_len = bytes * (size_t)segments};
    receiveVectors[index] = (struct iovec){.iov_base = answers[index], .iov_len = sizeof answers[index]};
    sends[index].msg_hdr = (struct msghdr){.msg_iov = &sendVectors[index], .msg_iovlen = 1};
    receives[index].msg_hdr = (struct msghdr){.msg_iov = &receiveVectors[index], .msg_iovlen = 1};
  }
  for (int index = 0; index < sources; index += 1) polls[index] = (struct pollfd){.fd = openSource(port, index, bytes), .events = POLLIN};

  double start = now(), last = start, time = start;
  if (closedLoop) for (int index = 0; index < sources; index += 1) sendBatch(polls[index].fd, (amount + sources - 1) / sources);
  int turn = 0;
  while ((time = now()) - start < seconds) {
    if (!closedLoop) {
      long due = (long)((time - start) * (double)amount) - sent;
      /* Never more than one message of a socket at once, so that the load is spread evenly. */
      while (due > 0) {
        long count = due < MAX_SEGMENTS ? due : MAX_SEGMENTS;
        long before = sent;
        sendBatch(polls[turn].fd, count);
        turn = (turn + 1) % sources;
        due -= count;
        if (sent == before) break;
      }
    }
    if (poll(polls, (nfds_t)sources, closedLoop ? 10 : 1) < 0 && errno != EINTR) fail("poll");
    long got = 0;
    for (int index = 0; index < sources; index += 1) {
      if ((polls[index].revents & (POLLIN | POLLERR)) == 0) continue;
      long one = receiveAll(polls[index].fd, bytes);
      got += one;
      if (closedLoop) sendBatch(polls[index].fd, one);
    }
    received += got;
    if (got > 0) last = time;
    else if (closedLoop && time - last > REFILL_AFTER_SECONDS) {
      for (int index = 0; index < sources; index += 1) sendBatch(polls[index].fd, (amount + sources - 1) / sources);
      last = time;
    }
  }
  printf("sent %ld received %ld wrong %ld seconds %.3f\n", sent, received, wrong, time - start);
  return 0;
}
