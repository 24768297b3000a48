// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/progress.h"

#include <inttypes.h>
#include <unistd.h>

#define INTERVAL_US    100000 // between two lines
#define BAR_CELLS      30
#define LINE_CELLS     78 // so that it never wraps on a terminal of 80 columns
#define AMOUNT_LEN     64
#define LINE_LEN       160
#define PERCENT        100
#define OCTETS_PER_KIB 1024
#define OCTETS_PER_MIB 1048576
#define MIB_LEAST      10485760 // octets in all from which on MiB are fine enough

struct progress progress_begin(FILE *out, const char *what, enum progress_unit unit)
{
    return (struct progress){
        .out = out, .what = what, .unit = unit, .is_shown = isatty(fileno(out)) == 1};
}

static void describe(const struct progress *progress, uint64_t done, uint64_t total,
                     char text[AMOUNT_LEN])
{
    bool is_octets = progress->unit == PROGRESS_OCTETS;
    bool is_much = (total > 0 ? total : done) >= MIB_LEAST;
    uint64_t divisor = is_much ? OCTETS_PER_MIB : OCTETS_PER_KIB;
    const char *unit = is_much ? " MiB" : " KiB";
    if (!is_octets) {
        divisor = 1;
        unit = "";
    }
    if (total > 0) {
        snprintf(text, AMOUNT_LEN, "%" PRIu64 " of %" PRIu64 "%s", done / divisor, total / divisor,
                 unit);
    } else {
        snprintf(text, AMOUNT_LEN, "%" PRIu64 "%s", done / divisor, unit);
    }
}

static void draw_bar(uint64_t done, uint64_t total, char bar[BAR_CELLS + 1])
{
    uint64_t filled =
        done < total ? (uint64_t)((double)done / (double)total * BAR_CELLS) : BAR_CELLS;
    for (unsigned i = 0; i < BAR_CELLS; i++) {
        bar[i] = i < filled ? '#' : '.';
    }
    bar[BAR_CELLS] = '\0';
}

void progress_show(struct progress *progress, uint64_t done, uint64_t total, int64_t now_us)
{
    char amount[AMOUNT_LEN];
    char bar[BAR_CELLS + 1];
    char line[LINE_LEN];
    if (!progress->is_shown || now_us < progress->next_us) {
        return;
    }
    progress->next_us = now_us + INTERVAL_US;
    progress->has_line = true;
    describe(progress, done, total, amount);
    if (total > 0) {
        // A total may be an estimate.
        uint64_t shown = done < total ? done : total;
        draw_bar(shown, total, bar);
        snprintf(line, sizeof line, "%s [%s] %3u %%  %s", progress->what, bar,
                 (unsigned)((double)shown / (double)total * PERCENT), amount);
    } else {
        snprintf(line, sizeof line, "%s  %s", progress->what, amount);
    }
    fprintf(progress->out, "\r%-*.*s", LINE_CELLS, LINE_CELLS, line);
    fflush(progress->out);
}

void progress_end(struct progress *progress)
{
    if (progress->has_line) {
        fprintf(progress->out, "\r%*s\r", LINE_CELLS, "");
        fflush(progress->out);
        progress->has_line = false;
    }
}
