/* The peer: the shortest echo that C allows, one recvfrom and one sendto for each datagram, with no defence at all. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

int main(void) {
  static char buffer[65536];
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}, peer;
  socklen_t length = sizeof own;
  if (fd < 0 || bind(fd, (struct sockaddr *)&own, sizeof own) < 0 || getsockname(fd, (struct sockaddr *)&own, &length) < 0) return 1;
  printf("port %d\n", ntohs(own.sin_port));
  fflush(stdout);
  for (;;) {
    length = sizeof peer;
    ssize_t bytes = recvfrom(fd, buffer, sizeof buffer, 0, (struct sockaddr *)&peer, &length);
    if (bytes >= 0) sendto(fd, buffer, (size_t)bytes, 0, (struct sockaddr *)&peer, length);
  }
}
