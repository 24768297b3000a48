// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/suggest.h"

#include <stdint.h>
#include <string.h>

#define WORD_MAX     32 // octets of words that are compared; longer ones are not near to anything
#define SHORT_LEN    4  // up to so many octets one mistake may be made
#define SHORT_MAX    1
#define USUAL_MAX    2
#define PREFIX_LEAST 3 // octets of a beginning that says something

struct suggestion suggestion_for(const char *given)
{
    return (struct suggestion){.given = given, .distance = SIZE_MAX};
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

// How many octets are to be put in, taken out, changed or swapped with their neighbour to make one
// word of the other (optimal string alignment). Both have at most WORD_MAX octets.
static size_t distance_of(const char *one, size_t one_len, const char *other, size_t other_len)
{
    size_t table[WORD_MAX + 1][WORD_MAX + 1];
    for (size_t i = 0; i <= one_len; i++) {
        for (size_t k = 0; k <= other_len; k++) {
            if (i == 0 || k == 0) {
                table[i][k] = i + k;
                continue;
            }
            size_t change = one[i - 1] == other[k - 1] ? 0 : 1;
            table[i][k] =
                least(table[i - 1][k - 1] + change, least(table[i - 1][k], table[i][k - 1]) + 1);
            if (i > 1 && k > 1 && one[i - 1] == other[k - 2] && one[i - 2] == other[k - 1]) {
                table[i][k] = least(table[i][k], table[i - 2][k - 2] + 1);
            }
        }
    }
    return table[one_len][other_len];
}

void suggestion_try(struct suggestion *suggestion, const char *candidate)
{
    size_t given_len = strlen(suggestion->given);
    size_t len = strlen(candidate);
    if (given_len > WORD_MAX || len > WORD_MAX) {
        return;
    }
    size_t allowed = given_len <= SHORT_LEN ? SHORT_MAX : USUAL_MAX;
    size_t distance = distance_of(suggestion->given, given_len, candidate, len);
    if (given_len >= PREFIX_LEAST && strncmp(candidate, suggestion->given, given_len) == 0) {
        distance = least(distance, allowed);
    }
    if (distance <= allowed && distance < suggestion->distance) {
        suggestion->best = candidate;
        suggestion->distance = distance;
    }
}
