/* The least that forwarding can cost here: encrypt each packet for each viewer, hand a frame's packets over in one
 * sendmsg. No session, no sequence numbers to rewrite, no timers. Prints nanoseconds of CPU for a packet and viewer.
 *
 * Usage: limit VIEWERS SECONDS SENDING-CORE RECEIVING-CORE */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PACKETS 11 /* of an average frame */
#define PAYLOAD 1116
#define HEADER 12
#define TAG 16
#define SEGMENT (HEADER + PAYLOAD + TAG)
#define UDP_SEGMENT 103
#define UDP_GRO 104
#define PERIOD_NS 66666667L

static void pin(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    if (sched_setaffinity(0, sizeof set, &set)) exit(3);
}

static long now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000L + t.tv_nsec;
}

static void drain(int *sockets, int viewers) {
    static char buffer[65536];
    for (;;) {
        for (int i = 0; i < viewers; i++)
            while (recv(sockets[i], buffer, sizeof buffer, MSG_DONTWAIT) > 0) {}
        usleep(40000);
    }
}

int main(int argc, char **argv) {
    if (argc != 5) return 2;
    int viewers = atoi(argv[1]), seconds = atoi(argv[2]), one = 1, size = 1 << 20;
    int *sockets = calloc(viewers, sizeof *sockets);
    struct sockaddr_in *addresses = calloc(viewers, sizeof *addresses);
    EVP_CIPHER_CTX **ciphers = calloc(viewers, sizeof *ciphers);
    for (int i = 0; i < viewers; i++) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t length = sizeof address;
        unsigned char key[16] = {(unsigned char)i, (unsigned char)(i >> 8)};
        sockets[i] = socket(AF_INET, SOCK_DGRAM, 0);
        if (sockets[i] < 0 || bind(sockets[i], (struct sockaddr *)&address, length)) return 4;
        setsockopt(sockets[i], SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
        setsockopt(sockets[i], IPPROTO_UDP, UDP_GRO, &one, sizeof one);
        getsockname(sockets[i], (struct sockaddr *)&addresses[i], &length);
        ciphers[i] = EVP_CIPHER_CTX_new();
        if (EVP_EncryptInit_ex(ciphers[i], EVP_aes_128_gcm(), NULL, key, NULL) != 1) return 5;
    }
    pid_t parent = getpid(), receiver = fork();
    if (receiver == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) return 0;
        pin(atoi(argv[4]));
        drain(sockets, viewers);
    }
    pin(atoi(argv[3]));
    int sending = socket(AF_INET, SOCK_DGRAM, 0);
    static unsigned char plain[PACKETS][HEADER + PAYLOAD], out[PACKETS * SEGMENT];
    for (int p = 0; p < PACKETS; p++) memset(plain[p], 7 * p + 1, sizeof plain[p]);
    unsigned char iv[12] = {0};
    unsigned long sent = 0, index = 0;
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    long began = now_ns(), next = began;
    while (now_ns() - began < seconds * 1000000000L) {
        for (int i = 0; i < viewers; i++) {
            for (int p = 0; p < PACKETS; p++) {
                unsigned char *packet = out + p * SEGMENT;
                int length;
                index++;
                memcpy(iv + 4, &index, 8);
                memcpy(packet, plain[p], HEADER);
                EVP_EncryptInit_ex(ciphers[i], NULL, NULL, NULL, iv);
                EVP_EncryptUpdate(ciphers[i], NULL, &length, packet, HEADER);
                EVP_EncryptUpdate(ciphers[i], packet + HEADER, &length, plain[p] + HEADER, PAYLOAD);
                EVP_EncryptFinal_ex(ciphers[i], packet + HEADER + length, &length);
                EVP_CIPHER_CTX_ctrl(ciphers[i], EVP_CTRL_GCM_GET_TAG, TAG, packet + HEADER + PAYLOAD);
            }
            char control[CMSG_SPACE(2)] = {0};
            struct iovec vector = {out, sizeof out};
            struct msghdr message = {.msg_name = &addresses[i], .msg_namelen = sizeof addresses[i],
                                     .msg_iov = &vector, .msg_iovlen = 1,
                                     .msg_control = control, .msg_controllen = sizeof control};
            struct cmsghdr *header = CMSG_FIRSTHDR(&message);
            unsigned short segment = SEGMENT;
            header->cmsg_level = IPPROTO_UDP;
            header->cmsg_type = UDP_SEGMENT;
            header->cmsg_len = CMSG_LEN(sizeof segment);
            memcpy(CMSG_DATA(header), &segment, sizeof segment);
            if (sendmsg(sending, &message, 0) == (ssize_t)sizeof out) sent += PACKETS;
        }
        next += PERIOD_NS;
        long wait = next - now_ns();
        if (wait > 0) {
            struct timespec pause = {wait / 1000000000L, wait % 1000000000L};
            nanosleep(&pause, NULL);
        }
    }
    getrusage(RUSAGE_SELF, &after);
    kill(receiver, SIGKILL);
    double used = (after.ru_utime.tv_sec - before.ru_utime.tv_sec + after.ru_stime.tv_sec - before.ru_stime.tv_sec) * 1e9 +
                  (after.ru_utime.tv_usec - before.ru_utime.tv_usec + after.ru_stime.tv_usec - before.ru_stime.tv_usec) * 1e3;
    if (!sent) return 6;
    printf("%.0f\n", used / sent);
    return 0;
}
