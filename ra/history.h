// SPDX-License-Identifier: Apache-2.0
// What a finished request leaves in the history when nothing else was written for it: that it was
// refused, or answered with what was there already. What was issued or has to wait is noted by the
// writer, in the same transaction.
#pragma once

#include "ra/enroll.h"

// So many events of one address are remembered at once, and so many a minute after them.
#define HISTORY_BURST      60
#define HISTORY_PER_MINUTE 30

// Hands the event to the writer without waiting. Job's answer is decided, its state still there
// unless there was no memory for one. An event too many for its address is counted as lost.
void history_note(struct enroll_job *job);
