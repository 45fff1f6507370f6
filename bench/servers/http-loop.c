/* The least that a server needs that copies: one file in memory, one write for each request, no HTTP to speak of.
   `http-loop FILE`. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONNECTIONS 1024

static size_t unsent[CONNECTIONS];

static int watch(int poll, int how, int fd, unsigned events) {
  struct epoll_event event = {.events = events, .data.fd = fd};
  return epoll_ctl(poll, how, fd, &event);
}

int main(int count, char **arguments) {
  static char request[65536];
  struct stat file;
  FILE *content = count == 2 ? fopen(arguments[1], "r") : NULL;
  if (content == NULL || fstat(fileno(content), &file) < 0) return 1;
  size_t bytes = (size_t)file.st_size;
  char *response = malloc(bytes + 128);
  if (response == NULL) return 1;
  size_t head = (size_t)sprintf(response, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", bytes);
  if (fread(response + head, 1, bytes, content) != bytes) return 1;
  const size_t whole = head + bytes;

  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), poll = epoll_create1(0), on = 1;
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof own;
  if (bind(listener, (struct sockaddr *)&own, sizeof own) < 0 || listen(listener, 511) < 0) return 1;
  if (getsockname(listener, (struct sockaddr *)&own, &length) < 0) return 1;
  /* What is accepted inherits it. */
  setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  watch(poll, EPOLL_CTL_ADD, listener, EPOLLIN);
  printf("port %d\n", ntohs(own.sin_port));
  fflush(stdout);
  for (;;) {
    struct epoll_event events[CONNECTIONS];
    int ready = epoll_wait(poll, events, CONNECTIONS, -1);
    for (int index = 0; index < ready; index += 1) {
      int fd = events[index].data.fd;
      if (fd == listener) {
        int accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
        if (accepted >= CONNECTIONS) close(accepted);
        else if (accepted >= 0) {
          unsent[accepted] = 0;
          watch(poll, EPOLL_CTL_ADD, accepted, EPOLLIN);
        }
        continue;
      }
      /* One read is one request, as wrk asks. */
      if (unsent[fd] == 0) {
        if (read(fd, request, sizeof request) <= 0) {
          close(fd);
          continue;
        }
        unsent[fd] = whole;
      }
      ssize_t sent = send(fd, response + whole - unsent[fd], unsent[fd], MSG_NOSIGNAL);
      if (sent > 0) unsent[fd] -= (size_t)sent;
      /* While it waits for room it reads nothing; what went away meanwhile fails with the next write. */
      int waits = (events[index].events & EPOLLOUT) != 0;
      if (sent < 0 && (events[index].events & (EPOLLHUP | EPOLLERR)) != 0) close(fd);
      else if (unsent[fd] > 0 && !waits) watch(poll, EPOLL_CTL_MOD, fd, EPOLLOUT);
      else if (unsent[fd] == 0 && waits) watch(poll, EPOLL_CTL_MOD, fd, EPOLLIN);
    }
  }
}
