// SPDX-License-Identifier: Apache-2.0
#include "server/ctl/fleet/certificates.h"

#include "server/ctl/table.h"

enum { COLUMNS = 7 };
static const char *const titles[COLUMNS] = {"SERIAL", "COMMON NAME", "MAC",          "STATUS",
                                            "ISSUED", "EXPIRES",     "AUTHORISED BY"};
static const char *const keys[COLUMNS] = {"serial",    "common_name", "mac",          "status",
                                          "issued_at", "not_after",   "authorised_by"};

enum ctl_exit certificates_print(struct ctl *ctl, const json_t *certificates)
{
    struct err err = {0};
    struct table table = table_of(COLUMNS);
    size_t i;
    const json_t *certificate;
    table_add(&table, titles);
    json_array_foreach(certificates, i, certificate)
    {
        const char *cells[COLUMNS];
        for (unsigned column = 0; column < COLUMNS; column++) {
            cells[column] = api_text(certificate, keys[column]);
        }
        table_add(&table, cells);
    }
    enum err_code code = table_print(&table, ctl->out, &err);
    table_done(&table);
    return code == ERR_OK ? CTL_OK : ctl_complain(ctl, CTL_FAILED, "%s", err.text);
}
