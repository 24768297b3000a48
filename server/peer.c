// SPDX-License-Identifier: Apache-2.0
#include "server/peer.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "conf/syntax.h"

#define V4_OFFSET    12 // octets in front of the IPv4 address in a mapped one
#define HINT_LEN_MIN 6  // characters; a MAC has 12, a serial number 11
#define HINT_LEN_MAX 32

void peer_write_address(const struct sockaddr *from, char ret_text[STORE_SOURCE_LEN])
{
    union syntax_address address = {.any.sa_family = AF_UNSPEC};
    ret_text[0] = '\0';
    if (from->sa_family == AF_INET) {
        memcpy(&address.v4, from, sizeof address.v4);
        inet_ntop(AF_INET, &address.v4.sin_addr, ret_text, STORE_SOURCE_LEN);
    } else if (from->sa_family == AF_INET6) {
        memcpy(&address.v6, from, sizeof address.v6);
        const struct in6_addr *v6 = &address.v6.sin6_addr;
        bool is_mapped = IN6_IS_ADDR_V4MAPPED(v6);
        inet_ntop(is_mapped ? AF_INET : AF_INET6, is_mapped ? v6->s6_addr + V4_OFFSET : v6->s6_addr,
                  ret_text, STORE_SOURCE_LEN);
    }
}

void peer_address(struct MHD_Connection *connection, char ret_text[STORE_SOURCE_LEN])
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    ret_text[0] = '\0';
    if (info != NULL && info->client_addr != NULL) {
        peer_write_address(info->client_addr, ret_text);
    }
}

struct view peer_device_hint(const char *user_agent)
{
    const char *open = user_agent != NULL ? strrchr(user_agent, '(') : NULL;
    const char *close = open != NULL ? strchr(open, ')') : NULL;
    if (close == NULL) {
        return VIEW_EMPTY;
    }
    size_t len = (size_t)(close - open) - 1;
    for (size_t i = 0; i < len; i++) {
        if (!isalnum((unsigned char)open[1 + i])) {
            return VIEW_EMPTY;
        }
    }
    return len >= HINT_LEN_MIN && len <= HINT_LEN_MAX ? view_of(open + 1, len) : VIEW_EMPTY;
}
