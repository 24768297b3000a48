// SPDX-License-Identifier: Apache-2.0
// Who somebody claims to be that was refused, so that people find him by it in log and history: a
// phone whose manufacturer nobody here trusts says its MAC and CN all the same. Only for the
// report; a claim proves nothing, and nothing is decided by it or filed under a device.
#pragma once

#include "ra/enroll.h"

// Of a job that was refused or has to wait: completes the report's names from the certificate that
// signed, where the request itself gave none, and says whether they are proven (is_claimed) and who
// issued a certificate that is not accepted (mic_issuer). Costs a look at one subject, no key
// operation. Worker's or writer's thread, while the job's state is still there.
void claim_note(struct enroll_job *job);
